using System.Runtime.InteropServices;
using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.OpenAIResponses;

/// <summary>
/// A Responses request, read and written (https://platform.openai.com/docs/api-reference/responses/create). A request that came in this protocol is written again
/// out of its own body (<see cref="ChatRequest.Source"/>), so that what is not understood is not changed.
/// </summary>
internal static partial class OpenAIResponsesRequest
{
    public static ChatRequest Read(ReadOnlyMemory<byte> body)
    {
        using JsonDocument document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = OpenAIResponsesPeek.DepthMax + 1 });
        JsonElement root = document.RootElement;
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw ProtocolException.Invalid("The request body must be a JSON object.");
        }

        Draft draft = new(OpenAIResponsesToolNames.Of(root));
        foreach (JsonProperty property in root.EnumerateObject())
        {
            if (property.Value.ValueKind != JsonValueKind.Null)
            {
                ReadField(property, draft);
            }
        }

        if (draft.Items.Count == 0 && draft.Extras.Find(static extra => extra.Name == "prompt") is not null)
        {
            throw new ProtocolException(new ChatError(ChatErrorKind.InvalidRequest, "A stored prompt is kept by its vendor and cannot be read here: send what it says as 'input'.")
            {
                Param = "prompt",
                Code = "invalid_value",
            });
        }

        if (draft.Items.Count == 0 && !draft.Extras.Exists(static extra => extra.Name is "previous_response_id" or "conversation"))
        {
            throw OpenAIResponsesFault.Missing("/input");
        }

        return new ChatRequest
        {
            SourceProtocol = OpenAIResponsesProtocol.ProtocolName,
            Source = new RawJson(body.ToArray()),
            Model = draft.Model is { Length: > 0 } model ? model : throw OpenAIResponsesFault.Missing("/model"),
            Stream = draft.Stream,
            StreamUsage = true,
            Messages = [.. draft.Instructions, .. draft.Items],
            Tools = draft.Tools,
            ToolChoice = draft.ToolChoice,
            ParallelToolCalls = draft.ParallelToolCalls,
            MaxOutputTokens = draft.MaxOutputTokens,
            Temperature = draft.Temperature,
            TopP = draft.TopP,
            ResponseFormat = draft.ResponseFormat,
            Thinking = draft.Thinking,
            EndUser = draft.EndUser,
            Extras = draft.Extras,
        };
    }

    private static void ReadField(JsonProperty property, Draft draft)
    {
        string name = property.Name;
        string at = OpenAIResponsesFault.Below("", name);
        JsonElement value = property.Value;
        switch (name)
        {
            case "model":
                draft.Model = Text(value, at);
                break;
            case "stream":
                draft.Stream = Flag(value, at);
                break;
            case "instructions" when value.ValueKind == JsonValueKind.String:
                draft.Instructions = [new Message(Role.System, [new TextPart(value.GetString()!, at)], at)];
                break;
            case "instructions":
                draft.Instructions = ReadItems(value, at, draft.Names);
                break;
            case "input":
                draft.Items = ReadItems(value, at, draft.Names);
                break;
            case "tools":
                draft.Tools = ReadTools(value, at, draft);
                break;
            case "tool_choice":
                draft.ToolChoice = ReadToolChoice(value, at, draft.Names, draft.Extras);
                break;
            case "parallel_tool_calls":
                draft.ParallelToolCalls = new Setting<bool>(Flag(value, at), at);
                break;
            case "max_output_tokens":
                draft.MaxOutputTokens = new Setting<long>(Integer(value, at), at);
                break;
            case "temperature":
                draft.Temperature = new Setting<double>(Number(value, at), at);
                break;
            case "top_p":
                draft.TopP = new Setting<double>(Number(value, at), at);
                break;
            case "text":
                ReadTextOptions(value, at, draft);
                break;
            case "reasoning":
                draft.Thinking = ReadReasoning(value, at);
                break;
            case "user" or "safety_identifier":
                ReadEndUser(name, value, at, draft);
                break;
            default:
                ReadOther(name, value, at, draft);
                break;
        }
    }

    /// <summary>Fields that Ballast answers for itself (state, labels), and fields whose value is the default, mean nothing to another protocol.</summary>
    private static void ReadOther(string name, JsonElement value, string at, Draft draft)
    {
        bool isSettled = name switch
        {
            "store" or "background" => IsFlag(value, at),
            "metadata" => value.ValueKind == JsonValueKind.Object,
            "include" => value.ValueKind == JsonValueKind.Array
                && value.EnumerateArray().All(static one => one.ValueKind == JsonValueKind.String && one.ValueEquals(OpenAIResponsesSplice.EncryptedReasoning)),
            "stream_options" => value.ValueKind == JsonValueKind.Object && value.EnumerateObject().All(static option =>
                option.NameEquals("include_obfuscation"u8) && option.Value.ValueKind is JsonValueKind.True or JsonValueKind.False),
            "truncation" => IsWord(value, "disabled"),
            "service_tier" => IsWord(value, "auto"),
            "top_logprobs" => value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long count) && count == 0,
            _ => false,
        };
        if (!isSettled)
        {
            draft.Extras.Add(new Extra(name, at, Raw(value)));
        }
    }

    private static bool IsFlag(JsonElement value, string at) => Flag(value, at) || true;

    private static bool IsWord(JsonElement value, string word) => value.ValueKind == JsonValueKind.String && value.ValueEquals(word);

    private static void ReadEndUser(string name, JsonElement value, string at, Draft draft)
    {
        Setting<string> user = new(Text(value, at), at);
        if (draft.EndUser is not { } known)
        {
            draft.EndUser = user;
            return;
        }

        // The newer of the two spellings counts, the other is kept as an extra.
        bool isNewer = name == "safety_identifier";
        Setting<string> older = isNewer ? known : user;
        draft.EndUser = isNewer ? user : known;
        draft.Extras.Add(new Extra(older.Pointer[1..], older.Pointer, RawJson.From($"\"{JsonEncodedText.Encode(older.Value)}\"")));
    }

    private static void ReadTextOptions(JsonElement value, string at, Draft draft)
    {
        Expect(value, JsonValueKind.Object, "an object", at);
        foreach (JsonProperty option in value.EnumerateObject())
        {
            string here = OpenAIResponsesFault.Below(at, option.Name);
            if (option.NameEquals("format"u8) && option.Value.ValueKind != JsonValueKind.Null)
            {
                draft.ResponseFormat = ReadFormat(option.Value, here, draft.Extras);
            }
            else if (!(option.NameEquals("verbosity"u8) && IsWord(option.Value, "medium")))
            {
                AddExtra(draft.Extras, option, at);
            }
        }
    }

    private static ResponseFormat? ReadFormat(JsonElement value, string at, List<Extra> extras)
    {
        Expect(value, JsonValueKind.Object, "an object", at);
        ResponseFormat format = new(ResponseFormatKind.Text, at);
        string? type = null;
        List<Extra> own = [];
        foreach (JsonProperty field in value.EnumerateObject())
        {
            string here = OpenAIResponsesFault.Below(at, field.Name);
            bool isNull = field.Value.ValueKind == JsonValueKind.Null;
            switch (field.Name)
            {
                case "type":
                    type = Text(field.Value, here);
                    break;
                case "name" when !isNull:
                    format = format with { Name = Text(field.Value, here) };
                    break;
                case "description" when !isNull:
                    format = format with { Description = Text(field.Value, here) };
                    break;
                case "schema" when field.Value.ValueKind == JsonValueKind.Object:
                    format = format with { Schema = Raw(field.Value) };
                    break;
                case "strict" when !isNull:
                    format = format with { Strict = Flag(field.Value, here) };
                    break;
                default:
                    AddExtra(own, field, at);
                    break;
            }
        }

        ResponseFormatKind? kind = type switch
        {
            "text" => ResponseFormatKind.Text,
            "json_object" => ResponseFormatKind.JsonObject,
            "json_schema" => ResponseFormatKind.JsonSchema,
            null => throw OpenAIResponsesFault.Missing($"{at}/type"),
            _ => null,
        };
        if (kind is null || (kind == ResponseFormatKind.JsonSchema && format.Schema.IsEmpty))
        {
            extras.Add(new Extra("format", at, Raw(value)));
            return null;
        }

        extras.AddRange(own);
        return format with { Kind = kind.Value };
    }

    private static ThinkingOptions ReadReasoning(JsonElement value, string at)
    {
        Expect(value, JsonValueKind.Object, "an object", at);
        ThinkingOptions options = new(ThinkingMode.Enabled, at);
        List<Extra> extras = [];
        foreach (JsonProperty field in value.EnumerateObject())
        {
            if (field.NameEquals("effort"u8) && field.Value.ValueKind != JsonValueKind.Null)
            {
                string effort = Text(field.Value, $"{at}/effort");
                options = options with { Effort = effort, Mode = effort == "none" ? ThinkingMode.Disabled : options.Mode };
            }
            else if (!(field.Name is "summary" or "generate_summary" && (IsWord(field.Value, "auto") || IsWord(field.Value, "concise") || IsWord(field.Value, "detailed"))))
            {
                // Reasoning that can be read is what every other protocol gives anyway; any other wish is named.
                AddExtra(extras, field, at);
            }
        }

        return options with { Extras = extras };
    }

    public static void Write(ChatRequest request, RequestTarget target, LossReport losses, Utf8JsonWriter json)
    {
        if (request.SourceProtocol == OpenAIResponsesProtocol.ProtocolName && !request.Source.IsEmpty)
        {
            OpenAIResponsesOwnRequest.Write(request, target, losses, json);
        }
        else
        {
            new OpenAIResponsesRequestWriter(FunctionTools.Of(request, losses, target.Has(TargetFeatures.CustomTools)), target, losses, json).Write();
        }
    }

    private static RawJson Raw(JsonElement value) => new(JsonMarshal.GetRawUtf8Value(value).ToArray());

    private static void AddExtra(List<Extra> extras, JsonProperty property, string at)
    {
        if (SaysSomething(property.Value))
        {
            extras.Add(new Extra(property.Name, OpenAIResponsesFault.Below(at, property.Name), Raw(property.Value)));
        }
    }

    /// <summary>Nothing is said by null, and by a list or object without content.</summary>
    private static bool SaysSomething(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => false,
        JsonValueKind.Array => value.GetArrayLength() > 0,
        JsonValueKind.Object => value.GetPropertyCount() > 0,
        _ => true,
    };

    private static void Expect(JsonElement value, JsonValueKind kind, string what, string at)
    {
        if (value.ValueKind != kind)
        {
            throw OpenAIResponsesFault.WrongType(at, what);
        }
    }

    private static string Text(JsonElement value, string at)
    {
        Expect(value, JsonValueKind.String, "a string", at);
        return value.GetString()!;
    }

    private static bool Flag(JsonElement value, string at) => value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw OpenAIResponsesFault.WrongType(at, "a boolean"),
    };

    private static double Number(JsonElement value, string at)
    {
        Expect(value, JsonValueKind.Number, "a number", at);
        return value.TryGetDouble(out double number) && double.IsFinite(number) ? number : throw OpenAIResponsesFault.Invalid(at, "the number is out of range");
    }

    private static long Integer(JsonElement value, string at)
    {
        Expect(value, JsonValueKind.Number, "an integer", at);
        if (value.TryGetInt64(out long number))
        {
            return number;
        }

        return value.TryGetDouble(out double real) && Math.Floor(real) == real && Math.Abs(real) < 1L << 53
            ? (long)real
            : throw OpenAIResponsesFault.Invalid(at, "expected an integer");
    }

    /// <summary>A request while it is read.</summary>
    private sealed class Draft(OpenAIResponsesToolNames names)
    {
        public OpenAIResponsesToolNames Names { get; } = names;
        public string? Model { get; set; }
        public bool Stream { get; set; }
        public List<Message> Instructions { get; set; } = [];
        public List<Message> Items { get; set; } = [];
        public List<Tool> Tools { get; set; } = [];
        public ToolChoice? ToolChoice { get; set; }
        public Setting<bool>? ParallelToolCalls { get; set; }
        public Setting<long>? MaxOutputTokens { get; set; }
        public Setting<double>? Temperature { get; set; }
        public Setting<double>? TopP { get; set; }
        public ResponseFormat? ResponseFormat { get; set; }
        public ThinkingOptions? Thinking { get; set; }
        public Setting<string>? EndUser { get; set; }
        public List<Extra> Extras { get; } = [];
    }
}
