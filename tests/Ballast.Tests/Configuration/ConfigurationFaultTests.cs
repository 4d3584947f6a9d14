using Ballast.Configuration;

namespace Ballast.Tests.Configuration;

/// <summary>One row for each fault there is: what is written instead of what, and the place and words of the verdict.</summary>
public class ConfigurationFaultTests
{
    private const string Azure = "providers.azure";
    private const string Nest = "[0][0][0][0][0][0][0][0][0][0][0][0][0][0][0]";
    private const string Deployment = "providers.azure.deployments.gpt-5-mini";

    [Theory]

    // YAML itself
    [InlineData("  path: ballast.db", "  path: [ballast.db", "", 6, "not valid YAML")]
    [InlineData("ledger:\n  path: ballast.db", "ledger: { path: ${HOME} }", "", 4, "did not find expected ',' or '}'")]
    [InlineData("  path: ballast.db", "  path: *there", "ledger.path", 5, "aliases")]
    [InlineData("  path: ballast.db", "  path: &here ballast.db", "ledger.path", 5, "anchors")]
    [InlineData("  path: ballast.db", "  path: !secret ballast.db", "ledger.path", 5, "tags")]
    [InlineData("  path: ballast.db", "  path: ballast.db\n  path: other.db", "ledger.path", 6, "'path' is written twice here")]
    [InlineData("  path: ballast.db", "  ? [a]\n  : b", "ledger", 5, "a key must be a single word")]
    [InlineData("  path: ballast.db", "  path: a\n---\nserver: {}", "", 6, "more than one document")]
    [InlineData("  path: ballast.db", "  path: [[[[[[[[[[[[[[[[[a]]]]]]]]]]]]]]]]]", "ledger.path" + Nest, 5, "nested deeper")]

    // Keys and types
    [InlineData("platform: azure\n", "platfrom: azure\n", Azure + ".platfrom", 9, "unknown key 'platfrom' in a provider")]
    [InlineData("  path: ballast.db", "  zzzzzz: 1", "ledger.zzzzzz", 5, "unknown key 'zzzzzz' in 'ledger'")]
    [InlineData("ledger:\n  path: ballast.db", "ledger: here", "ledger", 4, "'ledger' must be a mapping, not a single value")]
    [InlineData("  path: ballast.db", "  path: [a]", "ledger.path", 5, "'path' must be a single value, not a list")]
    [InlineData("  path: ballast.db", "  path:", "ledger.path", 5, "'path' has no value")]
    [InlineData("features: [-files]", "features: -files", Azure + ".features", 16, "'features' must be a list, not a single value")]
    [InlineData("features: [-files]", "features: [[a]]", Azure + ".features[0]", 16, "a single value is expected here, not a list")]
    [InlineData("features: [-files]", "protocols: [openai-chatt]", Azure + ".protocols[0]", 16, "unknown protocol: 'openai-chatt'")]
    [InlineData("features: [-files]", "features: [-fils]", Azure + ".features[0]", 16, "unknown feature: '-fils'")]
    [InlineData("embedding: false", "embedding: no", Deployment + ".embedding", 26, "'embedding' must be true or false, not 'no'")]
    [InlineData("max_output_tokens: 16384", "max_output_tokens: lots", Deployment + ".max_output_tokens", 22, "must be a whole number, not 'lots'")]
    [InlineData("max_output_tokens: 16384", "max_output_tokens: 0", Deployment + ".max_output_tokens", 22, "'max_output_tokens' is out of range: '0'")]
    [InlineData("connect_timeout: 3s", "connect_timeout: 3", "limits.connect_timeout", 63, "must be a duration, not '3'")]
    [InlineData("connect_timeout: 3s", "connect_timeout: 2h", "limits.connect_timeout", 63, "'connect_timeout' is out of range: '2h'")]
    [InlineData("request_body_max: 16MiB", "request_body_max: 16MB", "limits.request_body_max", 62, "must be a size, not '16MB'")]
    [InlineData("input: 0.25", "input: -1", "prices[\"openai/gpt-5-mini\"].input", 60, "'input' is out of range: '-1'")]
    [InlineData("output: 2.0, ", "", "prices[\"openai/gpt-5-mini\"].output", 60, "'output' is missing")]

