using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.AnthropicMessages;

/// <summary>
/// Reads a request of the Messages API (https://docs.anthropic.com/en/api/messages) into the neutral form: this file the fields around the conversation,
/// <c>AnthropicMessagesParts</c> the content blocks. Writing is in <c>AnthropicMessagesRequestWriter</c>.
/// </summary>
internal static class AnthropicMessagesRequest
{
    /// <summary>Pointer of the turn that holds the top-level <c>system</c> text.</summary>
    public const string SystemPointer = "/system";

    public const string ThinkingPointer = "/thinking";

    public const string OutputConfigPointer = "/output_config";

    public const string ToolChoicePointer = "/tool_choice";

    public const string MetadataPointer = "/metadata";

    public static ChatRequest Read(ReadOnlyMemory<byte> body, RequestAddress address = default)
    {
        if (!JsonText.IsUnicode(body.Span))
        {
            throw ProtocolException.Invalid("A string of the body is not valid Unicode text.");
        }

        try
        {
            JsonFields json = new(body);
            json.ExpectObject("");
            Draft draft = new() { Model = address.Model };
            while (json.NextField(out ReadOnlySpan<char> name))
            {
                ReadField(ref json, name, draft);
            }

            if (address.Stream != StreamForm.InBody)
            {
                // The address says what the body says elsewhere, and the body names a version in place of the model.
                draft.Model = address.Model ?? draft.Model;
                draft.Stream = address.Stream == StreamForm.Events;
                draft.Extras?.RemoveAll(static extra => extra.Pointer == "/anthropic_version");
            }

            return draft.ToRequest();
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
            case "model":
                draft.Model = json.Text("", name);
                break;
            case "messages":
                ReadMessages(ref json, draft.Messages);
                break;
            case "max_tokens" or "system" or "tools" or "tool_choice" or "temperature" or "top_p" or "top_k" or "stop_sequences" or "stream" or "thinking"
                or "output_config" or "output_format" or "metadata" when json.IsNull:
                break;
            case "system":
                draft.System = new Message(Role.System, AnthropicMessagesParts.ReadContent(ref json, SystemPointer, SystemPointer), SystemPointer);
                break;
            case "max_tokens":
                draft.MaxTokens = new Setting<long>(json.Integer("", name), "/max_tokens");
                break;
            case "temperature":
                draft.Temperature = new Setting<double>(json.Number("", name), "/temperature");
                break;
            case "top_p":
                draft.TopP = new Setting<double>(json.Number("", name), "/top_p");
                break;
            case "top_k":
                draft.TopK = new Setting<long>(json.Integer("", name), "/top_k");
                break;
            case "stream":
                draft.Stream = json.Truth("", name);
                break;
            default:
                ReadCompound(ref json, name, draft);
                break;
        }
    }

