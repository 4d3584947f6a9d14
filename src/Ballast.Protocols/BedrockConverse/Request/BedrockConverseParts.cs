using System.Text;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.BedrockConverse;

/// <summary>
/// Reads content blocks of the Converse API into parts. A block, or a form of one, that the neutral model has no place for stays as it is (<see cref="OpaquePart"/>).
/// A <c>cachePoint</c> stands behind what it caches: it becomes the mark of the part before it.
/// </summary>
internal static class BedrockConverseParts
{
    /// <summary>Issuer of reasoning that bears no mark of another: of the models behind this API only Anthropic's sign theirs.</summary>
    public const string NativeIssuer = "anthropic";

    public static List<Part> ReadContent(ref JsonFields json, string pointer)
    {
        json.ExpectArray(pointer);
        List<Part> parts = [];
        for (int index = 0; json.NextItem(); index++)
        {
            string at = JsonFields.Join(pointer, index);
            if (IsCachePoint(json) && parts.Count > 0 && parts[^1].CacheControl is null)
            {
                parts[^1] = parts[^1] with { CacheControl = ReadCachePoint(ref json, at) };
            }
            else
            {
                parts.Add(ReadPart(ref json, at));
            }
        }

        return parts;
    }

    /// <summary>True for a cache mark that has a neutral form.</summary>
    public static bool IsCachePoint(JsonFields json) =>
        json.HasOnly("cachePoint") && json.NextField(out _) && json.HasOnly("type", "ttl") && HasDefaultType(json);

    public static CacheControl ReadCachePoint(ref JsonFields json, string pointer)
    {
        string? ttl = null;
        JsonFields inside = json;
        json.Skip();
        inside.NextField(out _);
        while (inside.NextField(out ReadOnlySpan<char> name))
        {
            ttl = name is "ttl" && inside.IsString ? inside.Text(pointer, name) : ttl;
            inside.Skip();
        }

        return new CacheControl(pointer, ttl);
    }

    private static bool HasDefaultType(JsonFields json)
    {
        bool isDefault = false;
        while (json.NextField(out ReadOnlySpan<char> name))
        {
            isDefault |= name is "type" && json.IsString && json.Text("", name) == "default";
            if (name is "ttl" && !json.IsString)
            {
                return false;
            }

            json.Skip();
        }

        return isDefault;
    }

    private static Part ReadPart(ref JsonFields json, string pointer)
    {
        json.ExpectObject(pointer);
        JsonFields inside = json;
        RawJson whole = json.Raw();
        if (!inside.NextField(out ReadOnlySpan<char> kind))
        {
            throw JsonFields.Fault(pointer, "must hold a content block.");
        }

        string name = kind.ToString();
        JsonFields rest = inside;
        rest.Skip();
        Part? part = rest.NextField(out _) ? null : name switch
        {
            "text" => new TextPart(inside.Text(pointer, name), pointer),
            "image" => ReadImage(inside, pointer),
            "document" => ReadDocument(inside, pointer),
            "toolUse" => ReadToolUse(ref inside, pointer),
            "toolResult" => ReadToolResult(ref inside, pointer),
            "reasoningContent" => ReadReasoning(inside, pointer),
            _ => null,
        };
        return part ?? new OpaquePart(name, whole, pointer) { Text = BedrockConverseBlockText.Of(name, whole) };
    }

    private static ImagePart? ReadImage(JsonFields json, string pointer)
    {
        if (!json.HasOnly("format", "source"))
        {
            return null;
        }

        string? format = null;
        string? bytes = null;
        while (json.NextField(out ReadOnlySpan<char> name))
        {
            if (name is "format")
            {
                format = json.TextOrNull($"{pointer}/image", name);
            }
            else if (!TryReadSource(ref json, "bytes", $"{pointer}/image/source", out bytes))
            {
                return null;
            }
        }

        return format is null || bytes is null ? null
            : new ImagePart(new MediaSource { MediaType = BedrockConverseMedia.ImageTypeOf(format), MediaTypePointer = $"{pointer}/image/format", Base64 = bytes }, null, pointer);
    }

    private static DocumentPart? ReadDocument(JsonFields json, string pointer)
    {
        string at = $"{pointer}/document";
        if (!json.IsObject)
        {
            return null;
        }

        string? format = null;
        string? documentName = null;
        string? bytes = null;
        string? text = null;
        List<Extra>? extras = null;
        while (json.NextField(out ReadOnlySpan<char> name))
        {
            switch (name)
            {
                case "format":
                    format = json.TextOrNull(at, name);
                    break;
                case "name":
                    documentName = json.TextOrNull(at, name);
                    break;
                case "source":
                    JsonFields again = json;
                    if (!TryReadSource(ref json, "bytes", $"{at}/source", out bytes) && !TryReadSource(ref again, "text", $"{at}/source", out text))
                    {
                        return null;
                    }

                    json = text is null ? json : again;
                    break;
                default:
                    json.Keep(ref extras, at, name);
                    break;
            }
        }

        if (bytes is null && text is null)
        {
            return null;
        }

        if (text is not null && format is not (null or "txt"))
        {
            // Elsewhere a text is a text.
            (extras ??= []).Add(new Extra("format", $"{at}/format", RawJson.OfText(format)) { IsSaid = true });
        }

        string mediaType = BedrockConverseMedia.DocumentTypeOf(format ?? (text is null ? "pdf" : "txt"));
        return new DocumentPart(new MediaSource { MediaType = mediaType, Base64 = bytes }, documentName, pointer)
        {
            Text = text,
            Extras = (IReadOnlyList<Extra>?)extras ?? [],
        };
    }

