using System.Data.Common;

namespace Ballast.Ledger;

/// <summary>The SQL of events, the same in every store.</summary>
internal static class EventQuery
{
    public static void Insert(DbConnection connection, DbTransaction transaction, IReadOnlyList<LedgerEvent> events)
    {
        foreach (LedgerEvent one in events)
        {
            using DbCommand command = connection.CreateCommand();
            command.Transaction = transaction;
            command.CommandText = "INSERT INTO events (at_us, event_id, kind, subject, body) VALUES (@at, @id, @kind, @subject, @body) ON CONFLICT DO NOTHING";
            LedgerQuery.Bind(command, "@at", LedgerQuery.Microseconds(one.At));
            LedgerQuery.Bind(command, "@id", Text(one.Id));
            LedgerQuery.Bind(command, "@kind", Text(one.Kind));
            LedgerQuery.Bind(command, "@subject", Text(one.Subject));
            LedgerQuery.Bind(command, "@body", one.Body.Length <= LedgerEvent.BodyLengthMax ? one.Body
                : throw new ArgumentException($"An event's body has at most {LedgerEvent.BodyLengthMax} characters.", nameof(events)));
            command.ExecuteNonQuery();
        }
    }

    public static IReadOnlyList<LedgerEvent> Run(DbConnection connection, string kind, LedgerFilter filter, int countMax)
    {
        using DbCommand command = LedgerQuery.Create(
            connection, "SELECT event_id, at_us, kind, subject, body FROM events WHERE kind = @kind AND {where} ORDER BY at_us DESC, event_id DESC LIMIT @count",
            filter with { App = null, KeyId = null }, "at_us");
        LedgerQuery.Bind(command, "@kind", kind);
        LedgerQuery.Bind(command, "@count", countMax);
        using DbDataReader reader = command.ExecuteReader();
        List<LedgerEvent> events = [];
        while (reader.Read())
        {
            events.Add(new LedgerEvent
            {
                Id = reader.GetString(0),
                At = DateTimeOffset.UnixEpoch + LedgerQuery.Span(reader.GetInt64(1)),
                Kind = reader.GetString(2),
                Subject = reader.GetString(3),
                Body = reader.GetString(4),
            });
        }

        events.Reverse();
        return events;
    }

    /// <summary>PostgreSQL knows no text with a zero in it.</summary>
    private static string Text(string text) => SqliteLedgerStore.Text(text).Replace('\0', '\uFFFD');
}
