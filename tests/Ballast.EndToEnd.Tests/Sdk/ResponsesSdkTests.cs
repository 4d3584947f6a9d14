using Ballast.EndToEnd.Tests.Fixtures;
using Ballast.Sandbox;

namespace Ballast.EndToEnd.Tests.Sdk;

/// <summary>
/// OpenAI's own SDK and Vercel's on the Responses API, unmodified: at the platforms that have it, and through the gateway to those and to platforms that do not.
/// </summary>
public sealed class ResponsesSdkTests(ResponsesSdkTests.Runs runs) : IClassFixture<ResponsesSdkTests.Runs>
{
    private static readonly string[] s_cases =
    [
        "text", "stream", "stream_helper", "tools", "parallel_tools", "structured", "image", "pdf", "count", "max_tokens", "abort", "errors", "state", "vercel_text",
        "vercel_tools", "vercel_structured",
    ];

    // Only who has the protocol has these.
    private static readonly string[] s_own = ["thinking_stream", "custom_tool"];

    private static readonly string[] s_ownAtSandbox = ["thinking_tools", "thinking_tampered", "background", "compact"];

    private static readonly string[] s_models =
    [
        "anthropic/claude-haiku-4-5", "bedrock-converse/claude-haiku-4-5", "bedrock-invoke/claude-haiku-4-5", "local/llama-4-scout", "bedrock/gpt-5-mini",
        "openai/gpt-5-mini", "azure/gpt-5-mini", "azure-classic/gpt-5-mini", "gemini/gemini-3.5-flash", "vertex/claude-haiku-4-5",
    ];

    // Name, platform of the sandbox, path before the protocol's own paths.
    private static readonly (string Name, string Platform, string Prefix)[] s_sandbox = [("openai", "openai", "/v1"), ("azure-v1", "azure", "/openai/v1")];

    public static TheoryData<string, string> Cases => Rows(s_models, CasesOf);

    public static TheoryData<string, string> SandboxCases => Rows(s_sandbox.Select(static at => at.Name), static _ => AtSandbox);

    private static string[] AtSandbox => [.. s_cases, .. s_own, .. s_ownAtSandbox];

    // Only who issues reasoning that can come back can be asked for it.
    private static string[] CasesOf(string model) =>
        model.Contains("claude", StringComparison.Ordinal) || model.Contains("gemini", StringComparison.Ordinal) ? [.. s_cases, "thinking_tools"]
        : model.StartsWith("openai/", StringComparison.Ordinal) || model.StartsWith("azure", StringComparison.Ordinal) ? [.. s_cases, .. s_own, .. s_ownAtSandbox]
        : model.StartsWith("local/", StringComparison.Ordinal) ? [.. s_cases.Except(["pdf"])] // it takes no documents
        : s_cases;

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

    /// <summary>One Node process for the gateway, one for the platforms themselves.</summary>
    public sealed class Runs(GatewayFixture gateways, SandboxFixture sandbox)
    {
        internal NodeRun Node { get; } = new(
            "responses.mjs",
            [.. s_models.Select(model => GatewayTargets.Of(gateways, "raw", "openai", model, CasesOf(model)))],
            async (_, result) => result.Case == "abort" ? await GatewayTargets.CheckCancelledAsync(gateways, result.Notes["id"]) : null);

        internal NodeRun Sandbox { get; } = new(
            "responses.mjs",
            [.. s_sandbox.Select(at => Target(sandbox, at.Name, at.Platform, at.Prefix))],
            async (_, result) =>
            {
                BillingRow? row = result.Case == "abort" ? await sandbox.Slow.Billing.WaitAsync(row => row.IsOf(result.Notes["id"]), SandboxFixture.CancelWithin) : null;
                return result.Case != "abort" || row?.Outcome == "cancelled" ? null : $"The platform's billing row within a second of the hang-up: {row?.Outcome ?? "none"}.";
            });

        private static SdkTarget Target(SandboxFixture sandbox, string name, string platform, string prefix) => new()
        {
            Name = name,
            Url = sandbox.Fast.Platforms[platform].Address,
            Key = sandbox.Fast.Platforms[platform].ApiKey,
            Model = sandbox.Fast.Platforms[platform].Models[0].Name,
            SlowUrl = sandbox.Slow.Platforms[platform].Address,
            Vendor = "openai",
            Prefix = prefix,
            Cases = AtSandbox,
        };
    }
}
