using System.Text;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.AnthropicMessages;

/// <summary>
/// Reads content blocks of the Messages API into parts. A block, or a form of one, that the neutral model has no place for stays as it is (<see cref="OpaquePart"/>).
/// </summary>
internal static class AnthropicMessagesParts
{
    /// <summary>Issuer of reasoning that bears no mark of another.</summary>
    public const string NativeIssuer = "anthropic";

    /// <summary>Reads the value of a <c>content</c> field: text, or a list of blocks.</summary>
    /// <param name="json">Stands on the value.</param>
    /// <param name="textPointer">Where the text lies if it is one.</param>
    /// <param name="listPointer">Where the list lies if it is one.</param>
    public static List<Part> ReadContent(ref JsonFields json, string textPointer, string listPointer)
    {
        if (json.IsString)
        {
            return [new TextPart(json.Text(textPointer), textPointer)];
        }

        if (!json.IsArray)
        {
            throw JsonFields.Fault(listPointer, "must be a string or an array of content blocks.");
        }

        List<Part> parts = [];
        while (json.NextItem())
        {
            parts.Add(ReadPart(ref json, JsonFields.Join(listPointer, parts.Count)));
        }

        return parts;
    }

    /// <summary>Reads a cache mark; one with more than a lifetime is kept as it is.</summary>
    public static CacheControl? ReadCacheControl(ref JsonFields json, string pointer, ref List<Extra>? extras)
    {
        string place = $"{pointer}/cache_control";
        json.ExpectObject(place);
        JsonFields inside = json;
        string? ttl = null;
        bool isKnown = true;
        while (inside.NextField(out ReadOnlySpan<char> name))
        {
            switch (name)
            {
                case "type":
                    isKnown &= inside.Text(place, name) == "ephemeral";
                    break;
                case "ttl" when !inside.IsNull:
                    ttl = inside.Text(place, name);
                    break;
                default:
                    isKnown = false;
                    inside.Skip();
                    break;
            }
        }

        if (!isKnown)
        {
            json.Keep(ref extras, pointer, "cache_control");
            return null;
        }

        json.Skip();
        return new CacheControl(place, ttl);
    }

    private static Part ReadPart(ref JsonFields json, string pointer)
    {
        string type = json.TypeHere(pointer);
        switch (type)
        {
            case "text":
            case "thinking":
            case "redacted_thinking":
                return ReadTextual(ref json, pointer, type);
            case "image" when CanRead(json, pointer, "base64", "url", "file"):
            case "document" when CanRead(json, pointer, "base64", "url", "file", "text"):
                return ReadMedia(ref json, pointer, type);
            case "tool_use":
                return ReadToolCall(ref json, pointer);
            case "tool_result":
                return ReadToolResult(ref json, pointer);
            case "":
                throw JsonFields.Fault($"{pointer}/type", "is required.");
            default:
                RawJson raw = json.Raw();
                return new OpaquePart(type, raw, pointer) { Text = type is "search_result" or "document" ? AnthropicMessagesBlockText.Of(raw) : null };
        }
    }

    private static Part ReadTextual(ref JsonFields json, string pointer, string type)
    {
        string? text = null;
        string? signature = null;
        CacheControl? cacheControl = null;
        List<Extra>? extras = null;
        string textName = type == "redacted_thinking" ? "data" : type;
        while (json.NextField(out ReadOnlySpan<char> name))
        {
            if (name is "type")
            {
                json.Skip();
                continue;
            }

            if (name.SequenceEqual(textName))
            {
                text = json.Text(pointer, name);
            }
            else if (name is "signature" && type == "thinking")
            {
                signature = json.TextOrNull(pointer, name);
            }
            else if (!TryReadCommon(ref json, pointer, name, ref cacheControl))
            {
                json.Keep(ref extras, pointer, name);
            }
        }

        if (text is null)
        {
            throw JsonFields.Fault($"{pointer}/{textName}", "is required.");
        }

        Part part = type switch
        {
            "text" => new TextPart(text, pointer),
            "thinking" => Thinking(text, signature, pointer),
            _ => ForeignThinking.TryUnwrap(text, out string issuer, out string? data)
                ? new RedactedThinkingPart(data ?? "", issuer, pointer)
                : new RedactedThinkingPart(text, NativeIssuer, pointer),
        };
        return part with { CacheControl = cacheControl, Extras = (IReadOnlyList<Extra>?)extras ?? [] };
    }

    private static ThinkingPart Thinking(string text, string? signature, string pointer)
    {
        if (string.IsNullOrEmpty(signature))
        {
            return new ThinkingPart(text, pointer);
        }

        return ForeignThinking.TryUnwrap(signature, out string issuer, out string? foreign)
            ? new ThinkingPart(text, pointer) { Signature = foreign, Issuer = issuer }
            : new ThinkingPart(text, pointer) { Signature = signature, Issuer = NativeIssuer };
    }

    /// <summary>A cache mark that has a neutral form; any other falls to the extras.</summary>
    private static bool TryReadCommon(ref JsonFields json, string pointer, scoped ReadOnlySpan<char> name, ref CacheControl? cacheControl)
    {
        if (name is not "cache_control")
        {
            return false;
        }

        if (json.IsNull)
        {
            return true;
        }

        List<Extra>? unknown = null;
        JsonFields inside = json;
        cacheControl = ReadCacheControl(ref inside, pointer, ref unknown);
        if (unknown is not null)
        {
            return false;
        }

        json = inside;
        return true;
    }

