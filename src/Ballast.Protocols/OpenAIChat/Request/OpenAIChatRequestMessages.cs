using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.OpenAIChat;

/// <summary>Messages as they are read: roles, content, reasoning, tool calls and their results.</summary>
internal static partial class OpenAIChatRequest
{
    private static List<Message> ReadMessages(ref JsonCursor json, string at)
    {
        json.Expect(JsonTokenType.StartArray, "an array of objects", at);
        List<Message> messages = [];
        while (json.NextItem())
        {
            messages.Add(ReadMessage(ref json, JsonCursor.Below(at, messages.Count), messages));
        }

        return messages.Count > 0 ? messages : throw JsonCursor.Invalid(at, "expected at least one message");
    }

    private static Message ReadMessage(ref JsonCursor json, string at, List<Message> earlier)
    {
        json.Expect(JsonTokenType.StartObject, "an object", at);
        MessageDraft draft = new(at);
        while (json.NextProperty(out string name))
        {
            string here = JsonCursor.Below(at, name);
            switch (name)
            {
                case "role":
                    draft.Role = json.Text(here);
                    break;
                case "content" when !json.IsNull:
                    draft.Content = ReadContent(ref json, here);
                    break;
                case "name" when !json.IsNull:
                    draft.Name = new Setting<string>(json.Text(here), here);
                    break;
                case "refusal" when !json.IsNull:
                    draft.Refusal = new RefusalPart(json.Text(here), here);
                    break;
                case "tool_call_id" when !json.IsNull:
                    draft.ToolCallId = json.Text(here);
                    break;
                case "tool_calls" when !json.IsNull:
                    draft.ToolCalls = ReadToolCalls(ref json, here);
                    break;
                case "function_call" when !json.IsNull:
                    draft.ToolCalls = [ReadFunctionCall(ref json, here, earlier.Count)];
                    break;
                case "reasoning_content" or "reasoning" when json.Token == JsonTokenType.String:
                    draft.Thinking.Add(new ThinkingPart(json.Text(here), here));
                    break;
                case "reasoning_details" when json.Token == JsonTokenType.StartArray:
                    ReadReasoningDetails(json.TakeExtra(name, at), draft);
                    break;
                default:
                    draft.Extras.Add(json.TakeExtra(name, at));
                    break;
            }
        }

        return Assemble(draft, earlier);
    }

    private static Message Assemble(MessageDraft draft, List<Message> earlier)
    {
        string at = draft.Pointer;
        Role role = RoleOf(draft);

        // A tool that said nothing: servers other than OpenAI take null for that.
        bool isSilentTool = role == Role.Tool && draft.Extras.Exists(static extra => extra.Name == "content");
        if (draft.Content is null && role != Role.Assistant && !isSilentTool)
        {
            throw JsonCursor.Missing($"{at}/content");
        }

        List<Part> parts = [];
        if (role == Role.Tool)
        {
            string callId = draft.Role == "function" ? FunctionCallId(draft, earlier)
                : draft.ToolCallId ?? throw JsonCursor.Missing($"{at}/tool_call_id");
            parts.Add(new ToolResultPart(callId, draft.Content ?? [], at));
        }
        else
        {
            if (draft.ToolCallId is string stray)
            {
                draft.Extras.Add(new Extra("tool_call_id", $"{at}/tool_call_id", RawJson.From($"\"{JsonEncodedText.Encode(stray)}\"")));
            }

            parts.AddRange(SettleThinking(draft));
            parts.AddRange(draft.Content ?? []);
            if (draft.Refusal is not null)
            {
                parts.Add(draft.Refusal);
            }

            parts.AddRange(draft.ToolCalls);
        }

        return new Message(role, parts, at) { Name = draft.Name, Extras = draft.Extras };
    }

    private static Role RoleOf(MessageDraft draft)
    {
        switch (draft.Role)
        {
            case "system":
                return Role.System;
            case "developer":
                return Role.Developer;
            case "user":
                return Role.User;
            case "assistant":
                return Role.Assistant;
            case "tool":
                return Role.Tool;
            case "function":
                // The form that tool messages replaced: kept so that it can be written back as it was.
                draft.Extras.Add(new Extra("role", $"{draft.Pointer}/role", RawJson.From("\"function\"")));
                return Role.Tool;
            case null:
                throw JsonCursor.Missing($"{draft.Pointer}/role");
            default:
                throw JsonCursor.Invalid($"{draft.Pointer}/role", "expected system, developer, user, assistant or tool");
        }
    }

    private static string FunctionCallId(MessageDraft draft, List<Message> earlier)
    {
        string name = draft.Name?.Value ?? throw JsonCursor.Missing($"{draft.Pointer}/name");
        return earlier.SelectMany(message => message.Parts).OfType<ToolCallPart>().LastOrDefault(call => call.Name == name)?.Id ?? name;
    }

    /// <summary>
    /// Marked details are the whole truth of a message's reasoning: a plain text beside them that only repeats theirs is left out.
    /// </summary>
    private static IEnumerable<Part> SettleThinking(MessageDraft draft)
    {
        string told = string.Concat(draft.Marked.OfType<ThinkingPart>().Select(part => part.Text));
        foreach (ThinkingPart part in draft.Thinking)
        {
            if (draft.Marked.Count == 0 || part.Text != told)
            {
                yield return part;
            }
        }

        foreach (Part part in draft.Marked)
        {
            yield return part;
        }
    }

