using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ballast.Sandbox.Server;

namespace Ballast.Sandbox.Google;

/// <summary>Errors as Google's services tell them (https://cloud.google.com/apis/design/errors): a status word, and details of several types.</summary>
internal static class GoogleErrors
{
    public const string InvalidArgument = "INVALID_ARGUMENT";

    /// <summary>The code of an error that tells of a limit for a day.</summary>
    private const string DailyLimit = "PerDay";

    private const string Types = "type.googleapis.com/google.rpc.";

    public static VendorErrorException Invalid(string message) => new(new VendorError(400, InvalidArgument, message));

    public static VendorErrorException Malformed() => Invalid("Invalid JSON payload received. Expected a value.");

    /// <param name="name">As it stands in the request.</param>
    /// <param name="path">Of the message that does not have it; empty for the request itself.</param>
    public static VendorErrorException UnknownField(string name, string path)
    {
        string at = path.Length == 0 ? "" : $" at '{path}'";
        return new(new VendorError(400, InvalidArgument, $"Invalid JSON payload received. Unknown name \"{name}\"{at}: Cannot find field.", Param: path));
    }

    /// <param name="path">Where the value stands.</param>
    /// <param name="type">The type that the field has, as <c>TYPE_STRING</c>.</param>
    /// <param name="value">What stands there.</param>
    public static VendorErrorException WrongType(string path, string type, JsonElement value)
    {
        string text = value.GetRawText();
        return new(new VendorError(400, InvalidArgument, $"Invalid value at '{path}' ({type}), {(text.Length > 100 ? text[..100] : text)}", Param: path));
    }

    public static VendorErrorException NotFound(string message) => new(new VendorError(404, "NOT_FOUND", message));

    /// <summary>What both of Google's platforms tell where a fault is a status and a body. A limit says how long it lasts in its details, not in a header.</summary>
    public static VendorError OfFault(FaultKind kind) => kind switch
    {
        FaultKind.RateLimit => new VendorError(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota)."),
        FaultKind.Quota => new VendorError(
            429,
            "RESOURCE_EXHAUSTED",
            "You exceeded your current quota, please check your plan and billing details. For more information on this error, head to: "
            + "https://ai.google.dev/gemini-api/docs/rate-limits.",
            DailyLimit),
        FaultKind.Forbidden403 => new VendorError(403, "PERMISSION_DENIED", "The caller does not have permission"),
        FaultKind.Error503 => new VendorError(503, "UNAVAILABLE", "The service is currently unavailable."),
        FaultKind.Overloaded529 => new VendorError(503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
        _ => new VendorError(
            500, "INTERNAL", "An internal error has occurred. Please retry or report in https://developers.generativeai.google/guide/troubleshooting"),
    };

    public static JsonObject Body(VendorError error)
    {
        JsonObject inner = new() { ["code"] = error.Status, ["message"] = error.Message, ["status"] = error.Type };
        JsonArray details = Details(error);
        if (details.Count > 0)
        {
            inner["details"] = details;
        }

        return new JsonObject { ["error"] = inner };
    }

    private static JsonArray Details(VendorError error)
    {
        JsonArray details = [];
        if (error.Param is { } field)
        {
            details.Add((JsonNode)new JsonObject
            {
                ["@type"] = Types + "BadRequest",
                ["fieldViolations"] = new JsonArray(new JsonObject { ["field"] = field, ["description"] = error.Message }),
            });
        }

        if (error.Code == DailyLimit)
        {
            details.Add((JsonNode)new JsonObject
            {
                ["@type"] = Types + "QuotaFailure",
                ["violations"] = new JsonArray(new JsonObject
                {
                    ["quotaMetric"] = "generativelanguage.googleapis.com/generate_content_requests",
                    ["quotaId"] = "GenerateRequestsPerDayPerProjectPerModel",
                    ["quotaValue"] = "250",
                }),
            });
        }
        else if (error.Code is { } reason)
        {
            details.Add((JsonNode)new JsonObject { ["@type"] = Types + "ErrorInfo", ["reason"] = reason, ["domain"] = "googleapis.com" });
        }

        if (error.RetryAfter is { } wait)
        {
            string seconds = wait.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture);
            details.Add((JsonNode)new JsonObject { ["@type"] = Types + "RetryInfo", ["retryDelay"] = seconds + "s" });
        }

        return details;
    }
}
