using System.Globalization;
using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.OllamaChat;

/// <summary>
/// Reads messages. Calls and results need no ids here: a call without one gets one made of its place, and a result without one belongs to the first open call of
/// its tool's name, or to the first open call where it names none. Both depend on the conversation alone, so that they stay the same in its next request.
/// </summary>
internal static class OllamaChatMessages
{
    /// <summary>A list beside <c>thinking</c> in which an answer of this gateway tells whose reasoning it is; Ollama itself does not know it.</summary>
    public const string DetailsField = "thinking_details";

    public static List<Message> Read(ref JsonCursor json, string at)
    {
        json.Expect(JsonTokenType.StartArray, "an array of messages", at);
        List<Message> messages = [];
        OllamaChatOpenCalls open = new();
        while (json.NextItem())
        {
            messages.Add(ReadMessage(ref json, messages.Count, open));
        }

        return messages;
    }

    private static Message ReadMessage(ref JsonCursor json, int index, OllamaChatOpenCalls open)
    {
        string at = JsonCursor.Below("/messages", index);
        json.Expect(JsonTokenType.StartObject, "an object", at);
        Draft draft = new(at, index);
        while (json.NextProperty(out string name))
        {
            ReadField(ref json, name, draft);
        }

        return draft.Role switch
        {
            Role.Tool => ToolMessage(draft, open),
            Role.Assistant => AssistantMessage(draft, open),
            null => throw JsonCursor.Missing($"{at}/role"),
            _ => PlainMessage(draft),
        };
    }

    private static void ReadField(ref JsonCursor json, string name, Draft draft)
    {
        string here = JsonCursor.Below(draft.Pointer, name);
        switch (name)
        {
            case "role":
                draft.Role = json.Text(here) switch
                {
                    "system" => Role.System,
                    "user" => Role.User,
                    "assistant" => Role.Assistant,
                    "tool" => Role.Tool,
                    _ => throw JsonCursor.Invalid(here, "expected system, user, assistant or tool"),
                };
                break;
            case "content" or "thinking" or "images" or "tool_calls" or "tool_name" or "tool_call_id" or DetailsField when json.IsNull:
                json.Skip();
                break;
            case "content":
                draft.Text.Add(new TextPart(json.Text(here), here));
                break;
            case "thinking":
                string thinking = json.Text(here);
                draft.Thinking = thinking.Length > 0 ? new ThinkingPart(thinking, here) : null;
                break;
            case DetailsField when json.Token == JsonTokenType.StartArray:
                ReadDetails(json.Take(), here, draft);
                break;
            case "images":
                ReadImages(ref json, here, draft.Images);
                break;
            case "tool_calls":
                ReadToolCalls(ref json, here, draft);
                break;
            case "tool_name":
                draft.ToolName = json.Text(here);
                break;
            case "tool_call_id":
                draft.ToolCallId = json.Text(here);
                break;
            default:
                draft.Extras.Add(json.TakeExtra(name, draft.Pointer));
                break;
        }
    }

    private static void ReadImages(ref JsonCursor json, string at, List<Part> images)
    {
        json.Expect(JsonTokenType.StartArray, "an array of images in base64", at);
        while (json.NextItem())
        {
            string here = JsonCursor.Below(at, images.Count);
            string base64 = json.Text(here);
            images.Add(new ImagePart(new MediaSource { Base64 = base64, MediaType = MediaTypeOf(base64) }, null, here));
        }
    }

    /// <summary>Only the first bytes tell what kind of picture it is.</summary>
    private static string MediaTypeOf(string base64) =>
        base64.StartsWith("/9j/", StringComparison.Ordinal) ? "image/jpeg"
        : base64.StartsWith("R0lGOD", StringComparison.Ordinal) ? "image/gif"
        : base64.StartsWith("UklGR", StringComparison.Ordinal) ? "image/webp"
        : "image/png";

    private static void ReadToolCalls(ref JsonCursor json, string at, Draft draft)
    {
        json.Expect(JsonTokenType.StartArray, "an array of tool calls", at);
        while (json.NextItem())
        {
            draft.Calls.Add(ReadToolCall(ref json, JsonCursor.Below(at, draft.Calls.Count), draft));
        }
    }

    private static ToolCallPart ReadToolCall(ref JsonCursor json, string at, Draft draft)
    {
        json.Expect(JsonTokenType.StartObject, "an object", at);
        string? id = null;
        string? tool = null;
        string arguments = "{}";
        List<Extra> extras = [];
        while (json.NextProperty(out string name))
        {
            switch (name)
            {
                case "id" when json.Token == JsonTokenType.String:
                    id = json.Text($"{at}/id");
                    break;
                case "type" when json.Token == JsonTokenType.String && json.Text($"{at}/type") == "function":
                    break;
                case "function":
                    (tool, arguments) = ReadFunction(ref json, $"{at}/function", draft.Calls.Count, extras);
                    break;
                default:
                    extras.Add(json.TakeExtra(name, at));
                    break;
            }
        }

        // Numbered by message and place: unique in the conversation, and the same in its next request.
        id = string.IsNullOrEmpty(id) ? string.Create(CultureInfo.InvariantCulture, $"call_{draft.Index}_{draft.Calls.Count}") : id;
        return new ToolCallPart(id, tool ?? throw JsonCursor.Missing($"{at}/function"), arguments, at) { Extras = extras };
    }

