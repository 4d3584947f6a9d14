using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.Gemini;

/// <summary>
/// Reads a request of generateContent (https://ai.google.dev/api/generate-content) into the neutral form: this file the fields around the conversation,
/// <c>GeminiContents</c> the turns, <c>GeminiTools</c> the tools. Writing is in <c>GeminiRequestWriter</c>.
/// </summary>
internal static class GeminiRequest
{
    public const string JsonMediaType = "application/json";

    public static ChatRequest Read(ReadOnlyMemory<byte> body, RequestAddress address)
    {
        string at = "";
        if (GeminiEnvelope.TryFindWrapper(body, out JsonSpan wrapper))
        {
            // A count of a whole request: what is counted is in the wrapper.
            at = "/generateContentRequest";
            body = body.Slice(wrapper.Start, wrapper.Length);
        }

        GeminiCursor json = new(body);
        json.Begin();
        json.Expect(JsonTokenType.StartObject, "an object", at);
        Draft draft = new(at);
        while (json.NextProperty(out string name))
        {
            ReadField(ref json, name, draft);
        }

        return draft.ToRequest(address);
    }

    private static void ReadField(ref GeminiCursor json, string name, Draft draft)
    {
        string at = GeminiCursor.Below(draft.At, json.Written);
        switch (name)
        {
            case "contents":
                draft.Messages = draft.Contents.Read(ref json, at);
                break;
            case not "contents" when json.IsNull:
                json.Skip();
                break;
            case "model":
                draft.Model = json.Text(at);
                break;
            case "systemInstruction":
                draft.System = GeminiContents.ReadSystem(ref json, at);
                break;
            case "tools":
                draft.Tools = GeminiTools.Read(ref json, at);
                break;
            case "toolConfig":
                draft.ToolChoice = GeminiTools.ReadConfig(ref json, at, draft.Extras);
                break;
            case "generationConfig":
                json.Expect(JsonTokenType.StartObject, "an object", at);
                while (json.NextProperty(out string setting))
                {
                    ReadSetting(ref json, setting, at, draft);
                }

                break;
            default:
                draft.Extras.Add(json.TakeExtra(draft.At));
                break;
        }
    }

    private static void ReadSetting(ref GeminiCursor json, string name, string config, Draft draft)
    {
        string at = GeminiCursor.Below(config, json.Written);
        if (json.IsNull)
        {
            json.Skip();
            return;
        }

        switch (name)
        {
            case "temperature":
                draft.Temperature = new Setting<double>(json.Number(at), at);
                break;
            case "topP":
                draft.TopP = new Setting<double>(json.Number(at), at);
                break;
            case "topK":
                draft.TopK = new Setting<long>((long)json.Number(at), at);
                break;
            case "candidateCount":
                draft.ChoiceCount = new Setting<long>(json.Integer(at), at);
                break;
            case "maxOutputTokens":
                draft.MaxOutputTokens = new Setting<long>(json.Integer(at), at);
                break;
            case "presencePenalty":
                draft.PresencePenalty = new Setting<double>(json.Number(at), at);
                break;
            case "frequencyPenalty":
                draft.FrequencyPenalty = new Setting<double>(json.Number(at), at);
                break;
            case "seed":
                draft.Seed = new Setting<long>(json.Integer(at), at);
                break;
            case "stopSequences":
                draft.StopSequences = ReadStops(ref json, at);
                break;
            case "thinkingConfig":
                draft.Thinking = ReadThinking(ref json, at);
                break;
            default:
                ReadFormat(ref json, name, config, at, draft);
                break;
        }
    }

    private static void ReadFormat(ref GeminiCursor json, string name, string config, string at, Draft draft)
    {
        switch (name)
        {
            case "responseMimeType":
                draft.MediaType = new Setting<string>(json.Text(at), at);
                break;
            case "responseSchema":
                json.Expect(JsonTokenType.StartObject, "an object", at);
                draft.OwnSchema = new Setting<RawJson>(json.Take(), at);
                break;
            case "responseJsonSchema" or "_responseJsonSchema":
                json.Expect(JsonTokenType.StartObject, "an object", at);
                draft.Schema = new Setting<RawJson>(json.Take(), at);
                break;
            default:
                draft.Extras.Add(json.TakeExtra(config));
                break;
        }
    }

    private static Setting<IReadOnlyList<string>> ReadStops(ref GeminiCursor json, string at)
    {
        json.Expect(JsonTokenType.StartArray, "an array of strings", at);
        List<string> sequences = [];
        while (json.NextItem())
        {
            sequences.Add(json.Text(GeminiCursor.Below(at, sequences.Count)));
        }

        return new Setting<IReadOnlyList<string>>(sequences, at);
    }

