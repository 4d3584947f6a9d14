using System.Data.Common;
using Ballast.Ledger.Rollups;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Ballast.Ledger;

/// <summary>
/// Asks a ledger questions, read-only. Every question opens a connection of its own, so that it may be used from anywhere at any time and never
/// disturbs the writer; the work is done on a thread of the pool. Throws <see cref="LedgerException"/> where the ledger is missing or unreadable.
/// </summary>
public sealed class LedgerReader
{
    private const int BusyTimeoutSeconds = 5;

    private readonly Func<DbConnection> _open;

    /// <summary>Of a SQLite file.</summary>
    public LedgerReader(string path)
    {
        Path = path;
        _open = OpenFile;
    }

    private LedgerReader(string path, Func<DbConnection> open)
    {
        Path = path;
        _open = open;
    }

    /// <summary>Where the ledger is, for people: a file, or a database without its password.</summary>
    public string Path { get; }

    /// <summary>Of a PostgreSQL database.</summary>
    /// <param name="connection">As for <see cref="PostgresLedgerStore"/>.</param>
    public static LedgerReader OfPostgres(string connection)
    {
        NpgsqlDataSource source = PostgresLedgerStore.Source(connection);
        NpgsqlConnectionStringBuilder told = new(connection);
        return new LedgerReader($"{told.Host}/{told.Database}", () =>
        {
            NpgsqlConnection opened = source.OpenConnection();
            try
            {
                PostgresSchema.Check(opened);
                return opened;
            }
            catch
            {
                opened.Dispose();
                throw;
            }
        });
    }

    /// <summary>Usage by group. At most four dimensions; none gives the total only.</summary>
    public Task<UsageReport> UsageAsync(
        IReadOnlyList<UsageDimension> by, LedgerFilter filter, CancellationToken cancellation = default) =>
        UsageAsync(by, filter, UsageQuery.RankedMax, cancellation);

    /// <inheritdoc cref="UsageAsync(IReadOnlyList{UsageDimension}, LedgerFilter, CancellationToken)"/>
    /// <param name="by">The groups.</param>
    /// <param name="filter">Which attempts.</param>
    /// <param name="rankedMax">Attempts up to which times to first token are ranked one by one; beyond it they are told to 3.2 %.</param>
    /// <param name="cancellation">Ends the wait.</param>
    internal Task<UsageReport> UsageAsync(
        IReadOnlyList<UsageDimension> by, LedgerFilter filter, long rankedMax, CancellationToken cancellation) =>
        AskAsync(connection => UsageQuery.Run(connection, by, filter, rankedMax), cancellation);

    /// <summary>
    /// What was reserved for attempts whose cost is not known, in US dollars, and how many of them there are for which nothing was.
    /// </summary>
    public Task<(decimal ReservedUsd, long Others)> UnpricedAsync(LedgerFilter filter, CancellationToken cancellation = default) =>
        AskAsync(connection => UsageQuery.Unpriced(connection, filter), cancellation);

    /// <summary>What each application sent where.</summary>
    public Task<IReadOnlyList<ShareRow>> SharesAsync(LedgerFilter filter, CancellationToken cancellation = default) =>
        AskAsync(connection => TrafficQuery.Shares(connection, filter), cancellation);

    /// <summary>The figures of one vendor or platform; with neither, of all traffic.</summary>
    public Task<TrafficFigures> FiguresAsync(
        string? vendor, string? platform, LedgerFilter filter, CancellationToken cancellation = default) =>
        AskAsync(connection => TrafficQuery.Figures(connection, vendor, platform, filter), cancellation);

    /// <summary>Rows in order of time, at most so many.</summary>
    public Task<IReadOnlyList<LedgerEntry>> EntriesAsync(
        LedgerFilter filter, int countMax, CancellationToken cancellation = default) =>
        AskAsync(connection => EntryQuery.Run(connection, filter, countMax), cancellation);

