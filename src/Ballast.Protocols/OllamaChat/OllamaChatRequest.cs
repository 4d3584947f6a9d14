using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.OllamaChat;

/// <summary>
/// Reads a request of <c>/api/chat</c> (https://docs.ollama.com/api/chat): this file the fields around the conversation, <c>OllamaChatMessages</c> the messages.
/// Writing is in <c>OllamaChatRequestWriter</c>.
/// </summary>
internal static class OllamaChatRequest
{
    public const string OptionsPointer = "/options";

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
                draft.Messages = OllamaChatMessages.Read(ref json, at);
                break;
            case "stream":
                draft.Stream = json.Flag(at);
                break;
            case "tools":
                ReadTools(ref json, at, draft.Tools);
                break;
            case "format":
                ReadFormat(ref json, at, draft);
                break;
            case "think":
                draft.Thinking = ReadThink(ref json, at);
                break;
            case "options":
                json.Expect(JsonTokenType.StartObject, "an object", at);
                while (json.NextProperty(out string option))
                {
                    ReadOption(ref json, option, draft);
                }

                break;
            default:
                draft.Extras.Add(json.TakeExtra(name, ""));
                break;
        }
    }

    private static void ReadFormat(ref JsonCursor json, string at, Draft draft)
    {
        if (json.Token == JsonTokenType.StartObject)
        {
            draft.Format = new ResponseFormat(ResponseFormatKind.JsonSchema, at) { Schema = json.Take() };
            return;
        }

        // An empty text is what clients send for no format at all.
        string word = json.Text(at);
        draft.Format = word switch
        {
            "" => null,
            "json" => new ResponseFormat(ResponseFormatKind.JsonObject, at),
            _ => throw JsonCursor.Invalid(at, "expected json or a JSON schema"),
        };
    }

    private static ThinkingOptions ReadThink(ref JsonCursor json, string at)
    {
        if (json.Token != JsonTokenType.String)
        {
            return new ThinkingOptions(json.Flag(at) ? ThinkingMode.Enabled : ThinkingMode.Disabled, at);
        }

        return new ThinkingOptions(ThinkingMode.Enabled, at) { Effort = json.Text(at) };
    }

    private static void ReadOption(ref JsonCursor json, string name, Draft draft)
    {
        string at = JsonCursor.Below(OptionsPointer, name);
        switch (name)
        {
            case "temperature" when json.Token == JsonTokenType.Number:
                draft.Temperature = new Setting<double>(json.Number(at), at);
                break;
            case "top_p" when json.Token == JsonTokenType.Number:
                draft.TopP = new Setting<double>(json.Number(at), at);
                break;
            case "top_k" when json.Token == JsonTokenType.Number:
                draft.TopK = new Setting<long>(json.Integer(at), at);
                break;
            case "presence_penalty" when json.Token == JsonTokenType.Number:
                draft.PresencePenalty = new Setting<double>(json.Number(at), at);
                break;
            case "frequency_penalty" when json.Token == JsonTokenType.Number:
                draft.FrequencyPenalty = new Setting<double>(json.Number(at), at);
                break;
            case "seed" when json.Token == JsonTokenType.Number:
                draft.Seed = new Setting<long>(json.Integer(at), at);
                break;
            case "num_predict" when json.Token == JsonTokenType.Number && json.Integer(at) >= 0:
                draft.MaxOutputTokens = new Setting<long>(json.Integer(at), at);
                break;
            case "stop" when json.Token is JsonTokenType.String or JsonTokenType.StartArray:
                draft.Stop = new Setting<IReadOnlyList<string>>(ReadStop(ref json, at), at);
                break;
            default:
                draft.Extras.Add(json.TakeExtra(name, OptionsPointer));
                break;
        }
    }

    private static List<string> ReadStop(ref JsonCursor json, string at)
    {
        if (json.Token == JsonTokenType.String)
        {
            return [json.Text(at)];
        }

        List<string> sequences = [];
        while (json.NextItem())
        {
            sequences.Add(json.Text(JsonCursor.Below(at, sequences.Count)));
        }

        return sequences;
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
                case "type" when json.Token == JsonTokenType.String:
                    string type = json.Text($"{at}/type");
                    if (type is not ("function" or ""))
                    {
                        throw JsonCursor.Invalid($"{at}/type", "expected function");
                    }

                    break;
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

        /// <summary>Unlike elsewhere, a stream unless the request says otherwise.</summary>
        public bool Stream { get; set; } = true;
        public List<Tool> Tools { get; } = [];
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
            SourceProtocol = OllamaChatProtocol.ProtocolName,
            Model = Model is { Length: > 0 } ? Model : throw JsonCursor.Missing("/model"),
            Stream = Stream,
            StreamUsage = Stream,
            Messages = Messages ?? throw JsonCursor.Missing("/messages"),
            Tools = Tools,
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
    }
}