    /// <summary>Reads a source of one member and that one only.</summary>
    private static bool TryReadSource(ref JsonFields json, string member, string pointer, out string? value)
    {
        value = null;
        if (!json.HasOnly(member))
        {
            return false;
        }

        while (json.NextField(out ReadOnlySpan<char> name))
        {
            value = json.Text(pointer, name);
        }

        return value is not null;
    }

    private static ToolCallPart? ReadToolUse(ref JsonFields json, string pointer)
    {
        string at = $"{pointer}/toolUse";
        json.ExpectObject(at);
        string? id = null;
        string? toolName = null;
        string? arguments = null;
        List<Extra>? extras = null;
        while (json.NextField(out ReadOnlySpan<char> name))
        {
            switch (name)
            {
                case "toolUseId":
                    id = json.Text(at, name);
                    break;
                case "name":
                    toolName = json.Text(at, name);
                    break;
                case "input":
                    arguments = Encoding.UTF8.GetString(json.Raw().Utf8.Span);
                    break;
                case "type" when json.IsString:
                    if (json.Text(at, name) != "tool_use")
                    {
                        // A call that the platform itself runs.
                        return null;
                    }

                    break;
                default:
                    json.Keep(ref extras, at, name);
                    break;
            }
        }

        return new ToolCallPart(
            id ?? throw JsonFields.Fault($"{at}/toolUseId", "is required."),
            toolName ?? throw JsonFields.Fault($"{at}/name", "is required."),
            arguments ?? throw JsonFields.Fault($"{at}/input", "is required."),
            pointer) { Extras = (IReadOnlyList<Extra>?)extras ?? [] };
    }

    private static ToolResultPart? ReadToolResult(ref JsonFields json, string pointer)
    {
        string at = $"{pointer}/toolResult";
        json.ExpectObject(at);
        string? id = null;
        List<Part>? content = null;
        bool isError = false;
        List<Extra>? extras = null;
        while (json.NextField(out ReadOnlySpan<char> name))
        {
            switch (name)
            {
                case "content" or "status" when json.IsNull:
                    break;
                case "toolUseId":
                    id = json.Text(at, name);
                    break;
                case "content":
                    content = ReadContent(ref json, $"{at}/content");
                    break;
                case "status" when json.IsString && json.Text(at, name) is "error" or "success":
                    isError = json.Text(at, name) == "error";
                    break;
                case "type" when json.IsString:
                    return null;
                default:
                    json.Keep(ref extras, at, name);
                    break;
            }
        }

        return new ToolResultPart(id ?? throw JsonFields.Fault($"{at}/toolUseId", "is required."), (IReadOnlyList<Part>?)content ?? [], pointer)
        {
            IsError = isError,
            Extras = (IReadOnlyList<Extra>?)extras ?? [],
        };
    }

    private static Part? ReadReasoning(JsonFields json, string pointer)
    {
        string at = $"{pointer}/reasoningContent";
        if (json.HasOnly("redactedContent"))
        {
            string? data = null;
            while (json.NextField(out ReadOnlySpan<char> name))
            {
                data = json.Text(at, name);
            }

            return data is null ? null : Redacted(BedrockConverseThinking.DataOf(data), pointer);
        }

        if (!json.HasOnly("reasoningText") || !json.NextField(out _) || !json.HasOnly("text", "signature"))
        {
            return null;
        }

        string? text = null;
        string? signature = null;
        while (json.NextField(out ReadOnlySpan<char> name))
        {
            string? value = json.TextOrNull($"{at}/reasoningText", name);
            text = name is "text" ? value : text;
            signature = name is "signature" ? value : signature;
        }

        if (string.IsNullOrEmpty(signature))
        {
            return new ThinkingPart(text ?? "", pointer);
        }

        return ForeignThinking.TryUnwrap(signature, out string issuer, out string? foreign)
            ? new ThinkingPart(text ?? "", pointer) { Signature = foreign, Issuer = issuer }
            : new ThinkingPart(text ?? "", pointer) { Signature = signature, Issuer = NativeIssuer };
    }

    private static RedactedThinkingPart Redacted(string data, string pointer) =>
        ForeignThinking.TryUnwrap(data, out string issuer, out string? foreign)
            ? new RedactedThinkingPart(foreign ?? "", issuer, pointer)
            : new RedactedThinkingPart(data, NativeIssuer, pointer);
}
