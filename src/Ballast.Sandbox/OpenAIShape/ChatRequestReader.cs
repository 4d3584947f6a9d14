using System.Text;
using System.Text.Json;
using Ballast.Sandbox.Generation;

namespace Ballast.Sandbox.OpenAIShape;

/// <summary>Reads and checks a Chat Completions request. Fields that it does not know are accepted, a documented leniency.</summary>
internal static class ChatRequestReader
{
    private const int MaxChoices = 128;
    private const int MaxStops = 4;
    private const int MaxTopLogprobs = 20;

    /// <summary>Tokens that any request costs beside its messages.</summary>
    private const int BaseTokens = 3;

    /// <param name="body">The request.</param>
    /// <param name="platform">The platform's name.</param>
    /// <param name="model">The model as the platform knows it.</param>
    /// <param name="isLenient">Takes what other platforms of this shape take beyond OpenAI.</param>
    public static ChatRequest Read(JsonElement body, string platform, string model, bool isLenient)
    {
        if (body.ValueKind != JsonValueKind.Object)
        {
            throw ChatErrors.Malformed();
        }

        if (ChatFields.Find(body, "messages") is not { } list)
        {
            throw ChatErrors.Missing("messages");
        }

        ChatMessages messages = ChatMessages.Read(list, isLenient);
        IReadOnlyList<ToolSpec> tools = ChatTools.Read(body, isLenient, out bool isLegacy);
        (ToolUse use, string? named, IReadOnlyList<ToolSpec> allowed) = ChatTools.ReadChoice(body, tools, isLegacy);
        (bool isJson, JsonElement? schema) = ReadFormat(body, messages, isLenient);
        CheckSampling(body);
        string inputText = messages.InputText + ChatTools.InputText(body);
        Prompt prompt = new()
        {
            Platform = platform,
            Model = model,
            System = messages.System,
            Turns = messages.Turns,
            Tools = allowed,
            ToolUse = use,
            NamedTool = named,
            ParallelCalls = ChatFields.Flag(body, "parallel_tool_calls", true, "parallel_tool_calls"),
            AnswerIsJson = isJson,
            AnswerSchema = schema,
            MaxTokens = ReadMaxTokens(body),
            Stops = ReadStops(body),
            Fingerprint = Fingerprint(body),
        };
        return new ChatRequest
        {
            Prompt = prompt,
            InputText = inputText,
            InputTokens = BaseTokens + messages.OverheadTokens + Tokens.Count(inputText),
            Stream = ChatFields.Flag(body, "stream", false, "stream"),
            IncludeUsage = ReadIncludeUsage(body),
            Choices = ReadChoices(body),
            Logprobs = ChatFields.Flag(body, "logprobs", false, "logprobs"),
            TopLogprobs = ReadTopLogprobs(body),
            LegacyFunctions = isLegacy,
            ReasoningTokens = ReasoningTokens(body),
        };
    }

    /// <summary>The request without what cannot change the answer.</summary>
    private static string Fingerprint(JsonElement body)
    {
        StringBuilder text = new();
        foreach (JsonProperty property in body.EnumerateObject())
        {
            if (property.Name is not ("model" or "stream" or "stream_options" or "user" or "metadata" or "n" or "logprobs"
                or "top_logprobs"))
            {
                text.Append(property.Name).Append('=').Append(property.Value.GetRawText()).Append(';');
            }
        }

        return text.ToString();
    }

    private static long? ReadMaxTokens(JsonElement body)
    {
        long? older = ChatFields.Integer(body, "max_tokens", 1);
        long? newer = ChatFields.Integer(body, "max_completion_tokens", 1);
        return older is not null && newer is not null
            ? throw ChatErrors.Refused(
                "max_tokens",
                "invalid_parameter_combination",
                "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.")
            : newer ?? older;
    }

    private static int ReadChoices(JsonElement body)
    {
        long choices = ChatFields.Integer(body, "n", 1) ?? 1;
        return choices <= MaxChoices
            ? (int)choices
            : throw ChatErrors.BadValue(
                "n", $"Invalid 'n': integer above maximum value. Expected a value <= {MaxChoices}, but got {choices} instead.");
    }

    private static int ReadTopLogprobs(JsonElement body)
    {
        long top = ChatFields.Integer(body, "top_logprobs", 0) ?? 0;
        if (top > MaxTopLogprobs)
        {
            throw ChatErrors.BadValue(
                "top_logprobs",
                $"Invalid 'top_logprobs': integer above maximum value. Expected a value <= {MaxTopLogprobs}, but got {top} instead.");
        }

        return top > 0 && !ChatFields.Flag(body, "logprobs", false, "logprobs")
            ? throw ChatErrors.BadValue("top_logprobs", "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.")
            : (int)top;
    }

