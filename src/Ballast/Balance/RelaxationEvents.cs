using System.Buffers;
using System.Text;
using System.Text.Json;
using Ballast.Ledger;
using Ballast.Routing.Shares;

namespace Ballast.Balance;

/// <summary>Suspensions of share rules as events of the ledger, and back: one when it begins, one when it has ended.</summary>
public static class RelaxationEvents
{
    /// <summary>Read at most, the newest.</summary>
    public const int ReadMax = 20_000;

    /// <summary>What is known of a suspension: its begin, and its end where it is over. Writing it again writes nothing new.</summary>
    public static IEnumerable<LedgerEvent> Write(Relaxation change)
    {
        yield return Event(change with { Requests = 0, Volume = 0, LastAt = change.StartedAt, IsOver = false }, change.StartedAt, "begin");
        if (change.IsOver)
        {
            yield return Event(change, change.LastAt, "end");
        }
    }

    /// <summary>One for each suspension, with what was last known of it, the oldest first.</summary>
    public static IReadOnlyList<Relaxation> Read(IReadOnlyList<LedgerEvent> events)
    {
        Dictionary<(string, string, DateTimeOffset), Relaxation> latest = [];
        foreach (LedgerEvent one in events.Where(static one => one.Kind == LedgerEvent.Suspension))
        {
            if (RelaxationFile.TryParse(one.Body) is { } read && (read.IsOver || !latest.ContainsKey((read.PolicyName, read.Rule, read.StartedAt))))
            {
                latest[(read.PolicyName, read.Rule, read.StartedAt)] = read;
            }
        }

        return [.. latest.Values.OrderBy(static one => one.StartedAt)];
    }

    private static LedgerEvent Event(Relaxation change, DateTimeOffset at, string part)
    {
        ArrayBufferWriter<byte> buffer = new(512);
        using (Utf8JsonWriter writer = new(buffer))
        {
            RelaxationFile.Write(writer, change);
        }

        return new LedgerEvent
        {
            Id = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"suspension/{change.PolicyName}/{change.Rule}/{change.StartedAt.UtcDateTime:O}/{part}"),
            At = at,
            Kind = LedgerEvent.Suspension,
            Subject = change.Rule,
            Body = Encoding.UTF8.GetString(buffer.WrittenSpan),
        };
    }
}
