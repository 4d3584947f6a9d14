using Ballast.EndToEnd.Tests.Fixtures;

namespace Ballast.EndToEnd.Tests.Sdk;

/// <summary>
/// OpenAI's own SDK on the Responses API, unmodified: at the platforms that have it, and through the gateway to those and to platforms that do not.
/// </summary>
public sealed class ResponsesSdkTests(ResponsesSdkTests.Runs runs) : IClassFixture<ResponsesSdkTests.Runs>
{
    private const string App = "npm-responses";

    private static readonly string[] s_cases =
    [
        "text", "stream", "stream_helper", "tools", "parallel_tools", "custom_tool", "tool_groups", "structured", "image", "pdf", "thinking_tools", "count", "max_tokens", "abort", "errors", "error_kinds", "state",
    ];

    // Only who has the protocol has these.
    private static readonly string[] s_own = ["thinking_stream", "thinking_tampered", "background", "compact"];

    // Name, platform of the sandbox, path before the protocol's own paths.
    private static readonly (string Name, string Platform, string Prefix)[] s_sandbox = [("openai", "openai", "/v1"), ("azure-v1", "azure", "/openai/v1")];

    public static TheoryData<string, string> Cases => Rows(GatewayTargets.All.Select(static at => at.Model), CasesOf);

    public static TheoryData<string, string> SandboxCases => Rows(s_sandbox.Select(static at => at.Name), static _ => AtSandbox);

    private static string[] AtSandbox => [.. s_cases, .. s_own];

    private static string[] CasesOf(string model) => SdkCases.That(
        model.StartsWith("openai/", StringComparison.Ordinal) || model.StartsWith("azure", StringComparison.Ordinal) ? [.. s_cases, .. s_own] : s_cases, model);

    public static TheoryData<string, string> KeptCases => SdkTier.Kept(Cases);

    public static TheoryData<string, string> KeptSandboxCases => SdkTier.Kept(SandboxCases);

    [Theory]
    [MemberData(nameof(KeptCases))]
    public Task ResponsesSdk_AtGateway_IsContent(string target, string name) => runs.Node.AssertPassedAsync(target, name);

    [Theory]
    [MemberData(nameof(KeptSandboxCases))]
    public Task ResponsesSdk_AtSandbox_IsContent(string target, string name) => runs.Sandbox.AssertPassedAsync(target, name);

    private static TheoryData<string, string> Rows(IEnumerable<string> targets, Func<string, IEnumerable<string>> casesOf)
    {
        TheoryData<string, string> rows = [];
        foreach (string target in targets)
        {
            foreach (string name in casesOf(target))
            {
                rows.Add(target, name);
            }
        }

        return rows;
    }

    [Fact]
    public async Task Ledger_AfterAllCases_EqualsTheBill()
    {
        await runs.Node.EndAsync();
        Assert.True(await Books.AssertAgreeAsync(runs.Gateways.Fast, App) > (SdkTier.IsLong ? 100 : 10));
        Assert.True(await Books.AssertAgreeAsync(runs.Gateways.Slow, App) >= (SdkTier.IsLong ? GatewayTargets.All.Length : 0));
    }

    /// <summary>One Node process for the gateway, one for the platforms themselves.</summary>
    public sealed class Runs(GatewayFixture gateways, SandboxFixture sandbox)
    {
        internal GatewayFixture Gateways => gateways;

        internal NodeRun Node { get; } = new(
            "responses.mjs",
            [.. GatewayTargets.All.Select(at => GatewayTargets.Of(gateways, App, "openai", at.Model, CasesOf(at.Model)))],
            (target, result) => GatewayTargets.CheckAsync(gateways, target, result));

        internal NodeRun Sandbox { get; } = new(
            "responses.mjs", [.. s_sandbox.Select(at => Target(sandbox, at.Name, at.Platform, at.Prefix))], (_, result) => GatewayTargets.CheckCancelledAsync(sandbox, result));

        private static SdkTarget Target(SandboxFixture sandbox, string name, string platform, string prefix) => new()
        {
            Name = name,
            Url = sandbox.Fast.Platforms[platform].Address,
            Key = sandbox.Fast.Platforms[platform].ApiKey,
            Model = sandbox.Fast.Platforms[platform].Models[0].Name,
            SlowUrl = sandbox.Slow.Platforms[platform].Address,
            Vendor = "openai",
            IsSigned = true,
            Prefix = prefix,
            Cases = AtSandbox,
        };
    }
}
