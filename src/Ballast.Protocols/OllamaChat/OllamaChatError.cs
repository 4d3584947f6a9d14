using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.OllamaChat;

/// <summary>Errors: <c>{"error":"…"}</c>, the same in a line of a stream. Status and words alone tell what kind it is.</summary>
internal static class OllamaChatError
{
    /// <summary>Longest message passed on, in characters.</summary>
    public const int MessageLengthMax = 4096;

    public static ChatError Read(int status, ReadOnlyMemory<byte> body) => Assemble(status, body);

    /// <summary>Reads an error that came inside an answer of status 200.</summary>
    public static ChatError ReadInAnswer(ReadOnlySpan<byte> json) => Assemble(0, json.ToArray());

    /// <summary>True for a whole error in this protocol's own form.</summary>
    public static bool IsOwn(ReadOnlyMemory<byte> body)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(body);
            return document.RootElement is { ValueKind: JsonValueKind.Object } root
                && root.TryGetProperty("error"u8, out JsonElement error) && error.ValueKind == JsonValueKind.String && error.GetString()!.Length > 0;
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            return false;
        }
    }

    private static ChatError Assemble(int status, ReadOnlyMemory<byte> body)
    {
        string? message = null;
        string? code = null;
        try
        {
            using JsonDocument document = JsonDocument.Parse(body);
            if (document.RootElement is { ValueKind: JsonValueKind.Object } root && root.TryGetProperty("error"u8, out JsonElement error))
            {
                // Servers behind Ollama's address, and Ollama's cloud, answer in OpenAI's form too.
                message = error.ValueKind == JsonValueKind.Object ? Word(error, "message"u8) : Word(root, "error"u8);
                code = Word(error.ValueKind == JsonValueKind.Object ? error : root, "code"u8);
            }
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            message = null;
        }

        message = message?.Trim();
        bool isReadable = !string.IsNullOrEmpty(message) && !message.StartsWith('<');
        string text = isReadable ? message! : status > 0 ? $"The upstream answered {status} without a readable error." : "The upstream reported an error without a message.";
        return new ChatError(KindOf(status, text), text.Length <= MessageLengthMax ? text : text[..MessageLengthMax])
        {
            Code = code,
            UpstreamStatus = status > 0 ? status : null,
        };
    }

    private static string? Word(JsonElement element, ReadOnlySpan<byte> name) =>
        element.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static ChatErrorKind KindOf(int status, string message)
    {
        if (status is 400 or 413 or 500 && (message.Contains("exceeds the available context size", StringComparison.OrdinalIgnoreCase)
            || message.Contains("exceeds maximum context", StringComparison.OrdinalIgnoreCase)
            || message.Contains("context length", StringComparison.OrdinalIgnoreCase)))
        {
            return ChatErrorKind.ContextLengthExceeded;
        }

        return status switch
        {
            400 => ChatErrorKind.InvalidRequest,
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
            // The queue of requests is full (OLLAMA_MAX_QUEUE).
            503 or 529 => ChatErrorKind.Overloaded,
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

    /// <summary>Clients read <c>error</c>; code and request id stand beside it for people and scripts.</summary>
    public static void Write(ChatError error, Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("error"u8, error.Hint is null ? error.Message : $"{error.Message} Hint: {error.Hint}");
        if (error.Code is not null)
        {
            json.WriteString("code"u8, error.Code);
        }

        if (error.RequestId is not null)
        {
            json.WriteString("request_id"u8, error.RequestId);
        }

        json.WriteEndObject();
    }
}
