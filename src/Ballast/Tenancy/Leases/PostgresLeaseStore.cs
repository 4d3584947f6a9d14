using Npgsql;

namespace Ballast.Tenancy.Leases;

/// <summary>Leases in the PostgreSQL database that keys are in. A call is one message there and back and one transaction.</summary>
public sealed class PostgresLeaseStore : ILeaseStore
{
    /// <summary>Longest wait for one command.</summary>
    private const int CommandSeconds = 2;

    /// <summary>Turns that one run of a gateway may have: a later run's are higher, whatever of an earlier one still comes.</summary>
    private const long TurnsOfARun = 1L << 32;

    private static readonly TimeSpan s_window = TimeSpan.FromSeconds(61);
    private static readonly TimeSpan s_sweepEvery = TimeSpan.FromHours(1);

    private const string Begin =
        """
        INSERT INTO lease_gateways AS g (gateway, seen_at, turn) VALUES ($1, now(), $2)
        ON CONFLICT (gateway) DO UPDATE SET seen_at = now(), turn = g.turn + $2 RETURNING turn
        """;

    private const string Sweep =
        """
        WITH gone AS (DELETE FROM lease_budgets WHERE to_us < (extract(epoch FROM now() - interval '40 days') * 1000000)::bigint RETURNING sheet)
            DELETE FROM lease_budget_parts p USING gone WHERE p.sheet = gone.sheet;
        WITH gone AS (DELETE FROM lease_gateways WHERE seen_at < now() - interval '40 days' RETURNING gateway)
            DELETE FROM lease_rate_parts p USING gone WHERE p.gateway = gone.gateway;
        DELETE FROM lease_alerts WHERE at < now() - interval '400 days'
        """;

    private readonly NpgsqlDataSource _source;
    private readonly string _gateway;
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim _turn = new(1, 1);
    private NpgsqlConnection? _connection;
    private long _turns;
    private long? _sweptTimestamp;
    private bool _isMigrated;

    /// <param name="connection">As Npgsql writes it.</param>
    /// <param name="gateway">The gateway's name: no other that runs has it, and it has it again after a restart.</param>
    /// <param name="time">By which old leases are swept.</param>
    /// <exception cref="TenancyStoreException">It is no connection string.</exception>
    public PostgresLeaseStore(string connection, string gateway, TimeProvider time)
    {
        _gateway = gateway;
        _time = time;
        try
        {
            _source = PostgresSource.Of(connection, CommandSeconds);
        }
        catch (FormatException fault)
        {
            throw new TenancyStoreException(fault.Message);
        }
    }

    /// <inheritdoc/>
    public Task<LeaseReply> ShareAsync(LeaseRequest request, CancellationToken cancellation) => RunAsync(
        async connection =>
        {
            NpgsqlBatch batch = new(connection);
            await using (batch.ConfigureAwait(false))
            {
                Add(batch, "SELECT ballast_lease_turn($1, $2, $3)", _gateway, ++_turns, request.Lately);
                Add(
                    batch, "SELECT place, granted, others_used, others_demand FROM ballast_lease_rates($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                    _gateway, request.Lately, request.KeptShare,
                    request.Rates.Select(static one => one.Meter).ToArray(), request.Rates.Select(static one => one.Dimension).ToArray(),
                    request.Rates.Select(static one => one.Limit).ToArray(), request.Rates.Select(static one => one.Used).ToArray(),
                    request.Rates.Select(static one => one.Demand).ToArray(), request.Rates.Select(static one => one.Wanted).ToArray());
                Add(
                    batch, "SELECT place, is_seeded, granted, others_spent, others_reserved, others_held FROM ballast_lease_budgets($1, $2, $3, $4, $5, $6, $7)",
                    _gateway, request.Budgets.Select(static one => one.Sheet).ToArray(),
                    request.Budgets.Select(static one => (one.EndsAt - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond).ToArray(),
                    request.Budgets.Select(static one => one.Limit).ToArray(), request.Budgets.Select(static one => one.Spent).ToArray(),
                    request.Budgets.Select(static one => one.Reserved).ToArray(), request.Budgets.Select(static one => one.Wanted).ToArray());
                NpgsqlDataReader rows = await batch.ExecuteReaderAsync(cancellation).ConfigureAwait(false);
                await using (rows.ConfigureAwait(false))
                {
                    return await ReadAsync(rows, request, cancellation).ConfigureAwait(false);
                }
            }
        },
        cancellation);

    /// <inheritdoc/>
    public Task SeedAsync(string sheet, decimal spent, CancellationToken cancellation) => RunAsync(
        connection => PostgresTenancyStore.AskAsync(connection, "UPDATE lease_budgets SET spent_before = $2 WHERE sheet = $1 AND spent_before IS NULL", [sheet, spent], cancellation),
        cancellation);

    /// <inheritdoc/>
    public Task<bool> TryTellAsync(string alert, CancellationToken cancellation) => RunAsync(
        async connection => await PostgresTenancyStore.AskAsync(
            connection, "INSERT INTO lease_alerts (name) VALUES ($1) ON CONFLICT DO NOTHING RETURNING 1", [alert], cancellation).ConfigureAwait(false) is not null,
        cancellation);

    /// <inheritdoc/>
    public Task LeaveAsync(TimeSpan lately, CancellationToken cancellation) => RunAsync(
        connection => PostgresTenancyStore.AskAsync(connection, "UPDATE lease_gateways SET seen_at = now() - $2 WHERE gateway = $1", [_gateway, lately - s_window], cancellation),
        cancellation);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _turn.WaitAsync().ConfigureAwait(false);
        try
        {
            await CloseAsync().ConfigureAwait(false);
            await _source.DisposeAsync().ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }
    }

