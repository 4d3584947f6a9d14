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
    [InlineData("aws: { profile: work }", "work", null)]
    [InlineData("aws: { role_arn: 'arn:aws:iam::123456789012:role/r', external_id: e }", null, "arn:aws:iam::123456789012:role/r")]
    [InlineData("aws: { role_arn: 'arn:aws:iam::123456789012:role/r', web_identity_token_file: /tokens/t }", null, "arn:aws:iam::123456789012:role/r")]
    public void Load_ProfileOrRole_IsFetched(string more, string? profile, string? role)
    {
        LoadResult result = Load(more);
        Assert.True(result.Options is not null, ValidConfiguration.Print(result));
        Provider provider = CatalogBuilder.Build(result.Options, revision: 1).Providers["bedrock"];
        Assert.Null(provider.Aws);
        Assert.Equal((profile, role, "eu-west-1", "ballast"), (provider.AwsIdentity!.Profile, provider.AwsIdentity.RoleArn, provider.AwsIdentity.Region, provider.AwsIdentity.RoleSessionName));
    }

    [Theory]
    [InlineData("global.anthropic.claude-x-v1:0", "global")]
    [InlineData("us.anthropic.claude-x-v1:0", "us")]
    [InlineData("arn:aws:bedrock:eu-west-1:123456789012:inference-profile/apac.anthropic.claude-x-v1:0", "apac")]
    [InlineData("anthropic.claude-x-v1:0", "eu")]
    public void Build_InferenceProfile_IsWhereDataGoes(string model, string geo)
    {
        LoadResult result = Load($"  roaming: {{ vendor: anthropic, model: '{model}' }}\n    aws: {{}}");
        Assert.True(result.Options is not null, ValidConfiguration.Print(result));
        CatalogSnapshot catalog = CatalogBuilder.Build(result.Options, revision: 1);
        Assert.Equal(geo, catalog.Deployments["bedrock/roaming"].Data.Geo);
        Assert.Equal(geo == "eu", catalog.Keys[0].Allow.Allows(catalog.Deployments["bedrock/roaming"].Data));
        Assert.Equal(!model.StartsWith("anthropic", StringComparison.Ordinal), ValidConfiguration.Print(result).Contains("is said to stay in 'eu'", StringComparison.Ordinal));
    }

    /// <summary>A word in the file does not keep data from where the profile sends it: neither in the plan nor where the file is checked.</summary>
    [Theory]
    [InlineData("global", "eu", "global")]
    [InlineData("us", "eu", "global")]
    [InlineData("eu", "global", "global")]
    [InlineData("eu", "eu", "eu")]
    [InlineData("eu", "de", "eu")]
    [InlineData("us", "de", "us")]
    public void Build_OwnGeoBesideAProfile_TheWiderCounts(string profile, string written, string geo)
    {
        LoadResult result = Load($"  roaming: {{ vendor: anthropic, model: '{profile}.anthropic.claude-x-v1:0', data: {{ geo: {written} }} }}\n    aws: {{}}");
        Assert.True(result.Options is not null, ValidConfiguration.Print(result));
        CatalogSnapshot catalog = CatalogBuilder.Build(result.Options, revision: 1);
        Assert.Equal(geo, catalog.Deployments["bedrock/roaming"].Data.Geo);
        Assert.Equal(geo, new DeploymentIndex(result.Options).TermsOf("bedrock/roaming").Geo);
        Assert.Equal(geo == "eu", catalog.Keys[0].Allow.Allows(catalog.Deployments["bedrock/roaming"].Data));
    }

    [Theory]
    [InlineData("aws: { external_id: e }", "'external_id' says nothing without a role")]
    [InlineData("aws: { role_arn: admin }", "is not a role's ARN")]
    [InlineData("aws: { profile: work, access_key_id_env: OTHER_KEY, secret_access_key_env: OTHER_KEY }", "both say who asks")]
    [InlineData("aws: { role_arn: 'arn:aws:iam::123456789012:role/r', sts_url: 'http://sts.example' }", "in the clear")]
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
