using System.Text;

namespace Ballast.EndToEnd.Tests.Sdk;

/// <summary>The page that says which SDK is tried with what at which platform: written from the lists that the tests themselves run.</summary>
public sealed class SdkMatrixTests
{
    private const string Begin = "<!-- begin: written by SdkMatrixTests -->";
    private const string End = "<!-- end -->";

    /// <summary>What every SDK is tried with, and the names of the cases that try it.</summary>
    private static readonly (string Name, string[] Cases)[] s_features =
    [
        ("text", ["text"]), ("stream", ["stream"]), ("tools over turns", ["tools"]), ("parallel streamed tools", ["parallel_tools"]), ("schema", ["structured"]), ("image", ["image"]),
        ("PDF", ["pdf", "document"]), ("thinking over turns", ["thinking_tools"]), ("count", ["count_tokens", "count"]), ("state", ["state"]), ("max tokens", ["max_tokens"]),
        ("abort", ["abort"]), ("error kinds", ["error_kinds"]),
    ];

    /// <summary>Protocols in which nobody keeps a conversation for the caller.</summary>
    private const string NoState = "no such thing in its protocol";
    private const string NoCount = "not offered by this SDK";

    /// <summary>The SDK, each case at each target, which is a test of its own, and why it lacks what it lacks.</summary>
    private static readonly (string Sdk, Func<IEnumerable<(string Target, string Case)>> Cases, (string Feature, string Why)[] Lacks)[] s_runs =
    [
        ("npm `openai`, Chat Completions", static () => [.. Of(NodeAtSandboxTests.OpenAICases), .. Of(NodeAtGatewayTests.OpenAICases)],
            [("count", "not in Chat Completions"), ("state", "stored completions are not kept: 404")]),
        ("npm `openai`, Responses", static () => [.. Of(ResponsesSdkTests.SandboxCases), .. Of(ResponsesSdkTests.Cases)], []),
        ("npm `@anthropic-ai/sdk`", static () => [.. Of(NodeAtSandboxTests.AnthropicCases), .. Of(NodeAtGatewayTests.AnthropicCases)], [("state", NoState)]),
        ("npm `@anthropic-ai/bedrock-sdk`", static () => Of(ClaudeCloudSdkTests.BedrockCases), [("count", NoCount), ("state", NoState)]),
        ("npm `@anthropic-ai/vertex-sdk`", static () => Of(ClaudeCloudSdkTests.VertexCases), [("state", NoState)]),
        ("npm `@anthropic-ai/foundry-sdk`", static () => Of(ClaudeCloudSdkTests.FoundryCases), [("state", NoState)]),
        ("npm `@google/genai`, Gemini API", static () => Of(GoogleSdkTests.GeminiCases), [("state", NoState)]),
        ("npm `@google/genai`, Vertex AI", static () => Of(GoogleSdkTests.VertexCases), [("state", NoState)]),
        ("npm `@aws-sdk/client-bedrock-runtime`", static () => [.. Of(BedrockAtSandboxTests.Cases), .. Of(BedrockSdkTests.Cases)], [("state", NoState)]),
        ("npm `ai` with `@ai-sdk/openai`, Chat Completions", static () => Vercel("openai"), [("count", NoCount), ("state", "not in Chat Completions")]),
        ("npm `ai` with `@ai-sdk/openai`, Responses", static () => Vercel("responses"), [("count", NoCount)]),
        ("npm `ai` with `@ai-sdk/anthropic`", static () => Vercel("anthropic"), [("count", NoCount), ("state", NoState)]),
        ("npm `@langchain/openai`, Chat Completions", static () => Chain("openai"), [("count", "by itself, without asking"), ("state", "not in Chat Completions")]),
        ("npm `@langchain/openai`, Responses", static () => Chain("responses"), [("count", "by itself, without asking")]),
        ("npm `@langchain/anthropic`", static () => Chain("anthropic"), [("count", "by itself, without asking"), ("state", NoState)]),
        ("NuGet `OpenAI`, `ChatClient`", static () => NuGet(NuGetAtSandboxTests.OpenAICases, OpenAINuGet.Cases.Keys), [("count", "not in Chat Completions"), ("state", "stored completions are not kept")]),
        ("NuGet `OpenAI`, `ResponsesClient`", static () => Of(CloudNuGetTests.ResponsesCases), []),
        ("NuGet `Anthropic`", static () => NuGet(NuGetAtSandboxTests.AnthropicCases, AnthropicNuGet.Cases.Keys), [("state", NoState)]),
        ("NuGet `Anthropic.Bedrock`", static () => Of(CloudNuGetTests.BedrockCases), [("count", NoCount), ("state", NoState)]),
        ("NuGet `Anthropic.Vertex`", static () => Of(CloudNuGetTests.VertexCases), [("count", NoCount), ("state", NoState)]),
        ("NuGet `Anthropic.Foundry`", static () => Of(CloudNuGetTests.FoundryCases), [("state", NoState)]),
        ("NuGet `Microsoft.Extensions.AI`, over `OpenAI` and over `Anthropic`", static () => NuGet(NuGetAtSandboxTests.ExtensionsCases, ExtensionsAINuGet.Cases.Keys), [("count", NoCount), ("state", NoCount)]),
    ];

