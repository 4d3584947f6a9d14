using Ballast.EndToEnd.Tests.Fixtures;

namespace Ballast.EndToEnd.Tests.Sdk;

/// <summary>
/// Google's npm SDK in both of its modes, unmodified: directly at the simulated platforms, and at the gateway's surfaces of the Gemini API and of Vertex AI, from where it reaches
/// platforms of every protocol.
/// </summary>
public sealed class GoogleSdkTests(GoogleSdkTests.Runs runs) : IClassFixture<GoogleSdkTests.Runs>
{
    private const string GeminiApp = "npm-google";
    private const string VertexApp = "npm-vertex-ai";

    private static readonly string[] s_cases =
    [
        "text", "turns", "stream", "stream_chat", "tools", "parallel_tools", "tools_without_ids", "structured", "image", "pdf", "thinking_tools", "max_tokens", "count_tokens",
        "abort", "unknown_model", "wrong_key", "wrong_types_stream", "error_kinds",
    ];

    // Name, platform, model, whether it is asked in the mode for Vertex AI.
    private static readonly (string Name, string Platform, string Model, bool IsVertex)[] s_sandbox =
    [
        ("sandbox:gemini", "gemini", "gemini-3.5-flash", false), ("sandbox:older", "gemini", "gemini-2.5-flash", false), ("sandbox:vertex", "vertex", "gemini-3.5-flash", true),
    ];

    public static TheoryData<string, string> GeminiCases =>
        [.. Rows(s_sandbox.Where(static at => !at.IsVertex)), .. Rows(GatewayTargets.All.Select(static at => (at.Model, (string[])[.. CasesOf(at.Model), "models"])))];

    public static TheoryData<string, string> VertexCases =>
        [.. Rows(s_sandbox.Where(static at => at.IsVertex)), .. Rows(GatewayTargets.All.Select(static at => ("vertex:" + at.Model, CasesOf(at.Model))))];

    public static TheoryData<string, string> KeptGeminiCases => SdkTier.Kept(GeminiCases);

    public static TheoryData<string, string> KeptVertexCases => SdkTier.Kept(VertexCases);

    [Theory]
    [MemberData(nameof(KeptGeminiCases))]
    public Task GoogleSdk_AtTheGeminiApisSurface_IsContent(string target, string name) => runs.Gemini.AssertPassedAsync(target, name);

    [Theory]
    [MemberData(nameof(KeptVertexCases))]
    public Task GoogleSdk_AtVertexAIsSurface_IsContent(string target, string name) => runs.Vertex.AssertPassedAsync(target, name);

    [Fact]
    public async Task Ledger_AfterAllCases_EqualsTheBill()
    {
        await runs.Gemini.EndAsync();
        await runs.Vertex.EndAsync();
        foreach (string app in (string[])[GeminiApp, VertexApp])
        {
            Assert.True(await Books.AssertAgreeAsync(runs.Gateways.Fast, app) > (SdkTier.IsLong ? 100 : 8));
            Assert.True(await Books.AssertAgreeAsync(runs.Gateways.Slow, app) >= (SdkTier.IsLong ? GatewayTargets.All.Length : 0));
        }

        await runs.Gateways.Fast.AssertNoSecretIsKeptAsync();
    }

    private static string[] CasesOf(string model) => [.. SdkCases.That(s_cases, model), .. SdkCases.OnlyAtGoogle(model)];

    private static string[] AtSandbox(string model) => model == "gemini-3.5-flash" ? [.. s_cases, "signed_calls"] : s_cases;

    private static IEnumerable<TheoryDataRow<string, string>> Rows(IEnumerable<(string Name, string Platform, string Model, bool IsVertex)> targets) =>
        Rows(targets.Select(static at => (at.Name, AtSandbox(at.Model))));

    private static IEnumerable<TheoryDataRow<string, string>> Rows(IEnumerable<(string Name, string[] Cases)> targets) =>
        targets.SelectMany(static at => at.Cases.Select(name => new TheoryDataRow<string, string>(at.Name, name)));

    /// <summary>One Node process for each of its modes.</summary>
    public sealed class Runs
    {
        private readonly SandboxFixture _sandbox;

        public Runs(GatewayFixture gateways, SandboxFixture sandbox)
        {
            Gateways = gateways;
            _sandbox = sandbox;
            Gemini = Node(
            [
                .. s_sandbox.Where(static at => !at.IsVertex).Select(at => Direct(at.Name, at.Platform, at.Model, isVertex: false)),
                .. GatewayTargets.All.Select(at => GatewayTargets.Of(gateways, GeminiApp, "gemini", at.Model, [.. CasesOf(at.Model), "models"])),
            ]);
            Vertex = Node(
            [
                .. s_sandbox.Where(static at => at.IsVertex).Select(at => Direct(at.Name, at.Platform, at.Model, isVertex: true)),
                .. GatewayTargets.All.Select(at => GatewayTargets.Of(gateways, VertexApp, "gemini", at.Model, CasesOf(at.Model)) with { Name = "vertex:" + at.Model, IsVertex = true }),
            ]);
        }

        internal GatewayFixture Gateways { get; }

        internal NodeRun Gemini { get; }

        internal NodeRun Vertex { get; }

        private NodeRun Node(SdkTarget[] targets) => new(
            "google.mjs", targets,
            async (target, result) => await GatewayTargets.CheckAsync(Gateways, target, result) ?? (target.IsGateway ? null : await GatewayTargets.CheckCancelledAsync(_sandbox, result)));

        private SdkTarget Direct(string name, string platform, string model, bool isVertex) => new()
        {
            Name = name,
            Url = _sandbox.Fast.Platforms[platform].Address,
            Key = isVertex ? _sandbox.Fast.Google.IssueToken() : _sandbox.Fast.Platforms[platform].ApiKey,
            SlowKey = isVertex ? _sandbox.Slow.Google.IssueToken() : null,
            Model = model,
            SlowUrl = _sandbox.Slow.Platforms[platform].Address,
            Vendor = "google",
            WrongKeyStatus = isVertex ? 401 : 400,
            IsVertex = isVertex,
            Cases = AtSandbox(model),
        };
    }
}
