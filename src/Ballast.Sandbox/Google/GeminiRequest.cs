using System.Text;
using System.Text.Json;
using Ballast.Sandbox.Generation;

namespace Ballast.Sandbox.Google;

/// <summary>A checked request of generateContent.</summary>
internal sealed record GeminiRequest
{
    private static readonly string[] s_known =
        ["model", "contents", "systemInstruction", "tools", "toolConfig", "safetySettings", "generationConfig", "cachedContent", "labels", "serviceTier", "store"];

    public required Prompt Prompt { get; init; }

    public required GeminiModel Model { get; init; }

    public required string InputText { get; init; }

    public required long InputTokens { get; init; }

    /// <summary>Thoughts are part of the answer, not only counted.</summary>
    public required bool ShowsThoughts { get; init; }

    /// <param name="body">The request.</param>
    /// <param name="platform">The platform's name.</param>
    /// <param name="model">Of the path.</param>
    /// <param name="signature">Checks what came back.</param>
    public static GeminiRequest Read(JsonElement body, string platform, GeminiModel model, ThoughtSignature signature)
    {
        bool isLenient = signature.AcceptsRecorded;
        GeminiObject request = GeminiObject.Open(body, "", isLenient, s_known);
        GeminiContents contents = new(signature, model.IsThird);
        string system = contents.ReadSystem(request);
        contents.Read(request);
        CheckSafety(request, isLenient);
        IReadOnlyList<ToolSpec> tools = GeminiTools.Read(request, isLenient);
        (ToolUse use, string? named, IReadOnlyList<ToolSpec> allowed) = GeminiTools.ReadChoice(request, tools, isLenient);
        GeminiConfig config = GeminiConfig.Read(request, model, tools.Count > 0, isLenient);
        string declared = request.Find("tools") is { } list && tools.Count > 0 ? list.GetRawText() : "";
        string input = contents.InputText + declared;
        return new GeminiRequest
        {
            Prompt = new Prompt
            {
                Platform = platform,
                Model = model.Name,
                System = system,
                Turns = contents.Turns(),
                Tools = allowed,
                ToolUse = use,
                NamedTool = named,
                AnswerIsJson = config.AnswerIsJson,
                AnswerSchema = config.AnswerSchema,
                MaxTokens = config.MaxTokens,
                Stops = config.Stops,
                ThinkingTokens = config.ThinkingTokens,
                Fingerprint = Fingerprint(body),
            },
            Model = model,
            InputText = input,
            InputTokens = Tokens.Count(input) + contents.MediaTokens,
            ShowsThoughts = config.ShowsThoughts,
        };
    }

    private static void CheckSafety(GeminiObject request, bool isLenient)
    {
        foreach ((JsonElement item, string path) in request.List("safetySettings"))
        {
            GeminiObject setting = GeminiObject.Open(item, path, isLenient, "category", "threshold", "method");
            if (setting.Text("category")?.StartsWith("HARM_CATEGORY_", StringComparison.Ordinal) != true)
            {
                throw GoogleErrors.Invalid($"* GenerateContentRequest.{setting.At("category")}: element predicate failed: $.category in (HarmCategory)\n");
            }
        }
    }

    private static string Fingerprint(JsonElement body)
    {
        StringBuilder text = new();
        foreach (JsonProperty property in body.EnumerateObject())
        {
            if (property.Name is not ("model" or "labels" or "serviceTier"))
            {
                text.Append(property.Name).Append('=').Append(property.Value.GetRawText()).Append(';');
            }
        }

        return text.ToString();
    }
}