    private static void ReadCompound(ref JsonFields json, scoped ReadOnlySpan<char> name, Draft draft)
    {
        switch (name)
        {
            case "stop_sequences":
                draft.StopSequences = new Setting<IReadOnlyList<string>>(ReadTexts(ref json, "/stop_sequences"), "/stop_sequences");
                break;
            case "tools":
                ReadTools(ref json, draft.Tools);
                break;
            case "tool_choice":
                ReadToolChoice(ref json, draft);
                break;
            case "thinking":
                ReadThinking(ref json, draft);
                break;
            case "output_config":
                ReadOutputConfig(ref json, draft);
                break;
            case "output_format":
                ReadFormat(ref json, "", name, draft);
                break;
            case "metadata":
                ReadMetadata(ref json, draft);
                break;
            default:
                json.Keep(ref draft.Extras, "", name);
                break;
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

    private static void ReadMessages(ref JsonFields json, List<Message> messages)
    {
        json.ExpectArray("/messages");
        while (json.NextItem())
        {
            messages.Add(ReadMessage(ref json, JsonFields.Join("/messages", messages.Count)));
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
                        "system" => Role.System,
                        _ => throw JsonFields.Fault($"{pointer}/role", "must be user or assistant."),
                    };
                    break;
                case "content":
                    parts = AnthropicMessagesParts.ReadContent(ref json, $"{pointer}/content", $"{pointer}/content");
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

    private static void ReadTools(ref JsonFields json, List<Tool> tools)
    {
        json.ExpectArray("/tools");
        while (json.NextItem())
        {
            string pointer = JsonFields.Join("/tools", tools.Count);
            string type = json.TypeHere(pointer);
            tools.Add(type is "" or "custom" ? ReadTool(ref json, pointer) : ReadNativeTool(ref json, pointer, type));
        }
    }

    private static Tool ReadNativeTool(ref JsonFields json, string pointer, string type)
    {
        JsonFields inside = json;
        string? toolName = null;
        while (inside.NextField(out ReadOnlySpan<char> name))
        {
            if (name is "name")
            {
                toolName = inside.Text(pointer, name);
            }
            else
            {
                inside.Skip();
            }
        }

        return new Tool(toolName ?? type, pointer) { Native = json.Raw() };
    }

    private static Tool ReadTool(ref JsonFields json, string pointer)
    {
        string? toolName = null;
        string? description = null;
        RawJson schema = default;
        bool? strict = null;
        CacheControl? cacheControl = null;
        List<Extra>? extras = null;
        while (json.NextField(out ReadOnlySpan<char> name))
        {
            switch (name)
            {
                case "name":
                    toolName = json.Text(pointer, name);
                    break;
                case "type" or "description" or "input_schema" or "strict" or "cache_control" when json.IsNull:
                case "type":
                    json.Skip();
                    break;
                case "description":
                    description = json.Text(pointer, name);
                    break;
                case "input_schema":
                    json.ExpectObject($"{pointer}/input_schema");
                    schema = json.Raw();
                    break;
                case "strict":
                    strict = json.Truth(pointer, name);
                    break;
                case "cache_control":
                    cacheControl = AnthropicMessagesParts.ReadCacheControl(ref json, pointer, ref extras);
                    break;
                default:
                    json.Keep(ref extras, pointer, name);
                    break;
            }
        }

        return new Tool(toolName ?? throw JsonFields.Fault($"{pointer}/name", "is required."), pointer)
        {
            Description = description,
            Parameters = schema,
            Strict = strict,
            CacheControl = cacheControl,
            Extras = (IReadOnlyList<Extra>?)extras ?? [],
        };
    }

    private static void ReadToolChoice(ref JsonFields json, Draft draft)
    {
        json.ExpectObject(ToolChoicePointer);
        string? toolName = null;
        string type = json.TypeHere(ToolChoicePointer);
        while (json.NextField(out ReadOnlySpan<char> name))
        {
            switch (name)
            {
                case "type":
                    json.Skip();
                    break;
                case "name":
                    toolName = json.TextOrNull(ToolChoicePointer, name);
                    break;
                case "disable_parallel_tool_use" when !json.IsNull:
                    draft.ParallelToolCalls = new Setting<bool>(!json.Truth(ToolChoicePointer, name), $"{ToolChoicePointer}/disable_parallel_tool_use");
                    break;
                default:
                    json.Keep(ref draft.Extras, ToolChoicePointer, name);
                    break;
            }
        }

        draft.ToolChoice = type switch
        {
            "auto" => new ToolChoice(ToolChoiceMode.Auto, null, ToolChoicePointer),
            "any" => new ToolChoice(ToolChoiceMode.Required, null, ToolChoicePointer),
            "none" => new ToolChoice(ToolChoiceMode.None, null, ToolChoicePointer),
            "tool" => new ToolChoice(
                ToolChoiceMode.Named, toolName ?? throw JsonFields.Fault($"{ToolChoicePointer}/name", "is required."), ToolChoicePointer),
            _ => throw JsonFields.Fault($"{ToolChoicePointer}/type", "must be auto, any, tool or none."),
        };
    }

    private static void ReadThinking(ref JsonFields json, Draft draft)
    {
        ThinkingMode? mode = json.TypeHere(ThinkingPointer) switch
        {
            "enabled" => ThinkingMode.Enabled,
            "disabled" => ThinkingMode.Disabled,
            "adaptive" => ThinkingMode.Adaptive,
            _ => null,
        };
        if (mode is null)
        {
            json.Keep(ref draft.Extras, "", "thinking");
            return;
        }

        long? budget = null;
        List<Extra>? extras = null;
        while (json.NextField(out ReadOnlySpan<char> name))
        {
            switch (name)
            {
                case "type":
                    json.Skip();
                    break;
                case "budget_tokens" when !json.IsNull:
                    budget = json.Integer(ThinkingPointer, name);
                    break;
                default:
                    json.Keep(ref extras, ThinkingPointer, name);
                    break;
            }
        }

        draft.Thinking = new ThinkingOptions(mode.Value, ThinkingPointer) { BudgetTokens = budget, Extras = (IReadOnlyList<Extra>?)extras ?? [] };
    }

    private static void ReadOutputConfig(ref JsonFields json, Draft draft)
    {
        json.ExpectObject(OutputConfigPointer);
        while (json.NextField(out ReadOnlySpan<char> name))
        {
            switch (name)
            {
                case "format" or "effort" when json.IsNull:
                    break;
                case "format":
                    ReadFormat(ref json, OutputConfigPointer, name, draft);
                    break;
                case "effort":
                    draft.Effort = json.Text(OutputConfigPointer, name);
                    break;
                default:
                    json.Keep(ref draft.Extras, OutputConfigPointer, name);
                    break;
            }
        }
    }

    private static void ReadFormat(ref JsonFields json, string parent, scoped ReadOnlySpan<char> name, Draft draft)
    {
        string pointer = JsonFields.Join(parent, name);
        if (json.TypeHere(pointer) != "json_schema")
        {
            json.Keep(ref draft.Extras, parent, pointer.AsSpan(parent.Length + 1));
            return;
        }

        RawJson schema = default;
        while (json.NextField(out ReadOnlySpan<char> field))
        {
            switch (field)
            {
                case "type":
                    json.Skip();
                    break;
                case "schema":
                    json.ExpectObject($"{pointer}/schema");
                    schema = json.Raw();
                    break;
                default:
                    json.Keep(ref draft.Extras, pointer, field);
                    break;
            }
        }

        draft.Format = schema.IsEmpty
            ? throw JsonFields.Fault($"{pointer}/schema", "is required.")
            : new ResponseFormat(ResponseFormatKind.JsonSchema, pointer) { Schema = schema };
    }

    private static void ReadMetadata(ref JsonFields json, Draft draft)
    {
        json.ExpectObject(MetadataPointer);
        while (json.NextField(out ReadOnlySpan<char> name))
        {
            switch (name)
            {
                case "user_id" when json.IsNull:
                    break;
                case "user_id":
                    draft.EndUser = new Setting<string>(json.Text(MetadataPointer, name), $"{MetadataPointer}/user_id");
                    break;
                default:
                    json.Keep(ref draft.Extras, MetadataPointer, name);
                    break;
            }
        }
    }

    /// <summary>What was read so far; fields may come in any order.</summary>
    private sealed class Draft
    {
        public List<Extra>? Extras;

        public string? Model { get; set; }
        public Message? System { get; set; }
        public List<Message> Messages { get; } = [];
        public List<Tool> Tools { get; } = [];
        public ToolChoice? ToolChoice { get; set; }
        public Setting<bool>? ParallelToolCalls { get; set; }
        public Setting<long>? MaxTokens { get; set; }
        public Setting<double>? Temperature { get; set; }
        public Setting<double>? TopP { get; set; }
        public Setting<long>? TopK { get; set; }
        public Setting<IReadOnlyList<string>>? StopSequences { get; set; }
        public ThinkingOptions? Thinking { get; set; }
        public string? Effort { get; set; }
        public ResponseFormat? Format { get; set; }
        public Setting<string>? EndUser { get; set; }
        public bool Stream { get; set; }

        public ChatRequest ToRequest() => new()
        {
            SourceProtocol = AnthropicMessagesProtocol.ProtocolName,
            Model = Model ?? throw JsonFields.Fault("/model", "is required."),
            Stream = Stream,
            StreamUsage = Stream,
            Messages = System is null ? Messages : [System, .. Messages],
            Tools = Tools,
            ToolChoice = ToolChoice,
            ParallelToolCalls = ParallelToolCalls,
            MaxOutputTokens = MaxTokens,
            Temperature = Temperature,
            TopP = TopP,
            TopK = TopK,
            StopSequences = StopSequences,
            ResponseFormat = Format,
            Thinking = Effort is null ? Thinking : WithEffort(Effort),
            EndUser = EndUser,
            Extras = (IReadOnlyList<Extra>?)Extras ?? [],
        };

        // Effort is a field of its own in this protocol; without a thinking object its own pointer says that there was none.
        private ThinkingOptions WithEffort(string effort) =>
            (Thinking ?? new ThinkingOptions(ThinkingMode.Enabled, $"{OutputConfigPointer}/effort")) with { Effort = effort, EffortPointer = $"{OutputConfigPointer}/effort" };
    }
}
