using System.Text;
using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.BedrockConverse;

/// <summary>
/// Reads a request of the Converse API (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html) into the neutral form: this file the fields
/// around the conversation, <c>BedrockConverseParts</c> the content blocks. Writing is in <c>BedrockConverseRequestWriter</c>.
/// </summary>
internal static class BedrockConverseRequest
{
    /// <summary>Pointer of the turn that holds the top-level <c>system</c> text.</summary>
    public const string SystemPointer = "/system";

    public const string InferencePointer = "/inferenceConfig";

    public const string ToolConfigPointer = "/toolConfig";

    public const string ToolChoicePointer = "/toolConfig/toolChoice";

    public const string ModelFieldsPointer = "/additionalModelRequestFields";

    public const string OutputPointer = "/outputConfig";

    public const string FormatPointer = "/outputConfig/textFormat";

    public static ChatRequest Read(ReadOnlyMemory<byte> body, RequestAddress address)
    {
        if (!JsonText.IsUnicode(body.Span))
        {
            throw ProtocolException.Invalid("A string of the body is not valid Unicode text.");
        }

        try
        {
            JsonFields json = new(body);
            json.ExpectObject("");
            Draft draft = new();
            while (json.NextField(out ReadOnlySpan<char> name))
            {
                ReadField(ref json, name, draft);
            }

            return draft.ToRequest(address);
        }
        catch (JsonException)
        {
            throw ProtocolException.Invalid("The body is not valid JSON.");
        }
    }

    private static void ReadField(ref JsonFields json, scoped ReadOnlySpan<char> name, Draft draft)
    {
        switch (name)
        {
            case "system" or "inferenceConfig" or "toolConfig" or "additionalModelRequestFields" or "outputConfig" when json.IsNull:
                break;
            case "messages":
                json.ExpectArray("/messages");
                while (json.NextItem())
                {
                    draft.Messages.Add(ReadMessage(ref json, JsonFields.Join("/messages", draft.Messages.Count)));
                }

                break;
            case "system":
                draft.System = new Message(Role.System, BedrockConverseParts.ReadContent(ref json, SystemPointer), SystemPointer);
                break;
            case "inferenceConfig":
                ReadInference(ref json, draft);
                break;
            case "toolConfig":
                ReadToolConfig(ref json, draft);
                break;
            case "additionalModelRequestFields" when json.IsObject:
                ReadModelFields(ref json, draft);
                break;
            case "outputConfig":
                ReadOutput(ref json, draft);
                break;
            default:
                json.Keep(ref draft.Extras, "", name);
                break;
        }
    }

    private static Message ReadMessage(ref JsonFields json, string pointer)
    {
        json.ExpectObject(pointer);
        Role? role = null;
        IReadOnlyList<Part>? parts = null;
        List<Extra>? extras = null;
        while (json.NextField(out ReadOnlySpan<char> name))
        {
            switch (name)
            {
                case "role":
                    role = json.Text(pointer, name) switch
                    {
                        "user" => Role.User,
                        "assistant" => Role.Assistant,
                        _ => throw JsonFields.Fault($"{pointer}/role", "must be user or assistant."),
                    };
                    break;
                case "content":
                    parts = BedrockConverseParts.ReadContent(ref json, $"{pointer}/content");
                    break;
                default:
                    json.Keep(ref extras, pointer, name);
                    break;
            }
        }

        return new Message(
            role ?? throw JsonFields.Fault($"{pointer}/role", "is required."),
            parts ?? throw JsonFields.Fault($"{pointer}/content", "is required."),
            pointer) { Extras = (IReadOnlyList<Extra>?)extras ?? [] };
    }

    private static void ReadInference(ref JsonFields json, Draft draft)
    {
        json.ExpectObject(InferencePointer);
        while (json.NextField(out ReadOnlySpan<char> name))
        {
            switch (name)
            {
                case "maxTokens" or "temperature" or "topP" or "stopSequences" when json.IsNull:
                    break;
                case "maxTokens":
                    draft.MaxTokens = new Setting<long>(json.Integer(InferencePointer, name), $"{InferencePointer}/maxTokens");
                    break;
                case "temperature":
                    draft.Temperature = new Setting<double>(json.Number(InferencePointer, name), $"{InferencePointer}/temperature");
                    break;
                case "topP":
                    draft.TopP = new Setting<double>(json.Number(InferencePointer, name), $"{InferencePointer}/topP");
                    break;
                case "stopSequences":
                    draft.StopSequences = new Setting<IReadOnlyList<string>>(ReadTexts(ref json, $"{InferencePointer}/stopSequences"), $"{InferencePointer}/stopSequences");
                    break;
                default:
                    json.Keep(ref draft.Extras, InferencePointer, name);
                    break;
            }
        }
    }

    private static List<string> ReadTexts(ref JsonFields json, string pointer)
    {
        json.ExpectArray(pointer);
        List<string> texts = [];
        while (json.NextItem())
        {
            texts.Add(json.Text(JsonFields.Join(pointer, texts.Count)));
        }

        return texts;
    }

