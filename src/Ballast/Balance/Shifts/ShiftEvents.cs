using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Ballast.Catalog;
using Ballast.Ledger;

namespace Ballast.Balance.Shifts;

/// <summary>A shift as the ledger keeps it.</summary>
/// <param name="At">End of the window in which it was found, or the day of an announced change.</param>
/// <param name="Kind">The figure's word, or the announcement's.</param>
/// <param name="Subject">What has shifted.</param>
/// <param name="Text">For people.</param>
/// <param name="Change">Of the figure before; null where it was zero or is none.</param>
/// <param name="Probability">Without a change; null for what was announced.</param>
/// <param name="Apps">Whom it touches.</param>
public sealed record RecordedShift(
    DateTimeOffset At, string Kind, string Subject, string Text, double? Change, double? Probability, IReadOnlyList<string> Apps);

/// <summary>Shifts as events of the ledger, and back. Finding the same shift again in the same hour writes nothing new.</summary>
public static class ShiftEvents
{
    private const int AppsMax = 100;

    public static string NameOf(ShiftMetric metric) => metric switch
    {
        ShiftMetric.InputPrice => "input_price",
        ShiftMetric.OutputPrice => "output_price",
        ShiftMetric.Ttft => "ttft",
        ShiftMetric.TokensPerSecond => "tokens_per_second",
        ShiftMetric.ErrorRate => "error_rate",
        ShiftMetric.RefusalRate => "refusal_rate",
        ShiftMetric.Share => "share",
        _ => throw new ArgumentOutOfRangeException(nameof(metric)),
    };

    public static string NameOf(CatalogChangeKind kind) => kind switch
    {
        CatalogChangeKind.ListPrice => "list_price",
        CatalogChangeKind.Deprecated => "deprecated",
        CatalogChangeKind.EndOfLife => "end_of_life",
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    /// <summary>The figure in its own unit.</summary>
    public static string Print(ShiftMetric metric, double value) => metric switch
    {
        ShiftMetric.InputPrice or ShiftMetric.OutputPrice => string.Create(CultureInfo.InvariantCulture, $"${value:0.0000}"),
        ShiftMetric.Ttft => string.Create(CultureInfo.InvariantCulture, $"{value * 1000:0} ms"),
        ShiftMetric.TokensPerSecond => string.Create(CultureInfo.InvariantCulture, $"{value:0.0}/s"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{100 * value:0.0} %"),
    };

    public static LedgerEvent Write(Shift shift, DateTimeOffset until)
    {
        string kind = NameOf(shift.Metric);
        string subject = shift.Subject.ToString();
        return new LedgerEvent
        {
            Id = string.Create(CultureInfo.InvariantCulture, $"shift/{kind}/{subject}"),
            At = Hour(until),
            Kind = LedgerEvent.Shift,
            Subject = subject,
            Body = Json(kind, $"{Print(shift.Metric, shift.Before)} to {Print(shift.Metric, shift.After)}", shift.Apps, writer =>
            {
                writer.WriteNumber("before", shift.Before);
                writer.WriteNumber("after", shift.After);
                writer.WriteNumber("p", shift.Probability);
                writer.WriteNumber("p_family", shift.FamilyProbability);
                writer.WriteNumber("stretches_before", shift.CountBefore);
                writer.WriteNumber("stretches_after", shift.CountAfter);
                if (shift.Change is { } change)
                {
                    writer.WriteNumber("change", change);
                }
            }),
        };
    }

    public static LedgerEvent Write(CatalogChange change) => new()
    {
        Id = string.Create(CultureInfo.InvariantCulture, $"shift/{NameOf(change.Kind)}/{change.Deployment}/{change.Text}"),
        At = new DateTimeOffset(change.Day, TimeOnly.MinValue, TimeSpan.Zero),
        Kind = LedgerEvent.Shift,
        Subject = new Component(ComponentKind.Deployment, change.Deployment).ToString(),
        Body = Json(NameOf(change.Kind), change.Text, change.Apps, static _ => { }),
    };

    /// <summary>What of these events is a shift, each figure of each subject as it was found last, the newest first.</summary>
    public static IReadOnlyList<RecordedShift> Read(IReadOnlyList<LedgerEvent> events)
    {
        Dictionary<string, RecordedShift> latest = new(StringComparer.Ordinal);
        foreach (LedgerEvent one in events.Where(static one => one.Kind == LedgerEvent.Shift))
        {
            if (Parse(one) is { } read)
            {
                latest[one.Id] = read;
            }
        }

        return [.. latest.Values.OrderByDescending(static shift => shift.At).ThenBy(static shift => shift.Subject, StringComparer.Ordinal)];
    }

    private static RecordedShift? Parse(LedgerEvent one)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(one.Body);
            JsonElement body = document.RootElement;
            return new RecordedShift(
                one.At, body.GetProperty("kind").GetString() ?? "", one.Subject, body.GetProperty("text").GetString() ?? "", Number(body, "change"), Number(body, "p"),
                [.. body.GetProperty("apps").EnumerateArray().Select(static app => app.GetString() ?? "")]);
        }
        catch (Exception fault) when (fault is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return null; // of a newer gateway, or written by hand
        }
    }

    private static double? Number(JsonElement body, string name) => body.TryGetProperty(name, out JsonElement number) ? number.GetDouble() : null;

    private static DateTimeOffset Hour(DateTimeOffset time) => new(time.UtcDateTime.Date.AddHours(time.UtcDateTime.Hour), TimeSpan.Zero);

    private static string Json(string kind, string text, IReadOnlyList<string> apps, Action<Utf8JsonWriter> rest)
    {
        ArrayBufferWriter<byte> buffer = new(512);
        using (Utf8JsonWriter writer = new(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("kind", kind);
            writer.WriteString("text", text);
            rest(writer);
            writer.WriteStartArray("apps");
            foreach (string app in apps.Take(AppsMax))
            {
                writer.WriteStringValue(app);
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
