using Ballast.EndToEnd.Tests.Fixtures;
using Ballast.Sandbox;

namespace Ballast.EndToEnd.Tests.Sdk;

/// <summary>Ollama's and Cohere's own SDKs, unmodified: at their vendors' simulators, and through the gateway to those and to platforms of other protocols.</summary>
public sealed class OwnMachineSdkTests(OwnMachineSdkTests.Runs runs) : IClassFixture<OwnMachineSdkTests.Runs>
{
    private const string Direct = "direct";

    private static readonly string[] s_chat = ["text", "stream", "tools", "parallel_tools", "structured", "image", "thinking", "max_tokens", "abort", "errors"];
    private static readonly string[] s_models = ["ollama/qwen3", "cohere/command-a", "anthropic/claude-haiku-4-5", "openai/gpt-5-mini", "local/llama-4-scout", "gemini/gemini-3.5-flash"];

    public static TheoryData<string, string> OllamaCases => Rows([.. s_chat, "models"], static (_, _) => true);

    public static TheoryData<string, string> CohereCases => Rows([.. s_chat, "embed", "rerank"], IsOfCohere);

    public static TheoryData<string, string> KeptOllamaCases => SdkTier.Kept(OllamaCases);

    public static TheoryData<string, string> KeptCohereCases => SdkTier.Kept(CohereCases);

    [Theory]
    [MemberData(nameof(KeptOllamaCases))]
    public Task OllamaSdk_AtPlatformAndGateway_IsContent(string target, string name) => runs.Ollama.AssertPassedAsync(target, name);

    [Theory]
    [MemberData(nameof(KeptCohereCases))]
    public Task CohereSdk_AtPlatformAndGateway_IsContent(string target, string name) => runs.Cohere.AssertPassedAsync(target, name);

    [Theory]
    [InlineData("npm-ollama")]
    [InlineData("npm-cohere")]
    public async Task Ledger_AfterAllCasesOfAnSdk_EqualsTheBill(string app)
    {
        await (app == "npm-ollama" ? runs.Ollama : runs.Cohere).EndAsync();
        Assert.True(await Books.AssertAgreeAsync(runs.Gateways.Fast, app) >= (SdkTier.IsLong ? 60 : 4));
        Assert.True(await Books.AssertAgreeAsync(runs.Gateways.Slow, app) >= (SdkTier.IsLong ? s_models.Length : 0));
    }

    // Vectors and ranks are made where such models are.
    private static bool IsOfCohere(string target, string name) => name is not ("embed" or "rerank") || target is Direct or "cohere/command-a";

    private static TheoryData<string, string> Rows(string[] cases, Func<string, string, bool> isOne)
    {
        TheoryData<string, string> rows = [];
        foreach (string target in (string[])[Direct, .. s_models])
        {
            foreach (string name in cases.Where(name => isOne(target, name)))
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

        public Runs(GatewayFixture gateways, SandboxFixture sandbox)
        {
            Gateways = gateways;
            _sandbox = sandbox;
            Ollama = new NodeRun("ollama.mjs", [AtSandbox("ollama", [.. s_chat, "models"]), .. s_models.Select(model => AtGateway("npm-ollama", model, [.. s_chat, "models"]))], CheckAsync);
            Cohere = new NodeRun(
                "cohere.mjs",
                [
                    AtSandbox("cohere", [.. s_chat, "embed", "rerank"]),
                    .. s_models.Select(model => AtGateway("npm-cohere", model, [.. ((string[])[.. s_chat, "embed", "rerank"]).Where(name => IsOfCohere(model, name))])),
                ],
                CheckAsync);
        }

        internal GatewayFixture Gateways { get; }

        internal NodeRun Ollama { get; }

        internal NodeRun Cohere { get; }

        private SdkTarget AtSandbox(string platform, string[] cases) => new()
        {
            Name = Direct,
            Url = _sandbox.Fast.Platforms[platform].Address,
            Key = _sandbox.Fast.Platforms[platform].ApiKey,
            Model = _sandbox.Fast.Platforms[platform].Models[0].Name,
            SlowUrl = _sandbox.Slow.Platforms[platform].Address,
            Vendor = platform,
            ShowsThinking = true,
            EmbedModel = "embed-v4.0",
            RerankModel = "rerank-v3.5",
            Cases = cases,
        };

        // Whether thoughts show is the vendor's decision, and whether they can be asked for by these protocols.
        private SdkTarget AtGateway(string client, string model, string[] cases) => GatewayTargets.Of(Gateways, client, "openai", model, cases) with
        {
            ShowsThinking = model is "ollama/qwen3" or "cohere/command-a" or "anthropic/claude-haiku-4-5",
            EmbedModel = "cohere/embed-v4.0",
            RerankModel = "cohere/rerank-v3.5",
            RerankKey = Gateways.Fast.KeyOf("raw"),
        };

        private async Task<string?> CheckAsync(SdkTarget target, NodeResult result)
        {
            if (result.Case != "abort")
            {
                return null;
            }

            if (target.IsGateway)
            {
                return await GatewayTargets.CheckCancelledAsync(Gateways, result.Notes["id"]);
            }

            BillingRow? row = await _sandbox.Slow.Billing.WaitAsync(row => row.IsOf(result.Notes["id"]), SandboxFixture.CancelWithin);
            return row?.Outcome == "cancelled" ? null : $"The platform's billing row within a second of the hang-up: {row?.Outcome ?? "none"}.";
        }
    }
}