    private static void ReadToolConfig(ref JsonFields json, Draft draft)
    {
        json.ExpectObject(ToolConfigPointer);
        while (json.NextField(out ReadOnlySpan<char> name))
        {
            switch (name)
            {
                case "tools" or "toolChoice" when json.IsNull:
                    break;
                case "tools":
                    ReadTools(ref json, draft);
                    break;
                case "toolChoice":
                    draft.ToolChoice = ReadToolChoice(ref json, draft);
                    break;
                default:
                    json.Keep(ref draft.Extras, ToolConfigPointer, name);
                    break;
            }
        }
    }

    private static void ReadTools(ref JsonFields json, Draft draft)
    {
        const string at = $"{ToolConfigPointer}/tools";
        json.ExpectArray(at);
        for (int index = 0; json.NextItem(); index++)
        {
            string pointer = JsonFields.Join(at, index);
            if (BedrockConverseParts.IsCachePoint(json) && draft.Tools.Count > 0 && draft.Tools[^1].CacheControl is null)
            {
                draft.Tools[^1] = draft.Tools[^1] with { CacheControl = BedrockConverseParts.ReadCachePoint(ref json, pointer) };
            }
            else
            {
                draft.Tools.Add(ReadTool(ref json, pointer));
            }
        }
    }

    private static Tool ReadTool(ref JsonFields json, string pointer)
    {
        JsonFields inside = json;
        json.ExpectObject(pointer);
        RawJson whole = json.Raw();
        if (!inside.HasOnly("toolSpec") || !inside.NextField(out _))
        {
            return new Tool("system_tool", pointer) { Native = whole };
        }

        string at = $"{pointer}/toolSpec";
        inside.ExpectObject(at);
        string? toolName = null;
        string? description = null;
        RawJson schema = default;
        bool? strict = null;
        List<Extra>? extras = null;
        while (inside.NextField(out ReadOnlySpan<char> name))
        {
            switch (name)
            {
                case "description" or "strict" when inside.IsNull:
                    break;
                case "name":
                    toolName = inside.Text(at, name);
                    break;
                case "description":
                    description = inside.Text(at, name);
                    break;
                case "strict":
                    strict = inside.Truth(at, name);
                    break;
                case "inputSchema" when inside.HasOnly("json"):
                    schema = ReadSchema(ref inside, $"{at}/inputSchema");
                    break;
                default:
                    inside.Keep(ref extras, at, name);
                    break;
            }
        }

        return new Tool(toolName ?? throw JsonFields.Fault($"{at}/name", "is required."), pointer)
        {
            Description = description,
            Parameters = schema,
            Strict = strict,
            Extras = (IReadOnlyList<Extra>?)extras ?? [],
        };
    }

    private static RawJson ReadSchema(ref JsonFields json, string pointer)
    {
        RawJson schema = default;
        while (json.NextField(out _))
        {
            json.ExpectObject($"{pointer}/json");
            schema = json.Raw();
        }

        return schema;
    }

    private static ToolChoice ReadToolChoice(ref JsonFields json, Draft draft)
    {
        json.ExpectObject(ToolChoicePointer);
        ToolChoice? choice = null;
        while (json.NextField(out ReadOnlySpan<char> name))
        {
            switch (name)
            {
                case "auto":
                    ReadChosen(ref json, $"{ToolChoicePointer}/auto", draft);
                    choice = new ToolChoice(ToolChoiceMode.Auto, null, ToolChoicePointer);
                    break;
                case "any":
                    ReadChosen(ref json, $"{ToolChoicePointer}/any", draft);
                    choice = new ToolChoice(ToolChoiceMode.Required, null, ToolChoicePointer);
                    break;
                case "tool":
                    string? chosen = ReadChosen(ref json, $"{ToolChoicePointer}/tool", draft);
                    choice = new ToolChoice(
                        ToolChoiceMode.Named, chosen ?? throw JsonFields.Fault($"{ToolChoicePointer}/tool/name", "is required."), ToolChoicePointer);
                    break;
                default:
                    throw JsonFields.Fault(ToolChoicePointer, "must be auto, any or tool.");
            }
        }

        return choice ?? throw JsonFields.Fault(ToolChoicePointer, "must be auto, any or tool.");
    }

    private static string? ReadChosen(ref JsonFields json, string pointer, Draft draft)
    {
        json.ExpectObject(pointer);
        string? chosen = null;
        while (json.NextField(out ReadOnlySpan<char> name))
        {
            if (name is "name" && pointer.EndsWith("/tool", StringComparison.Ordinal))
            {
                chosen = json.Text(pointer, name);
            }
            else
            {
                json.Keep(ref draft.Extras, pointer, name);
            }
        }

        return chosen;
    }

