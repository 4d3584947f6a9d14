using Ballast.Configuration;

namespace Ballast.Tests.Configuration;

public class OptionsLintTests
{
    [Theory]
    [InlineData("{ deployment: local/llama, weight: 2 }", "bedrock/gpt-5-mini", "models.assistant.deployments[1]", 48, "fallback 'bedrock/gpt-5-mini' shares vendor openai with 'azure/gpt-5-mini'")]
    [InlineData("{ deployment: local/llama, weight: 2 }", "local/llama, local/llama-2", "models.assistant.deployments[2]", 48, "shares vendor meta and platform local and region local with 'local/llama'")]
    [InlineData(", { deployment: local/llama, weight: 2 }", "", "models.assistant.deployments", 48, "model 'assistant' has no fallback: it stops with 'azure/gpt-5-mini'")]
    [InlineData("gpt-5-mini: { vendor: openai, price: openai/gpt-5-mini }", "other: { vendor: openai }", "providers.bedrock.deployments.other", 35, "'bedrock/other' has no price")]
    [InlineData("    allow: { geo: [eu] }\n", "", "keys.other", 56, "key 'other' has no 'allow'")]
    [InlineData("key_env: OTHER_KEY", "key: in-the-open-for-all", "keys.other.key", 57, "key 'other' stands in the file for all to read")]
    [InlineData("allow: { geo: [eu] }", "allow: { geo: [us] }", "keys.other.allow", 58, "'allow' of key 'other' admits no deployment of model 'assistant'")]
    [InlineData("gpt-5-mini: { vendor: openai, price: openai/gpt-5-mini }", "x: { vendor: openai, price: openai/gpt-5-mini, model: us.openai.x }", "providers.bedrock.deployments.x.model", 35, "begins with 'us.', but its data is said to stay in 'eu'")]
    [InlineData("listen: http://127.0.0.1:8080", "listen: http://0.0.0.0:8080", "server.listen", 2, "cross the network unencrypted")]
    public void Check_Doubtful_WarnsWithItsPlaceAndApplies(string piece, string replacement, string path, int line, string message)
    {
        LoadResult result = ValidConfiguration.Load(ValidConfiguration.With(piece, replacement));

        Assert.True(result.IsValid, ValidConfiguration.Print(result));
        Assert.Contains(result.Faults, fault =>
            fault.IsWarning && fault.Path == path && fault.Line == line && fault.Column > 0 && fault.Message.Contains(message, StringComparison.Ordinal));
    }

    [Fact]
    public void Check_NothingDoubtful_IsSilent()
    {
        LoadResult result = ValidConfiguration.Load(ValidConfiguration.Yaml);

        Assert.Empty(result.Faults);
    }

    [Fact]
    public void Check_RegionGlobal_IsSharedByNobody()
    {
        string yaml = ValidConfiguration.Yaml.Replace("region: norwayeast", "region: global", StringComparison.Ordinal)
            .Replace("region: local", "region: global", StringComparison.Ordinal);

        Assert.Empty(ValidConfiguration.Load(yaml).Faults);
    }

    [Fact]
    public void Check_ThirdCandidate_NamesWhatItSharesWithEach()
    {
        string yaml = ValidConfiguration.With("{ deployment: local/llama, weight: 2 }", "local/llama, bedrock/gpt-5-mini")
            .Replace("platform: aws", "platform: local", StringComparison.Ordinal);

        LoadResult result = ValidConfiguration.Load(yaml);

        Assert.Contains(
            "fallback 'bedrock/gpt-5-mini' shares vendor openai with 'azure/gpt-5-mini', platform local with 'local/llama'",
            result.Faults.Select(static fault => fault.Message));
    }

    [Fact]
    public void Check_NoKeys_Warns()
    {
        string yaml = ValidConfiguration.Yaml[..ValidConfiguration.Yaml.IndexOf("keys:", StringComparison.Ordinal)]
            + ValidConfiguration.Yaml[ValidConfiguration.Yaml.IndexOf("prices:", StringComparison.Ordinal)..];

        LoadResult result = ValidConfiguration.Load(yaml);

        Assert.Equal("there is no key: no client can be served", Assert.Single(result.Faults).Message);
    }
}
