using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Ballast.Catalog;
using Ballast.Configuration;
using Ballast.Guards;
using Ballast.Guards.Leases;
using Ballast.Ledger;
using Ballast.Server.Admin;
using Ballast.Telemetry;
using Ballast.Tenancy;
using Ballast.Tenancy.Leases;
using Ballast.Upstream;
using Microsoft.Extensions.Logging;

namespace Ballast.Server;

/// <summary>Who uses the gateway, put together: the store and its view, the guard that goes by it, budgets and their alerts, the desk of administration.</summary>
internal sealed class Tenants : IAsyncDisposable
{
    private static readonly TimeSpan s_staleEvery = TimeSpan.FromMilliseconds(500);

    /// <summary>How long a start waits for the ledger's store before it serves without knowing what budgets had spent.</summary>
    private static readonly TimeSpan s_seedPatience = TimeSpan.FromSeconds(10);

    private readonly TenantBook _book;
    private readonly Guard _guard;
    private readonly BudgetSeeds _seeds;
    private readonly AlertPoster _alerts;
    private readonly ITimer _stale;
    private readonly ILogger _log;
    private readonly LeaseFile? _leaseFile;
    private LeaseKeeper? _leases;

    private Tenants(ServerSetup setup, TenantBook book, Guard guard, Pepper pepper, LeaseFile? leaseFile, ILogger log)
    {
        _leaseFile = leaseFile;
        _book = book;
        _guard = guard;
        _log = log;
        LedgerReader ledger = setup.LedgerConnection is { } connection ? LedgerReader.OfPostgres(connection) : new LedgerReader(setup.LedgerPath);
        _seeds = new BudgetSeeds(guard.Meters, ledger, setup.Time);
        _alerts = new AlertPoster(setup.AlertsPath, () => TargetOf(setup.Catalog.Current.Tenancy.Alerts), setup.Time, log.AlertFailed);
        guard.Meters.Alert = Tell;
        Desk = new TenantDesk(book, pepper, setup.Time);
        Api = new AdminApi(Desk, StateOf, PlantAsync, new ReportsApi(ledger, () => setup.Catalog.Current.Commitments, setup.Time));
        _stale = setup.Time.CreateTimer(
            _ =>
            {
                guard.IsStale = book.UnseenFor > setup.Catalog.Current.Tenancy.StaleAfter;
                _ = PlantAsync(); // budgets that a ledger which was away could not tell about
            },
            null,
            s_staleEvery,
            s_staleEvery);
    }

    public TenantDesk Desk { get; }
    public AdminApi Api { get; }

    /// <summary>Text of the first token, where it was made at this start.</summary>
    public string? FirstToken { get; private set; }

    /// <exception cref="TenancyStoreException">Store or pepper cannot be used.</exception>
    /// <exception cref="LedgerException">The ledger cannot be read.</exception>
    public static async Task<Tenants> OpenAsync(ServerSetup setup, Guard guard, Pepper pepper, LedgerWriter ledger, ILogger log, CancellationToken cancellation)
    {
        (ITenancyStore store, TenantSnapshot? snapshot, LastSeen? seen) = await OpenStoreAsync(setup, pepper, log, cancellation).ConfigureAwait(false);
        LeaseFile? file = null;
        Tenants? tenants = null;
        try
        {
            if (snapshot is not null)
            {
                file = LeaseFile.Open(setup.LeasesPath, snapshot.Database, setup.Time);
                guard.Meters.Share = new LeaseShare(file, setup.Time) { Ahead = setup.Catalog.Current.Tenancy.StaleAfter };
            }

            TenantBook book = await TenantBook.OpenAsync(store, setup.Catalog, setup.Time, log.TenancyFailed, snapshot, seen).ConfigureAwait(false);
            tenants = new Tenants(setup, book, guard, pepper, file, log);
            book.Changed = tenants.Take;
            guard.Install(book.View); // what the ledger knows of its budgets is asked for below, once it has all rows of the run before
            await tenants.PlantFirstAsync(setup, ledger, cancellation).ConfigureAwait(false);
            await tenants.ShareAsync(setup, cancellation).ConfigureAwait(false);
            tenants.FirstToken = seen is null ? await tenants.Desk.MakeFirstTokenAsync(cancellation).ConfigureAwait(false) : null; // a later start makes it
            return tenants;
        }
        catch
        {
            if (tenants is not null)
            {
                await tenants.DisposeAsync().ConfigureAwait(false);
            }
            else
            {
                await store.DisposeAsync().ConfigureAwait(false);
                file?.Dispose();
            }

            throw;
        }
    }