    /// <summary>True where the block's source is of one of the given types and whole.</summary>
    private static bool CanRead(JsonFields json, string pointer, params ReadOnlySpan<string> sourceTypes)
    {
        while (json.NextField(out ReadOnlySpan<char> name))
        {
            if (name is "source")
            {
                return json.IsObject && sourceTypes.Contains(json.TypeHere($"{pointer}/source"));
            }

            json.Skip();
        }

        return false;
    }

    private static Part ReadMedia(ref JsonFields json, string pointer, string type)
    {
        MediaSource source = new();
        string? text = null;
        string? title = null;
        CacheControl? cacheControl = null;
        List<Extra>? extras = null;
        while (json.NextField(out ReadOnlySpan<char> name))
        {
            switch (name)
            {
                case "type":
                    json.Skip();
                    break;
                case "source":
                    source = ReadSource(ref json, $"{pointer}/source", ref text, ref extras);
                    break;
                case "title" when type == "document":
                    title = json.TextOrNull(pointer, name);
                    break;
                default:
                    if (!TryReadCommon(ref json, pointer, name, ref cacheControl))
                    {
                        json.Keep(ref extras, pointer, name);
                    }

                    break;
            }
        }

        Part part = type == "image" ? new ImagePart(source, null, pointer) : new DocumentPart(source, title, pointer) { Text = text };
        return part with { CacheControl = cacheControl, Extras = (IReadOnlyList<Extra>?)extras ?? [] };
    }

    private const string PlainText = "text/plain";

    private static MediaSource ReadSource(ref JsonFields json, string pointer, ref string? text, ref List<Extra>? extras)
    {
        string type = json.TypeHere(pointer);
        string field = type switch { "url" => "url", "file" => "file_id", _ => "data" };
        string? value = null;
        string? mediaType = null;
        while (json.NextField(out ReadOnlySpan<char> name))
        {
            if (name is "type")
            {
                json.Skip();
                continue;
            }

            if (name.SequenceEqual(field))
            {
                value = json.Text(pointer, name);
            }
            else if (name is "media_type")
            {
                mediaType = json.TextOrNull(pointer, name);
            }
            else
            {
                json.Keep(ref extras, pointer, name);
            }
        }

        if (value is null)
        {
            throw JsonFields.Fault($"{pointer}/{field}", "is required.");
        }

        text = type == "text" ? value : null;
        if (text is not null && mediaType is not (null or PlainText))
        {
            // Elsewhere a text is a text.
            (extras ??= []).Add(new Extra("media_type", $"{pointer}/media_type", RawJson.OfText(mediaType)) { IsSaid = true });
        }

        return new MediaSource
        {
            MediaType = mediaType,
            MediaTypePointer = mediaType is null ? null : $"{pointer}/media_type",
            Base64 = type == "base64" ? value : null,
            Url = type == "url" ? value : null,
            FileId = type == "file" ? value : null,
        };
    }

    private static ToolCallPart ReadToolCall(ref JsonFields json, string pointer)
    {
        string? id = null;
        string? toolName = null;
        string? arguments = null;
        CacheControl? cacheControl = null;
        List<Extra>? extras = null;
        while (json.NextField(out ReadOnlySpan<char> name))
        {
            switch (name)
            {
                case "type":
                    json.Skip();
                    break;
                case "id":
                    id = json.Text(pointer, name);
                    break;
                case "name":
                    toolName = json.Text(pointer, name);
                    break;
                case "input":
                    json.ExpectObject($"{pointer}/input");
                    arguments = Encoding.UTF8.GetString(json.Raw().Utf8.Span);
                    break;
                default:
                    if (!TryReadCommon(ref json, pointer, name, ref cacheControl))
                    {
                        json.Keep(ref extras, pointer, name);
                    }

                    break;
            }
        }

        return new ToolCallPart(
            id ?? throw JsonFields.Fault($"{pointer}/id", "is required."),
            toolName ?? throw JsonFields.Fault($"{pointer}/name", "is required."),
            arguments ?? throw JsonFields.Fault($"{pointer}/input", "is required."),
            pointer) { CacheControl = cacheControl, Extras = (IReadOnlyList<Extra>?)extras ?? [] };
    }

    private static ToolResultPart ReadToolResult(ref JsonFields json, string pointer)
    {
        string? callId = null;
        List<Part>? content = null;
        bool isError = false;
        CacheControl? cacheControl = null;
        List<Extra>? extras = null;
        while (json.NextField(out ReadOnlySpan<char> name))
        {
            switch (name)
            {
                case "type":
                case "content" or "is_error" when json.IsNull:
                    json.Skip();
                    break;
                case "tool_use_id":
                    callId = json.Text(pointer, name);
                    break;
                case "content":
                    content = ReadContent(ref json, $"{pointer}/content", $"{pointer}/content");
                    break;
                case "is_error":
                    isError = json.Truth(pointer, name);
                    break;
                default:
                    if (!TryReadCommon(ref json, pointer, name, ref cacheControl))
                    {
                        json.Keep(ref extras, pointer, name);
                    }

                    break;
            }
        }

        return new ToolResultPart(
            callId ?? throw JsonFields.Fault($"{pointer}/tool_use_id", "is required."), (IReadOnlyList<Part>?)content ?? [], pointer)
        {
            IsError = isError,
            CacheControl = cacheControl,
            Extras = (IReadOnlyList<Extra>?)extras ?? [],
        };
    }
}