    private static async Task<LeaseReply> ReadAsync(NpgsqlDataReader rows, LeaseRequest request, CancellationToken cancellation)
    {
        await rows.ReadAsync(cancellation).ConfigureAwait(false);
        int gateways = (int)rows.GetInt64(0);
        await rows.NextResultAsync(cancellation).ConfigureAwait(false);
        RateGrant[] rates = new RateGrant[request.Rates.Count];
        while (await rows.ReadAsync(cancellation).ConfigureAwait(false))
        {
            RateReport asked = request.Rates[rows.GetInt32(0) - 1];
            rates[rows.GetInt32(0) - 1] = new RateGrant(asked.Meter, asked.Dimension, rows.GetInt64(1), rows.GetInt64(2), rows.GetDouble(3));
        }

        await rows.NextResultAsync(cancellation).ConfigureAwait(false);
        BudgetGrant[] budgets = new BudgetGrant[request.Budgets.Count];
        while (await rows.ReadAsync(cancellation).ConfigureAwait(false))
        {
            string sheet = request.Budgets[rows.GetInt32(0) - 1].Sheet;
            budgets[rows.GetInt32(0) - 1] = new BudgetGrant(sheet, rows.GetBoolean(1), rows.GetDecimal(2), rows.GetDecimal(3), rows.GetDecimal(4), rows.GetDecimal(5));
        }

        return new LeaseReply(gateways, rates, budgets);
    }

    private static void Add(NpgsqlBatch batch, string sql, params object[] values)
    {
        NpgsqlBatchCommand command = new(sql);
        foreach (object value in values)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }

        batch.BatchCommands.Add(command);
    }

    private async Task<T> RunAsync<T>(Func<NpgsqlConnection, Task<T>> work, CancellationToken cancellation)
    {
        await _turn.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            return await work(_connection ??= await OpenAsync(cancellation).ConfigureAwait(false)).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            await CloseAsync().ConfigureAwait(false);
            if (PostgresTenancyStore.IsOfTheDatabase(failure))
            {
                throw new TenancyStoreException($"The database of leases cannot be used: {failure.Message}", failure);
            }

            throw;
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task<NpgsqlConnection> OpenAsync(CancellationToken cancellation)
    {
        NpgsqlConnection connection = await _source.OpenConnectionAsync(cancellation).ConfigureAwait(false);
        try
        {
            if (!_isMigrated)
            {
                await TenancySchema.MigrateAsync(connection, cancellation).ConfigureAwait(false);
                _isMigrated = true;
            }

            await PostgresTenancyStore.AskAsync(connection, "SET synchronous_commit = on", [], cancellation).ConfigureAwait(false); // what was granted is used at once

            // A word of a connection that was given up may still be on its way.
            long begun = (long)(await PostgresTenancyStore.AskAsync(connection, Begin, [_gateway, TurnsOfARun], cancellation).ConfigureAwait(false))!;
            _turns = begun;
            if (_sweptTimestamp is not { } swept || _time.GetElapsedTime(swept) > s_sweepEvery)
            {
                await PostgresTenancyStore.AskAsync(connection, Sweep, [], cancellation).ConfigureAwait(false);
                _sweptTimestamp = _time.GetTimestamp();
            }

            return connection;
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private async ValueTask CloseAsync()
    {
        if (Interlocked.Exchange(ref _connection, null) is { } connection)
        {
            await connection.DisposeAsync().ConfigureAwait(false);
        }
    }
}
