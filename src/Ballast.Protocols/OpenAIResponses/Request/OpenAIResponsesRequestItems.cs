using System.Text;
using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.OpenAIResponses;

/// <summary>Items of the input as they are read: neighbouring items of the assistant (reasoning, text, calls) are one turn of the conversation.</summary>
internal static partial class OpenAIResponsesRequest
{
    private static List<Message> ReadItems(JsonElement value, string at, OpenAIResponsesToolNames names)
    {
        if (value.ValueKind == JsonValueKind.String)
        {
            return [new Message(Role.User, [new TextPart(value.GetString()!, at)], at)];
        }

        Expect(value, JsonValueKind.Array, "a string or an array of items", at);
        List<Message> messages = [];
        Dictionary<string, string> called = [];
        int index = 0;
        foreach (JsonElement item in value.EnumerateArray())
        {
            string here = OpenAIResponsesFault.Below(at, index++);
            Expect(item, JsonValueKind.Object, "an object", here);
            Add(messages, ReadItem(item, here, names, called));
        }

        return messages;
    }

    private static void Add(List<Message> messages, Message message)
    {
        if (message.Role == Role.Assistant && messages is [.., { Role: Role.Assistant } last])
        {
            messages[^1] = last with { Parts = [.. last.Parts, .. message.Parts], Extras = [.. last.Extras, .. message.Extras] };
        }
        else
        {
            messages.Add(message);
        }
    }

    private static Message ReadItem(JsonElement item, string at, OpenAIResponsesToolNames names, Dictionary<string, string> called)
    {
        string? type = item.TryGetProperty("type"u8, out JsonElement word) && word.ValueKind != JsonValueKind.Null ? Text(word, $"{at}/type") : null;
        return type switch
        {
            null or "message" => ReadMessage(item, at, type is null),
            "reasoning" => ReadReasoningItem(item, at),
            "function_call" => ReadCall(item, at, names, called, isFreeText: false),
            "custom_tool_call" => ReadCall(item, at, names, called, isFreeText: true),
            "function_call_output" or "custom_tool_call_output" => ReadResult(item, at, names, called),

            // What the caller's side says is the user's turn, what the vendor's side said is the assistant's.
            _ => new Message(IsOfUser(type) ? Role.User : Role.Assistant, [new OpaquePart(type, Raw(item), at)], at),
        };
    }

    private static bool IsOfUser(string type) =>
        (type.EndsWith("_output", StringComparison.Ordinal) && type is not "shell_call_output") || type.EndsWith("_response", StringComparison.Ordinal)
        || type is "additional_tools" or "compaction_trigger";

    private static Message ReadMessage(JsonElement item, string at, bool isShort)
    {
        string? role = null;
        List<Part> parts = [];
        List<Extra> extras = [];
        bool hasContent = false;
        foreach (JsonProperty field in item.EnumerateObject())
        {
            string here = OpenAIResponsesFault.Below(at, field.Name);
            switch (field.Name)
            {
                case "role":
                    role = Text(field.Value, here);
                    break;
                case "content" when field.Value.ValueKind != JsonValueKind.Null:
                    hasContent = true;
                    parts = ReadContent(field.Value, here);
                    break;
                case "type" or "id" or "status":
                    break; // The id is a handle of whoever keeps the item: what pairs is the call's own.
                default:
                    AddExtra(extras, field, at);
                    break;
            }
        }

        Role speaker = role switch
        {
            "system" => Role.System,
            "developer" => Role.Developer,
            "user" => Role.User,
            "assistant" => Role.Assistant,
            null => throw OpenAIResponsesFault.Missing(isShort ? $"{at}/type" : $"{at}/role"),
            _ => throw OpenAIResponsesFault.Invalid($"{at}/role", "expected system, developer, user or assistant"),
        };
        return hasContent || speaker == Role.Assistant
            ? new Message(speaker, parts, at) { Extras = extras }
            : throw OpenAIResponsesFault.Missing($"{at}/content");
    }

    private static List<Part> ReadContent(JsonElement value, string at)
    {
        if (value.ValueKind == JsonValueKind.String)
        {
            return [new TextPart(value.GetString()!, at)];
        }

        Expect(value, JsonValueKind.Array, "a string or an array of parts", at);
        List<Part> parts = [];
        foreach (JsonElement part in value.EnumerateArray())
        {
            string here = OpenAIResponsesFault.Below(at, parts.Count);
            Expect(part, JsonValueKind.Object, "an object", here);
            parts.Add(ReadPart(part, here));
        }

        return parts;
    }

