using Ballast.EndToEnd.Tests.Fixtures;

namespace Ballast.EndToEnd.Tests.Sdk;

/// <summary>OpenAI's own SDK and Vercel's on the Responses API, unmodified, through the gateway to platforms that have it and to those that do not.</summary>
public sealed class ResponsesSdkTests(ResponsesSdkTests.Runs runs) : IClassFixture<ResponsesSdkTests.Runs>
{
    private static readonly string[] s_cases =
    [
        "text", "stream", "stream_helper", "tools", "parallel_tools", "structured", "image", "max_tokens", "abort", "errors", "state", "vercel_text",
        "vercel_tools", "vercel_structured",
    ];

    private static readonly string[] s_models = ["anthropic/claude-haiku-4-5", "local/llama-4-scout", "bedrock/gpt-5-mini"];

    public static TheoryData<string, string> Cases
    {
        get
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
    }

    // Only who issues reasoning that can come back can be asked for it.
    private static string[] CasesOf(string model) => model.Contains("claude", StringComparison.Ordinal) ? [.. s_cases, "thinking_tools"] : s_cases;

    [Theory]
    [MemberData(nameof(Cases))]
    public Task ResponsesSdk_AtGateway_IsContent(string target, string name) => runs.Node.AssertPassedAsync(target, name);

    /// <summary>One Node process for all.</summary>
    public sealed class Runs(GatewayFixture gateways)
    {
        internal NodeRun Node { get; } = new(
            "responses.mjs",
            [.. s_models.Select(model => GatewayTargets.Of(gateways, "raw", "openai", model, CasesOf(model)))],
            async (_, result) => result.Case == "abort" ? await GatewayTargets.CheckCancelledAsync(gateways, result.Notes["id"]) : null);
    }
}
