using Ballast.Catalog;
using Ballast.Configuration;

namespace Ballast.Tests.Configuration;

public class AwsOptionsTests
{
    private const string Provider = """
        providers:
          bedrock:
            kind: aws-bedrock
            platform: aws
            region: eu-west-1
            data: { geo: eu, retention_days: 0, training: false }
            deployments:
              nova: { vendor: amazon, model: eu.amazon.nova-lite-v1:0 }
              claude: { vendor: anthropic, model: eu.anthropic.claude-x-v1:0 }
              gpt: { vendor: openai, model: openai.gpt-oss-120b-1:0 }
            MORE
        keys:
          demo: { key_env: OTHER_KEY, allow: { geo: [eu] } }
        """;

    private static LoadResult Load(string more) =>
        OptionsLoader.Load(Provider.Replace("MORE", more, StringComparison.Ordinal).ReplaceLineEndings("\n"), "ballast.yaml", static name => name switch
        {
            "AWS_ACCESS_KEY_ID" => "AKIDOFENVIRONMENT",
            "AWS_SECRET_ACCESS_KEY" => "secret-of-the-environment",
            "AWS_SESSION_TOKEN" => "token-of-the-environment",
            _ => ValidConfiguration.Environment(name),
        });

    [Fact]
    public void Load_EmptySection_TakesWhatAwsToolsTake()
    {
        LoadResult result = Load("aws: {}");
        Assert.True(result.IsValid, ValidConfiguration.Print(result));
        AwsKeys keys = CatalogBuilder.Build(result.Options!, revision: 1).Providers["bedrock"].Aws!;
        Assert.Equal(("AKIDOFENVIRONMENT", "token-of-the-environment"), (keys.AccessKeyId, keys.SessionToken!.Reveal()));
    }

    [Fact]
    public void Build_ByVendor_ChoosesProtocolAndHost()
    {
        CatalogSnapshot catalog = CatalogBuilder.Build(Load("aws: {}").Options!, revision: 1);
        Assert.Equal("bedrock-converse https://bedrock-runtime.eu-west-1.amazonaws.com/", Told("nova"));
        Assert.Equal("bedrock-invoke,bedrock-converse https://bedrock-runtime.eu-west-1.amazonaws.com/", Told("claude"));
        Assert.Equal("openai-chat https://bedrock-mantle.eu-west-1.api.aws/", Told("gpt"));

        string Told(string model)
        {
            Deployment deployment = catalog.Deployments["bedrock/" + model];
            return $"{string.Join(',', deployment.Protocols.Select(protocol => protocol.Name))} {deployment.Provider.BaseAddress}";
        }
    }

    [Theory]
    [InlineData("aws: { access_key_id_env: OTHER_KEY }", "an access key and its secret are needed")]
    [InlineData("aws: {}\n    api_key: ${OTHER_KEY}", "'aws' and 'api_key' say the same thing twice")]
    [InlineData("aws: { secret_access_key: literal-secret }", "must not hold the key itself")]
    public void Load_AnythingElse_IsAFault(string more, string message)
    {
        LoadResult result = Load(more);
        Assert.False(result.IsValid);
        Assert.Contains(message, ValidConfiguration.Print(result), StringComparison.Ordinal);
        Assert.DoesNotContain("literal-secret", ValidConfiguration.Print(result), StringComparison.Ordinal);
    }
}
