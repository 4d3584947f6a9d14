using Ballast.EndToEnd.Tests.Fixtures;
using Ballast.Sandbox;

namespace Ballast.EndToEnd.Tests.Sdk;

/// <summary>The vendors' npm SDKs talk to the sandbox directly: what they accept here they would accept from the vendor.</summary>
public sealed class NodeAtSandboxTests(NodeAtSandboxTests.Runs runs) : IClassFixture<NodeAtSandboxTests.Runs>
{
    public static TheoryData<string, string> OpenAICases => Rows(OpenAITargets.Select(target => (target.Name, SdkCases.OpenAI)));

    public static TheoryData<string, string> AnthropicCases => Rows([("anthropic", SdkCases.Anthropic)]);

    public static TheoryData<string, string> VercelCases => Rows(VercelTargets.Select(static name => (name, VercelCasesOf(name))));

    // Name, platform of the sandbox, path before the protocol's own paths.
    private static readonly (string Name, string Platform, string Prefix)[] OpenAITargets =
    [
        ("openai", "openai", "/v1"),
        ("azure-client", "azure", "/openai"),
        ("azure-v1", "azure", "/openai/v1"),
        ("bedrock-mantle", "bedrock", "/v1"),
        ("bedrock-runtime", "bedrock", "/openai/v1"),
        ("local", "local", "/v1"),
    ];

    private static readonly string[] VercelTargets = ["openai", "responses", "bedrock", "anthropic", "local"];

    private static string[] VercelCasesOf(string name) => name == "responses" ? [.. SdkCases.Vercel, "state"] : SdkCases.Vercel;

    public static TheoryData<string, string> KeptOpenAICases => SdkTier.Kept(OpenAICases);

    public static TheoryData<string, string> KeptAnthropicCases => SdkTier.Kept(AnthropicCases);

    public static TheoryData<string, string> KeptVercelCases => SdkTier.Kept(VercelCases);

    [Theory]
    [MemberData(nameof(KeptOpenAICases))]
    public Task OpenAISdk_AtSandbox_IsContent(string target, string name) => runs.OpenAI.AssertPassedAsync(target, name);

    [Theory]
    [MemberData(nameof(KeptAnthropicCases))]
    public Task AnthropicSdk_AtSandbox_IsContent(string target, string name) => runs.Anthropic.AssertPassedAsync(target, name);

    [Theory]
    [MemberData(nameof(KeptVercelCases))]
    public Task VercelSdk_AtSandbox_IsContent(string target, string name) => runs.Vercel.AssertPassedAsync(target, name);

    private static TheoryData<string, string> Rows(IEnumerable<(string Target, string[] Cases)> targets)
    {
        TheoryData<string, string> rows = [];
        foreach ((string target, string[] cases) in targets)
        {
            foreach (string name in cases)
            {
                rows.Add(target, name);
            }
        }

        return rows;
    }

    /// <summary>One Node process for each SDK.</summary>
    public sealed class Runs
    {
        private readonly SandboxFixture _sandbox;

        public Runs(SandboxFixture sandbox)
        {
            _sandbox = sandbox;
            OpenAI = new NodeRun(
                "openai.mjs",
                [.. OpenAITargets.Select(at => Target(at.Name, at.Platform, SdkCases.OpenAI) with { Prefix = at.Prefix, IsAzure = at.Name == "azure-client" })],
                (_, result) => GatewayTargets.CheckCancelledAsync(sandbox, result));
            Anthropic = new NodeRun("anthropic.mjs", [Target("anthropic", "anthropic", SdkCases.Anthropic)], (_, result) => GatewayTargets.CheckCancelledAsync(sandbox, result));
            Vercel = new NodeRun("ai.mjs", [.. VercelTargets.Select(name => Target(name, name == "responses" ? "openai" : name, VercelCasesOf(name)))], (_, result) => GatewayTargets.CheckCancelledAsync(sandbox, result));
        }

        internal NodeRun OpenAI { get; }

        internal NodeRun Anthropic { get; }

        internal NodeRun Vercel { get; }

        private SdkTarget Target(string name, string platform, IReadOnlyList<string> cases)
        {
            SandboxPlatform fast = _sandbox.Fast.Platforms[platform];
            return new SdkTarget
            {
                Name = name,
                Url = fast.Address,
                Key = fast.ApiKey,
                Model = fast.Models[0].Name,
                SlowUrl = _sandbox.Slow.Platforms[platform].Address,
                Vendor = platform switch { "anthropic" => "anthropic", "local" => "meta", _ => "openai" },
                Protocol = name is "anthropic" or "responses" ? name : "openai",
                WrongKeyStatus = platform == "bedrock" ? 403 : 401,
                Lacks = SdkLack.Of(platform),
                Cases = cases,
            };
        }
    }
}