    /// <summary>A budget of 0 switches reasoning off, −1 leaves it to the model; newer models take a level instead. Words for it are those of other protocols, in lower case.</summary>
    private static ThinkingOptions ReadThinking(ref GeminiCursor json, string at)
    {
        json.Expect(JsonTokenType.StartObject, "an object", at);
        ThinkingOptions options = new(ThinkingMode.Adaptive, at);
        List<Extra> extras = [];
        while (json.NextProperty(out string name))
        {
            string here = GeminiCursor.Below(at, json.Written);
            switch (name)
            {
                case "thinkingBudget" when !json.IsNull:
                    long budget = json.Integer(here);
                    options = options with { Mode = budget == 0 ? ThinkingMode.Disabled : budget < 0 ? ThinkingMode.Adaptive : ThinkingMode.Enabled, BudgetTokens = budget };
                    break;
                case "thinkingLevel" when !json.IsNull:
                    string level = json.Word(here);
                    options = options with { Mode = options.Mode == ThinkingMode.Disabled ? options.Mode : ThinkingMode.Enabled, Effort = WordOfLevel(level) };
                    break;
                case not null when json.IsNull:
                    json.Skip();
                    break;
                default:
                    extras.Add(json.TakeExtra(at));
                    break;
            }
        }

        return options with { Extras = extras };
    }

    private static string WordOfLevel(string level) => level switch
    {
        "1" => "low",
        "2" => "medium",
        "3" => "high",
        "4" => "minimal",
        _ => level.ToLowerInvariant(),
    };

    /// <summary>What was read so far; fields may come in any order.</summary>
    private sealed class Draft(string at)
    {
        /// <summary>Pointer of the request within the body.</summary>
        public string At { get; } = at;
        public GeminiContents Contents { get; } = new();
        public List<Extra> Extras { get; } = [];
        public string? Model { get; set; }
        public Message? System { get; set; }
        public IReadOnlyList<Message>? Messages { get; set; }
        public IReadOnlyList<Tool> Tools { get; set; } = [];
        public ToolChoice? ToolChoice { get; set; }
        public Setting<double>? Temperature { get; set; }
        public Setting<double>? TopP { get; set; }
        public Setting<long>? TopK { get; set; }
        public Setting<long>? ChoiceCount { get; set; }
        public Setting<long>? MaxOutputTokens { get; set; }
        public Setting<double>? PresencePenalty { get; set; }
        public Setting<double>? FrequencyPenalty { get; set; }
        public Setting<long>? Seed { get; set; }
        public Setting<IReadOnlyList<string>>? StopSequences { get; set; }
        public ThinkingOptions? Thinking { get; set; }
        public Setting<string>? MediaType { get; set; }
        public Setting<RawJson>? OwnSchema { get; set; }
        public Setting<RawJson>? Schema { get; set; }

        public ChatRequest ToRequest(RequestAddress address)
        {
            bool isStream = address.Stream is StreamForm.Events or StreamForm.Array;
            ResponseFormat? format = ToFormat();
            return new ChatRequest
            {
                SourceProtocol = GeminiProtocol.ProtocolName,
                Model = address.Model ?? Model ?? throw GeminiCursor.Fault($"{At}/model", "is required"),
                Stream = isStream,
                StreamUsage = isStream,
                Messages = Messages is null ? throw GeminiCursor.Fault($"{At}/contents", "is required") : System is null ? Messages : [System, .. Messages],
                Tools = Tools,
                ToolChoice = ToolChoice,
                MaxOutputTokens = MaxOutputTokens,
                Temperature = Temperature,
                TopP = TopP,
                TopK = TopK,
                PresencePenalty = PresencePenalty,
                FrequencyPenalty = FrequencyPenalty,
                Seed = Seed,
                ChoiceCount = ChoiceCount,
                StopSequences = StopSequences,
                ResponseFormat = format,
                Thinking = Thinking,
                Extras = Extras,
            };
        }

        // A schema without the media type is refused by the API; other media types (text/x.enum) are this protocol's own.
        private ResponseFormat? ToFormat()
        {
            bool isJson = MediaType is null || MediaType.Value.Equals(JsonMediaType, StringComparison.OrdinalIgnoreCase);
            if (!isJson && MediaType!.Value != "text/plain")
            {
                Keep(MediaType);
                Keep(OwnSchema);
                Keep(Schema);
                return null;
            }

            if (OwnSchema is { } own)
            {
                Keep(Schema);
                return new ResponseFormat(ResponseFormatKind.JsonSchema, own.Pointer) { Schema = GeminiSchema.ToJsonSchema(own.Value, own.Pointer, Extras), OwnSchema = own.Value };
            }

            return Schema is { } schema ? new ResponseFormat(ResponseFormatKind.JsonSchema, schema.Pointer) { Schema = schema.Value }
                : MediaType is null ? null
                : new ResponseFormat(isJson ? ResponseFormatKind.JsonObject : ResponseFormatKind.Text, MediaType.Pointer);
        }

        private void Keep(Setting<RawJson>? setting)
        {
            if (setting is not null)
            {
                Extras.Add(new Extra(NameOf(setting.Pointer), setting.Pointer, setting.Value));
            }
        }

        private void Keep(Setting<string> setting) =>
            Extras.Add(new Extra(NameOf(setting.Pointer), setting.Pointer, RawJson.From($"\"{JsonEncodedText.Encode(setting.Value)}\"")));

        private static string NameOf(string pointer) => pointer[(pointer.LastIndexOf('/') + 1)..];
    }
}
