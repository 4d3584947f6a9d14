using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.AnthropicMessages;

/// <summary>
/// Errors of the Messages API (https://docs.anthropic.com/en/api/errors): <c>{"type":"error","error":{"type","message"},"request_id"}</c>. Ballast adds <c>code</c>
/// beside <c>type</c> where an error has one. Quota that is used up is 402 <c>billing_error</c>, not 429: clients repeat a 429, which would not help.
/// </summary>
internal static class AnthropicMessagesError
{
    /// <summary>Longest message passed on, in UTF-16 code units.</summary>
    public const int MessageLengthMax = 4096;

    /// <summary>Longest code, type or field name passed on, in UTF-16 code units.</summary>
    public const int WordLengthMax = 256;

    /// <summary>The word by which Anthropic's clients know that they must send the conversation whole, and do so by themselves.</summary>
    private const string ThreadNotFoundCode = "thread_not_found";

    /// <summary>
    /// What a request is told that goes on from messages of which only their vendor could know (beta <c>message-threads</c>): sent on, it would be answered as if
    /// nothing had been said before.
    /// </summary>
    public static ChatError ThreadNotFound { get; } = new(ChatErrorKind.NotFound, "thread: this gateway holds no message threads, so that what was said before is not known.")
    {
        Code = ThreadNotFoundCode,
        Param = "thread",
        Hint = "Send the whole conversation in 'messages', without 'thread'; Anthropic's clients do so by themselves.",
    };

    /// <summary>Reads an error body of any form. A status below 400 says that the error came inside an answer that had begun well.</summary>
    public static ChatError Read(int status, ReadOnlyMemory<byte> body)
    {
        Found found = default;
        try
        {
            Utf8JsonReader json = new(body.Span, JsonFields.ReaderOptions);
            json.Read();
            ReadObject(ref json, ref found);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // HTML, plain text, half a body: whatever was found before the fault counts, the rest is not for the caller.
        }

        string message = string.IsNullOrWhiteSpace(found.Message) || found.Message.Contains("<html", StringComparison.OrdinalIgnoreCase)
            ? status >= 400 ? $"The upstream answered {status} without a readable error." : "The upstream reported an error without a message."
            : Cut(found.Message, MessageLengthMax);
        return new ChatError(KindOf(status, found, message), message)
        {
            Code = found.Code is null ? null : Cut(found.Code, WordLengthMax),
            Type = found.Type is null ? null : Cut(found.Type, WordLengthMax),
            Param = found.Param is null ? null : Cut(found.Param, WordLengthMax),
            UpstreamStatus = status >= 400 ? status : null,
            RetryAfter = found.RetryDelay,
        };
    }

    public static int StatusOf(ChatError error)
    {
        if (error.UpstreamStatus is int upstream && upstream is >= 400 and <= 599 && KindOfStatus(upstream) == error.Kind)
        {
            return upstream;
        }

        return error.Kind switch
        {
            ChatErrorKind.InvalidRequest or ChatErrorKind.ContextLengthExceeded or ChatErrorKind.ContentFiltered => 400,
            ChatErrorKind.Authentication => 401,
            ChatErrorKind.QuotaExceeded => 402,
            ChatErrorKind.Permission => 403,
            ChatErrorKind.NotFound => 404,
            ChatErrorKind.MethodNotAllowed => 405,
            ChatErrorKind.RequestTimeout => 408,
            ChatErrorKind.Conflict => 409,
            ChatErrorKind.RequestTooLarge => 413,
            ChatErrorKind.Unprocessable => 422,
            ChatErrorKind.RateLimited => 429,
            ChatErrorKind.NotSupported => 501,
            ChatErrorKind.BadGateway => 502,
            ChatErrorKind.Unavailable => 503,
            ChatErrorKind.Timeout => 504,
            ChatErrorKind.Overloaded => 529,
            _ => 500,
        };
    }

