using System.Text.Json;
using System.Text.Json.Nodes;

namespace Ballast.Sandbox.Control;

/// <summary>
/// A fault rule as the control API has it: <c>platform</c>, <c>kind</c> and, all optional, <c>id</c>, <c>model</c>, <c>path</c>, <c>body</c>,
/// <c>probability</c>, <c>count</c>, <c>after_events</c>, <c>delay_seconds</c>, <c>retry_after_seconds</c>, <c>error</c>.
/// </summary>
internal static class FaultJson
{
    private static readonly string[] Known =
        ["id", "platform", "kind", "model", "path", "body", "probability", "count", "after_events", "delay_seconds", "retry_after_seconds", "error"];

    public static JsonNode Write(FaultRule rule) => new JsonObject
    {
        ["id"] = rule.Id,
        ["platform"] = rule.Platform,
        ["kind"] = FaultKindNames.NameOf(rule.Kind),
        ["model"] = rule.Model,
        ["path"] = rule.PathContains,
        ["body"] = rule.BodyContains,
        ["probability"] = rule.Probability,
        ["count"] = rule.Count,
        ["after_events"] = rule.AfterEvents,
        ["delay_seconds"] = rule.Delay.TotalSeconds,
        ["retry_after_seconds"] = rule.RetryAfter?.TotalSeconds,
        ["error"] = rule.Error,
    };

    /// <exception cref="FormatException">A field is unknown, missing or wrong; the message says which.</exception>
    /// <exception cref="JsonException">It is not JSON.</exception>
    public static FaultRule Read(byte[] json, IEnumerable<string> platforms)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        JsonElement root = document.RootElement;
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw new FormatException("A rule is a JSON object.");
        }

        foreach (JsonProperty property in root.EnumerateObject())
        {
            if (!Known.Contains(property.Name))
            {
                throw new FormatException($"Unknown field '{property.Name}'; known are {string.Join(", ", Known)}.");
            }
        }

        string platform = Text(root, "platform") ?? throw new FormatException("Missing 'platform'.");
        if (platform != "*" && !platforms.Contains(platform))
        {
            throw new FormatException($"Unknown platform '{platform}'; known are *, {string.Join(", ", platforms)}.");
        }

        string? kind = Text(root, "kind");
        return FaultKindNames.TryParse(kind, out FaultKind known)
            ? new FaultRule
            {
                Platform = platform,
                Kind = known,
                Id = Text(root, "id") ?? "",
                Model = Text(root, "model"),
                PathContains = Text(root, "path"),
                BodyContains = Text(root, "body"),
                Probability = Number(root, "probability") ?? 1,
                Count = (int?)Number(root, "count"),
                AfterEvents = (int)(Number(root, "after_events") ?? 3),
                Delay = TimeSpan.FromSeconds(Number(root, "delay_seconds") ?? 5),
                RetryAfter = Number(root, "retry_after_seconds") is { } wait ? TimeSpan.FromSeconds(wait) : null,
                Error = Text(root, "error"),
            }
            : throw new FormatException($"Unknown kind '{kind}'; known are {string.Join(", ", FaultKindNames.All)}.");
    }

    private static string? Text(JsonElement root, string name) => root.TryGetProperty(name, out JsonElement value) switch
    {
        true when value.ValueKind == JsonValueKind.String => value.GetString(),
        true when value.ValueKind != JsonValueKind.Null => throw new FormatException($"'{name}' is a string."),
        _ => null,
    };

    private static double? Number(JsonElement root, string name) => root.TryGetProperty(name, out JsonElement value) switch
    {
        true when value.ValueKind == JsonValueKind.Number && value.GetDouble() >= 0 => value.GetDouble(),
        true when value.ValueKind != JsonValueKind.Null => throw new FormatException($"'{name}' is a number of 0 or more."),
        _ => null,
    };
}
