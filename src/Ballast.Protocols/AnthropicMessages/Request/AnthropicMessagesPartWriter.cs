using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.AnthropicMessages;

/// <summary>Writes parts as content blocks; everything that could not be one has been sorted out before.</summary>
internal static class AnthropicMessagesPartWriter
{
    /// <summary>Writes a list of parts as plain text where it is nothing but that, else as blocks.</summary>
    /// <param name="json">Stands behind a property's name.</param>
    /// <param name="parts">What to write.</param>
    /// <param name="textPointer">Where the text stood if the caller wrote plain text; null takes any text for plain.</param>
    public static void WriteContent(Utf8JsonWriter json, IReadOnlyList<Part> parts, string? textPointer)
    {
        if (parts is [TextPart { CacheControl: null, Extras.Count: 0 } text] && (textPointer is null || text.Pointer == textPointer))
        {
            json.WriteStringValue(text.Text);
            return;
        }

        json.WriteStartArray();
        foreach (Part part in parts)
        {
            WritePart(json, part, textPointer is null);
        }

        json.WriteEndArray();
    }

    public static void WriteCacheControl(Utf8JsonWriter json, CacheControl? cacheControl)
    {
        if (cacheControl is null)
        {
            return;
        }

        json.WriteStartObject("cache_control"u8);
        json.WriteString("type"u8, "ephemeral"u8);
        if (cacheControl.Ttl is not null)
        {
            json.WriteString("ttl"u8, cacheControl.Ttl);
        }

        json.WriteEndObject();
    }

    /// <summary>Writes those extras that stood directly in the object at <paramref name="pointer"/>.</summary>
    public static void WriteExtras(Utf8JsonWriter json, IReadOnlyList<Extra> extras, string pointer)
    {
        foreach (Extra extra in extras)
        {
            if (!extra.IsSaid && extra.Pointer == JsonFields.Join(pointer, extra.Name))
            {
                json.WritePropertyName(extra.Name);
                extra.Value.WriteTo(json);
            }
        }
    }

    private static void WritePart(Utf8JsonWriter json, Part part, bool isForeign)
    {
        if (part is OpaquePart opaque)
        {
            opaque.Value.WriteTo(json);
            return;
        }

        json.WriteStartObject();
        switch (part)
        {
            case TextPart text:
                json.WriteString("type"u8, "text"u8);
                json.WriteString("text"u8, text.Text);
                break;
            case ThinkingPart thinking:
                json.WriteString("type"u8, "thinking"u8);
                json.WriteString("thinking"u8, thinking.Text);
                json.WriteString("signature"u8, thinking.Signature ?? "");
                break;
            case RedactedThinkingPart redacted:
                json.WriteString("type"u8, "redacted_thinking"u8);
                json.WriteString("data"u8, redacted.Data);
                break;
            case ImagePart image:
                json.WriteString("type"u8, "image"u8);
                WriteSource(json, part, image.Source, text: null);
                break;
            case DocumentPart document:
                json.WriteString("type"u8, "document"u8);
                WriteSource(json, part, document.Source, document.Text);
                if (document.Name is not null)
                {
                    json.WriteString("title"u8, document.Name);
                }

                break;
            case ToolCallPart call:
                json.WriteString("type"u8, "tool_use"u8);
                json.WriteString("id"u8, call.Id);
                json.WriteString("name"u8, call.Name);
                json.WritePropertyName("input"u8);
                JsonObjectText.Write(json, call.Arguments);
                break;
            case ToolResultPart result:
                WriteResult(json, result, isForeign);
                break;
        }

        WriteCacheControl(json, part.CacheControl);
        WriteExtras(json, part.Extras, part.Pointer);
        json.WriteEndObject();
    }

    private static void WriteResult(Utf8JsonWriter json, ToolResultPart result, bool isForeign)
    {
        json.WriteString("type"u8, "tool_result"u8);
        json.WriteString("tool_use_id"u8, result.CallId);
        if (result.Content.Count > 0)
        {
            json.WritePropertyName("content"u8);
            WriteContent(json, result.Content, isForeign ? null : $"{result.Pointer}/content");
        }

        if (result.IsError)
        {
            json.WriteBoolean("is_error"u8, true);
        }
    }

    private static void WriteSource(Utf8JsonWriter json, Part part, MediaSource source, string? text)
    {
        (string type, string name, string? value) = text is not null ? ("text", "data", text)
            : source.Base64 is not null ? ("base64", "data", source.Base64)
            : source.Url is not null ? ("url", "url", source.Url)
            : ("file", "file_id", source.FileId);
        json.WriteStartObject("source"u8);
        json.WriteString("type"u8, type);
        string? mediaType = text is not null ? source.MediaType ?? "text/plain" : source.MediaType;
        if (mediaType is not null && type is "text" or "base64")
        {
            json.WriteString("media_type"u8, mediaType);
        }

        json.WriteString(name, value);
        WriteExtras(json, part.Extras, $"{part.Pointer}/source");
        json.WriteEndObject();
    }
}