    private static Part ReadPart(JsonElement part, string at)
    {
        string type = part.TryGetProperty("type"u8, out JsonElement word) ? Text(word, $"{at}/type") : throw OpenAIResponsesFault.Missing($"{at}/type");
        string[] known = type switch
        {
            "input_text" or "output_text" or "text" => ["type", "text"],
            "refusal" => ["type", "refusal"],
            "input_image" => ["type", "image_url", "file_id", "detail"],
            "input_file" => ["type", "file_data", "file_url", "file_id", "filename"],
            "input_audio" => ["type", "input_audio"],
            _ => [],
        };
        Part read = ReadTypedPart(type, part, at) ?? new OpaquePart(type, Raw(part), at);
        if (read is OpaquePart)
        {
            return read;
        }

        List<Extra> extras = [];
        foreach (JsonProperty field in part.EnumerateObject())
        {
            if (!known.Contains(field.Name))
            {
                AddExtra(extras, field, at);
            }
        }

        return read with { Extras = [.. read.Extras, .. extras] };
    }

    private static Part? ReadTypedPart(string type, JsonElement part, string at) => type switch
    {
        "input_text" or "output_text" or "text" => new TextPart(Required(part, "text", at), at),
        "refusal" => new RefusalPart(Required(part, "refusal", at), at),
        "input_image" => ReadImage(part, at),
        "input_file" => ReadFile(part, at),
        "input_audio" => ReadAudio(part, at),
        _ => null,
    };

    private static string Required(JsonElement element, string name, string at) => Optional(element, name, at) ?? throw OpenAIResponsesFault.Missing($"{at}/{name}");

    private static string? Optional(JsonElement element, string name, string at) =>
        element.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? Text(value, $"{at}/{name}") : null;

    private static ImagePart? ReadImage(JsonElement part, string at)
    {
        if (part.TryGetProperty("image_url"u8, out JsonElement url) && url.ValueKind is not (JsonValueKind.String or JsonValueKind.Null))
        {
            return null;
        }

        string? file = Optional(part, "file_id", at);
        string? address = Optional(part, "image_url", at);
        if (file is null && address is null)
        {
            throw OpenAIResponsesFault.Missing($"{at}/image_url");
        }

        MediaSource source = address is null ? new MediaSource { FileId = file } : SourceOf(address);
        ImagePart image = new(source, Optional(part, "detail", at), at);
        return file is not null && address is not null ? image with { Extras = [new Extra("file_id", $"{at}/file_id", RawJson.From($"\"{JsonEncodedText.Encode(file)}\""))] } : image;
    }

    private static DocumentPart ReadFile(JsonElement part, string at)
    {
        string? name = Optional(part, "filename", at);
        string? file = Optional(part, "file_id", at);
        string? address = Optional(part, "file_url", at);
        string? data = Optional(part, "file_data", at);
        MediaSource source = data is not null && SourceOf(data) is { } embedded ? (embedded.Url is null ? embedded : new MediaSource { Base64 = data })
            : address is not null ? new MediaSource { Url = address }
            : new MediaSource { FileId = file ?? throw OpenAIResponsesFault.Missing($"{at}/file_data") };
        List<Extra> others = [];
        foreach ((string other, string? value) in (ReadOnlySpan<(string, string?)>)[("file_id", source.FileId is null ? file : null), ("file_url", source.Url is null ? address : null)])
        {
            if (value is not null)
            {
                others.Add(new Extra(other, $"{at}/{other}", RawJson.From($"\"{JsonEncodedText.Encode(value)}\"")));
            }
        }

        return new DocumentPart(source, name, at) { Extras = others };
    }

    private static AudioPart? ReadAudio(JsonElement part, string at)
    {
        if (!part.TryGetProperty("input_audio"u8, out JsonElement audio) || audio.ValueKind != JsonValueKind.Object)
        {
            return null;
        }

        string here = $"{at}/input_audio";
        List<Extra> extras = [];
        foreach (JsonProperty field in audio.EnumerateObject())
        {
            if (field.Name is not ("data" or "format"))
            {
                AddExtra(extras, field, here);
            }
        }

        return new AudioPart(Required(audio, "data", here), Required(audio, "format", here), at) { Extras = extras };
    }

