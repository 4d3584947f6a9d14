using System.Text.Json;
using Ballast.Sandbox.Generation;
using Ballast.Sandbox.OpenAIShape;

namespace Ballast.Sandbox.Ollama;

/// <summary>A checked request for chat or for a completion.</summary>
/// <param name="Prompt">What is asked; null where the model is only to be loaded.</param>
/// <param name="InputTokens">What it costs to read.</param>
/// <param name="Stream">Lines of JSON, unless that is declined.</param>
internal sealed record OllamaRequest(Prompt? Prompt, long InputTokens, bool Stream)
{
    private const int MessageTokens = 4;
    private const int ImageTokens = 256;
    private const long ThinkingTokens = 128;

    public static OllamaRequest ReadChat(JsonElement body, string platform, SandboxModel model)
    {
        List<Turn> turns = [];
        List<string> system = [];
        List<string> counted = [];
        long extra = 0;
        if (List(body, "messages", "ChatRequest.messages", "[]api.Message") is { } messages)
        {
            foreach (JsonElement message in messages.EnumerateArray())
            {
                extra += MessageTokens + AddMessage(message, model, turns, system, counted);
            }
        }

        return Finish(body, platform, model, turns, system, counted, extra);
    }

    public static OllamaRequest ReadCompletion(JsonElement body, string platform, SandboxModel model)
    {
        string prompt = Text(body, "prompt", "GenerateRequest.prompt") ?? "";
        IReadOnlyList<PromptImage> images = Images(body, model);
        List<Turn> turns = prompt.Length == 0 && images.Count == 0 ? [] : [new Turn(TurnRole.User, prompt) { Images = images }];
        string? system = Text(body, "system", "GenerateRequest.system");
        return Finish(body, platform, model, turns, system is { Length: > 0 } ? [system] : [], [system ?? "", prompt], images.Count * ImageTokens);
    }

    private static OllamaRequest Finish(
        JsonElement body, string platform, SandboxModel model, List<Turn> turns, List<string> system, List<string> counted, long extra)
    {
        JsonElement? options = ChatFields.Find(body, "options");
        IReadOnlyList<ToolSpec> tools = Tools(body, model);
        (bool isJson, JsonElement? schema) = Format(body);
        string text = string.Join('\n', counted) + (ChatFields.Find(body, "tools")?.GetRawText() ?? "");
        bool isStreamed = ChatFields.Find(body, "stream") is not { ValueKind: JsonValueKind.False };
        Prompt prompt = new()
        {
            Platform = platform,
            Model = model.Name,
            System = string.Join('\n', system),
            Turns = turns,
            Tools = tools,
            AnswerIsJson = isJson,
            AnswerSchema = schema,
            MaxTokens = options is { } set && ChatFields.Find(set, "num_predict") is { ValueKind: JsonValueKind.Number } most && most.TryGetInt64(out long tokens) && tokens > 0 ? tokens : null,
            Stops = Stops(options),
            ThinkingTokens = Thinks(body, model) ? ThinkingTokens : 0,
            Fingerprint = text + (ChatFields.Find(body, "format")?.GetRawText() ?? "") + (options?.GetRawText() ?? ""),
        };
        return new OllamaRequest(turns.Count == 0 && system.Count == 0 ? null : prompt, extra + Generation.Tokens.Count(text), isStreamed);
    }

    private static long AddMessage(JsonElement message, SandboxModel model, List<Turn> turns, List<string> system, List<string> counted)
    {
        string role = Text(message, "role", "ChatRequest.messages.role") ?? "";
        string text = Text(message, "content", "ChatRequest.messages.content") ?? "";
        IReadOnlyList<PromptImage> images = Images(message, model);
        counted.Add(role + text);
        switch (role)
        {
            case "system":
                system.Add(text);
                break;
            case "user":
                turns.Add(new Turn(TurnRole.User, text) { Images = images });
                break;
            case "assistant":
                turns.Add(new Turn(TurnRole.Assistant, text) { Calls = Calls(message, counted) });
                break;
            case "tool":
                // The result names its tool; where it does not, it belongs to the first call that has none yet.
                string name = Text(message, "tool_name", "ChatRequest.messages.tool_name") ?? Waiting(turns) ?? "the tool";
                turns.Add(new Turn(TurnRole.Tool, "") { Results = [new ToolResult("", name, text)] });
                break;
            default:
                throw OllamaErrors.Bad($"invalid role: {role}, role must be one of [\"system\", \"user\", \"assistant\", \"tool\"]");
        }

        return images.Count * ImageTokens;
    }

    private static string? Waiting(List<Turn> turns)
    {
        int asked = turns.FindLastIndex(static turn => turn.Calls.Count > 0);
        int answered = turns.Count - 1 - asked;
        return asked >= 0 && answered < turns[asked].Calls.Count ? turns[asked].Calls[answered].Name : null;
    }