    private static bool ReadIncludeUsage(JsonElement body)
    {
        if (ChatFields.Object(body, "stream_options", "stream_options") is not { } options)
        {
            return false;
        }

        return ChatFields.Flag(body, "stream", false, "stream")
            ? ChatFields.Flag(options, "include_usage", false, "stream_options.include_usage")
            : throw ChatErrors.Refused(
                "stream_options", null, "The 'stream_options' parameter is only allowed when 'stream' is enabled.");
    }

    private static void CheckSampling(JsonElement body)
    {
        ChatFields.Decimal(body, "temperature", 0, 2);
        ChatFields.Decimal(body, "top_p", 0, 1);
        ChatFields.Decimal(body, "presence_penalty", -2, 2);
        ChatFields.Decimal(body, "frequency_penalty", -2, 2);
    }

    private static List<string> ReadStops(JsonElement body)
    {
        switch (ChatFields.Find(body, "stop"))
        {
            case null:
                return [];
            case { ValueKind: JsonValueKind.String } one:
                string only = ChatFields.Text(one);
                return only.Length > 0 ? [only] : [];
            case { ValueKind: JsonValueKind.Array } list when list.GetArrayLength() <= MaxStops:
                return [.. list.EnumerateArray().Select(stop => stop.ValueKind == JsonValueKind.String
                    ? ChatFields.Text(stop)
                    : throw ChatErrors.WrongType("stop", "a string", stop)).Where(stop => stop.Length > 0)];
            case { ValueKind: JsonValueKind.Array } tooMany:
                throw ChatErrors.Refused(
                    "stop",
                    "array_above_max_length",
                    $"Invalid 'stop': array too long. Expected an array with maximum length {MaxStops}, "
                    + $"but got an array with length {tooMany.GetArrayLength()} instead.");
            case { } other:
                throw ChatErrors.WrongType("stop", "one of an array of strings or string", other);
        }
    }

    private static (bool IsJson, JsonElement? Schema) ReadFormat(JsonElement body, ChatMessages messages, bool isLenient)
    {
        if (ChatFields.Object(body, "response_format", "response_format") is not { } format)
        {
            return (false, null);
        }

        string? type = ChatFields.Text(format, "type", "response_format.type");
        switch (type)
        {
            case null:
                throw ChatErrors.Missing("response_format.type");
            case "text":
                return (false, null);
            case "json_object" when !messages.AllText.Contains("json", StringComparison.OrdinalIgnoreCase):
                throw ChatErrors.Refused(
                    "messages",
                    null,
                    "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.");
            case "json_object":
                return (true, null);
            case "json_schema":
                return (true, ReadSchema(format, isLenient));
            default:
                throw ChatErrors.BadValue(
                    "response_format.type",
                    $"Invalid value: '{type}'. Supported values are: 'json_object', 'json_schema', and 'text'.");
        }
    }

    private static JsonElement? ReadSchema(JsonElement format, bool isLenient)
    {
        const string Path = "response_format.json_schema";
        JsonElement named = ChatFields.Object(format, "json_schema", Path) ?? throw ChatErrors.Missing(Path);
        string name = ChatFields.Text(named, "name", Path + ".name") ?? (isLenient ? "answer" : null)
            ?? throw ChatErrors.Missing(Path + ".name");
        if (!ChatTools.IsName(name))
        {
            throw ChatErrors.BadValue(
                Path + ".name",
                $"Invalid '{Path}.name': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.");
        }

        JsonElement? schema = ChatFields.Object(named, "schema", Path + ".schema");
        if (schema is { } strict && ChatFields.Flag(named, "strict", false, Path + ".strict"))
        {
            StrictSchema.Check(strict, $"Invalid schema for response_format '{name}'", "response_format");
        }

        return schema;
    }

    /// <summary>Reasoning happens only when asked for, and is then counted but not shown.</summary>
    private static long ReasoningTokens(JsonElement body) => ChatFields.Text(body, "reasoning_effort", "reasoning_effort") switch
    {
        null or "none" or "minimal" => 0,
        "low" => 64,
        "medium" => 128,
        "high" or "xhigh" or "max" => 256,
        { } other => throw ChatErrors.BadValue(
            "reasoning_effort",
            $"Invalid value: '{other}'. Supported values are: 'none', 'minimal', 'low', 'medium', 'high', and 'xhigh'."),
    };
}