    /// <summary>SDKs of platforms rather than of protocols that others speak too.</summary>
    private static readonly (string Sdk, Func<IEnumerable<(string Target, string Case)>> Cases)[] s_more =
    [
        ("npm `ollama`", static () => Of(OwnMachineSdkTests.OllamaCases)),
        ("npm `cohere-ai`", static () => Of(OwnMachineSdkTests.CohereCases)),
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

    /// <summary>Nothing is silently left out: each SDK is tried with each feature at each of its targets, or it is said why not.</summary>
    [Fact]
    public void EverySdk_EveryFeature_IsTriedEverywhereOrToldWhyNot()
    {
        List<string> holes = [];
        foreach ((string sdk, Func<IEnumerable<(string Target, string Case)>> cases, (string Feature, string Why)[] lacks) in s_runs)
        {
            (string Target, string Case)[] all = [.. cases()];
            foreach ((string feature, string[] names) in s_features.Where(feature => !lacks.Any(lack => lack.Feature == feature.Name)))
            {
                HashSet<string> tried = [.. all.Where(one => names.Contains(one.Case)).Select(static one => one.Target)];
                holes.AddRange(all.Select(static one => one.Target).Distinct().Where(target => !tried.Contains(target) && !IsTold(target, feature)).Select(target => $"{sdk}: {feature} at {target}"));
            }
        }

        Assert.Empty(holes);
    }

    /// <summary>What the page says in its own words of all SDKs: which targets are left out.</summary>
    private static bool IsTold(string target, string feature) => feature switch
    {
        "error kinds" => target.EndsWith("assistant", StringComparison.Ordinal) || IsSecond(target),
        "abort" => IsSecond(target),
        "schema" => target is "llama-signed" or "anthropic:ollama/qwen3",
        "count" or "thinking over turns" => target == "llama-signed" || IsSecond(target),
        _ => false,
    };

    private static bool IsSecond(string target) => target.StartsWith("converse/", StringComparison.Ordinal) || target.StartsWith("invoke/", StringComparison.Ordinal);

    private static IEnumerable<(string Target, string Case)> Of(TheoryData<string, string> rows) => rows.Select(static row => (row.Data.Item1, row.Data.Item2));

    private static IEnumerable<(string Target, string Case)> Vercel(string protocol) =>
    [
        .. Of(NodeAtSandboxTests.VercelCases).Where(one => protocol == (one.Target is "anthropic" or "responses" ? one.Target : "openai")).Select(static one => (one.Target + ", directly", one.Case)),
        .. Of(NodeAtGatewayTests.VercelCases).Where(one => one.Target.StartsWith(protocol + ":", StringComparison.Ordinal)),
    ];

    private static IEnumerable<(string Target, string Case)> Chain(string protocol) =>
        Of(LangChainSdkTests.Cases).Where(one => one.Target.StartsWith(protocol + ":", StringComparison.Ordinal) || one.Target.StartsWith($"direct:{protocol}:", StringComparison.Ordinal));

    private static IEnumerable<(string Target, string Case)> NuGet(TheoryData<string, string> sandbox, IEnumerable<string> cases) =>
    [
        .. Of(sandbox).Select(static one => (one.Target + ", directly", one.Case)),
        .. GatewayTargets.All.SelectMany(at => SdkCases.That(cases, at.Model).Select(name => (at.Model, name))),
    ];

    private static string Make()
    {
        StringBuilder page = new();
        page.Append("| SDK | ").AppendJoin(" | ", s_features.Select(static feature => feature.Name)).Append(" |\n");
        page.Append('|').Insert(page.Length, "---|", s_features.Length + 1).Append('\n');
        foreach ((string sdk, Func<IEnumerable<(string Target, string Case)>> cases, (string Feature, string Why)[] lacks) in s_runs)
        {
            (string Target, string Case)[] all = [.. cases()];
            page.Append("| ").Append(sdk).Append(" | ").AppendJoin(" | ", s_features.Select(feature => Cell(all, feature.Cases, lacks.FirstOrDefault(lack => lack.Feature == feature.Name).Why))).Append(" |\n");
        }

        foreach ((string sdk, IEnumerable<(string Target, string Case)> cases) in s_runs.Select(static run => (run.Sdk, run.Cases())).Concat(s_more.Select(static run => (run.Sdk, run.Cases()))))
        {
            (string Target, string Case)[] all = [.. cases];
            page.Append("\n### ").Append(sdk).Append("\n\n");
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

    private static string Cell((string Target, string Case)[] all, string[] names, string? why) =>
        why ?? all.Where(one => names.Contains(one.Case)).Select(static one => one.Target).Distinct().Count().ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static string Without(string[] names, HashSet<string> has) => string.Join(", ", names.Where(name => !has.Contains(name)));
}
