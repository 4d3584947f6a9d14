using System.Text.Json.Nodes;

namespace Ballast.Sandbox.OpenAIShape;

/// <summary>Azure's content filter results for harmless content, and its refusal for what is not.</summary>
internal static class ContentFilter
{
    private static readonly string[] Graded = ["hate", "self_harm", "sexual", "violence"];

    public static JsonArray PromptResults() =>
        new(new JsonObject { ["prompt_index"] = 0, ["content_filter_results"] = Results("jailbreak") });

    public static JsonObject AnswerResults() => Results("protected_material_text");

    public static JsonObject FirstChunk() => new()
    {
        ["choices"] = new JsonArray(),
        ["created"] = 0,
        ["id"] = "",
        ["model"] = "",
        ["object"] = "",
        ["prompt_filter_results"] = PromptResults(),
    };

    /// <summary>The <c>innererror</c> of a prompt that was filtered.</summary>
    public static JsonObject InnerError()
    {
        JsonObject results = Results("jailbreak");
        results["violence"] = new JsonObject { ["filtered"] = true, ["severity"] = "medium" };
        return new JsonObject { ["code"] = "ResponsibleAIPolicyViolation", ["content_filter_result"] = results };
    }

    private static JsonObject Results(string detected)
    {
        JsonObject results = new() { [detected] = new JsonObject { ["detected"] = false, ["filtered"] = false } };
        foreach (string category in Graded)
        {
            results[category] = new JsonObject { ["filtered"] = false, ["severity"] = "safe" };
        }

        return results;
    }
}