    /// <summary>Answered requests in order of time; of more than so many, the newest.</summary>
    public Task<IReadOnlyList<ServedRequest>> ServedAsync(LedgerFilter filter, int countMax, CancellationToken cancellation = default) =>
        AskAsync(connection => EntryQuery.Served(connection, filter, countMax), cancellation);

    /// <summary>What was asked for and where it went, summed: what exposure is measured from.</summary>
    /// <param name="filter">Which attempts.</param>
    /// <param name="minutesMax">Sums of minutes read at most, the earliest; what is behind them is in the cells only.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public Task<DemandReport> DemandAsync(LedgerFilter filter, int minutesMax, CancellationToken cancellation = default) =>
        AskAsync(connection => DemandQuery.Run(connection, filter, minutesMax), cancellation);

    /// <summary>What was answered in stretches of this length, in order of time: whole days or hours are as quick for a year as for a week.</summary>
    public Task<IReadOnlyList<DemandCell>> DemandCellsAsync(TimeSpan length, LedgerFilter filter, CancellationToken cancellation = default) =>
        AskAsync(connection => DemandQuery.Cells(connection, length, filter), cancellation);

    /// <summary>Events of one kind in order of time; of more than so many, the newest. Only the filter's times restrict them.</summary>
    public Task<IReadOnlyList<LedgerEvent>> EventsAsync(
        string kind, LedgerFilter filter, int countMax, CancellationToken cancellation = default) =>
        AskAsync(connection => EventQuery.Run(connection, kind, filter, countMax), cancellation);

    /// <summary>Figures of all traffic by vendor, platform and stretches of time, in order of time.</summary>
    public Task<IReadOnlyList<TrafficBucket>> BucketsAsync(
        TimeSpan length, LedgerFilter filter, CancellationToken cancellation = default) =>
        AskAsync(connection => TrafficQuery.Buckets(connection, length, filter), cancellation);

    /// <summary>Ids of all attempts that the platform may have seen and billed: what a platform's bill is joined with.</summary>
    public Task<IReadOnlySet<string>> ReachedAttemptIdsAsync(CancellationToken cancellation = default) =>
        AskAsync(EntryQuery.ReachedIds, cancellation);

    /// <summary>Rows in order of time and id, behind the one that a page before ended with.</summary>
    public Task<IReadOnlyList<LedgerEntry>> PageAsync(LedgerFilter filter, LedgerEntry? after, int countMax, CancellationToken cancellation = default) =>
        AskAsync(connection => EntryQuery.Page(connection, filter, after, countMax), cancellation);

    /// <summary>Sums by minute, hour or day and group, in order of time: as quick for a year as for a day.</summary>
    public Task<IReadOnlyList<RollupRow>> RollupsAsync(
        RollupLevel level, IReadOnlyList<UsageDimension> by, LedgerFilter filter, CancellationToken cancellation = default) =>
        AskAsync(connection => RollupQuery.Run(connection, level, by, filter), cancellation);

    /// <summary>Rows in the ledger.</summary>
    public Task<long> CountAsync(CancellationToken cancellation = default) => AskAsync(EntryQuery.Count, cancellation);

    private Task<T> AskAsync<T>(Func<DbConnection, T> question, CancellationToken cancellation) =>
        Task.Run(
            () =>
            {
                try
                {
                    using DbConnection connection = _open();
                    return question(connection);
                }
                catch (DbException failure)
                {
                    throw new LedgerException($"The ledger {Path} cannot be read: {failure.Message}", failure);
                }
            },
            cancellation);

    private SqliteConnection OpenFile()
    {
        if (!File.Exists(Path))
        {
            throw new LedgerException(
                $"There is no ledger at {Path}. It is made when `ballast serve` first runs; name another file with --ledger or --config.") { IsMissing = true };
        }

        SqliteConnection connection = new(new SqliteConnectionStringBuilder
        {
            DataSource = Path,
            Mode = SqliteOpenMode.ReadOnly,
            Pooling = false,
            DefaultTimeout = BusyTimeoutSeconds,
        }.ToString());
        try
        {
            connection.Open();
            SqliteSchema.Check(connection);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }
}
