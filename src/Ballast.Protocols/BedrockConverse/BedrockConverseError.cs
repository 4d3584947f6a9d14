using System.Buffers;
using System.Text;
using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.BedrockConverse;

/// <summary>
/// Errors of the Bedrock runtime: <c>{"message"}</c>, their type in the header <c>x-amzn-ErrorType</c> or as <c>__type</c> in the body, where SDKs look for it as well:
/// Ballast writes it there, and beside it its own <c>reason</c>, <c>field</c> and <c>requestId</c>. In a stream an exception is a message of its own.
/// </summary>
internal static class BedrockConverseError
{
    /// <summary>Longest message passed on, in UTF-16 code units.</summary>
    public const int MessageLengthMax = 4096;

    /// <summary>Longest type, code or field name passed on, in UTF-16 code units.</summary>
    public const int WordLengthMax = 256;

    /// <summary>A model that caches no prompts refuses a mark of the cache in the words in which a key is refused.</summary>
    private const string CachePhrase = "did not allow prompt caching";

    /// <summary>The types that say more than their status does.</summary>
    private static readonly (string Type, ChatErrorKind Kind)[] s_types =
    [
        ("ThrottlingException", ChatErrorKind.RateLimited),
        ("ServiceQuotaExceededException", ChatErrorKind.QuotaExceeded),
        ("ModelNotReadyException", ChatErrorKind.Unavailable),
        ("ServiceUnavailableException", ChatErrorKind.Unavailable),
        ("ModelTimeoutException", ChatErrorKind.Timeout),
        ("ModelErrorException", ChatErrorKind.ServerError),
        ("ModelStreamErrorException", ChatErrorKind.ServerError),
        ("InternalServerException", ChatErrorKind.ServerError),
        ("AccessDeniedException", ChatErrorKind.Permission),
        ("ResourceNotFoundException", ChatErrorKind.NotFound),
        ("ConflictException", ChatErrorKind.Conflict),
        ("UnrecognizedClientException", ChatErrorKind.Authentication),
        ("ExpiredTokenException", ChatErrorKind.Authentication),
        ("InvalidSignatureException", ChatErrorKind.Authentication),
        ("IncompleteSignatureException", ChatErrorKind.Authentication),
        ("MissingAuthenticationTokenException", ChatErrorKind.Authentication),
    ];

    private static readonly string[] s_contextPhrases =
        ["Input Tokens Exceeded", "Input is too long", "prompt is too long", "maximum context length", "exceed context limit", "Too many input tokens"];

    /// <summary>Reads an error body of any form. A status below 400 says that the error came inside an answer that had begun well.</summary>
    public static ChatError Read(int status, ReadOnlyMemory<byte> body, string? type = null) =>
        Make(status, Find(body.Span), string.IsNullOrEmpty(type) ? null : Bare(type));

    /// <summary>Reads an exception of a stream.</summary>
    public static ChatError Read(in EventStreamMessage message)
    {
        Found found = Find(message.Payload);
        if (!message.ErrorMessage.IsEmpty)
        {
            found.Message = Encoding.UTF8.GetString(message.ErrorMessage);
        }

        // In a stream the name begins in lower case.
        string name = Encoding.UTF8.GetString(message.EventType);
        return Make(200, found, name.Length == 0 ? null : char.ToUpperInvariant(name[0]) + name[1..]);
    }

    public static int StatusOf(ChatError error)
    {
        if (error.UpstreamStatus is int upstream && upstream is >= 400 and <= 599 && KindOfStatus(upstream) == error.Kind)
        {
            return upstream;
        }

        return error.Kind switch
        {
            ChatErrorKind.InvalidRequest or ChatErrorKind.ContextLengthExceeded or ChatErrorKind.ContentFiltered or ChatErrorKind.QuotaExceeded => 400,
            ChatErrorKind.Authentication or ChatErrorKind.Permission => 403,
            ChatErrorKind.NotFound => 404,
            ChatErrorKind.MethodNotAllowed => 405,
            ChatErrorKind.Timeout or ChatErrorKind.RequestTimeout => 408,
            ChatErrorKind.Conflict => 409,
            ChatErrorKind.RequestTooLarge => 413,
            ChatErrorKind.Unprocessable => 422,
            ChatErrorKind.RateLimited => 429,
            ChatErrorKind.NotSupported => 501,
            ChatErrorKind.BadGateway => 502,
            ChatErrorKind.Unavailable or ChatErrorKind.Overloaded => 503,
            _ => 500,
        };
    }

    public static void Write(ChatError error, IBufferWriter<byte> output)
    {
        using Utf8JsonWriter json = new(output, JsonFields.WriterOptions);
        json.WriteStartObject();
        json.WriteString("__type"u8, TypeOf(error));
        json.WriteString("message"u8, error.Hint is null ? error.Message : $"{error.Message} Hint: {error.Hint}");
        WriteWord(json, "reason", error.Code);
        WriteWord(json, "field", error.Param);
        WriteWord(json, "requestId", error.RequestId);
        json.WriteEndObject();
    }

    public static void WriteException(ChatError error, IBufferWriter<byte> output)
    {
        ArrayBufferWriter<byte> payload = new();
        Write(error, payload);
        ReadOnlySpan<byte> type = error.Kind switch
        {
            ChatErrorKind.RateLimited => "throttlingException"u8,
            ChatErrorKind.Unavailable or ChatErrorKind.Overloaded => "serviceUnavailableException"u8,
            ChatErrorKind.BadGateway or ChatErrorKind.Timeout => "modelStreamErrorException"u8,
            ChatErrorKind.InvalidRequest or ChatErrorKind.ContextLengthExceeded or ChatErrorKind.ContentFiltered => "validationException"u8,
            _ => "internalServerException"u8,
        };
        EventStream.WriteException(output, type, payload.WrittenSpan);
    }