    // Variables
    [InlineData("region: swedencentral", "region: ${NOT_SET}", Azure + ".region", 10, "environment variable NOT_SET is not set")]
    [InlineData("region: swedencentral", "region: ${OPEN", Azure + ".region", 10, "'${' is never closed")]
    [InlineData("region: swedencentral", "region: ${a-b}", Azure + ".region", 10, "does not hold the name of an environment variable")]

    // Server
    [InlineData("listen: http://127.0.0.1:8080", "listen: nowhere", "server.listen", 2, "must be an address")]
    [InlineData("listen: http://127.0.0.1:8080", "listen: https://127.0.0.1:8080", "server.listen", 2, "there is no certificate")]
    [InlineData("listen: http://127.0.0.1:8080", "listen: http://127.0.0.1:8080/x", "server.listen", 2, "has no path")]
    [InlineData("admin: http://127.0.0.1:8081", "cors: { origins: [https://app.example.com/] }", "server.cors.origins[0]", 3, "not the origin of a web page")]
    [InlineData("admin: http://127.0.0.1:8081", "cors: { origins: [https://app.example.com:443] }", "server.cors.origins[0]", 3, "not the origin of a web page")]
    [InlineData("admin: http://127.0.0.1:8081", "cors: { origins: [https://App.example.com] }", "server.cors.origins[0]", 3, "not the origin of a web page")]
    [InlineData("admin: http://127.0.0.1:8081", "cors: { origins: [\"null\"] }", "server.cors.origins[0]", 3, "not the origin of a web page")]
    [InlineData("admin: http://127.0.0.1:8081", "cors: { origins: [https://*.example.com] }", "server.cors.origins[0]", 3, "not the origin of a web page")]
    [InlineData("admin: http://127.0.0.1:8081", "cors: { origins: [http://a:1, http://a:1] }", "server.cors.origins[1]", 3, "written twice")]
    [InlineData("admin: http://127.0.0.1:8081", "cors: {}", "server.cors.origins", 3, "'origins' is missing")]
    [InlineData("admin: http://127.0.0.1:8081", "cors: { origin: [http://a:1] }", "server.cors.origin", 3, "unknown key 'origin'")]
    [InlineData("admin: http://127.0.0.1:8081", "admin: http://10.0.0.1:8081", "server.admin", 3, "must be loopback")]
    [InlineData("admin: http://127.0.0.1:8081", "admin: http://127.0.0.1:8080", "server.admin", 3, "cannot share a port")]

    // Providers
    [InlineData("  azure:\n", "  Azure!:\n", "providers[\"Azure!\"]", 7, "'Azure!' cannot be the name of a provider")]
    [InlineData("kind: azure-openai", "kind: azure", Azure + ".kind", 8, "'kind' cannot be 'azure'")]
    [InlineData("    kind: azure-openai\n", "", Azure + ".kind", 7, "does not say what kind it is")]
    [InlineData("    platform: azure\n", "", Azure + ".platform", 7, "does not say who operates it")]
    [InlineData("    region: swedencentral\n", "", Azure + ".region", 7, "does not say where it is")]
    [InlineData("region: swedencentral", "region: Sweden Central", Azure + ".region", 10, "must be a lower-case word, not 'Sweden Central'")]
    [InlineData("    base_url: https://my-resource.openai.azure.com\n", "", Azure + ".base_url", 7, "has no address")]
    [InlineData("https://my-resource.openai.azure.com", "https://user:pass@x.com", Azure + ".base_url", 11, "must be an address")]
    [InlineData("https://my-resource.openai.azure.com", "http://my-resource.openai.azure.com", Azure + ".base_url", 11, "in the clear")]
    [InlineData("https://my-resource.openai.azure.com", "https://localhost", Azure + ".base_url", 11, "lies on this machine")]
    [InlineData("api: runtime", "api_version: v1", "providers.bedrock.api_version", 31, "for kinds azure-openai and azure-foundry only")]
    [InlineData("api_version: 2024-10-21", "api: mantle", Azure + ".api", 12, "for kind aws-bedrock only")]
    [InlineData("api: runtime", "api: runtime\n    base_url: https://x.com", "providers.bedrock.api", 31, "say the same thing twice")]
    [InlineData("data: { geo: eu, retention_days: 30, training: false }", "any_model: false", Azure + ".data", 7, "does not say what it does with data")]
    [InlineData("geo: eu, retention_days: 30, ", "retention_days: 30, ", Azure + ".data.geo", 14, "'geo' is missing")]
    [InlineData("retention_days: 30, ", "", Azure + ".data.retention_days", 14, "'retention_days' is missing")]
    [InlineData("retention_days: 30, training: false }", "retention_days: 30 }", Azure + ".data.training", 14, "'training' is missing")]
    [InlineData("    any_model: true\n", "", "providers.local.deployments", 36, "has no deployments")]
    [InlineData("    vendor: meta\n", "", "providers.local.vendor", 36, "does not say who makes them")]
    [InlineData("OpenAI-Organization: org-1", "Authorization: x", Azure + ".headers.Authorization", 15, "is set by Ballast itself")]
    [InlineData("OpenAI-Organization: org-1", "\"a b\": x", Azure + ".headers[\"a b\"]", 15, "not a header's name")]
    [InlineData("OpenAI-Organization: org-1", "X-A: \"a\\r\\nb\"", Azure + ".headers.X-A", 15, "line end")]

