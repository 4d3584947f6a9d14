using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.CohereChat;

/// <summary>Reads messages. What an assistant planned before it called tools (<c>tool_plan</c>) is text that it said.</summary>
internal static class CohereChatMessages
{
    public static List<Message> Read(ref JsonCursor json, string at)
    {
        json.Expect(JsonTokenType.StartArray, "an array of messages", at);
        List<Message> messages = [];
        while (json.NextItem())
        {
            messages.Add(ReadMessage(ref json, JsonCursor.Below(at, messages.Count)));
        }

        return messages;
    }

    private static Message ReadMessage(ref JsonCursor json, string at)
    {
        json.Expect(JsonTokenType.StartObject, "an object", at);
        Draft draft = new(at);
        while (json.NextProperty(out string name))
        {
            ReadField(ref json, name, draft);
        }

        Role role = draft.Role ?? throw JsonCursor.Missing($"{at}/role");
        if (role != Role.Assistant && draft.Content is null)
        {
            throw JsonCursor.Missing($"{at}/content");
        }

        if (role != Role.Assistant && (draft.Calls.Count > 0 || draft.Plan is not null))
        {
            throw JsonCursor.Invalid($"{at}/role", "only an assistant calls tools");
        }

        if (role == Role.Tool)
        {
            string id = draft.ToolCallId ?? throw JsonCursor.Missing($"{at}/tool_call_id");
            return new Message(role, [new ToolResultPart(id, draft.Content!, at)], at) { Extras = draft.Extras };
        }

        if (draft.ToolCallId is { } stray)
        {
            draft.Extras.Add(new Extra("tool_call_id", $"{at}/tool_call_id", RawJson.From($"\"{JsonEncodedText.Encode(stray)}\"")));
        }

        List<Part> plan = draft.Plan is null ? [] : [draft.Plan];
        return new Message(role, [.. plan, .. draft.Content ?? [], .. draft.Calls], at) { Extras = draft.Extras };
    }

    private static void ReadField(ref JsonCursor json, string name, Draft draft)
    {
        string here = JsonCursor.Below(draft.Pointer, name);
        switch (name)
        {
            case "role":
                draft.Role = json.Text(here) switch
                {
                    "system" or "developer" => Role.System,
                    "user" => Role.User,
                    "assistant" => Role.Assistant,
                    "tool" => Role.Tool,
                    _ => throw JsonCursor.Invalid(here, "expected system, user, assistant or tool"),
                };
                break;
            case "content" or "tool_plan" or "tool_calls" or "tool_call_id" or "citations" when json.IsNull:
                json.Skip();
                break;
            case "content":
                draft.Content = ReadContent(ref json, here);
                break;
            case "tool_plan":
                draft.Plan = new TextPart(json.Text(here), here);
                break;
            case "tool_call_id":
                draft.ToolCallId = json.Text(here);
                break;
            case "tool_calls":
                json.Expect(JsonTokenType.StartArray, "an array of tool calls", here);
                while (json.NextItem())
                {
                    draft.Calls.Add(ReadToolCall(ref json, JsonCursor.Below(here, draft.Calls.Count)));
                }

                break;
            default:
                draft.Extras.Add(json.TakeExtra(name, draft.Pointer));
                break;
        }
    }

    private static List<Part> ReadContent(ref JsonCursor json, string at)
    {
        if (json.Token == JsonTokenType.String)
        {
            return [new TextPart(json.Text(at), at)];
        }

        json.Expect(JsonTokenType.StartArray, "a string or an array of content blocks", at);
        List<Part> parts = [];
        while (json.NextItem())
        {
            parts.Add(ReadPart(ref json, JsonCursor.Below(at, parts.Count)));
        }

        return parts;
    }

    private static Part ReadPart(ref JsonCursor json, string at)
    {
        json.Expect(JsonTokenType.StartObject, "an object", at);
        string type = json.WordHere("type"u8);
        switch (type)
        {
            case "text":
            case "thinking":
                return ReadText(ref json, at, type);
            case "image_url" or "image":
                return ReadImage(ref json, at);
            case "document":
                return ReadDocument(ref json, at);
            case "":
                throw JsonCursor.Missing($"{at}/type");
            default:
                return new OpaquePart(type, json.Take(), at);
        }
    }

    private static Part ReadText(ref JsonCursor json, string at, string type)
    {
        string? text = null;
        string? mark = null;
        string? data = null;
        List<Extra> extras = [];
        while (json.NextProperty(out string name))
        {
            if (name == "type")
            {
                json.Skip();
            }
            else if (name == type)
            {
                text = json.Text(JsonCursor.Below(at, name));
            }
            else if (type == "thinking" && name == "signature" && json.Token == JsonTokenType.String)
            {
                mark = json.Text($"{at}/signature");
            }
            else if (type == "thinking" && name == "data" && json.Token == JsonTokenType.String)
            {
                data = json.Text($"{at}/data");
            }
            else
            {
                extras.Add(json.TakeExtra(name, at));
            }
        }

        if (text is null)
        {
            throw JsonCursor.Missing($"{at}/{type}");
        }

        if (type == "text")
        {
            return new TextPart(text, at) { Extras = extras };
        }

        return Thinking(text, mark, data, at, extras);
    }