    /// <summary>A data URL taken apart (its scheme and encoding in any case, its type without parameters); any other one as it is.</summary>
    private static MediaSource SourceOf(string url)
    {
        const string scheme = "data:";
        const string encoding = ";base64";
        int comma = url.IndexOf(',', StringComparison.Ordinal);
        if (comma < 0 || !url.StartsWith(scheme, StringComparison.OrdinalIgnoreCase) || !url.AsSpan(0, comma).EndsWith(encoding, StringComparison.OrdinalIgnoreCase))
        {
            return new MediaSource { Url = url };
        }

        string type = url[scheme.Length..(comma - encoding.Length)];
        int parameters = type.IndexOf(';', StringComparison.Ordinal);
        return new MediaSource { MediaType = (parameters < 0 ? type : type[..parameters]).ToLowerInvariant(), Base64 = url[(comma + 1)..] };
    }

    private static Message ReadReasoningItem(JsonElement item, string at)
    {
        StringBuilder text = new();
        string? encrypted = null;
        List<Extra> extras = [];
        foreach (JsonProperty field in item.EnumerateObject())
        {
            string here = OpenAIResponsesFault.Below(at, field.Name);
            switch (field.Name)
            {
                case "summary" or "content" when field.Value.ValueKind == JsonValueKind.Array:
                    ReadReasoningText(field.Value, here, text, extras);
                    break;
                case "encrypted_content" when field.Value.ValueKind != JsonValueKind.Null:
                    encrypted = Text(field.Value, here);
                    break;
                case "type" or "id" or "status":
                    break;
                default:
                    AddExtra(extras, field, at);
                    break;
            }
        }

        return new Message(Role.Assistant, [OpenAIResponsesReasoning.PartOf(text.ToString(), encrypted, at)], at) { Extras = extras };
    }

    private static void ReadReasoningText(JsonElement pieces, string at, StringBuilder text, List<Extra> extras)
    {
        int index = 0;
        foreach (JsonElement piece in pieces.EnumerateArray())
        {
            string here = OpenAIResponsesFault.Below(at, index++);
            Expect(piece, JsonValueKind.Object, "an object", here);
            string told = Required(piece, "text", here);
            text.Append(text.Length > 0 && told.Length > 0 ? ReasoningBreak : "").Append(told);
            foreach (JsonProperty field in piece.EnumerateObject())
            {
                if (field.Name is not ("type" or "text"))
                {
                    AddExtra(extras, field, here);
                }
            }
        }
    }

    /// <summary>Stands between the pieces of a summary where they become one text.</summary>
    internal const string ReasoningBreak = "\n\n";

    private static Message ReadCall(JsonElement item, string at, OpenAIResponsesToolNames names, Dictionary<string, string> called, bool isFreeText)
    {
        string own = Required(item, "name", at);
        string name = names.NameOf(Optional(item, "namespace", at), own);
        List<Extra> extras = ReadItemExtras(item, at, ["call_id", "name", name == own ? "name" : "namespace", isFreeText ? "input" : "arguments"]);
        string arguments = isFreeText ? Required(item, "input", at) : Optional(item, "arguments", at) ?? "";
        ToolCallPart call = new(Required(item, "call_id", at), name, arguments, at) { IsFreeText = isFreeText, Extras = extras };
        called[call.Id] = name;
        return new Message(Role.Assistant, [call], at);
    }

    private static Message ReadResult(JsonElement item, string at, OpenAIResponsesToolNames names, Dictionary<string, string> called)
    {
        // A name that only repeats what the call said is no field of its own.
        string callId = Required(item, "call_id", at);
        bool isRepeated = Optional(item, "name", at) is { } name && names.NameOf(Optional(item, "namespace", at), name) == called.GetValueOrDefault(callId);
        List<Extra> extras = ReadItemExtras(item, at, isRepeated ? ["call_id", "output", "name", "namespace"] : ["call_id", "output"]);
        JsonElement output = item.TryGetProperty("output"u8, out JsonElement value) && value.ValueKind != JsonValueKind.Null
            ? value
            : throw OpenAIResponsesFault.Missing($"{at}/output");
        ToolResultPart result = new(callId, ReadContent(output, $"{at}/output"), at) { Extras = extras };
        return new Message(Role.Tool, [result], at);
    }

    private static List<Extra> ReadItemExtras(JsonElement item, string at, ReadOnlySpan<string> known)
    {
        List<Extra> extras = [];
        foreach (JsonProperty field in item.EnumerateObject())
        {
            if (!known.Contains(field.Name) && field.Name is not ("type" or "id" or "status"))
            {
                AddExtra(extras, field, at);
            }
        }

        return extras;
    }
}
