using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.OpenAIChat;

/// <summary>Parts of a message's content, read and written side by side.</summary>
internal static partial class OpenAIChatRequest
{
    private static List<Part> ReadContent(ref JsonCursor json, string at)
    {
        if (json.Token == JsonTokenType.String)
        {
            return [new TextPart(json.Text(at), at)];
        }

        json.Expect(JsonTokenType.StartArray, "a string or an array of parts", at);
        List<Part> parts = [];
        while (json.NextItem())
        {
            parts.Add(ReadPart(ref json, JsonCursor.Below(at, parts.Count)));
        }

        return parts;
    }

    private static Part ReadPart(ref JsonCursor json, string at)
    {
        if (json.Token == JsonTokenType.String)
        {
            // Some servers take bare strings; the pointer tells the form.
            return new OpaquePart("string", json.Take(), at);
        }

        json.Expect(JsonTokenType.StartObject, "an object", at);
        RawJson raw = json.Take();
        JsonCursor fields = new(raw.Utf8);
        fields.Begin();
        string? type = null;
        List<Extra> fieldsRead = [];
        CacheControl? cacheControl = null;
        while (fields.NextProperty(out string name))
        {
            if (name == "type")
            {
                type = fields.Text($"{at}/type");
            }
            else if (name != "cache_control" || !TryReadCacheControl(ref fields, $"{at}/cache_control", out cacheControl))
            {
                fieldsRead.Add(fields.TakeExtra(name, at));
            }
        }

        if (type is null)
        {
            throw JsonCursor.Missing($"{at}/type");
        }

        Extra? content = fieldsRead.Find(extra => extra.Name == type);
        List<Extra> extras = [.. fieldsRead.Where(extra => extra != content)];
        Part part = ReadTypedPart(type, content, at, extras) ?? new OpaquePart(type, raw, at);
        return part is OpaquePart ? part : part with { CacheControl = cacheControl, Extras = extras };
    }

    private static Part? ReadTypedPart(string type, Extra? content, string at, List<Extra> extras)
    {
        if (type is not ("text" or "refusal" or "image_url" or "input_audio" or "file"))
        {
            return null;
        }

        JsonCursor json = new((content ?? throw JsonCursor.Missing($"{at}/{type}")).Value.Utf8);
        json.Begin();
        return type switch
        {
            "text" => new TextPart(json.Text(content.Pointer), at),
            "refusal" => new RefusalPart(json.Text(content.Pointer), at),
            "image_url" => ReadImage(ref json, at, extras),
            "input_audio" => json.Token == JsonTokenType.String ? null : ReadAudio(ref json, $"{at}/input_audio", at, extras),
            _ => ReadFile(ref json, $"{at}/file", at, extras),
        };
    }

    private static ImagePart ReadImage(ref JsonCursor json, string at, List<Extra> extras)
    {
        string here = $"{at}/image_url";
        if (json.Token == JsonTokenType.String)
        {
            // Mistral's short form; the pointer tells it from the long one when it is written back.
            return new ImagePart(SourceOf(json.Text(here)), null, here);
        }

        json.Expect(JsonTokenType.StartObject, "an object", here);
        string? url = null;
        string? detail = null;
        while (json.NextProperty(out string name))
        {
            switch (name)
            {
                case "url":
                    url = json.Text($"{here}/url");
                    break;
                case "detail" when !json.IsNull:
                    detail = json.Text($"{here}/detail");
                    break;
                default:
                    extras.Add(json.TakeExtra(name, here));
                    break;
            }
        }

        return new ImagePart(SourceOf(url ?? throw JsonCursor.Missing($"{here}/url")), detail, at);
    }

    private static AudioPart ReadAudio(ref JsonCursor json, string here, string at, List<Extra> extras)
    {
        json.Expect(JsonTokenType.StartObject, "an object", here);
        string? data = null;
        string? format = null;
        while (json.NextProperty(out string name))
        {
            switch (name)
            {
                case "data":
                    data = json.Text($"{here}/data");
                    break;
                case "format":
                    format = json.Text($"{here}/format");
                    break;
                default:
                    extras.Add(json.TakeExtra(name, here));
                    break;
            }
        }

        return new AudioPart(data ?? throw JsonCursor.Missing($"{here}/data"), format ?? throw JsonCursor.Missing($"{here}/format"), at);
    }