    /// <summary>
    /// Reads those details that Ballast marked with their issuer; the others are the server's own and kept as they are.
    /// </summary>
    private static void ReadReasoningDetails(Extra details, MessageDraft draft)
    {
        if (!ForeignThinking.IsIn(details.Value.Utf8.Span))
        {
            draft.Extras.Add(details);
            return;
        }

        JsonCursor json = new(details.Value.Utf8);
        json.Begin();
        for (int index = 0; json.NextItem(); index++)
        {
            string at = JsonCursor.Below(details.Pointer, index);
            RawJson raw = json.Take();
            using JsonDocument document = JsonDocument.Parse(raw.Utf8);
            JsonElement detail = document.RootElement;
            if (TextOf(detail, "signature"u8) is string mark && ForeignThinking.TryUnwrap(mark, out string issuer, out string? signature))
            {
                string text = TextOf(detail, "text"u8) ?? draft.Thinking.FirstOrDefault()?.Text ?? "";
                draft.Marked.Add(new ThinkingPart(text, at) { Issuer = issuer, Signature = signature, Extras = DetailExtras(detail, at, index, "text", "signature") });
            }
            else if (TextOf(detail, "data"u8) is string wrapped && ForeignThinking.TryUnwrap(wrapped, out issuer, out string? data))
            {
                draft.Marked.Add(new RedactedThinkingPart(data ?? "", issuer, at) { Extras = DetailExtras(detail, at, index, "data") });
            }
            else
            {
                draft.Marked.Add(new OpaquePart("reasoning_details", raw, at));
            }
        }
    }

    /// <summary>What a marked detail holds beside reasoning and mark; a place in the list that is its place says nothing.</summary>
    private static List<Extra> DetailExtras(JsonElement detail, string at, int index, params ReadOnlySpan<string> known)
    {
        List<Extra> extras = [];
        foreach (JsonProperty field in detail.EnumerateObject())
        {
            bool isPlace = field.NameEquals("index"u8) && field.Value.ValueKind == JsonValueKind.Number && field.Value.TryGetInt32(out int place) && place == index;
            if (!isPlace && !field.NameEquals("type"u8) && !known.Contains(field.Name))
            {
                extras.Add(new Extra(field.Name, JsonCursor.Below(at, field.Name), RawJson.From(field.Value.GetRawText())));
            }
        }

        return extras;
    }

    private static string? TextOf(JsonElement element, ReadOnlySpan<byte> name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;

    private static List<Part> ReadToolCalls(ref JsonCursor json, string at)
    {
        json.Expect(JsonTokenType.StartArray, "an array of tool calls", at);
        List<Part> calls = [];
        while (json.NextItem())
        {
            calls.Add(ReadToolCall(ref json, JsonCursor.Below(at, calls.Count)));
        }

        return calls;
    }

    private static Part ReadToolCall(ref JsonCursor json, string at)
    {
        json.Expect(JsonTokenType.StartObject, "an object", at);
        RawJson raw = json.Take();
        JsonCursor fields = new(raw.Utf8);
        fields.Begin();
        string? id = null;
        string type = "function";
        (string Name, string Arguments)? called = null;
        bool isCustom = HasType(raw, "custom");
        List<Extra> extras = [];
        while (fields.NextProperty(out string name))
        {
            switch (name)
            {
                case "id":
                    id = fields.Text($"{at}/id");
                    break;
                case "type" when !fields.IsNull:
                    type = fields.Text($"{at}/type");
                    break;
                case "function" when !fields.IsNull && !isCustom:
                    called = ReadCalled(ref fields, $"{at}/function", "arguments", extras);
                    break;
                case "custom" when !fields.IsNull && isCustom:
                    called = ReadCalled(ref fields, $"{at}/custom", "input", extras);
                    break;
                default:
                    extras.Add(fields.TakeExtra(name, at));
                    break;
            }
        }

        if (type is not ("function" or "custom"))
        {
            return new OpaquePart(type, raw, at);
        }

        (string tool, string arguments) = called ?? throw JsonCursor.Missing($"{at}/{type}");
        return new ToolCallPart(id ?? throw JsonCursor.Missing($"{at}/id"), tool, arguments, at) { IsFreeText = isCustom, Extras = extras };
    }

    /// <summary>The type may stand behind what it tells of.</summary>
    private static bool HasType(RawJson raw, string type)
    {
        using JsonDocument document = JsonDocument.Parse(raw.Utf8);
        return TextOf(document.RootElement, "type"u8) == type;
    }

    private static (string Name, string Arguments) ReadCalled(ref JsonCursor json, string at, string argumentsName, List<Extra> extras)
    {
        json.Expect(JsonTokenType.StartObject, "an object", at);
        string? called = null;
        string arguments = "";
        while (json.NextProperty(out string name))
        {
            switch (name)
            {
                case "name":
                    called = json.Text($"{at}/name");
                    break;
                case var _ when name == argumentsName:
                    arguments = json.Text($"{at}/{name}");
                    break;
                default:
                    extras.Add(json.TakeExtra(name, at));
                    break;
            }
        }

        return (called ?? throw JsonCursor.Missing($"{at}/name"), arguments);
    }

    private static ToolCallPart ReadFunctionCall(ref JsonCursor json, string at, int messageIndex)
    {
        List<Extra> extras = [];
        (string name, string arguments) = ReadCalled(ref json, at, "arguments", extras);
        return new ToolCallPart(JsonCursor.Below("call", messageIndex).Replace('/', '_'), name, arguments, at) { Extras = extras };
    }

    /// <summary>A message while it is read.</summary>
    private sealed class MessageDraft(string pointer)
    {
        public string Pointer { get; } = pointer;
        public string? Role { get; set; }
        public List<Part>? Content { get; set; }
        public Setting<string>? Name { get; set; }
        public RefusalPart? Refusal { get; set; }
        public string? ToolCallId { get; set; }
        public List<Part> ToolCalls { get; set; } = [];
        public List<ThinkingPart> Thinking { get; } = [];
        public List<Part> Marked { get; } = [];
        public List<Extra> Extras { get; } = [];
    }
}