    /// <summary>True for a body that names its type itself: the only form in which it can go on as it is.</summary>
    public static bool IsOwn(ReadOnlyMemory<byte> body)
    {
        Found found = Find(body.Span);
        return found is { IsWhole: true, Message: not null, Type: not null };
    }

    private static ChatError Make(int status, in Found found, string? typeAtHand)
    {
        string? type = typeAtHand ?? found.Type;
        string message = string.IsNullOrWhiteSpace(found.Message) || found.Message.Contains("<html", StringComparison.OrdinalIgnoreCase)
            ? status >= 400 ? $"The upstream answered {status} without a readable error." : "The upstream reported an error without a message."
            : Cut(found.Message, MessageLengthMax);
        return new ChatError(KindOf(status, type, message), message)
        {
            Code = found.Code is null ? null : Cut(found.Code, WordLengthMax),
            Type = type is null ? null : Cut(type, WordLengthMax),
            Param = found.Param is null ? null : Cut(found.Param, WordLengthMax),
            UpstreamStatus = status >= 400 ? status : null,
        };
    }

    private static ChatErrorKind KindOf(int status, string? type, string message)
    {
        if (message.Contains(CachePhrase, StringComparison.OrdinalIgnoreCase))
        {
            return ChatErrorKind.InvalidRequest;
        }

        ChatErrorKind kind = status >= 400 ? KindOfStatus(status) : type == "ValidationException" ? ChatErrorKind.InvalidRequest : ChatErrorKind.ServerError;
        foreach ((string known, ChatErrorKind meant) in s_types)
        {
            // A server's own trouble does not turn a client's error into another one.
            if (type == known && (status < 400 || kind is ChatErrorKind.InvalidRequest or ChatErrorKind.Permission or ChatErrorKind.RateLimited or ChatErrorKind.ServerError))
            {
                kind = meant;
            }
        }

        return kind == ChatErrorKind.InvalidRequest && Array.Exists(s_contextPhrases, phrase => message.Contains(phrase, StringComparison.OrdinalIgnoreCase))
            ? ChatErrorKind.ContextLengthExceeded
            : kind;
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
        424 => ChatErrorKind.ServerError,
        429 => ChatErrorKind.RateLimited,
        501 => ChatErrorKind.NotSupported,
        502 => ChatErrorKind.BadGateway,
        503 => ChatErrorKind.Unavailable,
        529 => ChatErrorKind.Overloaded,
        < 500 => ChatErrorKind.InvalidRequest,
        _ => ChatErrorKind.ServerError,
    };

    /// <summary>The platform's own word where the error is one of its own, else its word for such a fault.</summary>
    public static string TypeOf(ChatError error) => error.Type is { } own && own.EndsWith("Exception", StringComparison.Ordinal) ? own : error.Kind switch
    {
        ChatErrorKind.Authentication => "UnrecognizedClientException",
        ChatErrorKind.Permission => "AccessDeniedException",
        ChatErrorKind.NotFound => "ResourceNotFoundException",
        ChatErrorKind.Conflict => "ConflictException",
        ChatErrorKind.RateLimited => "ThrottlingException",
        ChatErrorKind.QuotaExceeded => "ServiceQuotaExceededException",
        ChatErrorKind.Unavailable or ChatErrorKind.Overloaded => "ServiceUnavailableException",
        ChatErrorKind.Timeout => "ModelTimeoutException",
        ChatErrorKind.ServerError or ChatErrorKind.BadGateway or ChatErrorKind.NotSupported => "InternalServerException",
        _ => "ValidationException",
    };

    private static void WriteWord(Utf8JsonWriter json, string name, string? value)
    {
        if (value is not null)
        {
            json.WriteString(name, value);
        }
    }

    private static Found Find(ReadOnlySpan<byte> body)
    {
        Found found = default;
        try
        {
            Utf8JsonReader json = new(body, JsonFields.ReaderOptions);
            if (!json.Read() || json.TokenType != JsonTokenType.StartObject)
            {
                return found;
            }

            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                ReadWord(ref json, ref found);
            }

            found.IsWhole = !json.Read();
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // HTML, plain text, half a body: whatever was found before the fault counts, the rest is not for the caller.
        }

        return found;
    }

    private static void ReadWord(ref Utf8JsonReader json, ref Found found)
    {
        int field = json.ValueTextEquals("message"u8) || json.ValueTextEquals("Message"u8) ? 1
            : json.ValueTextEquals("__type"u8) || json.ValueTextEquals("code"u8) ? 2
            : json.ValueTextEquals("reason"u8) ? 3
            : json.ValueTextEquals("field"u8) ? 4
            : 0;
        json.Read();
        if (field == 0 || json.TokenType != JsonTokenType.String)
        {
            json.Skip();
            return;
        }

        string word = JsonText.Read(ref json);
        switch (field)
        {
            case 1:
                found.Message ??= word;
                break;
            case 2:
                found.Type ??= Bare(word);
                break;
            case 3:
                found.Code ??= word;
                break;
            case 4:
                found.Param ??= word;
                break;
        }
    }

    /// <summary>The name without a namespace before it and an address behind it.</summary>
    private static string Bare(string type)
    {
        int colon = type.IndexOf(':');
        string name = colon < 0 ? type : type[..colon];
        return name[(name.IndexOf('#') + 1)..];
    }

    private static string Cut(string text, int lengthMax) =>
        text.Length <= lengthMax ? text : text[..(char.IsHighSurrogate(text[lengthMax - 1]) ? lengthMax - 1 : lengthMax)];

    private record struct Found(string? Message, string? Type, string? Code, string? Param, bool IsWhole);
}