    private static (string Name, string Arguments) ReadFunction(ref JsonCursor json, string at, int index, List<Extra> extras)
    {
        json.Expect(JsonTokenType.StartObject, "an object", at);
        string? tool = null;
        string arguments = "{}";
        while (json.NextProperty(out string name))
        {
            switch (name)
            {
                case "name":
                    tool = json.Text($"{at}/name");
                    break;
                case "arguments" when json.IsNull:
                    json.Skip();
                    break;
                case "arguments":
                    json.Expect(JsonTokenType.StartObject, "an object", $"{at}/arguments");
                    arguments = json.Take().ToString();
                    break;
                case "index" when json.Token == JsonTokenType.Number:
                    Extra place = json.TakeExtra(name, at);
                    if (place.Value.ToString() != index.ToString(CultureInfo.InvariantCulture))
                    {
                        extras.Add(place); // The call's place in the list is what counts.
                    }

                    break;
                default:
                    extras.Add(json.TakeExtra(name, at));
                    break;
            }
        }

        return (tool ?? throw JsonCursor.Missing($"{at}/name"), arguments);
    }

    private static void ReadDetails(RawJson details, string at, Draft draft)
    {
        using JsonDocument document = JsonDocument.Parse(details.Utf8);
        int i = 0;
        foreach (JsonElement detail in document.RootElement.EnumerateArray())
        {
            string here = JsonCursor.Below(at, i++);
            string issuer = "";
            string? value = null;
            if (TextOf(detail, "data"u8) is { } data && ForeignThinking.TryUnwrap(data, out issuer, out value))
            {
                draft.Details.Add(new RedactedThinkingPart(value ?? "", issuer, here) { Extras = RestOf(detail, here) });
            }
            else if (TextOf(detail, "signature"u8) is { } signature && ForeignThinking.TryUnwrap(signature, out issuer, out value))
            {
                draft.Details.Add(new ThinkingPart(TextOf(detail, "text"u8) ?? "", here) { Issuer = issuer, Signature = value, Extras = RestOf(detail, here) });
            }
            else
            {
                draft.Details.Add(new OpaquePart(DetailsField, RawJson.From(detail.GetRawText()), here));
            }
        }
    }

    private static List<Extra> RestOf(JsonElement detail, string at) =>
    [
        .. detail.EnumerateObject().Where(field => field.Name is not ("text" or "signature" or "data"))
            .Select(field => new Extra(field.Name, JsonCursor.Below(at, field.Name), RawJson.From(field.Value.GetRawText()))),
    ];

    private static string? TextOf(JsonElement element, ReadOnlySpan<byte> name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;

    private static Message AssistantMessage(Draft draft, OllamaChatOpenCalls open)
    {
        // The details hold the reasoning again, part by part, with the mark of who gave it.
        bool isRepeated = draft.Thinking?.Text == string.Concat(draft.Details.OfType<ThinkingPart>().Select(detail => detail.Text));
        List<Part> thinking = draft.Thinking is null || (isRepeated && draft.Details.Count > 0) ? draft.Details : [draft.Thinking, .. draft.Details];
        open.Add(draft.Calls);
        draft.KeepToolNames();
        return draft.ToMessage([.. thinking, .. draft.Images, .. draft.Text, .. draft.Calls]);
    }

    private static Message PlainMessage(Draft draft)
    {
        if (draft.Calls.Count > 0 || draft.Thinking is not null || draft.Details.Count > 0)
        {
            throw JsonCursor.Invalid($"{draft.Pointer}/role", "only an assistant reasons and calls tools");
        }

        draft.KeepToolNames();
        return draft.ToMessage([.. draft.Images, .. draft.Text]);
    }

    private static Message ToolMessage(Draft draft, OllamaChatOpenCalls open)
    {
        ToolCallPart? call = open.Take(draft.ToolCallId, draft.ToolName);
        string id = draft.ToolCallId ?? call?.Id ?? string.Create(CultureInfo.InvariantCulture, $"call_{draft.Index}");
        if (call is not null && call.Name == draft.ToolName)
        {
            // The call says the tool's name, and the result names the call.
            draft.ToolName = null;
        }

        if (draft.Calls.Count > 0 || draft.Thinking is not null || draft.Details.Count > 0)
        {
            throw JsonCursor.Invalid($"{draft.Pointer}/role", "only an assistant reasons and calls tools");
        }

        draft.ToolCallId = null;
        draft.KeepToolNames();
        return draft.ToMessage([new ToolResultPart(id, [.. draft.Images, .. draft.Text], draft.Pointer)]);
    }

    private sealed class Draft(string pointer, int index)
    {
        public string Pointer { get; } = pointer;
        public int Index { get; } = index;
        public Role? Role { get; set; }
        public List<Part> Text { get; } = [];
        public List<Part> Images { get; } = [];
        public List<ToolCallPart> Calls { get; } = [];
        public ThinkingPart? Thinking { get; set; }
        public List<Part> Details { get; } = [];
        public string? ToolName { get; set; }
        public string? ToolCallId { get; set; }
        public List<Extra> Extras { get; } = [];

        /// <summary>An empty text is what stands beside calls, reasoning or pictures; alone it is a turn without words.</summary>
        public Message ToMessage(IReadOnlyList<Part> parts) =>
            new(Role!.Value, parts.Count > 1 ? [.. parts.Where(part => part is not TextPart { Text: "" })] : parts, Pointer) { Extras = Extras };

        /// <summary>What a message says of a tool in vain.</summary>
        public void KeepToolNames()
        {
            Keep("tool_name", ToolName);
            Keep("tool_call_id", ToolCallId);
        }

        private void Keep(string name, string? value)
        {
            if (value is not null)
            {
                Extras.Add(new Extra(name, $"{Pointer}/{name}", RawJson.From($"\"{JsonEncodedText.Encode(value)}\"")));
            }
        }
    }
}