    // Deployments
    [InlineData("        vendor: openai\n", "", Deployment + ".vendor", 18, "does not say who makes the model")]
    [InlineData("        vendor: openai\n", "        vendor: by-name\n", Deployment + ".vendor", 19, "a deployment names its vendor")]
    [InlineData("model: my-deployment", "model: my deployment", Deployment + ".model", 20, "holds spaces")]
    [InlineData("        price: openai/gpt-5-mini\n", "        price: openai/gpt-5\n", Deployment + ".price", 21, "there is no price 'openai/gpt-5'")]

    // Secrets
    [InlineData("api_key: ${AZURE_KEY}", "api_key: sk-very-secret-0123456789", Azure + ".api_key", 13, "must not hold the key itself")]
    [InlineData("api_key: ${AZURE_KEY}", "api_key: x${AZURE_KEY}", Azure + ".api_key", 13, "must not hold the key itself")]
    [InlineData("api_key: ${AZURE_KEY}", "api_key: ${NONE:-sk-very-secret-0123456789}", Azure + ".api_key", 13, "must not hold the key itself")]
    [InlineData("api_key: ${AZURE_KEY}", "api_key: ${NOT_SET}", Azure + ".api_key", 13, "environment variable NOT_SET is not set")]
    [InlineData("api_key: ${AZURE_KEY}", "api_key_env: NOT-A-NAME", Azure + ".api_key_env", 13, "must be the name of an environment variable")]
    [InlineData("api_key: ${AZURE_KEY}", "api_key_file: no/such/file", Azure + ".api_key_file", 13, "cannot be read")]
    [InlineData("api_key: ${AZURE_KEY}", "api_key: ${AZURE_KEY}\n    api_key_env: AZURE_KEY", Azure + ".api_key_env", 14, "say the same thing twice")]
    [InlineData("    api_key: ${AZURE_KEY}\n", "", Azure + ".api_key", 7, "has no API key")]

    // Models
    [InlineData("  assistant:\n", "  azure/gpt-5-mini:\n", "models[\"azure/gpt-5-mini\"]", 46, "already the name of a deployment")]
    [InlineData("selection: weighted", "selection: random", "models.assistant.selection", 47, "'selection' cannot be 'random'")]
    [InlineData("deployments: [azure/gpt-5-mini, { deployment: local/llama, weight: 2 }]", "deployments: []", "models.assistant.deployments", 48, "names no deployment")]
    [InlineData("local/llama", "azure/gpt-5-nano", "models.assistant.deployments[1]", 48, "there is no deployment 'azure/gpt-5-nano'")]
    [InlineData("local/llama", "azure/gpt-5-mini", "models.assistant.deployments[1]", 48, "is named twice")]
    [InlineData("deployment: local/llama, ", "", "models.assistant.deployments[1].deployment", 48, "'deployment' is missing")]
    [InlineData("deployment: local/llama, weight: 2", "deployment: local/llama, weight: 0", "models.assistant.deployments[1].weight", 48, "'weight' is out of range")]
    [InlineData("local/llama", "$x", "models.assistant.deployments[1].deployment", 48, "'$x' is not a name")]

