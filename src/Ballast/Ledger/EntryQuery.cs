using System.Data.Common;
using Ballast.Protocols.Conversation;

namespace Ballast.Ledger;

/// <summary>The SQL that reads whole rows and ids.</summary>
internal static class EntryQuery
{
    private const string Columns =
        """
        attempt_id, exchange_id, attempt_number, started_us, key_id, app, protocol, operation, stream,
        requested_model, sent_model, served_model, deployment, vendor, platform, region,
        input_tokens, cache_read_tokens, cache_write_tokens, cache_write_long_tokens, output_tokens, reasoning_tokens,
        is_estimated, cost_pico, input_cost_pico, ttft_us, duration_us, outcome, reason, finish,
        upstream_status, upstream_request_id, reached, losses, team, organisation, reserved_pico, reserved_currency, media
        """;

    public static IReadOnlyList<LedgerEntry> Run(DbConnection connection, LedgerFilter filter, int countMax)
    {
        using DbCommand command = LedgerQuery.Create(
            connection, $"SELECT {Columns} FROM attempts WHERE {"{where}"} ORDER BY started_us, attempt_id LIMIT @count", filter);
        LedgerQuery.Bind(command, "@count", countMax);
        using DbDataReader reader = command.ExecuteReader();
        List<LedgerEntry> entries = [];
        while (reader.Read())
        {
            entries.Add(Read(reader));
        }

        return entries;
    }

    public static IReadOnlyList<LedgerEntry> Page(DbConnection connection, LedgerFilter filter, LedgerEntry? after, int countMax)
    {
        string behind = after is null ? "" : " AND started_us >= @at AND (started_us > @at OR attempt_id > @id)";
        using DbCommand command = LedgerQuery.Create(
            connection, $"SELECT {Columns} FROM attempts WHERE {"{where}"}{behind} ORDER BY started_us, attempt_id LIMIT @count", filter);
        LedgerQuery.Bind(command, "@count", countMax);
        if (after is not null)
        {
            LedgerQuery.Bind(command, "@at", LedgerQuery.Microseconds(after.StartedAt));
            LedgerQuery.Bind(command, "@id", after.AttemptId);
        }

        using DbDataReader reader = command.ExecuteReader();
        List<LedgerEntry> entries = [];
        while (reader.Read())
        {
            entries.Add(Read(reader));
        }

        return entries;
    }

    /// <summary>Requests that were answered, in order of time: the newest of them, where there are more.</summary>
    public static IReadOnlyList<ServedRequest> Served(DbConnection connection, LedgerFilter filter, int countMax)
    {
        using DbCommand command = LedgerQuery.Create(
            connection,
            $"""
            SELECT started_us, key_id, requested_model, protocol, deployment, input_tokens, cache_read_tokens, cache_write_tokens, cache_write_long_tokens, output_tokens
            FROM attempts WHERE outcome IN ('completed', 'interrupted') AND {"{where}"} ORDER BY started_us DESC, attempt_id DESC LIMIT @count
            """,
            filter);
        LedgerQuery.Bind(command, "@count", countMax);
        using DbDataReader row = command.ExecuteReader();
        Dictionary<string, string> words = new(StringComparer.Ordinal); // many rows share few words
        List<ServedRequest> requests = [];
        while (row.Read())
        {
            requests.Add(new ServedRequest(
                DateTimeOffset.UnixEpoch + LedgerQuery.Span(row.GetInt64(0)), Word(1), Word(2), Word(3), Word(4),
                new Usage
                {
                    InputTokens = row.GetInt64(5), CacheReadTokens = row.GetInt64(6), CacheWriteTokens = row.GetInt64(7), CacheWriteLongTokens = row.GetInt64(8), OutputTokens = row.GetInt64(9),
                }));
        }

        requests.Reverse();
        return requests;

        string Word(int column)
        {
            string word = row.GetString(column);
            return words.TryGetValue(word, out string? known) ? known : words[word] = word;
        }
    }

    public static IReadOnlySet<string> ReachedIds(DbConnection connection)
    {
        using DbCommand command = connection.CreateCommand();
        command.CommandText = "SELECT attempt_id FROM attempts WHERE reached = 1";
        using DbDataReader reader = command.ExecuteReader();
        HashSet<string> ids = new(StringComparer.Ordinal);
        while (reader.Read())
        {
            ids.Add(reader.GetString(0));
        }

        return ids;
    }

    public static long Count(DbConnection connection)
    {
        using DbCommand command = connection.CreateCommand();
        command.CommandText = "SELECT COUNT(*) FROM attempts";
        using DbDataReader reader = command.ExecuteReader();
        reader.Read();
        return reader.GetInt64(0);
    }

    private static LedgerEntry Read(DbDataReader row) => new()
    {
        AttemptId = row.GetString(0),
        ExchangeId = row.GetString(1),
        AttemptNumber = row.GetInt32(2),
        StartedAt = DateTimeOffset.UnixEpoch + LedgerQuery.Span(row.GetInt64(3)),
        KeyId = row.GetString(4),
        App = row.GetString(5),
        Protocol = row.GetString(6),
        Operation = row.GetString(7),
        Stream = row.GetInt64(8) != 0,
        RequestedModel = row.GetString(9),
        SentModel = row.GetString(10),
        ServedModel = LedgerQuery.OptionalText(row, 11),
        Deployment = row.GetString(12),
        Vendor = row.GetString(13),
        Platform = row.GetString(14),
        Region = row.GetString(15),
        InputTokens = row.GetInt64(16),
        CacheReadTokens = row.GetInt64(17),
        CacheWriteTokens = row.GetInt64(18),
        CacheWriteLongTokens = row.GetInt64(19),
        OutputTokens = row.GetInt64(20),
        ReasoningTokens = LedgerQuery.OptionalNumber(row, 21),
        IsEstimated = row.GetInt64(22) != 0,
        CostUsd = LedgerQuery.OptionalNumber(row, 23) is long cost ? Picodollars.ToDollars(cost) : null,
        InputCostUsd = LedgerQuery.OptionalNumber(row, 24) is long inputCost ? Picodollars.ToDollars(inputCost) : null,
        TimeToFirstToken = LedgerQuery.OptionalSpan(row, 25),
        Duration = LedgerQuery.Span(row.GetInt64(26)),
        Outcome = LedgerText.ParseOutcome(row.GetString(27)),
        Reason = LedgerQuery.OptionalText(row, 28),
        Finish = LedgerQuery.OptionalText(row, 29),
        UpstreamStatus = (int?)LedgerQuery.OptionalNumber(row, 30),
        UpstreamRequestId = LedgerQuery.OptionalText(row, 31),
        Reached = row.GetInt64(32) != 0,
        Losses = LedgerText.ReadLosses(LedgerQuery.OptionalText(row, 33)),
        Team = LedgerQuery.OptionalText(row, 34),
        Organisation = LedgerQuery.OptionalText(row, 35),
        Reserved = LedgerQuery.OptionalNumber(row, 36) is long reserved ? Picodollars.ToDollars(reserved) : null,
        ReservedCurrency = LedgerQuery.OptionalText(row, 37),
        Media = MediaText.Read(LedgerQuery.OptionalText(row, 38)),
    };
}
