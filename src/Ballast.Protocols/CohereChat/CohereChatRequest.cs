using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.CohereChat;

/// <summary>
/// Reads a request of <c>/v2/chat</c> (https://docs.cohere.com/reference/chat): this file the fields around the conversation, <c>CohereChatMessages</c> the messages,
/// <c>CohereChatDocuments</c> what the answer is to be grounded in. Writing is in <c>CohereChatRequestWriter</c>.
/// </summary>
internal static class CohereChatRequest
{
    public const string FormatPointer = "/response_format";

    public static bool AsksSchema(BodyFields fields)
    {
        JsonSpan format = fields.KindOf("response_format") == (byte)'{' ? fields.Find("response_format") : default;
        if (!format.IsPresent)
        {
            return false;
        }

        Utf8JsonReader reader = fields.Open(format);
        bool asks = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            bool isSchema = reader.ValueTextEquals("json_schema"u8) || reader.ValueTextEquals("schema"u8);
            reader.Read();
            asks |= isSchema && reader.TokenType == JsonTokenType.StartObject;
            reader.Skip();
        }

        return asks;
    }

    public static ChatRequest Read(ReadOnlyMemory<byte> body)
    {
        JsonCursor json = new(body);
        json.Begin();
        json.Expect(JsonTokenType.StartObject, "an object", "");
        Draft draft = new();
        while (json.NextProperty(out string name))
        {
            ReadField(ref json, name, draft);
        }

        return draft.ToRequest();
    }

    private static void ReadField(ref JsonCursor json, string name, Draft draft)
    {
        string at = JsonCursor.Below("", name);
        if (json.IsNull && name is not ("model" or "messages"))
        {
            json.Skip();
            return;
        }

        switch (name)
        {
            case "model":
                draft.Model = json.Text(at);
                break;
            case "messages":
                draft.Messages = CohereChatMessages.Read(ref json, at);
                break;
            case "documents":
                CohereChatDocuments.Read(ref json, at, draft.Documents);
                break;
            case "stream":
                draft.Stream = json.Flag(at);
                break;
            case "tools":
                ReadTools(ref json, at, draft.Tools);
                break;
            case "strict_tools":
                draft.StrictTools = json.Flag(at);
                break;
            case "tool_choice":
                draft.ToolChoice = ReadToolChoice(ref json, at);
                break;
            case "response_format":
                ReadFormat(ref json, at, draft);
                break;
            case "thinking":
                draft.Thinking = ReadThinking(ref json, at);
                break;
            case "stop_sequences":
                draft.Stop = ReadStop(ref json, at);
                break;
            default:
                ReadNumber(ref json, name, at, draft);
                break;
        }
    }

    private static void ReadNumber(ref JsonCursor json, string name, string at, Draft draft)
    {
        switch (name)
        {
            case "max_tokens":
                draft.MaxOutputTokens = new Setting<long>(json.Integer(at), at);
                break;
            case "temperature":
                draft.Temperature = new Setting<double>(json.Number(at), at);
                break;
            case "p":
                draft.TopP = new Setting<double>(json.Number(at), at);
                break;
            case "k":
                draft.TopK = new Setting<long>(json.Integer(at), at);
                break;
            case "presence_penalty":
                draft.PresencePenalty = new Setting<double>(json.Number(at), at);
                break;
            case "frequency_penalty":
                draft.FrequencyPenalty = new Setting<double>(json.Number(at), at);
                break;
            case "seed":
                draft.Seed = new Setting<long>(json.Integer(at), at);
                break;
            default:
                draft.Extras.Add(json.TakeExtra(name, ""));
                break;
        }
    }

    private static ToolChoice ReadToolChoice(ref JsonCursor json, string at) => json.Text(at) switch
    {
        "REQUIRED" => new ToolChoice(ToolChoiceMode.Required, null, at),
        "NONE" => new ToolChoice(ToolChoiceMode.None, null, at),
        _ => throw JsonCursor.Invalid(at, "expected REQUIRED or NONE"),
    };

    private static Setting<IReadOnlyList<string>> ReadStop(ref JsonCursor json, string at)
    {
        json.Expect(JsonTokenType.StartArray, "an array of strings", at);
        List<string> sequences = [];
        while (json.NextItem())
        {
            sequences.Add(json.Text(JsonCursor.Below(at, sequences.Count)));
        }

        return new Setting<IReadOnlyList<string>>(sequences, at);
    }

    private static void ReadFormat(ref JsonCursor json, string at, Draft draft)
    {
        json.Expect(JsonTokenType.StartObject, "an object", at);
        string type = json.WordHere("type"u8);
        RawJson schema = default;
        while (json.NextProperty(out string name))
        {
            switch (name)
            {
                case "type":
                    json.Skip();
                    break;
                case "json_schema" or "schema" when json.Token == JsonTokenType.StartObject && schema.IsEmpty:
                    schema = json.Take();
                    break;
                default:
                    draft.Extras.Add(json.TakeExtra(name, at));
                    break;
            }
        }

        draft.Format = type switch
        {
            "text" => new ResponseFormat(ResponseFormatKind.Text, at),
            "json_object" when schema.IsEmpty => new ResponseFormat(ResponseFormatKind.JsonObject, at),
            "json_object" => new ResponseFormat(ResponseFormatKind.JsonSchema, at) { Schema = schema },
            _ => throw JsonCursor.Invalid($"{at}/type", "expected text or json_object"),
        };
    }

    private static ThinkingOptions ReadThinking(ref JsonCursor json, string at)
    {
        json.Expect(JsonTokenType.StartObject, "an object", at);
        bool isDisabled = json.WordHere("type"u8) == "disabled";
        long? budget = null;
        List<Extra> extras = [];
        while (json.NextProperty(out string name))
        {
            switch (name)
            {
                case "type":
                    json.Skip();
                    break;
                case "token_budget" when json.Token == JsonTokenType.Number:
                    budget = json.Integer($"{at}/token_budget");
                    break;
                default:
                    extras.Add(json.TakeExtra(name, at));
                    break;
            }
        }

        return new ThinkingOptions(isDisabled ? ThinkingMode.Disabled : ThinkingMode.Enabled, at) { BudgetTokens = budget, Extras = extras };
    }

    private static void ReadTools(ref JsonCursor json, string at, List<Tool> tools)
    {
        json.Expect(JsonTokenType.StartArray, "an array of tools", at);
        while (json.NextItem())
        {
            tools.Add(ReadTool(ref json, JsonCursor.Below(at, tools.Count)));
        }
    }

    private static Tool ReadTool(ref JsonCursor json, string at)
    {
        json.Expect(JsonTokenType.StartObject, "an object", at);
        Tool? tool = null;
        List<Extra> extras = [];
        while (json.NextProperty(out string name))
        {
            switch (name)
            {
                case "type" when json.Token == JsonTokenType.String && json.Text($"{at}/type") == "function":
                    break;
                case "type":
                    throw JsonCursor.Invalid($"{at}/type", "expected function");
                case "function":
                    tool = PlainTool.ReadFunction(ref json, at, extras);
                    break;
                default:
                    extras.Add(json.TakeExtra(name, at));
                    break;
            }
        }

        return (tool ?? throw JsonCursor.Missing($"{at}/function")) with { Extras = extras };
    }

    /// <summary>What was read so far; fields may come in any order.</summary>
    private sealed class Draft
    {
        public string? Model { get; set; }
        public List<Message>? Messages { get; set; }
        public List<Part> Documents { get; } = [];
        public bool Stream { get; set; }
        public List<Tool> Tools { get; set; } = [];
        public bool? StrictTools { get; set; }
        public ToolChoice? ToolChoice { get; set; }
        public ResponseFormat? Format { get; set; }
        public ThinkingOptions? Thinking { get; set; }
        public Setting<long>? MaxOutputTokens { get; set; }
        public Setting<double>? Temperature { get; set; }
        public Setting<double>? TopP { get; set; }
        public Setting<long>? TopK { get; set; }
        public Setting<double>? PresencePenalty { get; set; }
        public Setting<double>? FrequencyPenalty { get; set; }
        public Setting<long>? Seed { get; set; }
        public Setting<IReadOnlyList<string>>? Stop { get; set; }
        public List<Extra> Extras { get; } = [];

        public ChatRequest ToRequest() => new()
        {
            SourceProtocol = CohereChatProtocol.ProtocolName,
            Model = Model is { Length: > 0 } ? Model : throw JsonCursor.Missing("/model"),
            Stream = Stream,
            StreamUsage = Stream,
            Messages = WithDocuments(Messages ?? throw JsonCursor.Missing("/messages")),
            Tools = StrictTools is null ? Tools : [.. Tools.Select(tool => tool with { Strict = StrictTools })],
            ToolChoice = ToolChoice,
            MaxOutputTokens = MaxOutputTokens,
            Temperature = Temperature,
            TopP = TopP,
            TopK = TopK,
            PresencePenalty = PresencePenalty,
            FrequencyPenalty = FrequencyPenalty,
            Seed = Seed,
            StopSequences = Stop,
            ResponseFormat = Format,
            Thinking = Thinking,
            Extras = Extras,
        };

        /// <summary>Documents stand beside the conversation here; elsewhere they are part of what the user says last.</summary>
        private List<Message> WithDocuments(List<Message> messages)
        {
            int last = messages.FindLastIndex(message => message.Role == Role.User);
            if (Documents.Count > 0 && last >= 0)
            {
                messages[last] = messages[last] with { Parts = [.. Documents, .. messages[last].Parts] };
            }
            else if (Documents.Count > 0)
            {
                messages.Add(new Message(Role.User, Documents, "/documents"));
            }

            return messages;
        }
    }
}
