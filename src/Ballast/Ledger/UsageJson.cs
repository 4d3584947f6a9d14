using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Ledger;

/// <summary>A usage report as JSON: the same from the command line and from administration.</summary>
public static class UsageJson
{
    /// <summary>The names of all that usage is grouped by.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Enum.GetValues<UsageDimension>().Select(Name)];

    public static void Write(Utf8JsonWriter writer, UsageReport report, LedgerFilter filter)
    {
        writer.WriteStartObject();
        WriteMoment(writer, "since", filter.Since);
        WriteMoment(writer, "until", filter.Until);
        writer.WriteStartArray("by");
        foreach (UsageDimension dimension in report.By)
        {
            writer.WriteStringValue(Name(dimension));
        }

        writer.WriteEndArray();
        writer.WriteStartArray("rows");
        foreach (UsageRow row in report.By.Count == 0 ? [] : report.Rows)
        {
            WriteRow(writer, row, report.By);
        }

        writer.WriteEndArray();
        writer.WritePropertyName("total");
        WriteRow(writer, report.Total, []);
        writer.WriteEndObject();
    }

    /// <summary>As it is written where somebody asks for it.</summary>
    public static string Name(UsageDimension dimension) => dimension switch
    {
        UsageDimension.Model => "model",
        UsageDimension.Vendor => "vendor",
        UsageDimension.Platform => "platform",
        UsageDimension.Region => "region",
        UsageDimension.App => "app",
        UsageDimension.Day => "day",
        UsageDimension.Deployment => "deployment",
        UsageDimension.Outcome => "outcome",
        _ => throw new ArgumentOutOfRangeException(nameof(dimension)),
    };

    /// <summary>Reads names with commas between them, or <c>none</c>; null where one is unknown or twice there, or there are too many.</summary>
    public static IReadOnlyList<UsageDimension>? Read(string text)
    {
        if (text == "none")
        {
            return [];
        }

        UsageDimension?[] found =
        [
            .. text.Split(',', StringSplitOptions.TrimEntries).Select(static name => Enum.GetValues<UsageDimension>()
                .Where(dimension => Name(dimension) == name).Select(static dimension => (UsageDimension?)dimension).FirstOrDefault()),
        ];
        return Array.TrueForAll(found, static one => one is not null) && found.Distinct().Count() == found.Length && found.Length <= UsageQuery.DimensionsMax
            ? [.. found.Select(static one => one!.Value)] : null;
    }

    private static void WriteRow(Utf8JsonWriter writer, UsageRow row, IReadOnlyList<UsageDimension> by)
    {
        writer.WriteStartObject();
        for (int index = 0; index < by.Count; index++)
        {
            writer.WriteString(Name(by[index]), row.Keys[index]);
        }

        writer.WriteNumber("requests", row.Requests);
        writer.WriteNumber("attempts", row.Attempts);
        writer.WriteNumber("completed", row.Completed);
        writer.WriteNumber("failed", row.Failed);
        writer.WriteNumber("interrupted", row.Interrupted);
        writer.WriteNumber("cancelled", row.Cancelled);
        writer.WriteNumber("input_tokens", row.InputTokens);
        writer.WriteNumber("cache_read_tokens", row.CacheReadTokens);
        writer.WriteNumber("cache_write_tokens", row.CacheWriteTokens);
        writer.WriteNumber("cache_write_long_tokens", row.CacheWriteLongTokens);
        writer.WriteNumber("output_tokens", row.OutputTokens);
        writer.WriteNumber("reasoning_tokens", row.ReasoningTokens);
        writer.WriteStartObject("media");
        foreach ((string name, Func<MediaUsage, long> read, _) in row.Media is null ? [] : MediaText.Counts)
        {
            if (read(row.Media!) is > 0 and var count)
            {
                writer.WriteNumber(name, count);
            }
        }

        writer.WriteEndObject();
        writer.WriteNumber("cost_usd", row.CostUsd);
        writer.WriteNumber("unknown_cost", row.UnknownCost);
        writer.WriteNumber("estimated", row.Estimated);
        WriteMilliseconds(writer, "ttft_p50_ms", row.TtftP50);
        WriteMilliseconds(writer, "ttft_p95_ms", row.TtftP95);
        writer.WriteEndObject();
    }

    private static void WriteMilliseconds(Utf8JsonWriter writer, string name, TimeSpan? time)
    {
        if (time is { } value)
        {
            writer.WriteNumber(name, value.TotalMilliseconds);
        }
        else
        {
            writer.WriteNull(name);
        }
    }

    private static void WriteMoment(Utf8JsonWriter writer, string name, DateTimeOffset? time)
    {
        if (time is { } value)
        {
            writer.WriteString(name, value.UtcDateTime);
        }
        else
        {
            writer.WriteNull(name);
        }
    }
}
