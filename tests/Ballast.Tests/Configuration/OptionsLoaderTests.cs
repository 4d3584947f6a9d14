using System.Security.Cryptography;
using System.Text;
using Ballast.Configuration;

namespace Ballast.Tests.Configuration;

public class OptionsLoaderTests
{
    [Fact]
    public void Load_EveryKeyWritten_ReadsThemAll()
    {
        LoadResult result = ValidConfiguration.Load(ValidConfiguration.Yaml);

        Assert.True(result.IsValid, ValidConfiguration.Print(result));
        BallastOptions options = result.Options!;
        ProviderOptions azure = options.Providers[0];
        Assert.Equal(["azure", "bedrock", "local"], options.Providers.Select(static provider => provider.Name));
        Assert.Equal(("azure-openai", "azure", "swedencentral"), (azure.Kind, azure.Platform, azure.Region));
        Assert.Equal("2024-10-21", azure.ApiVersion);
        Assert.Equal(ValidConfiguration.Secret, azure.ApiKey!.Reveal());
        Assert.Equal(new DataOptions { Geo = "eu", RetentionDays = 30, Training = false }, azure.Data);
        Assert.Equal(KeyValuePair.Create("OpenAI-Organization", "org-1"), Assert.Single(azure.Headers));
        DeploymentOptions deployment = Assert.Single(azure.Deployments);
        Assert.Equal(("openai", "my-deployment", "openai/gpt-5-mini", 16384L), (deployment.Vendor, deployment.Model, deployment.Price, deployment.MaxOutputTokens));
        Assert.Equal(("norwayeast", 0, false), (deployment.Region, deployment.Data!.RetentionDays, deployment.Embedding));
        Assert.Equal(["+files", "-images"], deployment.Features);
        Assert.Equal("runtime", options.Providers[1].Api);
        Assert.True(options.Providers[2] is { AnyModel: true, Vendor: "meta", AllowPrivateAddresses: true, ApiKey: null });
        Assert.Equal([new CandidateOptions("azure/gpt-5-mini"), new CandidateOptions("local/llama", 2)], options.Models[0].Deployments);
        Assert.Equal("weighted", options.Models[0].Selection);
        Assert.Equal(["assistant", "azure/gpt-5-mini"], options.Keys[0].Models!);
        Assert.Equal(SHA256.HashData("test"u8), options.Keys[0].Digest.ToArray());
        Assert.Equal(SHA256.HashData(Encoding.UTF8.GetBytes("another-secret-key")), options.Keys[1].Digest.ToArray());
        Assert.Equal((0.25m, 0.025m, 0.25m, 0.5m, 2.0m, "a list"), PriceOf(options.Prices[0]));
        Assert.Equal((16 * 1024 * 1024, TimeSpan.FromSeconds(3)), (options.Limits.RequestBodyBytesMax, options.Limits.ConnectTimeout));
        Assert.Equal(new LimitsOptions().IdleTimeout, options.Limits.IdleTimeout);
    }

    private static (decimal, decimal?, decimal?, decimal?, decimal, string?) PriceOf(PriceOptions price) =>
        (price.Input, price.CacheRead, price.CacheWrite, price.CacheWriteLong, price.Output, price.Source);

    [Fact]
    public void Load_SeveralFaults_ReportsAllInTheOrderOfTheFile()
    {
        string yaml = ValidConfiguration.Yaml
            .Replace("admin: http://127.0.0.1:8081", "admin: http://0.0.0.0:8081", StringComparison.Ordinal)
            .Replace("region: swedencentral", "regoin: swedencentral", StringComparison.Ordinal)
            .Replace("local/llama", "lokal/llama", StringComparison.Ordinal)
            .Replace("connect_timeout: 3s", "connect_timeout: 3 parsecs", StringComparison.Ordinal);

        LoadResult result = ValidConfiguration.Load(yaml);

        Assert.Null(result.Options);
        ConfigurationFault[] errors = [.. result.Faults.Where(static fault => !fault.IsWarning)];
        Assert.Equal(
            ["server.admin", "providers.azure.region", "providers.azure.regoin", "models.assistant.deployments[1]", "limits.connect_timeout"],
            errors.Select(static fault => fault.Path));
        Assert.Equal("did you mean 'region'?", errors[2].Hint);
    }