    public static void Write(ChatError error, IBufferWriter<byte> output)
    {
        using Utf8JsonWriter json = new(output, JsonFields.WriterOptions);
        json.WriteStartObject();
        json.WriteString("type"u8, "error"u8);
        json.WriteStartObject("error"u8);
        json.WriteString("type"u8, TypeOf(error.Kind));
        if (error.Code is not null)
        {
            json.WriteString("code"u8, error.Code);
        }

        json.WriteString("message"u8, error.Hint is null ? error.Message : $"{error.Message} Hint: {error.Hint}");
        if (error.Code == ThreadNotFoundCode)
        {
            json.WriteStartObject("details"u8);
            json.WriteString("error_code"u8, ThreadNotFoundCode);
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.WriteString("request_id"u8, error.RequestId);
        json.WriteEndObject();
    }

    /// <summary>Writes a vendor's own error with the caller's request id; false where it is none.</summary>
    public static bool TrySplice(ReadOnlyMemory<byte> body, string requestId, IBufferWriter<byte> output)
    {
        if (!IsOwn(body))
        {
            return false;
        }

        JsonSpan id = AnthropicMessagesPeek.FindField(body, "request_id"u8);
        JsonEdit edit = id.IsPresent
            ? new JsonEdit(id, Encoding.UTF8.GetBytes($"\"{requestId}\""))
            : new JsonEdit(new JsonSpan(AnthropicMessagesPeek.FindField(body, "type"u8).End, 0), Encoding.UTF8.GetBytes($",\"request_id\":\"{requestId}\""));
        JsonSplice.Write(body.Span, [edit], output);
        return true;
    }

    private static bool IsOwn(ReadOnlyMemory<byte> body)
    {
        if (!Utf8.IsValid(body.Span))
        {
            return false;
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(body);
            return document.RootElement is { ValueKind: JsonValueKind.Object } root
                && root.TryGetProperty("type"u8, out JsonElement kind) && kind.ValueKind == JsonValueKind.String && kind.ValueEquals("error"u8)
                && root.TryGetProperty("error"u8, out JsonElement error) && error.ValueKind == JsonValueKind.Object
                && error.TryGetProperty("type"u8, out JsonElement type) && type.ValueKind == JsonValueKind.String
                && error.TryGetProperty("message"u8, out JsonElement message) && message.ValueKind == JsonValueKind.String;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static ReadOnlySpan<byte> TypeOf(ChatErrorKind kind) => kind switch
    {
        ChatErrorKind.Authentication => "authentication_error"u8,
        ChatErrorKind.QuotaExceeded => "billing_error"u8,
        ChatErrorKind.Permission => "permission_error"u8,
        ChatErrorKind.NotFound => "not_found_error"u8,
        ChatErrorKind.Conflict => "conflict_error"u8,
        ChatErrorKind.RequestTooLarge => "request_too_large"u8,
        ChatErrorKind.RateLimited => "rate_limit_error"u8,
        ChatErrorKind.Timeout => "timeout_error"u8,
        ChatErrorKind.Overloaded => "overloaded_error"u8,
        ChatErrorKind.ServerError or ChatErrorKind.NotSupported or ChatErrorKind.BadGateway or ChatErrorKind.Unavailable => "api_error"u8,
        _ => "invalid_request_error"u8,
    };

    private static ChatErrorKind KindOf(int status, in Found found, string message)
    {
        ChatErrorKind? byType = found.Type switch
        {
            "authentication_error" => ChatErrorKind.Authentication,
            "billing_error" or "insufficient_quota" => ChatErrorKind.QuotaExceeded,
            "permission_error" => ChatErrorKind.Permission,
            "not_found_error" => ChatErrorKind.NotFound,
            "conflict_error" => ChatErrorKind.Conflict,
            "request_too_large" => ChatErrorKind.RequestTooLarge,
            "rate_limit_error" => ChatErrorKind.RateLimited,
            "timeout_error" => ChatErrorKind.Timeout,
            "overloaded_error" => ChatErrorKind.Overloaded,
            "api_error" => ChatErrorKind.ServerError,
            "invalid_request_error" => ChatErrorKind.InvalidRequest,
            _ => null,
        };

        // The status is the surer word where there is one; the type tells only the kinds apart that share a status.
        ChatErrorKind kind = status >= 400 ? KindOfStatus(status) : byType ?? ChatErrorKind.ServerError;
        if (kind is ChatErrorKind.InvalidRequest or ChatErrorKind.RateLimited && IsQuota(found, message))
        {
            return ChatErrorKind.QuotaExceeded;
        }

        if (kind is ChatErrorKind.InvalidRequest && IsContextLength(found, message))
        {
            return ChatErrorKind.ContextLengthExceeded;
        }

        return kind is ChatErrorKind.InvalidRequest && found.Code == "content_filter" ? ChatErrorKind.ContentFiltered : kind;
    }

    private static ChatErrorKind KindOfStatus(int status) => status switch
    {
        401 => ChatErrorKind.Authentication,
        402 => ChatErrorKind.QuotaExceeded,
        403 => ChatErrorKind.Permission,
        404 => ChatErrorKind.NotFound,
        405 => ChatErrorKind.MethodNotAllowed,
        408 or 504 => ChatErrorKind.Timeout,
        409 => ChatErrorKind.Conflict,
        413 => ChatErrorKind.RequestTooLarge,
        422 => ChatErrorKind.Unprocessable,
        429 => ChatErrorKind.RateLimited,
        501 => ChatErrorKind.NotSupported,
        502 => ChatErrorKind.BadGateway,
        503 => ChatErrorKind.Unavailable,
        529 => ChatErrorKind.Overloaded,
        < 500 => ChatErrorKind.InvalidRequest,
        _ => ChatErrorKind.ServerError,
    };

    private static bool IsQuota(in Found found, string message) =>
        found.Type is "billing_error" or "insufficient_quota"
        || found.Code is "insufficient_quota"
        || message.Contains("credit balance is too low", StringComparison.OrdinalIgnoreCase);

    private static bool IsContextLength(in Found found, string message) =>
        found.Code is "context_length_exceeded"
        || message.Contains("prompt is too long", StringComparison.OrdinalIgnoreCase)
        || message.Contains("exceed context limit", StringComparison.OrdinalIgnoreCase)
        || message.Contains("maximum context length", StringComparison.OrdinalIgnoreCase);

    /// <summary>Takes what is known from an error object, from the one inside it, or from the flat forms that proxies and clouds use.</summary>
    private static void ReadObject(ref Utf8JsonReader json, ref Found found)
    {
        if (json.TokenType == JsonTokenType.StartArray)
        {
            json.Read();
        }

        if (json.TokenType != JsonTokenType.StartObject)
        {
            return;
        }

        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("error"u8))
            {
                json.Read();
                if (json.TokenType == JsonTokenType.String)
                {
                    found.Message ??= JsonText.Lenient(ref json);
                }
                else if (json.TokenType == JsonTokenType.StartObject)
                {
                    Found inner = default;
                    ReadObject(ref json, ref inner);
                    found = new Found(
                        inner.Message ?? found.Message, inner.Type ?? found.Type, inner.Code ?? found.Code, inner.Param ?? found.Param, inner.RetryDelay ?? found.RetryDelay);
                }
                else
                {
                    json.Skip();
                }

                continue;
            }

            if (json.ValueTextEquals("details"u8))
            {
                json.Read();
                ReadDetails(ref json, ref found);
                continue;
            }

            ReadWord(ref json, ref found);
        }
    }

    /// <summary>Google, which serves these models too, tells in its own form of error how long to wait, and in no header.</summary>
    private static void ReadDetails(ref Utf8JsonReader json, ref Found found)
    {
        int depth = json.CurrentDepth;
        if (json.TokenType != JsonTokenType.StartArray)
        {
            json.Skip();
            return;
        }

        while (json.Read() && json.CurrentDepth > depth)
        {
            if (json.TokenType == JsonTokenType.PropertyName && json.ValueTextEquals("retryDelay"u8) && json.Read() && json.TokenType == JsonTokenType.String)
            {
                found.RetryDelay ??= Delay(JsonText.Lenient(ref json));
            }
        }
    }

    /// <summary>A duration as Google writes one: <c>48.939935699s</c>.</summary>
    private static TimeSpan? Delay(string text) =>
        text.EndsWith('s') && double.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double seconds)
            && seconds <= TimeSpan.FromDays(1).TotalSeconds
            ? TimeSpan.FromSeconds(seconds)
            : null;

