using System.Text.Json;
using Ballast.Sandbox.Generation;
using Ballast.Sandbox.OpenAIShape;

namespace Ballast.Sandbox.Cohere;

/// <summary>A checked request of <c>/v2/chat</c>.</summary>
internal sealed record CohereRequest(Prompt Prompt, long InputTokens, bool Stream)
{
    private const int MaxStops = 5;
    private const int ItemTokens = 4;
    private const int ImageTokens = 256;
    private const long UsualThinking = 128;

    public static CohereRequest Read(JsonElement body, string platform, SandboxModel model)
    {
        if (ChatFields.Find(body, "messages") is not { ValueKind: JsonValueKind.Array } list || list.GetArrayLength() == 0)
        {
            throw CohereErrors.Invalid("messages must be at least length 1.");
        }

        CohereMessages messages = CohereMessages.Read(list, model);
        List<ToolSpec> tools = ReadTools(body);
        (bool isJson, JsonElement? schema) = ReadFormat(body);
        if (isJson && (tools.Count > 0 || ChatFields.Find(body, "documents") is { ValueKind: JsonValueKind.Array } documents && documents.GetArrayLength() > 0))
        {
            throw CohereErrors.Invalid("response_format with type json_object is not supported in combination with the tools or documents parameters.");
        }

        string text = messages.InputText + Raw(body, "tools") + Raw(body, "documents");
        Prompt prompt = new()
        {
            Platform = platform,
            Model = model.Name,
            System = messages.System,
            Turns = messages.Turns,
            Tools = tools,
            ToolUse = ReadChoice(body, tools),
            AnswerIsJson = isJson,
            AnswerSchema = schema,
            MaxTokens = Integer(body, "max_tokens", 0) is { } most and > 0 ? most : null,
            Stops = ReadStops(body),
            ThinkingTokens = ReadThinking(body, model),
            Fingerprint = text + Raw(body, "response_format") + Raw(body, "seed"),
        };
        CheckSampling(body);
        return new CohereRequest(prompt, Tokens.Count(text) + (messages.Count * ItemTokens) + (messages.Images * ImageTokens), ChatFields.Find(body, "stream") is { ValueKind: JsonValueKind.True });
    }

    private static string Raw(JsonElement body, string name) => ChatFields.Find(body, name) is { } value ? value.GetRawText() : "";

    private static long? Integer(JsonElement body, string name, long least) => ChatFields.Find(body, name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Number } value when value.TryGetInt64(out long number) && number >= least => number,
        _ => throw CohereErrors.Invalid($"{name} must be an integer of at least {least}."),
    };

    private static void CheckSampling(JsonElement body)
    {
        foreach ((string name, double most) in ((string, double)[])[("temperature", 2), ("p", 0.99), ("k", 500), ("frequency_penalty", 1), ("presence_penalty", 1)])
        {
            if (ChatFields.Find(body, name) is { } value && (value.ValueKind != JsonValueKind.Number || value.GetDouble() < 0 || value.GetDouble() > most))
            {
                throw CohereErrors.Invalid(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{name} must be between 0 and {most} inclusive."));
            }
        }
    }

    private static List<ToolSpec> ReadTools(JsonElement body)
    {
        List<ToolSpec> tools = [];
        if (ChatFields.Find(body, "tools") is not { } list)
        {
            return tools;
        }

        if (list.ValueKind != JsonValueKind.Array)
        {
            throw CohereErrors.Invalid("tools must be an array.");
        }

        foreach (JsonElement tool in list.EnumerateArray())
        {
            if (tool.ValueKind != JsonValueKind.Object || ChatFields.Find(tool, "type") is not { ValueKind: JsonValueKind.String } type || type.GetString() != "function"
                || ChatFields.Find(tool, "function") is not { ValueKind: JsonValueKind.Object } function || CohereMessages.Text(function, "name") is not { Length: > 0 } name)
            {
                throw CohereErrors.Invalid("each tool must have type 'function' and a function with a name.");
            }

            tools.Add(new ToolSpec(name, CohereMessages.Text(function, "description") ?? "", ChatFields.Find(function, "parameters")));
        }

        return tools;
    }

    private static ToolUse ReadChoice(JsonElement body, List<ToolSpec> tools) => CohereMessages.Text(body, "tool_choice") switch
    {
        null => ToolUse.Auto,
        _ when tools.Count == 0 => throw CohereErrors.Invalid("tool_choice can only be specified together with tools."),
        "REQUIRED" => ToolUse.Any,
        "NONE" => ToolUse.Never,
        { } other => throw CohereErrors.Invalid($"tool_choice must be REQUIRED or NONE, but got {other}."),
    };

    private static (bool IsJson, JsonElement? Schema) ReadFormat(JsonElement body)
    {
        if (ChatFields.Find(body, "response_format") is not { ValueKind: JsonValueKind.Object } format)
        {
            return (false, null);
        }

        return CohereMessages.Text(format, "type") switch
        {
            "text" => (false, null),
            "json_object" => (true, ChatFields.Find(format, "json_schema") ?? ChatFields.Find(format, "schema")),
            _ => throw CohereErrors.Invalid("response_format.type must be one of 'text' and 'json_object'."),
        };
    }

    private static List<string> ReadStops(JsonElement body)
    {
        if (ChatFields.Find(body, "stop_sequences") is not { } list)
        {
            return [];
        }

        return list.ValueKind == JsonValueKind.Array && list.GetArrayLength() <= MaxStops
            ? [.. list.EnumerateArray().Select(static stop => stop.ValueKind == JsonValueKind.String ? ChatFields.Text(stop) : throw CohereErrors.Invalid("stop_sequences must be strings."))]
            : throw CohereErrors.Invalid($"stop_sequences must be an array of at most {MaxStops} strings.");
    }

    private static long ReadThinking(JsonElement body, SandboxModel model)
    {
        if (ChatFields.Find(body, "thinking") is not { ValueKind: JsonValueKind.Object } thinking)
        {
            return 0;
        }

        return CohereMessages.Text(thinking, "type") switch
        {
            "disabled" => 0,
            "enabled" when !model.Thinking => throw CohereErrors.Invalid($"model '{model.Name}' does not support thinking."),
            "enabled" => Integer(thinking, "token_budget", 1) ?? UsualThinking,
            _ => throw CohereErrors.Invalid("thinking.type must be one of 'enabled' and 'disabled'."),
        };
    }
}
