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

    private static readonly string[] s_models = ["anthropic/claude-haiku-4-5", "openai/gpt-5-mini", "gemini/gemini-3.5-flash", "cohere/command-a", "local/llama-4-scout"];

    // The clients for AWS and Google know no counting of tokens.
    public static TheoryData<string, string> BedrockCases => Rows([.. s_bedrock.Select(static at => at.Name)], "bedrock-invoke/claude-haiku-4-5", static name => name != "count_tokens");

    public static TheoryData<string, string> VertexCases => Rows(["direct"], "vertex/claude-haiku-4-5", static name => name != "count_tokens");

    public static TheoryData<string, string> FoundryCases => Rows(["direct"], "foundry/claude-haiku-4-5", static _ => true);

    public static TheoryData<string, string> ResponsesCases =>
    [
        .. from target in (string[])["direct", "openai/gpt-5-mini", "azure/gpt-5-mini", "bedrock-converse/claude-haiku-4-5", .. s_models[..1], .. s_models[2..]]
            from name in ResponsesNuGet.Cases.Keys
            where name switch
            {
                "pdf" => TakesDocuments(target),
                "thinking_tools" => !target.StartsWith("local/", StringComparison.Ordinal) && !target.StartsWith("cohere/", StringComparison.Ordinal),
                _ => true,
            }
            select new TheoryDataRow<string, string>(target, name),
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
        ? Direct("vertex", Haiku + "@20251001", SdkCloud.Vertex) with { Key = sandbox.Fast.Google.IssueToken() }
        : AtGateway(target, SdkCloud.Vertex));

    [Theory]
    [MemberData(nameof(KeptFoundryCases))]
    public Task AnthropicFoundry_AtPlatformAndGateway_IsContent(string target, string name) =>
        AnthropicNuGet.Cases[name](target == "direct" ? Direct("azure", Haiku, SdkCloud.Foundry) : AtGateway(target, SdkCloud.Foundry));

    [Theory]
    [MemberData(nameof(KeptResponsesCases))]
    public Task OpenAIResponses_AtPlatformAndGateway_IsContent(string target, string name) =>
        ResponsesNuGet.Cases[name](target == "direct" ? Direct("openai", "gpt-5-mini", SdkCloud.None) : AtGateway(target, SdkCloud.None));

    // What a platform cannot take at all is refused there, or left out and named.
    private static bool TakesDocuments(string target) =>
        !target.StartsWith("local/", StringComparison.Ordinal) && !target.StartsWith("cohere/", StringComparison.Ordinal);

    private static TheoryData<string, string> Rows(string[] direct, string own, Func<string, bool> has) =>
    [
        .. from target in (string[])[.. direct, own, .. s_models]
            from name in AnthropicNuGet.Cases.Keys
            where has(name) && (name != "pdf" || TakesDocuments(target))
            select new TheoryDataRow<string, string>(target, name),
    ];

    private SdkTarget AtGateway(string model, SdkCloud cloud) =>
        GatewayTargets.Of(gateways, "raw", cloud == SdkCloud.None ? "openai" : "anthropic", model, []) with { Cloud = cloud };

    private SdkTarget Direct(string platform, string model, SdkCloud cloud) => new()
    {
        Name = platform,
        Url = sandbox.Fast.Platforms[platform].Address,
        Key = sandbox.Fast.Platforms[platform].ApiKey,
        Model = model,
        SlowUrl = sandbox.Slow.Platforms[platform].Address,
        Vendor = cloud == SdkCloud.None ? "openai" : "anthropic",
        Cloud = cloud,
        Cases = [],
    };
}