    private static void ReadWord(ref Utf8JsonReader json, ref Found found)
    {
        int field = json.ValueTextEquals("message"u8) || json.ValueTextEquals("detail"u8) || json.ValueTextEquals("Message"u8) ? 1
            : json.ValueTextEquals("type"u8) ? 2
            : json.ValueTextEquals("code"u8) ? 3
            : json.ValueTextEquals("param"u8) ? 4
            : 0;
        json.Read();
        if (field == 0 || json.TokenType is not (JsonTokenType.String or JsonTokenType.Number))
        {
            json.Skip();
            return;
        }

        string word = json.TokenType == JsonTokenType.String ? JsonText.Lenient(ref json) : Encoding.UTF8.GetString(json.ValueSpan);
        switch (field)
        {
            case 1:
                found.Message ??= word;
                break;
            case 2 when word != "error":
                found.Type ??= word;
                break;
            case 3:
                found.Code ??= word;
                break;
            case 4:
                found.Param ??= word;
                break;
        }
    }

    private static string Cut(string text, int lengthMax)
    {
        if (text.Length <= lengthMax)
        {
            return text;
        }

        return text[..(char.IsHighSurrogate(text[lengthMax - 1]) ? lengthMax - 1 : lengthMax)];
    }

    private record struct Found(string? Message, string? Type, string? Code, string? Param, TimeSpan? RetryDelay);
}