    private static DocumentPart ReadFile(ref JsonCursor json, string here, string at, List<Extra> extras)
    {
        json.Expect(JsonTokenType.StartObject, "an object", here);
        MediaSource source = new();
        string? fileName = null;
        while (json.NextProperty(out string name))
        {
            switch (name)
            {
                case "file_data" when !json.IsNull:
                    MediaSource data = SourceOf(json.Text($"{here}/file_data"));
                    source = data.Url is null ? data : data.Url.StartsWith("http", StringComparison.OrdinalIgnoreCase) ? data : new MediaSource { Base64 = data.Url };
                    break;
                case "file_id" when !json.IsNull:
                    source = source with { FileId = json.Text($"{here}/file_id") };
                    break;
                case "filename" when !json.IsNull:
                    fileName = json.Text($"{here}/filename");
                    break;
                default:
                    extras.Add(json.TakeExtra(name, here));
                    break;
            }
        }

        return new DocumentPart(source, fileName, at);
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

    /// <summary>Writes one part of a content array.</summary>
    private static void WritePart(Output output, Part part)
    {
        Utf8JsonWriter json = output.Json;
        if (part is OpaquePart opaque)
        {
            opaque.Value.WriteTo(json);
            return;
        }

        json.WriteStartObject();
        string at = part.Pointer;
        switch (part)
        {
            case TextPart text:
                json.WriteString("type"u8, "text"u8);
                json.WriteString("text"u8, text.Text);
                break;
            case RefusalPart refusal:
                json.WriteString("type"u8, "refusal"u8);
                json.WriteString("refusal"u8, refusal.Text);
                break;
            case ImagePart image:
                json.WriteString("type"u8, "image_url"u8);
                at = WriteImage(output, image);
                break;
            case AudioPart audio:
                json.WriteString("type"u8, "input_audio"u8);
                json.WriteStartObject("input_audio"u8);
                json.WriteString("data"u8, audio.Base64);
                json.WriteString("format"u8, audio.Format);
                WriteExtras(output, audio.Extras, $"{at}/input_audio");
                json.WriteEndObject();
                break;
            case DocumentPart document:
                json.WriteString("type"u8, "file"u8);
                WriteFile(output, document);
                break;
        }

        WriteCacheControl(output, part.CacheControl);
        WriteExtras(output, part.Extras, at);
        json.WriteEndObject();
    }

    private static string WriteImage(Output output, ImagePart image)
    {
        Utf8JsonWriter json = output.Json;
        bool isShort = output.IsOwn && image.Pointer.EndsWith("/image_url", StringComparison.Ordinal);
        if (isShort)
        {
            json.WriteString("image_url"u8, UrlOf(image.Source));
            return image.Pointer[..^"/image_url".Length];
        }

        json.WriteStartObject("image_url"u8);
        json.WriteString("url"u8, UrlOf(image.Source));
        if (image.Detail is not null)
        {
            json.WriteString("detail"u8, image.Detail);
        }

        WriteExtras(output, image.Extras, $"{image.Pointer}/image_url");
        json.WriteEndObject();
        return image.Pointer;
    }

    private static void WriteFile(Output output, DocumentPart document)
    {
        Utf8JsonWriter json = output.Json;
        json.WriteStartObject("file"u8);
        MediaSource source = document.Source;
        if (source.Base64 is not null || source.Url is not null)
        {
            json.WriteString("file_data"u8, UrlOf(source));
        }

        if (source.FileId is not null)
        {
            json.WriteString("file_id"u8, source.FileId);
        }

        if (document.Name is not null)
        {
            json.WriteString("filename"u8, document.Name);
        }
        else if (!output.IsOwn)
        {
            // OpenAI refuses file data without a name.
            json.WriteString("filename"u8, "document.pdf"u8);
        }

        WriteExtras(output, document.Extras, $"{document.Pointer}/file");
        json.WriteEndObject();
    }

    private static string UrlOf(MediaSource source) =>
        source.Url ?? (source.MediaType is null ? source.Base64 : $"data:{source.MediaType};base64,{source.Base64}") ?? "";
}
