using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.Gemini;

/// <summary>Writes parts. Fields that only this protocol knows go back to the level on which they stood.</summary>
internal static class GeminiPartWriter
{
    public static void WriteParts(Utf8JsonWriter json, IEnumerable<WrittenPart> parts)
    {
        json.WriteStartArray("parts"u8);
        foreach (WrittenPart part in parts)
        {
            Write(json, part.Part, part.Signature);
        }

        json.WriteEndArray();
    }

    public static void Write(Utf8JsonWriter json, Part part, string? signature)
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
                json.WriteString("text"u8, thinking.Text);
                json.WriteBoolean("thought"u8, true);
                break;
            case ToolCallPart call:
                WriteCall(json, call);
                break;
            case ToolResultPart result:
                WriteResult(json, result);
                break;
            case ImagePart image:
                GeminiMedia.Write(json, image.Source, image.Source.MediaType ?? "", null, image);
                break;
            case DocumentPart document:
                GeminiMedia.Write(json, document.Source, document.Source.MediaType ?? "", document.Name, document);
                break;
            case AudioPart audio:
                GeminiMedia.Write(json, new MediaSource { Base64 = audio.Base64 }, $"audio/{audio.Format}", null, audio);
                break;
        }

        if (signature is not null)
        {
            json.WriteString("thoughtSignature"u8, signature);
        }

        WriteExtras(json, part.Extras, part.Pointer);
        json.WriteEndObject();
    }

    /// <summary>Those of the extras that stood right below <paramref name="pointer"/>.</summary>
    public static void WriteExtras(Utf8JsonWriter json, IReadOnlyList<Extra> extras, string pointer)
    {
        foreach (Extra extra in extras)
        {
            if (!extra.IsSaid && extra.Pointer == GeminiCursor.Below(pointer, extra.Name))
            {
                json.WritePropertyName(extra.Name);
                extra.Value.WriteTo(json);
            }
        }
    }

    /// <summary>Those that stood deeper: inside of the one object that a part holds.</summary>
    public static void WriteInnerExtras(Utf8JsonWriter json, Part part)
    {
        foreach (Extra extra in part.Extras)
        {
            if (!extra.IsSaid && extra.Pointer != GeminiCursor.Below(part.Pointer, extra.Name))
            {
                json.WritePropertyName(extra.Name);
                extra.Value.WriteTo(json);
            }
        }
    }

    private static void WriteCall(Utf8JsonWriter json, ToolCallPart call)
    {
        json.WriteStartObject("functionCall"u8);
        if (!GeminiCallIds.IsMade(call.Id))
        {
            json.WriteString("id"u8, call.Id);
        }

        json.WriteString("name"u8, call.Name);
        json.WritePropertyName("args"u8);
        JsonObjectText.Write(json, call.Arguments, onOneLine: true);
        WriteInnerExtras(json, call);
        json.WriteEndObject();
    }

    private static void WriteResult(Utf8JsonWriter json, ToolResultPart result)
    {
        json.WriteStartObject("functionResponse"u8);
        if (!GeminiCallIds.IsMade(result.CallId))
        {
            json.WriteString("id"u8, result.CallId);
        }

        json.WriteString("name"u8, result.Name ?? "");
        if (result.OwnResult.IsEmpty)
        {
            GeminiResults.Write(json, string.Join('\n', result.Content.OfType<TextPart>().Select(text => text.Text)), result.IsError);
        }
        else
        {
            json.WritePropertyName("response"u8);
            result.OwnResult.WriteTo(json);
        }

        if (result.Content.Any(part => part is not TextPart))
        {
            WriteParts(json, result.Content.Where(part => part is not TextPart).Select(part => new WrittenPart(part)));
        }

        WriteInnerExtras(json, result);
        json.WriteEndObject();
    }
}
