using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols;

/// <summary>
/// Errors, read in every known form (OpenAI's <c>{"error":{message,type,param,code}}</c>, FastAPI's <c>detail</c>, vLLM's and Mistral's <c>"object":"error"</c>,
/// Google's array, AWS's <c>__type</c>, bare text) and written in OpenAI's.
/// </summary>
internal static class OpenAIErrorBody
{
    /// <summary>Longest message passed on, in characters.</summary>
    public const int MessageLengthMax = 4096;

    public static ChatError Read(int status, ReadOnlyMemory<byte> body)
    {
        Fields fields = default;
        try
        {
            using JsonDocument document = JsonDocument.Parse(body);
            Find(document.RootElement, ref fields);
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            fields = default;
        }

        return Assemble(status, fields);
    }

    /// <summary>True for a whole error in OpenAI's own form: what clients of this protocol can read.</summary>
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
                && error.TryGetProperty("message"u8, out JsonElement message) && message.ValueKind == JsonValueKind.String;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>Reads an error object that came inside an answer of status 200.</summary>
    public static ChatError ReadInAnswer(ReadOnlySpan<byte> json)
    {
        Fields fields = default;
        try
        {
            using JsonDocument document = JsonDocument.Parse(json.ToArray());
            Find(document.RootElement, ref fields);
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            fields = default;
        }

        int status = int.TryParse(fields.Code, NumberStyles.None, CultureInfo.InvariantCulture, out int code) && code is >= 400 and < 600
            ? code
            : fields.Status;
        return Assemble(status, fields) with { UpstreamStatus = null };
    }

    private static void Find(JsonElement element, ref Fields fields)
    {
        if (element.ValueKind == JsonValueKind.Array && element.GetArrayLength() > 0)
        {
            Find(element[0], ref fields);
            return;
        }

        if (element.ValueKind != JsonValueKind.Object)
        {
            return;
        }

        if (element.TryGetProperty("error"u8, out JsonElement error) && error.ValueKind is JsonValueKind.Object or JsonValueKind.Array or JsonValueKind.String)
        {
            if (error.ValueKind == JsonValueKind.String)
            {
                fields.Message = error.GetString();
                fields.Code = Word(element, "code"u8);
                fields.Type = Word(element, "type"u8);
            }
            else
            {
                Find(error, ref fields);
            }

            return;
        }

        fields.Message = Word(element, "message"u8) ?? Word(element, "Message"u8) ?? Detail(element);
        fields.Type = Word(element, "type"u8) ?? AwsType(element);
        fields.Code = Word(element, "code"u8);
        fields.Param = Word(element, "param"u8);
        fields.Status = element.TryGetProperty("status_code"u8, out JsonElement status) && status.TryGetInt32(out int number) ? number : 0;
        if (element.TryGetProperty("innererror"u8, out JsonElement inner) && inner.ValueKind == JsonValueKind.Object)
        {
            fields.InnerCode = Word(inner, "code"u8);
        }
    }

    private static string? AwsType(JsonElement element)
    {
        string? type = Word(element, "__type"u8);
        return type is null ? null : type[(type.LastIndexOf('#') + 1)..];
    }

    /// <summary>FastAPI's <c>detail</c>: a text, or a list of faults with their places.</summary>
    private static string? Detail(JsonElement element)
    {
        if (!element.TryGetProperty("detail"u8, out JsonElement detail))
        {
            return null;
        }

        if (detail.ValueKind == JsonValueKind.String)
        {
            return detail.GetString();
        }

        if (detail.ValueKind != JsonValueKind.Array)
        {
            return detail.ValueKind == JsonValueKind.Object ? Word(detail, "message"u8) ?? Word(detail, "msg"u8) : null;
        }

        StringBuilder text = new();
        foreach (JsonElement fault in detail.EnumerateArray())
        {
            if (fault.ValueKind == JsonValueKind.Object && Word(fault, "msg"u8) is string message && text.Length < MessageLengthMax)
            {
                string place = fault.TryGetProperty("loc"u8, out JsonElement location) && location.ValueKind == JsonValueKind.Array
                    ? string.Join('.', location.EnumerateArray().Select(step => step.ToString())) + ": "
                    : "";
                text.Append(text.Length > 0 ? "; " : "").Append(place).Append(message);
            }
        }

        return text.Length > 0 ? text.ToString() : null;
    }

    private static string? Word(JsonElement element, ReadOnlySpan<byte> name) =>
        !element.TryGetProperty(name, out JsonElement value) ? null : value.ValueKind switch
        {
            JsonValueKind.String => value.GetString(),
            JsonValueKind.Number => value.GetRawText(),
            _ => null,
        };

    private static ChatError Assemble(int status, in Fields fields)
    {
        string? message = fields.Message?.Trim();
        bool isReadable = !string.IsNullOrEmpty(message) && !message.StartsWith('<');
        string text = isReadable ? message! : status > 0
            ? string.Create(CultureInfo.InvariantCulture, $"The upstream answered {status} without a readable error.")
            : "The upstream reported an error without a message.";
        return new ChatError(KindOf(status, fields, text), text.Length <= MessageLengthMax ? text : text[..MessageLengthMax])
        {
            Code = fields.Code,
            Type = fields.Type,
            Param = fields.Param,
            UpstreamStatus = status > 0 ? status : null,
        };
    }