    [Theory]
    [InlineData("region: ${REGION}", "swedencentral")]
    [InlineData("region: ${NONE:-norwayeast}", "norwayeast")]
    [InlineData("region: ${EMPTY:-norwayeast}", "norwayeast")]
    [InlineData("region: north-${REGION}-2", "north-swedencentral-2")]
    [InlineData("region: \"${REGION}\"", "swedencentral")]
    public void Load_Variable_IsPutIn(string line, string expected)
    {
        string yaml = ValidConfiguration.With("region: swedencentral", line).ReplaceLineEndings("\n");

        LoadResult result = OptionsLoader.Load(yaml, "ballast.yaml", name => name switch
        {
            "REGION" => "swedencentral",
            "EMPTY" => "",
            _ => ValidConfiguration.Environment(name),
        });

        Assert.Equal(expected, result.Options?.Providers[0].Region);
    }

    [Fact]
    public void Load_DoubledDollar_IsADollar()
    {
        LoadResult result = ValidConfiguration.Load(ValidConfiguration.With("OpenAI-Organization: org-1", "OpenAI-Organization: a$$b$c$"));

        Assert.Equal("a$b$c$", result.Options?.Providers[0].Headers[0].Value);
    }

    [Fact]
    public void Load_VariableHoldingYaml_StaysText()
    {
        string yaml = ValidConfiguration.With("OpenAI-Organization: org-1", "OpenAI-Organization: \"${HOSTILE}\"");

        LoadResult result = OptionsLoader.Load(yaml, "ballast.yaml", name => name == "HOSTILE" ? "x }, any_model: true, y: {" : ValidConfiguration.Environment(name));

        Assert.Equal("x }, any_model: true, y: {", result.Options!.Providers[0].Headers[0].Value);
        Assert.False(result.Options.Providers[0].AnyModel);
    }

    [Fact]
    public void Load_EmptySection_IsLikeAnAbsentOne()
    {
        LoadResult result = ValidConfiguration.Load(ValidConfiguration.With("  path: ballast.db\n".ReplaceLineEndings(), "  # path: x\n"));

        Assert.Equal("ballast.db", result.Options?.Ledger.Path);
    }

    [Fact]
    public void Load_SecretFile_IsReadBesideTheConfiguration()
    {
        DirectoryInfo directory = Directory.CreateTempSubdirectory();
        File.WriteAllText(Path.Combine(directory.FullName, "azure.key"), "from-a-file\n");
        string yaml = ValidConfiguration.With("api_key: ${AZURE_KEY}", "api_key_file: azure.key");

        LoadResult result = OptionsLoader.Load(yaml, Path.Combine(directory.FullName, "ballast.yaml"), ValidConfiguration.Environment);

        Assert.Equal("from-a-file", result.Options?.Providers[0].ApiKey!.Reveal());
        Assert.Equal(Path.Combine(directory.FullName, "ballast.db"), result.Options!.Ledger.Path);
        directory.Delete(recursive: true);
    }

    [Fact]
    public void LoadFile_NoSuchFile_IsAFault()
    {
        LoadResult result = OptionsLoader.LoadFile("/does/not/exist.yaml", ValidConfiguration.Environment);

        Assert.Contains("does not exist", Assert.Single(result.Faults).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void LoadFile_NotUtf8_IsAFault()
    {
        string path = Path.GetTempFileName();
        File.WriteAllBytes(path, [0x61, 0x3a, 0x20, 0xff, 0xfe]);

        LoadResult result = OptionsLoader.LoadFile(path, ValidConfiguration.Environment);

        Assert.Contains("UTF-8", Assert.Single(result.Faults).Message, StringComparison.Ordinal);
        File.Delete(path);
    }

    [Fact]
    public void Load_LargerThanTheLimit_IsAFault()
    {
        LoadResult result = ValidConfiguration.Load(ValidConfiguration.Yaml + "\n# " + new string('x', OptionsLoader.FileBytesMax));

        Assert.False(result.IsValid);
        Assert.Contains("larger than 1024 KiB", Assert.Single(result.Faults).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ToString_OptionsWithSecrets_HidesThem()
    {
        BallastOptions options = ValidConfiguration.Load(ValidConfiguration.Yaml).Options!;

        Assert.DoesNotContain(ValidConfiguration.Secret, options.Providers[0].ToString(), StringComparison.Ordinal);
        Assert.Contains("(secret from environment variable AZURE_KEY)", options.Providers[0].ToString(), StringComparison.Ordinal);
    }
}
