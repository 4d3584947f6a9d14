using Ballast.EndToEnd.Tests.Fixtures;
using Ballast.Sandbox;

namespace Ballast.EndToEnd.Tests.Sdk;

/// <summary>
/// Google's npm SDK in both of its modes and Anthropic's for Vertex AI, unmodified: directly at the simulated platforms, and at the gateway's Vertex surface, from where they
/// reach platforms of every protocol.
/// </summary>
public sealed class VertexSdkTests(VertexSdkTests.Runs runs) : IClassFixture<VertexSdkTests.Runs>
{
    private const string App = "npm-vertex";

    private static readonly string[] s_gemini =
    [
        "text", "turns", "stream", "stream_chat", "tool_turns", "parallel_tools", "tools_without_ids", "structured", "image", "pdf", "thinking_tools", "max_tokens", "count_tokens",
        "abort", "unknown_model", "wrong_key", "wrong_types_stream",
    ];

    private static readonly string[] s_claude =
    [
        "text", "turns", "stream", "stream_helper", "tools", "tool_choice", "parallel_tools", "structured", "image", "thinking", "thinking_tools", "max_tokens",
        "max_tokens_stream", "stop", "count_tokens", "abort",
    ];

    private static readonly string[] s_geminiModels = ["gemini/gemini-3.5-flash", "vertex/gemini-2.5-flash", "anthropic/claude-haiku-4-5", "openai/gpt-5-mini"];

    private static readonly string[] s_claudeModels = ["vertex/claude-haiku-4-5", "anthropic/claude-haiku-4-5", "gemini/gemini-3.5-flash", "openai/gpt-5-mini"];

    // Name, platform, model, whether it is asked in the mode for Vertex AI.
    private static readonly (string Name, string Platform, string Model, bool IsVertex)[] s_sandbox =
    [
        ("sandbox:gemini", "gemini", "gemini-3.5-flash", false), ("sandbox:older", "gemini", "gemini-2.5-flash", false), ("sandbox:vertex", "vertex", "gemini-3.5-flash", true),
    ];

    public static TheoryData<string, string> GeminiCases =>
    [
        .. s_sandbox.SelectMany(at => AtSandbox(at.Model).Select(name => new TheoryDataRow<string, string>(at.Name, name))),
        .. s_geminiModels.SelectMany(model => s_gemini.Select(name => new TheoryDataRow<string, string>(model, name))),
    ];

    public static TheoryData<string, string> ClaudeCases =>
    [
        .. WithoutAbort(s_claude).Select(name => new TheoryDataRow<string, string>("sandbox:vertex", name)),
        .. s_claudeModels.SelectMany(model => s_claude.Select(name => new TheoryDataRow<string, string>(model, name))),
    ];

    // A token of one sandbox is none of the other's, which answers at natural speed.
    private static string[] WithoutAbort(IEnumerable<string> cases) => [.. cases.Where(static name => name != "abort")];

    private static string[] AtSandbox(string model) => model == "gemini-3.5-flash" ? [.. WithoutAbort(s_gemini), "signed_calls"] : WithoutAbort(s_gemini);

    public static TheoryData<string, string> KeptGeminiCases => SdkTier.Kept(GeminiCases);

    public static TheoryData<string, string> KeptClaudeCases => SdkTier.Kept(ClaudeCases);

    [Theory]
    [MemberData(nameof(KeptGeminiCases))]
    public Task GoogleSdk_AtGooglesSurfaces_IsContent(string target, string name) => runs.Gemini.AssertPassedAsync(target, name);

    [Theory]
    [MemberData(nameof(KeptClaudeCases))]
    public Task AnthropicVertexSdk_AtTheVertexSurface_IsContent(string target, string name) => runs.Claude.AssertPassedAsync(target, name);

    [Fact]
    public async Task Ledger_AfterAllCases_EqualsTheBill()
    {
        await runs.Gemini.EndAsync();
        await runs.Claude.EndAsync();
        Assert.True(await Books.AssertAgreeAsync(runs.Gateways.Fast, App) > (SdkTier.IsLong ? 100 : 10));
        await runs.Gateways.Fast.AssertNoSecretIsKeptAsync();
    }

    /// <summary>One Node process for each SDK.</summary>
    public sealed class Runs
    {
        private readonly SandboxFixture _sandbox;

        public Runs(GatewayFixture gateways, SandboxFixture sandbox)
        {
            Gateways = gateways;
            _sandbox = sandbox;
            Gemini = new NodeRun(
                "google.mjs", [.. s_sandbox.Select(at => Direct(at.Name, at.Platform, at.Model, "google", at.IsVertex, AtSandbox(at.Model))), .. s_geminiModels.Select(model => AtGateway(model, s_gemini))],
                CheckAsync);
            Claude = new NodeRun(
                "anthropic.mjs",
                [Direct("sandbox:vertex", "vertex", "claude-haiku-4-5@20251001", "anthropic", isVertex: true, WithoutAbort(s_claude)), .. s_claudeModels.Select(model => AtGateway(model, s_claude))],
                CheckAsync);
        }

        internal GatewayFixture Gateways { get; }

        internal NodeRun Gemini { get; }

        internal NodeRun Claude { get; }

        private SdkTarget AtGateway(string model, string[] cases) => GatewayTargets.Of(Gateways, App, "gemini", model, cases) with { IsVertex = true };

        private SdkTarget Direct(string name, string platform, string model, string vendor, bool isVertex, string[] cases)
        {
            SandboxPlatform fast = _sandbox.Fast.Platforms[platform];
            return new SdkTarget
            {
                Name = name,
                Url = fast.Address,
                Key = isVertex ? _sandbox.Fast.Google.IssueToken() : fast.ApiKey,
                Model = model,
                SlowUrl = _sandbox.Slow.Platforms[platform].Address,
                Vendor = vendor,
                WrongKeyStatus = isVertex ? 401 : 400,
                IsVertex = isVertex,
                Cases = cases,
            };
        }

        private async Task<string?> CheckAsync(SdkTarget target, NodeResult result) => !target.IsGateway ? null
            : result.Case == "abort" && result.Notes.TryGetValue("id", out string? id) ? await GatewayTargets.CheckCancelledAsync(Gateways, id)
            : result.Case is "unknown_model" or "wrong_key" or "wrong_types_stream" ? await GatewayTargets.CheckRefusedAsync(Gateways.Fast, result.Notes["request_id"])
            : null;
    }
}
