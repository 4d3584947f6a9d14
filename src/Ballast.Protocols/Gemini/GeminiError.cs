using System.Globalization;
using System.Text.Json;
using System.Text.Unicode;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.Gemini;

/// <summary>
/// Errors in Google's form, <c>{"error":{"code","message","status","details"}}</c> (https://cloud.google.com/apis/design/errors), also as the one element of an array. How long
/// to wait is in <c>RetryInfo.retryDelay</c>, not in a header. Ballast's code and the request's id stand among the details.
/// </summary>
internal static class GeminiError
{
    /// <summary>Longest message passed on, in UTF-16 code units.</summary>
    public const int MessageLengthMax = 4096;

    /// <summary>Longest code, word or field name passed on, in UTF-16 code units.</summary>
    public const int WordLengthMax = 256;

    private const string TypePrefix = "type.googleapis.com/google.rpc.";

    /// <summary>Reads an error body of any form. Never throws.</summary>
    public static ChatError Read(int status, ReadOnlyMemory<byte> body)
    {
        Found found = new();
        try
        {
            using JsonDocument document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = GeminiCursor.DepthMax });
            Find(document.RootElement, found);
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            // HTML, plain text, half a body: whatever was found before the fault counts, the rest is not for the caller.
        }

        return Assemble(status, found);
    }

    /// <summary>Reads an error that came inside an answer of status 200; it says its own status.</summary>
    public static ChatError ReadInAnswer(ReadOnlySpan<byte> json)
    {
        Found found = new();
        try
        {
            using JsonDocument document = JsonDocument.Parse(json.ToArray(), new JsonDocumentOptions { MaxDepth = GeminiCursor.DepthMax });
            Find(document.RootElement, found);
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            found = new Found();
        }

        return Assemble(found.Status is >= 400 and < 600 ? found.Status : 0, found) with { UpstreamStatus = null };
    }

    /// <summary>True for a whole error in Google's own form: what clients of this protocol can read.</summary>
    public static bool IsOwn(ReadOnlyMemory<byte> body)
    {
        if (!Utf8.IsValid(body.Span))
        {
            return false;
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(body);
            return document.RootElement is { ValueKind: JsonValueKind.Object } root
                && root.TryGetProperty("error"u8, out JsonElement error) && error.ValueKind == JsonValueKind.Object
                && error.TryGetProperty("message"u8, out JsonElement message) && message.ValueKind == JsonValueKind.String
                && error.TryGetProperty("status"u8, out JsonElement status) && status.ValueKind == JsonValueKind.String;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static void Find(JsonElement element, Found found)
    {
        if (element.ValueKind == JsonValueKind.Array && element.GetArrayLength() > 0)
        {
            Find(element[0], found);
            return;
        }

        if (element.ValueKind != JsonValueKind.Object)
        {
            return;
        }

        if (element.TryGetProperty("error"u8, out JsonElement error) && error.ValueKind is JsonValueKind.Object or JsonValueKind.Array)
        {
            Find(error, found);
            return;
        }

        found.Message = Word(element, "message"u8) ?? Word(element, "error"u8) ?? Word(element, "detail"u8);
        found.Word = Word(element, "status"u8) ?? Word(element, "type"u8);
        found.Code = Word(element, "code"u8);
        found.Status = int.TryParse(found.Code, NumberStyles.None, CultureInfo.InvariantCulture, out int status) ? status : 0;
        if (element.TryGetProperty("details"u8, out JsonElement details) && details.ValueKind == JsonValueKind.Array)
        {
            foreach (JsonElement detail in details.EnumerateArray().Where(detail => detail.ValueKind == JsonValueKind.Object))
            {
                FindDetail(detail, found);
            }
        }
    }

    private static void FindDetail(JsonElement detail, Found found)
    {
        found.Reason ??= Word(detail, "reason"u8);
        found.RetryDelay ??= Word(detail, "retryDelay"u8) is string delay ? Delay(delay) : null;
        found.IsDaily |= detail.TryGetProperty("violations"u8, out JsonElement violations) && violations.ValueKind == JsonValueKind.Array
            && violations.EnumerateArray().Any(violation => violation.ValueKind == JsonValueKind.Object
                && Word(violation, "quotaId"u8)?.Contains("PerDay", StringComparison.Ordinal) == true);
        if (detail.TryGetProperty("fieldViolations"u8, out JsonElement fields) && fields.ValueKind == JsonValueKind.Array && fields.GetArrayLength() > 0
            && fields[0].ValueKind == JsonValueKind.Object)
        {
            found.Field ??= Word(fields[0], "field"u8);
        }
    }

    /// <summary>A duration as Google writes one: <c>48.939935699s</c>.</summary>
    private static TimeSpan? Delay(string text) =>
        text.EndsWith('s') && double.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double seconds)
            && seconds <= TimeSpan.FromDays(1).TotalSeconds
            ? TimeSpan.FromSeconds(seconds)
            : null;

    private static string? Word(JsonElement element, ReadOnlySpan<byte> name) =>
        !element.TryGetProperty(name, out JsonElement value) ? null : value.ValueKind switch
        {
            JsonValueKind.String => value.GetString(),
            JsonValueKind.Number => value.GetRawText(),
            _ => null,
        };

    private static ChatError Assemble(int status, Found found)
    {
        string? message = found.Message?.Trim();
        bool isReadable = !string.IsNullOrEmpty(message) && !message.StartsWith('<');
        string text = isReadable ? Cut(message!, MessageLengthMax)
            : status > 0 ? string.Create(CultureInfo.InvariantCulture, $"The upstream answered {status} without a readable error.")
            : "The upstream reported an error without a message.";
        return new ChatError(KindOf(status, found, text), text)
        {
            Code = found.Reason is { } reason ? Cut(reason, WordLengthMax) : null,
            Type = found.Word is { } word ? Cut(word, WordLengthMax) : null,
            Param = found.Field is { } field ? Cut(field, WordLengthMax) : null,
            UpstreamStatus = status > 0 ? status : null,
            RetryAfter = found.RetryDelay,
        };
    }

    private static ChatErrorKind KindOf(int status, Found found, string message)
    {
        // A refused key is an invalid argument here.
        if (found.Reason is "API_KEY_INVALID" or "API_KEY_SERVICE_BLOCKED" || (status == 400 && message.StartsWith("API key not valid", StringComparison.Ordinal)))
        {
            return ChatErrorKind.Authentication;
        }

        ChatErrorKind kind = status switch
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
            >= 400 and < 500 => ChatErrorKind.InvalidRequest,
            >= 500 => ChatErrorKind.ServerError,
            _ => OfWord(found.Word),
        };
        return kind == ChatErrorKind.RateLimited && (found.IsDaily || found.Reason == "insufficient_quota") ? ChatErrorKind.QuotaExceeded
            : kind == ChatErrorKind.InvalidRequest && IsTooLong(found, message) ? ChatErrorKind.ContextLengthExceeded
            : kind == ChatErrorKind.InvalidRequest && found.Reason == "content_filter" ? ChatErrorKind.ContentFiltered
            : kind;
    }

    private static bool IsTooLong(Found found, string message) =>
        found.Reason == "context_length_exceeded"
        || (message.Contains("input token count", StringComparison.OrdinalIgnoreCase) && message.Contains("exceeds the maximum", StringComparison.OrdinalIgnoreCase));

    /// <summary>Inside an answer there may be no status: the word decides.</summary>
    private static ChatErrorKind OfWord(string? word) => word switch
    {
        "INVALID_ARGUMENT" or "FAILED_PRECONDITION" or "OUT_OF_RANGE" => ChatErrorKind.InvalidRequest,
        "UNAUTHENTICATED" => ChatErrorKind.Authentication,
        "PERMISSION_DENIED" => ChatErrorKind.Permission,
        "NOT_FOUND" => ChatErrorKind.NotFound,
        "ABORTED" or "ALREADY_EXISTS" => ChatErrorKind.Conflict,
        "RESOURCE_EXHAUSTED" => ChatErrorKind.RateLimited,
        "UNIMPLEMENTED" => ChatErrorKind.NotSupported,
        "UNAVAILABLE" => ChatErrorKind.Unavailable,
        "DEADLINE_EXCEEDED" => ChatErrorKind.Timeout,
        _ => ChatErrorKind.ServerError,
    };

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

    public static void Write(ChatError error, Utf8JsonWriter json)
    {
        int status = StatusOf(error);
        json.WriteStartObject();
        json.WriteStartObject("error"u8);
        json.WriteNumber("code"u8, status);
        json.WriteString("message"u8, error.Hint is null ? error.Message : $"{error.Message} Hint: {error.Hint}");
        json.WriteString("status"u8, WordOf(status));
        WriteDetails(error, json);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>Writes a vendor's own error with the caller's request id among its details: clients of this protocol show no headers.</summary>
    /// <param name="own">What <see cref="IsOwn"/> has accepted.</param>
    /// <param name="requestId">The caller's; one of the vendor's is its own business.</param>
    /// <param name="json">Where it is written.</param>
    public static void WriteOwn(JsonElement own, string requestId, Utf8JsonWriter json)
    {
        JsonElement error = own.GetProperty("error"u8);
        json.WriteStartObject();
        json.WriteStartObject("error"u8);
        foreach (JsonProperty field in error.EnumerateObject().Where(static field => !field.NameEquals("details"u8)))
        {
            field.WriteTo(json);
        }

        json.WriteStartArray("details"u8);
        if (error.TryGetProperty("details"u8, out JsonElement details) && details.ValueKind == JsonValueKind.Array)
        {
            foreach (JsonElement detail in details.EnumerateArray().Where(static detail => !IsRequestInfo(detail)))
            {
                detail.WriteTo(json);
            }
        }

        Begin(json, "RequestInfo");
        json.WriteString("requestId"u8, requestId);
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static bool IsRequestInfo(JsonElement detail) =>
        detail.ValueKind == JsonValueKind.Object && detail.TryGetProperty("@type"u8, out JsonElement type) && type.ValueKind == JsonValueKind.String
        && type.ValueEquals(TypePrefix + "RequestInfo");

    private static void WriteDetails(ChatError error, Utf8JsonWriter json)
    {
        string? reason = error.Code ?? CodeOf(error.Kind);
        if (reason is null && error.RetryAfter is null && error.RequestId is null && error.Param is null)
        {
            return;
        }

        json.WriteStartArray("details"u8);
        if (reason is not null)
        {
            Begin(json, "ErrorInfo");
            json.WriteString("reason"u8, reason);
            json.WriteString("domain"u8, "ballast"u8);
            json.WriteEndObject();
        }

        if (error.Param is not null)
        {
            Begin(json, "BadRequest");
            json.WriteStartArray("fieldViolations"u8);
            json.WriteStartObject();
            json.WriteString("field"u8, error.Param);
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteEndObject();
        }

        if (error.RetryAfter is { } wait)
        {
            Begin(json, "RetryInfo");
            json.WriteString("retryDelay"u8, string.Create(CultureInfo.InvariantCulture, $"{wait.TotalSeconds:0.###}s"));
            json.WriteEndObject();
        }

        if (error.RequestId is not null)
        {
            Begin(json, "RequestInfo");
            json.WriteString("requestId"u8, error.RequestId);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void Begin(Utf8JsonWriter json, string type)
    {
        json.WriteStartObject();
        json.WriteString("@type"u8, TypePrefix + type);
    }

    private static ReadOnlySpan<byte> WordOf(int status) => status switch
    {
        401 => "UNAUTHENTICATED"u8,
        403 => "PERMISSION_DENIED"u8,
        404 => "NOT_FOUND"u8,
        409 => "ABORTED"u8,
        429 => "RESOURCE_EXHAUSTED"u8,
        501 => "UNIMPLEMENTED"u8,
        502 or 503 => "UNAVAILABLE"u8,
        504 => "DEADLINE_EXCEEDED"u8,
        >= 400 and < 500 => "INVALID_ARGUMENT"u8,
        _ => "INTERNAL"u8,
    };

    private static string? CodeOf(ChatErrorKind kind) => kind switch
    {
        ChatErrorKind.ContextLengthExceeded => "context_length_exceeded",
        ChatErrorKind.ContentFiltered => "content_filter",
        ChatErrorKind.QuotaExceeded => "insufficient_quota",
        _ => null,
    };

    private static string Cut(string text, int lengthMax) =>
        text.Length <= lengthMax ? text : text[..(char.IsHighSurrogate(text[lengthMax - 1]) ? lengthMax - 1 : lengthMax)];

    /// <summary>What was found of an error, in whichever form.</summary>
    private sealed class Found
    {
        public string? Message { get; set; }
        public string? Word { get; set; }
        public string? Code { get; set; }
        public string? Reason { get; set; }
        public string? Field { get; set; }
        public int Status { get; set; }
        public bool IsDaily { get; set; }
        public TimeSpan? RetryDelay { get; set; }
    }
}
