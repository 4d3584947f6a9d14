using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.Gemini;

/// <summary>Pictures, documents and sound: in the body (<c>inlineData</c>) or by address (<c>fileData</c>).</summary>
internal static class GeminiMedia
{
    public static Part ReadInline(ref GeminiCursor json, string at, string part, List<Extra> extras)
    {
        (MediaSource type, string? data, string? name) = Read(ref json, at, "data", extras);
        MediaSource source = type with { Base64 = data ?? throw GeminiCursor.Fault($"{at}/data", "is required") };
        return Of(source, name, part);
    }

    public static Part ReadFile(ref GeminiCursor json, string at, string part, List<Extra> extras)
    {
        (MediaSource type, string? address, string? name) = Read(ref json, at, "fileUri", extras);
        address = address ?? throw GeminiCursor.Fault($"{at}/fileUri", "is required");
        MediaSource source = IsStored(address) ? type with { FileId = address } : type with { Url = address };
        return Of(source, name, part);
    }

    /// <summary>A file that only Google can open: one that was uploaded to it, or lies in a bucket.</summary>
    private static bool IsStored(string address) =>
        !address.StartsWith("http", StringComparison.OrdinalIgnoreCase) || address.Contains("generativelanguage.googleapis.com/", StringComparison.Ordinal);

    private static (MediaSource Type, string? Content, string? Name) Read(ref GeminiCursor json, string at, string content, List<Extra> extras)
    {
        json.Expect(JsonTokenType.StartObject, "an object", at);
        MediaSource type = new();
        string? value = null;
        string? display = null;
        while (json.NextProperty(out string name))
        {
            string here = GeminiCursor.Below(at, json.Written);
            if (json.IsNull)
            {
                json.Skip();
            }
            else if (name == "mimeType")
            {
                type = new MediaSource { MediaType = json.Text(here), MediaTypePointer = here };
            }
            else if (name == content)
            {
                value = json.Text(here);
            }
            else if (name == "displayName")
            {
                display = json.Text(here);
            }
            else
            {
                extras.Add(json.TakeExtra(at));
            }
        }

        return (type, value, display);
    }

    private static Part Of(MediaSource source, string? name, string part)
    {
        string type = source.MediaType ?? "";
        return type.StartsWith("image/", StringComparison.OrdinalIgnoreCase) && name is null ? new ImagePart(source, null, part)
            : type.StartsWith("audio/", StringComparison.OrdinalIgnoreCase) && source.Base64 is { } sound && name is null ? new AudioPart(sound, type["audio/".Length..], part)
            : new DocumentPart(source, name, part);
    }

    /// <summary>Writes media as one part; its source holds data or an address.</summary>
    public static void Write(Utf8JsonWriter json, MediaSource source, string mediaType, string? name, Part part)
    {
        bool isInline = source.Base64 is not null;
        json.WriteStartObject(isInline ? "inlineData"u8 : "fileData"u8);
        if (mediaType.Length > 0)
        {
            json.WriteString("mimeType"u8, mediaType);
        }

        json.WriteString(isInline ? "data"u8 : "fileUri"u8, source.Base64 ?? source.Url ?? source.FileId);
        if (name is not null)
        {
            json.WriteString("displayName"u8, name);
        }

        GeminiPartWriter.WriteInnerExtras(json, part);
        json.WriteEndObject();
    }
}