    /// <summary>Cohere itself signs nothing: what bears a mark is reasoning of another vendor that this gateway gave in this protocol.</summary>
    private static Part Thinking(string text, string? mark, string? data, string at, List<Extra> extras)
    {
        if (data is not null)
        {
            return ForeignThinking.TryUnwrap(data, out string issuer, out string? value)
                ? new RedactedThinkingPart(value ?? "", issuer, at) { Extras = extras }
                : new RedactedThinkingPart(data, null, at) { Extras = extras };
        }

        if (mark is null)
        {
            return new ThinkingPart(text, at) { Extras = extras };
        }

        return ForeignThinking.TryUnwrap(mark, out string maker, out string? signature)
            ? new ThinkingPart(text, at) { Issuer = maker, Signature = signature, Extras = extras }
            : new ThinkingPart(text, at) { Signature = mark, Extras = extras };
    }

    private static ImagePart ReadImage(ref JsonCursor json, string at)
    {
        string? url = null;
        string? detail = null;
        List<Extra> extras = [];
        while (json.NextProperty(out string name))
        {
            if (name == "type")
            {
                json.Skip();
            }
            else if (name == "image_url" && json.Token == JsonTokenType.StartObject)
            {
                while (json.NextProperty(out string field))
                {
                    switch (field)
                    {
                        case "url":
                            url = json.Text($"{at}/image_url/url");
                            break;
                        case "detail" when json.Token == JsonTokenType.String:
                            detail = json.Text($"{at}/image_url/detail");
                            break;
                        default:
                            extras.Add(json.TakeExtra(field, $"{at}/image_url"));
                            break;
                    }
                }
            }
            else
            {
                extras.Add(json.TakeExtra(name, at));
            }
        }

        return new ImagePart(SourceOf(url ?? throw JsonCursor.Missing($"{at}/image_url/url")), detail, at) { Extras = extras };
    }

    private static MediaSource SourceOf(string url)
    {
        const string mark = ";base64,";
        int comma = url.StartsWith("data:", StringComparison.OrdinalIgnoreCase) ? url.IndexOf(mark, StringComparison.OrdinalIgnoreCase) : -1;
        return comma < 0 ? new MediaSource { Url = url } : new MediaSource { MediaType = url[5..comma], Base64 = url[(comma + mark.Length)..] };
    }

    private static DocumentPart ReadDocument(ref JsonCursor json, string at)
    {
        DocumentPart? document = null;
        List<Extra> extras = [];
        while (json.NextProperty(out string name))
        {
            if (name == "type")
            {
                json.Skip();
            }
            else if (name == "document")
            {
                document = CohereChatDocuments.ReadOne(ref json, $"{at}/document");
            }
            else
            {
                extras.Add(json.TakeExtra(name, at));
            }
        }

        document = document ?? throw JsonCursor.Missing($"{at}/document");
        return document with { Extras = [.. document.Extras, .. extras] };
    }

    private static ToolCallPart ReadToolCall(ref JsonCursor json, string at)
    {
        json.Expect(JsonTokenType.StartObject, "an object", at);
        string? id = null;
        string? tool = null;
        string arguments = "";
        List<Extra> extras = [];
        while (json.NextProperty(out string name))
        {
            switch (name)
            {
                case "id":
                    id = json.Text($"{at}/id");
                    break;
                case "type":
                    json.Skip();
                    break;
                case "function":
                    json.Expect(JsonTokenType.StartObject, "an object", $"{at}/function");
                    while (json.NextProperty(out string field))
                    {
                        switch (field)
                        {
                            case "name":
                                tool = json.Text($"{at}/function/name");
                                break;
                            case "arguments" when json.Token == JsonTokenType.String:
                                arguments = json.Text($"{at}/function/arguments");
                                break;
                            default:
                                extras.Add(json.TakeExtra(field, $"{at}/function"));
                                break;
                        }
                    }

                    break;
                default:
                    extras.Add(json.TakeExtra(name, at));
                    break;
            }
        }

        return new ToolCallPart(
            id ?? throw JsonCursor.Missing($"{at}/id"), tool ?? throw JsonCursor.Missing($"{at}/function/name"), arguments, at) { Extras = extras };
    }

    private sealed class Draft(string pointer)
    {
        public string Pointer { get; } = pointer;
        public Role? Role { get; set; }
        public List<Part>? Content { get; set; }
        public TextPart? Plan { get; set; }
        public List<Part> Calls { get; } = [];
        public string? ToolCallId { get; set; }
        public List<Extra> Extras { get; } = [];
    }
}