    /// <summary>The gateway's own file, or the database that it shares with others, if they hash keys alike; while that is away, with the last view of it.</summary>
    private static async Task<(ITenancyStore Store, TenantSnapshot? Snapshot, LastSeen? Seen)> OpenStoreAsync(ServerSetup setup, Pepper pepper, ILogger log, CancellationToken cancellation)
    {
        if (setup.TenancyConnection is not { } connection)
        {
            return (SqliteTenancyStore.Open(setup.TenancyPath), null, null);
        }

        PostgresTenancyStore store = PostgresTenancyStore.Of(connection);
        try
        {
            TenantSnapshot snapshot = new(setup.LastViewPath, pepper, connection, setup.Time);
            long mark = Convert.ToInt64(pepper.Hash("the pepper of all gateways on one store")[..15], 16);
            long agreed;
            try
            {
                agreed = await store.AgreeAsync("pepper", mark, cancellation).ConfigureAwait(false);
                snapshot.Database = await store.AgreeAsync("database", BitConverter.ToInt64(RandomNumberGenerator.GetBytes(sizeof(long))), cancellation).ConfigureAwait(false);
            }
            catch (TenancyStoreException away)
            {
                LastSeen seen = LastViewOf(setup, snapshot, away);
                snapshot.Database = seen.Database;
                log.ServingLastView(away, seen.At);
                return (store, snapshot, seen);
            }

            return agreed == mark
                ? (store, snapshot, null)
                : throw new TenancyStoreException("The gateways on this database have another pepper: keys that they make would be unknown here. Give this one the same (tenancy.pepper).");
        }
        catch
        {
            await store.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private static LastSeen LastViewOf(ServerSetup setup, TenantSnapshot snapshot, TenancyStoreException away)
    {
        try
        {
            return snapshot.Read(setup.Catalog.Current.Tenancy.StaleAfter);
        }
        catch (TenancyStoreException failure)
        {
            throw new TenancyStoreException($"{away.Message} {failure.Message}", away);
        }
    }

    /// <summary>Where there are others, limits and budgets are theirs too.</summary>
    private async Task ShareAsync(ServerSetup setup, CancellationToken cancellation)
    {
        if (_leaseFile is { } file)
        {
            PostgresLeaseStore store = new(setup.TenancyConnection!, file.Gateway, setup.Time);
            _leases = new LeaseKeeper(store, _guard.Meters, budget => _seeds.SpentBeforeAsync(budget, _book.View), _log.TenancyFailed);
            _guard.Leases = _leases;
            await _leases.StartAsync(cancellation).ConfigureAwait(false);
        }
    }

    public static Pepper PepperOf(ServerSetup setup) =>
        setup.Catalog.Current.Tenancy.Pepper is { } secret ? Pepper.Of(secret.Reveal()) : Pepper.OfFile(Path.ChangeExtension(setup.TenancyPath, ".pepper"));

    public async ValueTask DisposeAsync()
    {
        await _stale.DisposeAsync().ConfigureAwait(false);
        if (_leases is not null)
        {
            await _leases.DisposeAsync().ConfigureAwait(false);
        }

        await _book.DisposeAsync().ConfigureAwait(false);
        await _alerts.DisposeAsync().ConfigureAwait(false);
        _seeds.Dispose();
        _leaseFile?.Dispose();
    }

    /// <summary>New budgets count at once, and what was spent before is added as soon as the ledger has told it.</summary>
    private void Take(TenantView view)
    {
        _guard.Install(view);
        _ = PlantAsync();
    }

    /// <summary>
    /// What an earlier run had not yet handed to the ledger's store belongs to the budgets too. A database that is away does not hold up a start: budgets are told when it is
    /// back, and count what is spent meanwhile.
    /// </summary>
    private async Task PlantFirstAsync(ServerSetup setup, LedgerWriter ledger, CancellationToken cancellation)
    {
        if (!_guard.Meters.Budgets.Any())
        {
            return;
        }

        using CancellationTokenSource patience = new(s_seedPatience, setup.Time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellation);
        try
        {
            await ledger.FlushAsync(either.Token).ConfigureAwait(false);
            await _seeds.PlantAsync(_book.View).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
        }
        catch (LedgerException failure) when (setup.LedgerConnection is not null)
        {
            _log.TenancyFailed(failure);
        }
    }

    private async Task PlantAsync()
    {
        if (!_guard.Meters.Unseeded.Any())
        {
            return;
        }

        try
        {
            await _seeds.PlantAsync(_book.View).ConfigureAwait(false);
        }
        catch (LedgerException failure)
        {
            _log.TenancyFailed(failure);
        }
    }

    private BudgetStateDocument? StateOf(string id)
    {
        if (_guard.Meters.Budget(id) is not { } budget)
        {
            return null;
        }

        (decimal spent, decimal reserved, BudgetPeriod period) = budget.Standing;
        return new BudgetStateDocument { Spent = spent, Reserved = reserved, Remaining = Math.Max(0, budget.Limit - spent - reserved), From = period.From, To = period.To };
    }

    private static AlertTarget? TargetOf(AlertOptions options) =>
        options is { Webhook: { } address, Secret: { } secret } ? new AlertTarget(address, new Secret(secret.Reveal()), options.AllowPrivateAddresses) : null;

    private void Tell(BudgetAlert alert)
    {
        string name = string.Create(CultureInfo.InvariantCulture, $"{alert.Budget}|{alert.From:O}|{alert.SharePercent}|{alert.Limit}|{alert.Unit}");
        if (_leases is { } leases)
        {
            _ = Task.Run(async () =>
            {
                if (await leases.TryTellAsync(name).ConfigureAwait(false))
                {
                    Post(name, alert);
                }
            });
            return;
        }

        Post(name, alert);
    }

    private void Post(string name, BudgetAlert alert)
    {
        _log.BudgetReached(alert.Budget, alert.SubjectKind, alert.Subject, alert.SharePercent ?? 100);
        ArrayBufferWriter<byte> bytes = new();
        using (Utf8JsonWriter writer = new(bytes))
        {
            writer.WriteStartObject();
            writer.WriteString("event", alert.SharePercent is null ? "budget.refused" : "budget.share_reached");
            writer.WriteString("budget", alert.Budget);
            writer.WriteString(alert.SubjectKind, alert.Subject);
            if (alert.SharePercent is { } share)
            {
                writer.WriteNumber("share_percent", share);
            }

            writer.WriteString("unit", alert.Unit);
            writer.WriteNumber("spent", alert.Spent);
            writer.WriteNumber("limit", alert.Limit);
            writer.WriteString("from", alert.From);
            writer.WriteString("to", alert.To);
            writer.WriteEndObject();
        }

        _alerts.Post(name, bytes.WrittenSpan.ToArray());
    }
}
