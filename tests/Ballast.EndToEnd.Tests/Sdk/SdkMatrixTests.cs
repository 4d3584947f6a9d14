using System.Text;

namespace Ballast.EndToEnd.Tests.Sdk;

/// <summary>The page that says which SDK is tried with what at which platform: written from the lists that the tests themselves run.</summary>
public sealed class SdkMatrixTests
{
    private const string Begin = "<!-- begin: written by SdkMatrixTests -->";
    private const string End = "<!-- end -->";

    /// <summary>The SDK, and each case at each target, which is a test of its own.</summary>
    private static readonly (string Sdk, Func<TheoryData<string, string>> Cases)[] s_runs =
    [
        ("npm `openai`, Chat Completions: at the platforms", static () => NodeAtSandboxTests.OpenAICases),
        ("npm `openai`, Chat Completions: through the gateway", static () => NodeAtGatewayTests.OpenAICases),
        ("npm `openai` and `ai`, Responses: at the platforms", static () => ResponsesSdkTests.SandboxCases),
        ("npm `openai` and `ai`, Responses: through the gateway", static () => ResponsesSdkTests.Cases),
        ("npm `@anthropic-ai/sdk`: at the platform", static () => NodeAtSandboxTests.AnthropicCases),
        ("npm `@anthropic-ai/sdk`: through the gateway", static () => NodeAtGatewayTests.AnthropicCases),
        ("npm `@anthropic-ai/foundry-sdk`: at the platform (`direct`) and through the gateway", static () => MoreSdkTests.FoundryCases),
        ("npm `ai` with `@ai-sdk/openai` and `@ai-sdk/anthropic`: at the platforms", static () => NodeAtSandboxTests.VercelCases),
        ("npm `ai` with `@ai-sdk/openai` and `@ai-sdk/anthropic`: through the gateway", static () => NodeAtGatewayTests.VercelCases),
        ("npm `@langchain/openai` and `@langchain/anthropic`: at the platforms (`direct`) and through the gateway", static () => MoreSdkTests.ChainCases),
        ("npm `@google/genai`: at the platforms and through the gateway", static () => VertexSdkTests.GeminiCases),
        ("npm `@anthropic-ai/vertex-sdk`: at the platform and through the gateway", static () => VertexSdkTests.ClaudeCases),
        ("npm `@aws-sdk/client-bedrock-runtime` and `@anthropic-ai/bedrock-sdk`: at the platform", static () => BedrockAtSandboxTests.Cases),
        ("npm `@aws-sdk/client-bedrock-runtime` and `@anthropic-ai/bedrock-sdk`: through the gateway", static () => BedrockSdkTests.Cases),
        ("NuGet `Anthropic.Bedrock`: at the platform (`key`, `signed`) and through the gateway", static () => CloudNuGetTests.BedrockCases),
        ("NuGet `Anthropic.Vertex`: at the platform (`direct`) and through the gateway", static () => CloudNuGetTests.VertexCases),
        ("NuGet `Anthropic.Foundry`: at the platform (`direct`) and through the gateway", static () => CloudNuGetTests.FoundryCases),
        ("NuGet `OpenAI`, its `ResponsesClient`: at the platform (`direct`) and through the gateway", static () => CloudNuGetTests.ResponsesCases),
        ("npm `ollama`: at its server (`direct`) and through the gateway", static () => OwnMachineSdkTests.OllamaCases),
        ("npm `cohere-ai`: at its platform (`direct`) and through the gateway", static () => OwnMachineSdkTests.CohereCases),
    ];

    [Fact]
    public void Page_Matrix_SaysWhatIsTried()
    {
        string path = Path.GetFullPath(Path.Combine(NodeRun.FolderOf("suite.mjs"), "..", "..", "..", "docs", "sdk-matrix.md"));
        string text = File.ReadAllText(path);
        int begin = text.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length;
        int end = text.IndexOf(End, StringComparison.Ordinal);
        string made = Make();
        if (Environment.GetEnvironmentVariable("BALLAST_WRITE_DOCS") == "1")
        {
            File.WriteAllText(path, text[..begin] + "\n" + made + "\n" + text[end..]);
            return;
        }

        Assert.Equal(text[begin..end].Trim('\n'), made);
    }

    private static string Make()
    {
        StringBuilder page = new();
        foreach ((string sdk, Func<TheoryData<string, string>> cases) in s_runs)
        {
            (string Target, string Case)[] all = [.. cases().Select(static row => (row.Data.Item1, row.Data.Item2))];
            page.Append(page.Length == 0 ? "" : "\n").Append("### ").Append(sdk).Append("\n\n");
            string[] names = [.. all.Select(static one => one.Case).Distinct()];
            foreach (IGrouping<string, string> alike in all.GroupBy(static one => one.Target).Select(target => (target.Key, Missing: Without(names, [.. target.Select(static one => one.Case)])))
                .GroupBy(static one => one.Missing, static one => one.Key))
            {
                page.Append("- ").AppendJoin(", ", alike.Select(static target => $"`{target}`")).Append(alike.Key.Length == 0 ? "" : $" – without {alike.Key}").Append('\n');
            }

            page.Append("\nCases: ").AppendJoin(", ", names).Append(".\n");
        }

        return page.ToString().Trim('\n');
    }

    private static string Without(string[] names, HashSet<string> has) => string.Join(", ", names.Where(name => !has.Contains(name)));
}
