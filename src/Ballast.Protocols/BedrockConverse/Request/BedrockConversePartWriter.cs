using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.BedrockConverse;

/// <summary>Writes parts as content blocks; everything that could not be one has been sorted out before. One for each request: names of documents are told apart in it.</summary>
internal sealed class BedrockConversePartWriter(bool isNative)
{
    private readonly Dictionary<string, int> _documents = new(StringComparer.Ordinal);

    public void WriteContent(Utf8JsonWriter json, IReadOnlyList<Part> parts)
    {
        json.WriteStartArray();
        foreach (Part part in parts)
        {
            WritePart(json, part);
            WriteCachePoint(json, part.CacheControl);
        }

        json.WriteEndArray();
    }

    /// <summary>The mark stands as a block of its own behind what it caches.</summary>
    public static void WriteCachePoint(Utf8JsonWriter json, CacheControl? cacheControl)
    {
        if (cacheControl is null)
        {
            return;
        }

        json.WriteStartObject();
        json.WriteStartObject("cachePoint"u8);
        json.WriteString("type"u8, "default"u8);
        if (cacheControl.Ttl is not null)
        {
            json.WriteString("ttl"u8, cacheControl.Ttl);
        }

        json.WriteEndObject();
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

    private void WritePart(Utf8JsonWriter json, Part part)
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
                json.WriteString("text"u8, text.Text);
                break;
            case ThinkingPart thinking:
                WriteThinking(json, thinking);
                break;
            case RedactedThinkingPart redacted:
                json.WriteStartObject("reasoningContent"u8);
                json.WriteString("redactedContent"u8, BedrockConverseThinking.BlobOf(redacted.Data));
                json.WriteEndObject();
                break;
            case ImagePart image:
                json.WriteStartObject("image"u8);
                json.WriteString("format"u8, image.Source.MediaType!["image/".Length..]);
                WriteBytes(json, image.Source.Base64!);
                json.WriteEndObject();
                break;
            case DocumentPart document:
                WriteDocument(json, document);
                break;
            case ToolCallPart call:
                json.WriteStartObject("toolUse"u8);
                json.WriteString("toolUseId"u8, call.Id);
                json.WriteString("name"u8, call.Name);
                json.WritePropertyName("input"u8);
                if (isNative)
                {
                    // Whatever the caller wrote there was one JSON value.
                    json.WriteRawValue(call.Arguments, skipInputValidation: true);
                }
                else
                {
                    JsonObjectText.Write(json, call.Arguments);
                }

                WriteExtras(json, part.Extras, $"{part.Pointer}/toolUse");
                json.WriteEndObject();
                break;
            case ToolResultPart result:
                WriteResult(json, result);
                break;
        }

        json.WriteEndObject();
    }

    private static void WriteThinking(Utf8JsonWriter json, ThinkingPart thinking)
    {
        json.WriteStartObject("reasoningContent"u8);
        json.WriteStartObject("reasoningText"u8);
        json.WriteString("text"u8, thinking.Text);
        if (thinking.Signature is not null)
        {
            json.WriteString("signature"u8, thinking.Signature);
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    private void WriteDocument(Utf8JsonWriter json, DocumentPart document)
    {
        string format = BedrockConverseMedia.DocumentFormatOf(document.Source.MediaType) ?? document.Source.MediaType!["application/".Length..];
        json.WriteStartObject("document"u8);
        json.WriteString("format"u8, format);
        string? name = isNative ? document.Name : Unique(BedrockConverseMedia.NameOf(document.Name ?? "", format));
        if (name is not null)
        {
            json.WriteString("name"u8, name);
        }

        if (document.Text is not null)
        {
            json.WriteStartObject("source"u8);
            json.WriteString("text"u8, document.Text);
            json.WriteEndObject();
        }
        else
        {
            WriteBytes(json, document.Source.Base64!);
        }

        WriteExtras(json, document.Extras, $"{document.Pointer}/document");
        json.WriteEndObject();
    }

    // Two documents of one name are refused.
    private string Unique(string name)
    {
        _documents.TryGetValue(name, out int uses);
        _documents[name] = uses + 1;
        if (uses == 0)
        {
            return name;
        }

        string suffix = $" ({uses + 1})";
        return Unique(name[..Math.Min(name.Length, BedrockConverseMedia.NameLengthMax - suffix.Length)] + suffix);
    }

    private static void WriteBytes(Utf8JsonWriter json, string base64)
    {
        json.WriteStartObject("source"u8);
        json.WriteString("bytes"u8, base64);
        json.WriteEndObject();
    }

    private void WriteResult(Utf8JsonWriter json, ToolResultPart result)
    {
        json.WriteStartObject("toolResult"u8);
        json.WriteString("toolUseId"u8, result.CallId);
        json.WritePropertyName("content"u8);
        if (result.Content.Count == 0 && !isNative)
        {
            // The list must hold something, and a text must not be blank.
            json.WriteRawValue("""[{"json":{}}]"""u8, skipInputValidation: true);
        }
        else
        {
            WriteContent(json, result.Content);
        }

        if (result.IsError)
        {
            json.WriteString("status"u8, "error"u8);
        }

        WriteExtras(json, result.Extras, $"{result.Pointer}/toolResult");
        json.WriteEndObject();
    }
}