    private static ChatErrorKind KindOf(int status, in Fields fields, string message)
    {
        string code = fields.Code ?? "";
        string type = fields.Type ?? "";
        if (code is "insufficient_quota" or "billing_hard_limit_reached" || type is "insufficient_quota" or "billing_error" || status == 402)
        {
            return ChatErrorKind.QuotaExceeded;
        }

        if (status is 0 or (>= 400 and < 500))
        {
            if (code is "content_filter" or "content_policy_violation" || fields.InnerCode == "ResponsibleAIPolicyViolation")
            {
                return ChatErrorKind.ContentFiltered;
            }

            if (code == "context_length_exceeded" || type is "exceed_context_size_error" or "too_many_prompt_tokens" || IsTooLong(status, message))
            {
                return ChatErrorKind.ContextLengthExceeded;
            }

            if (code is "model_not_found" or "DeploymentNotFound" || type == "invalid_model")
            {
                return ChatErrorKind.NotFound;
            }
        }

        return OfStatus(status, code, type);
    }

    /// <summary>Servers without a code for it say so in words only.</summary>
    private static bool IsTooLong(int status, string message) =>
        status is 400 or 413 or 422
        && (message.Contains("maximum context length", StringComparison.OrdinalIgnoreCase)
            || message.Contains("max context length", StringComparison.OrdinalIgnoreCase)
            || message.Contains("context size", StringComparison.OrdinalIgnoreCase)
            || message.Contains("prompt is too long", StringComparison.OrdinalIgnoreCase));

    private static ChatErrorKind OfStatus(int status, string code, string type) => status switch
    {
        400 => ChatErrorKind.InvalidRequest,
        401 => ChatErrorKind.Authentication,
        403 => ChatErrorKind.Permission,
        404 => ChatErrorKind.NotFound,
        405 => ChatErrorKind.MethodNotAllowed,
        408 or 504 or 524 => ChatErrorKind.Timeout,
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
        _ => OfWords(code, type),
    };

    /// <summary>Inside an answer there is no status: the words decide.</summary>
    private static ChatErrorKind OfWords(string code, string type)
    {
        string words = $"{type} {code}".ToLowerInvariant();
        return words.Contains("rate_limit") || words.Contains("ratelimit") || words.Contains("throttl") ? ChatErrorKind.RateLimited
            : words.Contains("overloaded") ? ChatErrorKind.Overloaded
            : words.Contains("unavailable") ? ChatErrorKind.Unavailable
            : words.Contains("timeout") ? ChatErrorKind.Timeout
            : words.Contains("invalid_request") || words.Contains("validation") || words.Contains("badrequest") ? ChatErrorKind.InvalidRequest
            : words.Contains("authentication") || words.Contains("invalid_api_key") ? ChatErrorKind.Authentication
            : words.Contains("permission") ? ChatErrorKind.Permission
            : ChatErrorKind.ServerError;
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

    public static void Write(ChatError error, Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteStartObject("error"u8);
        json.WriteString("message"u8, error.Hint is null ? error.Message : $"{error.Message} Hint: {error.Hint}");
        json.WriteString("type"u8, IsForeign(error.Type) ? TypeOf(error.Kind) : error.Type);
        json.WriteString("param"u8, error.Param);
        json.WriteString("code"u8, error.Code ?? CodeOf(error.Kind));
        if (error.RequestId is not null)
        {
            json.WriteString("request_id"u8, error.RequestId);
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>Type words of Anthropic that mean nothing to clients of this protocol.</summary>
    private static bool IsForeign(string? type) => type is null or "authentication_error" or "permission_error" or "not_found_error" or "request_too_large"
        or "rate_limit_error" or "api_error" or "overloaded_error" or "billing_error" or "timeout_error" or "conflict_error";

    public static string TypeOf(ChatErrorKind kind) => kind switch
    {
        ChatErrorKind.RateLimited => "rate_limit_exceeded",
        ChatErrorKind.QuotaExceeded => "insufficient_quota",
        ChatErrorKind.ServerError or ChatErrorKind.BadGateway or ChatErrorKind.Unavailable or ChatErrorKind.Overloaded or ChatErrorKind.Timeout => "server_error",
        _ => "invalid_request_error",
    };

    private static string? CodeOf(ChatErrorKind kind) => kind switch
    {
        ChatErrorKind.Authentication => "invalid_api_key",
        ChatErrorKind.ContextLengthExceeded => "context_length_exceeded",
        ChatErrorKind.ContentFiltered => "content_filter",
        ChatErrorKind.RateLimited => "rate_limit_exceeded",
        ChatErrorKind.QuotaExceeded => "insufficient_quota",
        _ => null,
    };

    /// <summary>What was found of an error, in whichever form.</summary>
    private struct Fields
    {
        public string? Message;
        public string? Type;
        public string? Code;
        public string? Param;
        public string? InnerCode;
        public int Status;
    }
}
