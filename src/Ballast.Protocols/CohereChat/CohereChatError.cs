using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.CohereChat;

/// <summary>Errors: <c>{"id":…,"message":…}</c>, sometimes with an <c>error_type</c> (https://docs.cohere.com/reference/errors). The status tells the kind.</summary>
internal static class CohereChatError
{
    /// <summary>Longest message passed on, in characters.</summary>
    public const int MessageLengthMax = 4096;

    public static ChatError Read(int status, ReadOnlyMemory<byte> body)
    {
        string? message = null;
        string? type = null;
        try
        {
            using JsonDocument document = JsonDocument.Parse(body);
            JsonElement root = document.RootElement;
            // Proxies before it answer in OpenAI's form.
            root = root.ValueKind == JsonValueKind.Object && root.TryGetProperty("error"u8, out JsonElement error) && error.ValueKind == JsonValueKind.Object ? error : root;
            message = Word(root, "message"u8) ?? Word(root, "error"u8) ?? Word(root, "detail"u8);
            type = Word(root, "error_type"u8) ?? Word(root, "code"u8);
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            message = null;
        }

        message = message?.Trim();
        bool isReadable = !string.IsNullOrEmpty(message) && !message.StartsWith('<');
        string text = isReadable ? message! : status > 0
            ? string.Create(CultureInfo.InvariantCulture, $"The upstream answered {status} without a readable error.")
            : "The upstream reported an error without a message.";
        return new ChatError(KindOf(status, type, text), text.Length <= MessageLengthMax ? text : text[..MessageLengthMax])
        {
            Code = type,
            UpstreamStatus = status > 0 ? status : null,
        };
    }

    private static string? Word(JsonElement element, ReadOnlySpan<byte> name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static ChatErrorKind KindOf(int status, string? type, string message)
    {
        if (status is 0 or 400 or 413 or 422
            && (type == "TOO_MANY_TOKENS" || message.StartsWith("too many tokens", StringComparison.OrdinalIgnoreCase)))
        {
            return ChatErrorKind.ContextLengthExceeded;
        }

        if (status == 429 && message.Contains("/ month", StringComparison.OrdinalIgnoreCase))
        {
            return ChatErrorKind.QuotaExceeded;
        }

        return status switch
        {
            400 => ChatErrorKind.InvalidRequest,
            401 or 498 => ChatErrorKind.Authentication,
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
            >= 400 and < 500 => ChatErrorKind.InvalidRequest,
            _ => ChatErrorKind.ServerError,
        };
    }

    public static int StatusOf(ChatError error) => error.UpstreamStatus switch
    {
        529 => 503,
        int status and >= 400 and <= 511 => status,
        _ => error.Kind switch
        {
            ChatErrorKind.Authentication => 401,
            ChatErrorKind.Permission => 403,
            ChatErrorKind.NotFound => 404,
            ChatErrorKind.MethodNotAllowed => 405,
            ChatErrorKind.RequestTimeout => 408,
            ChatErrorKind.Conflict => 409,
            ChatErrorKind.RequestTooLarge => 413,
            ChatErrorKind.Unprocessable => 422,
            ChatErrorKind.RateLimited or ChatErrorKind.QuotaExceeded => 429,
            ChatErrorKind.ServerError => 500,
            ChatErrorKind.NotSupported => 501,
            ChatErrorKind.BadGateway => 502,
            ChatErrorKind.Unavailable or ChatErrorKind.Overloaded => 503,
            ChatErrorKind.Timeout => 504,
            _ => 400,
        },
    };

    public static string TextOf(ChatError error) => error.Hint is null ? error.Message : $"{error.Message} Hint: {error.Hint}";

    public static void Write(ChatError error, Utf8JsonWriter json)
    {
        json.WriteStartObject();
        if (error.RequestId is not null)
        {
            json.WriteString("id"u8, error.RequestId);
        }

        json.WriteString("message"u8, TextOf(error));
        string? type = error.Code ?? (error.Kind == ChatErrorKind.ContextLengthExceeded ? "TOO_MANY_TOKENS" : null);
        if (type is not null)
        {
            json.WriteString("error_type"u8, type);
        }

        json.WriteEndObject();
    }

    public static bool TrySplice(ReadOnlyMemory<byte> body, string requestId, IBufferWriter<byte> output)
    {
        BodyFields fields;
        try
        {
            fields = BodyFields.Read(body);
            if (fields.KindOf("message") != (byte)'"' || fields.Text("message").Length == 0)
            {
                return false;
            }
        }
        catch (ProtocolException)
        {
            return false;
        }

        byte[] id = Encoding.UTF8.GetBytes($"\"{JsonEncodedText.Encode(requestId)}\"");
        JsonSpan known = fields.Find("id");
        JsonSpan message = fields.Find("message");
        JsonSplice.Write(
            body.Span,
            [known.IsPresent ? new JsonEdit(known, id) : new JsonEdit(new JsonSpan(message.End, 0), (byte[])[.. ",\"id\":"u8, .. id])],
            output);
        return true;
    }

    public static long? Count(string? value) => long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out long count) ? count : null;
}
