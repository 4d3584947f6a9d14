using Ballast.EndToEnd.Tests.Fixtures;
using Ballast.Sandbox;

namespace Ballast.EndToEnd.Tests.Sdk;

/// <summary>
/// Anthropic's NuGet clients for three clouds and OpenAI's client of Responses, unmodified: directly at the simulated platforms, and at the gateway's surfaces, from where they
/// reach platforms of every protocol.
/// </summary>
public sealed class CloudNuGetTests(GatewayFixture gateways, SandboxFixture sandbox)
{
    private const string Haiku = "claude-haiku-4-5";

    // Target, platform of the sandbox, the model there.
    private static readonly (string Name, string Platform, string Model)[] s_bedrock =
        [("key", "bedrock", "eu.anthropic.claude-haiku-4-5-20251001-v1:0"), ("signed", "bedrock", "eu.anthropic.claude-haiku-4-5-20251001-v1:0")];

    // The clients for AWS and Google know no counting of tokens.
    public static TheoryData<string, string> BedrockCases => Rows([.. s_bedrock.Select(static at => at.Name)], static name => name != "count_tokens");

    public static TheoryData<string, string> VertexCases => Rows(["direct"], static name => name != "count_tokens");

    public static TheoryData<string, string> FoundryCases => Rows(["direct"], static _ => true);

    public static TheoryData<string, string> ResponsesCases =>
    [
        .. from target in Targets(["direct"]) from name in SdkCases.That(ResponsesNuGet.Cases.Keys, target) select new TheoryDataRow<string, string>(target, name),
    ];

    public static TheoryData<string, string> KeptBedrockCases => SdkTier.Kept(BedrockCases);

    public static TheoryData<string, string> KeptVertexCases => SdkTier.Kept(VertexCases);

    public static TheoryData<string, string> KeptFoundryCases => SdkTier.Kept(FoundryCases);

    public static TheoryData<string, string> KeptResponsesCases => SdkTier.Kept(ResponsesCases);

    [Theory]
    [MemberData(nameof(KeptBedrockCases))]
    public Task AnthropicBedrock_AtPlatformAndGateway_IsContent(string target, string name) =>
        AnthropicNuGet.Cases[name](s_bedrock.FirstOrDefault(at => at.Name == target) is { Name: not null } direct
            ? Direct(direct.Platform, direct.Model, SdkCloud.Bedrock) with { Aws = target == "signed" ? (SandboxAws.AccessKeyId, SandboxAws.SecretAccessKey) : null }
            : AtGateway(target, SdkCloud.Bedrock));

    [Theory]
    [MemberData(nameof(KeptVertexCases))]
    public Task AnthropicVertex_AtPlatformAndGateway_IsContent(string target, string name) => AnthropicNuGet.Cases[name](target == "direct"
        ? Direct("vertex", Haiku + "@20251001", SdkCloud.Vertex) with { Key = sandbox.Fast.Google.IssueToken(), SlowKey = sandbox.Slow.Google.IssueToken() }
        : AtGateway(target, SdkCloud.Vertex));

    [Theory]
    [MemberData(nameof(KeptFoundryCases))]
    public Task AnthropicFoundry_AtPlatformAndGateway_IsContent(string target, string name) =>
        AnthropicNuGet.Cases[name](target == "direct" ? Direct("azure", Haiku, SdkCloud.Foundry) : AtGateway(target, SdkCloud.Foundry));

    [Theory]
    [MemberData(nameof(KeptResponsesCases))]
    public Task OpenAIResponses_AtPlatformAndGateway_IsContent(string target, string name) =>
        ResponsesNuGet.Cases[name](target == "direct" ? Direct("openai", "gpt-5-mini", SdkCloud.None) : AtGateway(target, SdkCloud.None));

    private static IEnumerable<string> Targets(string[] direct) => [.. direct, .. GatewayTargets.All.Select(static at => at.Model)];

    private static TheoryData<string, string> Rows(string[] direct, Func<string, bool> has) =>
    [
        .. from target in Targets(direct)
            from name in SdkCases.That(AnthropicNuGet.Cases.Keys.Where(has), target)
            select new TheoryDataRow<string, string>(target, name),
    ];

    private SdkTarget AtGateway(string model, SdkCloud cloud) => cloud == SdkCloud.None
        ? GatewayTargets.Of(gateways, "nuget-responses", "openai", model, [])
        : GatewayTargets.Of(gateways, $"nuget-{cloud.ToString().ToLowerInvariant()}", "anthropic", model, []) with { Cloud = cloud };

    private SdkTarget Direct(string platform, string model, SdkCloud cloud) => new()
    {
        Name = platform,
        Url = sandbox.Fast.Platforms[platform].Address,
        Key = sandbox.Fast.Platforms[platform].ApiKey,
        Model = model,
        SlowUrl = sandbox.Slow.Platforms[platform].Address,
        Vendor = cloud == SdkCloud.None ? "openai" : "anthropic",
        Cloud = cloud,
        IsSigned = true,
        IsCancelled = id => GatewayTargets.CheckCancelledAsync(sandbox, id),
        Cases = [],
    };
}
