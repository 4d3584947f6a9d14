using Ballast.EndToEnd.Tests.Fixtures;

namespace Ballast.EndToEnd.Tests.Sdk;

/// <summary>LangChain's models of OpenAI (by Chat Completions and by Responses) and of Anthropic, unmodified: at the platforms themselves and through the gateway.</summary>
public sealed class LangChainSdkTests(LangChainSdkTests.Runs runs) : IClassFixture<LangChainSdkTests.Runs>
{
    private const string App = "npm-langchain";

    private static readonly string[] s_cases =
        ["text", "stream", "tools", "parallel_tools", "structured", "image", "pdf", "thinking_tools", "max_tokens", "abort", "errors", "error_kinds"];

    // Protocol, platform of the sandbox, path before the protocol's own.
    private static readonly (string Protocol, string Platform, string Prefix)[] s_sandbox =
    [
        ("openai", "openai", "/v1"), ("responses", "openai", "/v1"), ("responses", "azure", "/openai/v1"), ("anthropic", "anthropic", ""),
    ];

    private static readonly string[] s_protocols = ["openai", "responses", "anthropic"];

    public static TheoryData<string, string> Cases =>
    [
        .. s_sandbox.SelectMany(at => CasesOf(at.Protocol, "").Select(name => new TheoryDataRow<string, string>($"direct:{at.Protocol}:{at.Platform}", name))),
        .. s_protocols.SelectMany(protocol => GatewayTargets.All.SelectMany(at =>
            CasesOf(protocol, at.Model).Select(name => new TheoryDataRow<string, string>($"{protocol}:{at.Model}", name)))),
    ];

    public static TheoryData<string, string> KeptCases => SdkTier.Kept(Cases);

    [Theory]
    [MemberData(nameof(KeptCases))]
    public Task LangChain_AtPlatformAndGateway_IsContent(string target, string name) => runs.Node.AssertPassedAsync(target, name);

    [Fact]
    public async Task Ledger_AfterAllCases_EqualsTheBill()
    {
        await runs.Node.EndAsync();
        Assert.True(await Books.AssertAgreeAsync(runs.Gateways.Fast, App) > (SdkTier.IsLong ? 100 : 10));
        Assert.True(await Books.AssertAgreeAsync(runs.Gateways.Slow, App) >= (SdkTier.IsLong ? GatewayTargets.All.Length : 0));
    }

    // Only Responses keeps a conversation.
    private static string[] CasesOf(string protocol, string model) => SdkCases.That([.. s_cases, .. protocol == "responses" ? (string[])["state"] : []], model);

    /// <summary>One Node process for all of it.</summary>
    public sealed class Runs(GatewayFixture gateways, SandboxFixture sandbox)
    {
        internal GatewayFixture Gateways => gateways;

        internal NodeRun Node { get; } = new(
            "langchain.mjs",
            [
                .. s_sandbox.Select(at => AtSandbox(sandbox, at.Protocol, at.Platform, at.Prefix)),
                .. s_protocols.SelectMany(protocol => GatewayTargets.All.Select(at =>
                    GatewayTargets.Of(gateways, App, protocol, at.Model, CasesOf(protocol, at.Model)) with { Name = $"{protocol}:{at.Model}" })),
            ],
            async (target, result) => await GatewayTargets.CheckAsync(gateways, target, result) ?? (target.IsGateway ? null : await GatewayTargets.CheckCancelledAsync(sandbox, result)));

        private static SdkTarget AtSandbox(SandboxFixture sandbox, string protocol, string platform, string prefix) => new()
        {
            Name = $"direct:{protocol}:{platform}",
            Url = sandbox.Fast.Platforms[platform].Address,
            Key = sandbox.Fast.Platforms[platform].ApiKey,
            Model = sandbox.Fast.Platforms[platform].Models[0].Name,
            SlowUrl = sandbox.Slow.Platforms[platform].Address,
            Vendor = platform == "azure" ? "openai" : platform,
            Protocol = protocol,
            Prefix = prefix,
            Cases = CasesOf(protocol, ""),
        };
    }
}