    private static void ReadModelFields(ref JsonFields json, Draft draft)
    {
        while (json.NextField(out ReadOnlySpan<char> name))
        {
            switch (name)
            {
                case "thinking" or "reasoning_config" when draft.Thinking is null && BedrockConverseThinking.TryRead(ref json, JsonFields.Join(ModelFieldsPointer, name), out ThinkingOptions? thinking):
                    draft.Thinking = thinking;
                    break;
                case "reasoning_effort" when draft.Thinking is null && json.IsString:
                    draft.Thinking = new ThinkingOptions(ThinkingMode.Enabled, $"{ModelFieldsPointer}/reasoning_effort") { Effort = json.Text(ModelFieldsPointer, name) };
                    break;
                case "top_k" when json.IsInteger:
                    draft.TopK = new Setting<long>(json.Integer(ModelFieldsPointer, name), $"{ModelFieldsPointer}/top_k");
                    break;
                default:
                    json.Keep(ref draft.Extras, ModelFieldsPointer, name);
                    break;
            }
        }
    }

    private static void ReadOutput(ref JsonFields json, Draft draft)
    {
        json.ExpectObject(OutputPointer);
        while (json.NextField(out ReadOnlySpan<char> name))
        {
            if (name is "textFormat" && TryReadFormat(json, out ResponseFormat? format))
            {
                draft.Format = format;
                json.Skip();
            }
            else
            {
                json.Keep(ref draft.Extras, OutputPointer, name);
            }
        }
    }

    private static bool TryReadFormat(JsonFields json, out ResponseFormat? format)
    {
        format = null;
        if (!json.HasOnly("type", "structure"))
        {
            return false;
        }

        string? schema = null;
        string? formatName = null;
        string? description = null;
        bool isSchema = false;
        const string at = $"{FormatPointer}/structure/jsonSchema";
        while (json.NextField(out ReadOnlySpan<char> name))
        {
            if (name is "type")
            {
                isSchema = json.Text(FormatPointer, name) == "json_schema";
                continue;
            }

            if (!json.HasOnly("jsonSchema") || !json.NextField(out _) || !json.HasOnly("schema", "name", "description"))
            {
                return false;
            }

            while (json.NextField(out ReadOnlySpan<char> field))
            {
                string? value = json.TextOrNull(at, field);
                schema = field is "schema" ? value : schema;
                formatName = field is "name" ? value : formatName;
                description = field is "description" ? value : description;
            }

            json.Leave();
        }

        if (!isSchema)
        {
            return false;
        }

        format = new ResponseFormat(ResponseFormatKind.JsonSchema, FormatPointer)
        {
            Name = formatName, Description = description, Schema = Parse(schema ?? throw JsonFields.Fault($"{at}/schema", "is required.")),
        };
        return true;
    }

    /// <summary>The schema is a text that holds JSON.</summary>
    private static RawJson Parse(string schema)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(schema);
        Utf8JsonReader reader = new(utf8, JsonFields.ReaderOptions);
        try
        {
            if (JsonText.IsUnicode(utf8) && reader.Read() && reader.TokenType == JsonTokenType.StartObject)
            {
                RawJson raw = RawJson.Take(ref reader, utf8);
                reader.Read();
                return raw;
            }
        }
        catch (JsonException)
        {
            // Told below.
        }

        throw JsonFields.Fault($"{FormatPointer}/structure/jsonSchema/schema", "must be a JSON object as text.");
    }

    /// <summary>What was read so far; fields may come in any order.</summary>
    private sealed class Draft
    {
        public List<Extra>? Extras;

        public Message? System { get; set; }
        public List<Message> Messages { get; } = [];
        public List<Tool> Tools { get; } = [];
        public ToolChoice? ToolChoice { get; set; }
        public Setting<long>? MaxTokens { get; set; }
        public Setting<double>? Temperature { get; set; }
        public Setting<double>? TopP { get; set; }
        public Setting<long>? TopK { get; set; }
        public Setting<IReadOnlyList<string>>? StopSequences { get; set; }
        public ThinkingOptions? Thinking { get; set; }
        public ResponseFormat? Format { get; set; }

        public ChatRequest ToRequest(RequestAddress address) => new()
        {
            SourceProtocol = BedrockConverseProtocol.ProtocolName,
            Model = string.IsNullOrEmpty(address.Model) ? throw JsonFields.Fault("/modelId", "is required in the path.") : address.Model,
            Stream = address.Stream == StreamForm.Events,
            StreamUsage = address.Stream == StreamForm.Events,
            Messages = System is null ? Messages : [System, .. Messages],
            Tools = Tools,
            ToolChoice = ToolChoice,
            MaxOutputTokens = MaxTokens,
            Temperature = Temperature,
            TopP = TopP,
            TopK = TopK,
            StopSequences = StopSequences,
            ResponseFormat = Format,
            Thinking = Thinking,
            Extras = (IReadOnlyList<Extra>?)Extras ?? [],
        };
    }
}