    // Keys
    [InlineData("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "9f86", "keys.demo.key_sha256", 51, "64 hexadecimal digits")]
    [InlineData("    key_env: OTHER_KEY\n", "", "keys.other", 56, "key 'other' has no key")]
    [InlineData("key_env: OTHER_KEY", "key_sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "keys.other", 56, "are the same key")]
    [InlineData("key_env: OTHER_KEY", "key: short", "keys.other.key", 57, "shorter than 8 characters")]
    [InlineData("loss_policy: warn", "loss_policy: maybe", "keys.demo.loss_policy", 54, "'loss_policy' cannot be 'maybe'")]
    [InlineData("models: [assistant, azure/gpt-5-mini]", "models: [asistant]", "keys.demo.models[0]", 55, "there is no model 'asistant'")]
    [InlineData("geo: [eu, local]", "geo: [EU]", "keys.demo.allow.geo[0]", 53, "a geography must be a lower-case word")]

    // Limits
    [InlineData("connect_timeout: 3s", "connect_timeout: 3s\n  first_token_timeout: 2s", "limits.connect_timeout", 63, "longer than 'first_token_timeout'")]
    [InlineData("connect_timeout: 3s", "total_timeout: 10s", "limits.first_token_timeout", 61, "longer than 'total_timeout'")]
    public void Load_Fault_IsReportedWithItsPlace(string piece, string replacement, string path, int line, string message)
    {
        LoadResult result = ValidConfiguration.Load(ValidConfiguration.With(piece, replacement));

        Assert.Null(result.Options);
        ConfigurationFault? fault = result.Faults.FirstOrDefault(one => one.Path == path && one.Line == line && !one.IsWarning);
        Assert.True(fault is not null && fault.Message.Contains(message, StringComparison.Ordinal), ValidConfiguration.Print(result));
        Assert.True(fault.Column > 0);
        Assert.DoesNotContain(ValidConfiguration.Secret, ValidConfiguration.Print(result), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "the file is empty")]
    [InlineData("# nothing", "the file is empty")]
    [InlineData("- a", "the file must be a mapping, not a list")]
    [InlineData("server: {}", "there is no provider")]
    [InlineData("\"\\uD800\"", "")]
    public void Load_NoConfigurationAtAll_IsRefused(string yaml, string message)
    {
        LoadResult result = ValidConfiguration.Load(yaml);

        Assert.Null(result.Options);
        Assert.Contains(result.Faults, fault => fault.Message.Contains(message, StringComparison.Ordinal));
    }

    /// <summary>Braces of a variable are YAML's own where they stand among braces: the commonest way to write a file that is none.</summary>
    [Theory]
    [InlineData("ledger: { path: ${HOME} }", true)]
    [InlineData("ledger: { path: \"${HOME}\" }", false)]
    [InlineData("ledger: { path: ballast.db", false)]
    public void Load_VariableAmongBraces_SaysThatItNeedsQuotes(string written, bool isTold)
    {
        LoadResult result = ValidConfiguration.Load(ValidConfiguration.With("ledger:\n  path: ballast.db", written));

        Assert.Equal(isTold, result.Faults.Any(static fault => fault.Hint.Contains("in quotes: \"${NAME}\"", StringComparison.Ordinal)));
    }

    [Fact]
    public void Load_Columns_AreThoseOfTheValue()
    {
        LoadResult result = ValidConfiguration.Load(ValidConfiguration.With("region: swedencentral", "region: Sweden"));

        ConfigurationFault fault = Assert.Single(result.Faults, static one => !one.IsWarning);
        Assert.Equal("ballast.yaml:10:13: error: 'region' must be a lower-case word, not 'Sweden' (hint: letters, digits, '.', '_' and '-')", fault.Print("ballast.yaml"));
    }

    [Fact]
    public void Load_VeryManyFaults_AreCutAndCounted()
    {
        string unknown = string.Concat(Enumerable.Range(0, 500).Select(static i => $"\nunknown{i}: 1"));

        LoadResult result = ValidConfiguration.Load(ValidConfiguration.Yaml + unknown);

        Assert.Equal(FaultList.CountMax + 1, result.Faults.Count);
        Assert.Contains("more faults are not shown", result.Faults[^1].Message, StringComparison.Ordinal);
    }
}
