using Ballast.EndToEnd.Tests.Fixtures;

namespace Ballast.EndToEnd.Tests.Sdk;

/// <summary>Google's npm SDK, unmodified, through the gateway to the platforms of the other protocols.</summary>
public sealed class GoogleAtGatewayTests(GoogleAtGatewayTests.Runs runs) : IClassFixture<GoogleAtGatewayTests.Runs>
{
    private const string App = "npm-google";

    private static readonly string[] s_cases =
    [
        "text", "turns", "stream", "stream_chat", "tool_turns", "parallel_tools", "tools_without_ids", "structured", "image", "thinking_tools", "max_tokens", "count_tokens",
        "abort", "unknown_model", "wrong_key", "wrong_types_stream", "models",
    ];

    private static readonly string[] s_models =
    [
        "openai/gpt-5-mini", "anthropic/claude-haiku-4-5", "bedrock-converse/claude-haiku-4-5", "bedrock-invoke/claude-haiku-4-5", "local/llama-4-scout",
        "gemini/gemini-3.5-flash", "vertex/gemini-2.5-flash", "vertex/claude-haiku-4-5", "assistant",
    ];

    public static TheoryData<string, string> Cases()
    {
        TheoryData<string, string> rows = [];
        foreach (string model in s_models)
        {
            foreach (string name in CasesOf(model))
            {
                rows.Add(model, name);
            }
        }

        return rows;
    }

    private static string[] CasesOf(string model) => [.. s_cases, .. SdkCases.OnlyAtGoogle(model)];

    public static TheoryData<string, string> KeptCases => SdkTier.Kept(Cases());

    [Theory]
    [MemberData(nameof(KeptCases))]
    public Task GoogleSdk_AtGateway_IsContent(string target, string name) => runs.Google.AssertPassedAsync(target, name);

    [Fact]
    public async Task Ledger_AfterAllCases_EqualsTheBill()
    {
        await runs.Google.EndAsync();
        Assert.True(await Books.AssertAgreeAsync(runs.Gateways.Fast, App) > (SdkTier.IsLong ? 40 : 8));
        await runs.Gateways.Fast.AssertNoSecretIsKeptAsync();
    }

    /// <summary>One Node process for all of it.</summary>
    public sealed class Runs
    {
        public Runs(GatewayFixture gateways)
        {
            Gateways = gateways;
            Google = new NodeRun("google.mjs", [.. s_models.Select(model => GatewayTargets.Of(gateways, App, "gemini", model, CasesOf(model)))], CheckAsync);
        }

        internal GatewayFixture Gateways { get; }

        internal NodeRun Google { get; }

        private async Task<string?> CheckAsync(SdkTarget target, NodeResult result) => result.Case is "unknown_model" or "wrong_key" or "wrong_types_stream"
            ? await GatewayTargets.CheckRefusedAsync(Gateways.Fast, result.Notes["request_id"])
            : null;
    }
}