    private static List<ToolCall> Calls(JsonElement message, List<string> counted)
    {
        List<ToolCall> calls = [];
        if (List(message, "tool_calls", "ChatRequest.messages.tool_calls", "[]api.ToolCall") is not { } list)
        {
            return calls;
        }

        foreach (JsonElement call in list.EnumerateArray())
        {
            JsonElement function = ChatFields.Find(call, "function") ?? throw OllamaErrors.Bad("a tool call has no function");
            JsonElement arguments = ChatFields.Find(function, "arguments") ?? default;
            if (arguments.ValueKind is not (JsonValueKind.Object or JsonValueKind.Undefined))
            {
                throw OllamaErrors.WrongType(arguments, "ChatRequest.messages.tool_calls.function.arguments", "api.ToolCallFunctionArguments");
            }

            string given = arguments.ValueKind == JsonValueKind.Object ? arguments.GetRawText() : "{}";
            string name = Text(function, "name", "ChatRequest.messages.tool_calls.function.name") ?? "";
            counted.Add(name + given);
            calls.Add(new ToolCall("", name, given));
        }

        return calls;
    }

    private static IReadOnlyList<PromptImage> Images(JsonElement owner, SandboxModel model)
    {
        if (List(owner, "images", "messages.images", "[]api.ImageData") is not { } list || list.GetArrayLength() == 0)
        {
            return [];
        }

        return !model.Images ? throw OllamaErrors.Bad("this model is missing data required for image input") : [.. list.EnumerateArray().Select(static image =>
        {
            byte[] bytes = new byte[(image.GetString()!.Length / 4 * 3) + 3];
            return !Convert.TryFromBase64String(image.GetString()!, bytes, out int length) ? throw OllamaErrors.Bad("illegal base64 data at input byte 4")
                : PromptImage.Recognise(bytes.AsSpan(0, length)) ?? throw OllamaErrors.Bad("Failed to load image or audio file");
        })];
    }

    private static IReadOnlyList<ToolSpec> Tools(JsonElement body, SandboxModel model)
    {
        if (List(body, "tools", "ChatRequest.tools", "api.Tools") is not { } list || list.GetArrayLength() == 0)
        {
            return [];
        }

        return !model.Tools ? throw OllamaErrors.Bad($"registry.ollama.ai/library/{model.Name} does not support tools") : [.. list.EnumerateArray().Select(static tool =>
        {
            JsonElement function = ChatFields.Find(tool, "function") ?? throw OllamaErrors.Bad("a tool has no function");
            return new ToolSpec(
                Text(function, "name", "ChatRequest.tools.function.name") ?? "", Text(function, "description", "ChatRequest.tools.function.description") ?? "",
                ChatFields.Find(function, "parameters"));
        })];
    }

    private static bool Thinks(JsonElement body, SandboxModel model) => ChatFields.Find(body, "think") switch
    {
        null or { ValueKind: JsonValueKind.False } => false,
        { ValueKind: JsonValueKind.True } or { ValueKind: JsonValueKind.String } when !model.Thinking => throw OllamaErrors.Bad($"\"{model.Name}\" does not support thinking"),
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.String } level => level.GetString() is "low" or "medium" or "high" or "max"
            ? true
            : throw OllamaErrors.Bad($"invalid think value: \"{level.GetString()}\" (must be \"high\", \"medium\", \"low\", \"max\", true, or false)"),
        { } other => throw OllamaErrors.WrongType(other, "ChatRequest.think", "bool"),
    };

    private static (bool IsJson, JsonElement? Schema) Format(JsonElement body) => ChatFields.Find(body, "format") switch
    {
        null => (false, null),
        { ValueKind: JsonValueKind.String } word when word.GetString() is "json" or "" => (word.GetString() == "json", null),
        { ValueKind: JsonValueKind.Object } schema => (true, schema),
        { } other => throw OllamaErrors.Bad($"invalid format: {other.GetRawText()}; expected \"json\" or a valid JSON Schema object"),
    };

    private static IReadOnlyList<string> Stops(JsonElement? options) => options is { } set ? ChatFields.Find(set, "stop") switch
    {
        { ValueKind: JsonValueKind.String } one => [one.GetString()!],
        { ValueKind: JsonValueKind.Array } list => [.. list.EnumerateArray().Select(static stop => stop.GetString() ?? "").Where(static stop => stop.Length > 0)],
        _ => [],
    }
    : [];

    private static string? Text(JsonElement owner, string name, string field) => ChatFields.Find(owner, name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } value => ChatFields.Text(value),
        { } other => throw OllamaErrors.WrongType(other, field, "string"),
    };

    private static JsonElement? List(JsonElement owner, string name, string field, string type) => ChatFields.Find(owner, name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Array } value => value,
        { } other => throw OllamaErrors.WrongType(other, field, type),
    };
}
