using Ballast.Configuration;
using Ballast.Conversations;
using Ballast.Exchanges;
using Ballast.Gateway;
using Ballast.Gateway.Background;
using Ballast.Gateway.Files;
using Ballast.Gateway.Signals;
using Ballast.Guards;
using Ballast.Handles;
using Ballast.Ledger;
using Ballast.Ledger.Spool;
using Ballast.Routing;
using Ballast.Routing.Metering;
using Ballast.Routing.Shares;
using Ballast.Telemetry;
using Ballast.Transport;
using Ballast.Upstream;
using Ballast.Upstream.Signing;
using Microsoft.Extensions.Logging;

namespace Ballast.Server;

/// <summary>The running gateway: the client port, the administration port, the ledger. Composed here by hand, once, in the order of a request.</summary>
public sealed class BallastServer : IAsyncDisposable
{
    private static readonly TimeSpan CutTimeout = TimeSpan.FromSeconds(0.5);

    private readonly ServerSetup _setup;
    private readonly UpstreamClient _upstream;
    private readonly ILedgerStore _store;
    private readonly LedgerSpool _spool;
    private readonly HandleStore _handles;
    private readonly Idempotency.IdempotencyStore _kept;
    private readonly IdempotencyDesk _idempotency;
    private readonly BackgroundBook _background;
    private readonly BatchBook _batches;
    private readonly ConversationStore? _conversations;
    private readonly ShareKeeper _shares;
    private readonly RelaxationCarrier _relaxations;
    private readonly QuotaWatch _quotas;
    private readonly ILoggerFactory _logging;
    private readonly GatewayHandler _handler;
    private readonly TlsCertificate? _tls;
    private readonly SpanSource? _traces;
    private readonly OtlpExport? _export;
    private readonly EventLoops? _loops;
    private readonly ClientPort _gateway;
    private readonly HttpPort _admin;
    private readonly Tenancy.Pepper _pepper;
    private Tenants? _tenants;
    private volatile GatewayError? _refusal;

    private BallastServer(ServerSetup setup)
    {
        if (!setup.Admin.IsLoopback)
        {
            throw new ArgumentException("The administration port is for loopback only.", nameof(setup));
        }

        _setup = setup;
        StartedAt = setup.Time.GetUtcNow();
        _logging = NewLogging(setup);
        _loops = setup.Engine == ServerEngine.Auto && EventLoop.IsSupported ? new EventLoops(TimeProvider.System) : null;
        Log = _logging.CreateLogger("ballast");
        _tls = setup.Tls is { } tls ? TlsCertificate.Open(tls, TimeProvider.System, Log) : null;
        _gateway = ClientPort.Open(setup.Listen, _loops, _logging, setup.Listen.Scheme == Uri.UriSchemeHttps ? _tls : null, setup.Tls is { IsClientAuthorityOnListen: true });
        _admin = new HttpPort(setup.Admin, bodyBytesMax: Admin.AdminApi.BodyBytesMax, _logging, setup.Admin.Scheme == Uri.UriSchemeHttps ? _tls : null, setup.Tls is { IsClientAuthorityOnAdmin: true });
        _upstream = new UpstreamClient(new CredentialBook(setup.Time, Log), setup.Time, _loops, Log);
        Health = new HealthBook(setup.Time);
        _pepper = Tenants.PepperOf(setup);
        Guard = new Guard(setup.Time, _pepper) { AdmitOnly = setup.AdmitOnly };
        Totals = new LiveTotals(setup.Time);
        _store = setup.LedgerConnection is { } connection ? new PostgresLedgerStore(connection, setup.Retention, setup.Time) : SqliteLedgerStore.Open(setup.LedgerPath, setup.Retention, setup.Time);
        _spool = LedgerSpool.Open(setup.Spool, TimeProvider.System, setup.SpoolDisk, Log.SpoolFailed);
        if (_spool.Orphans > 0)
        {
            Log.OrphansSettled(_spool.Orphans);
        }

        Ledger = new LedgerWriter(
            _store, _spool, new LedgerWriterOptions(), setup.Time, Totals, failure => Log.LedgerFailed(failure.Error, failure.Pending));
        TelemetryOptions telemetry = setup.Catalog.Current.Telemetry;
        _export = telemetry.Endpoint is null ? null : OtlpExport.Open(OtlpOf(telemetry), Meter, Log.TelemetryFailed);
        _traces = _export is not null && telemetry.SendsTraces ? new SpanSource() : null;
        Bookkeeper bookkeeper = new(Ledger, Totals, new AttemptMeter(Meter));
        _conversations = setup.ConversationsOrDefault is { IsStored: true } kept ? ConversationStore.Open(kept, setup.Time, Log.ConversationsFailed, Tenancy.ContentSeal.Of(_pepper, "conversations")) : null;
        _handles = new HandleStore(setup.HandlesPath, setup.Time);
        _kept = new Idempotency.IdempotencyStore(setup.IdempotencyPath, setup.Time, Tenancy.ContentSeal.Of(_pepper, "answers"));
        _idempotency = new IdempotencyDesk(_kept, Log);
        Shares = new ShareControl(setup.Time);
        _relaxations = new RelaxationCarrier(new RelaxationFile(setup.RelaxationsPath), (ILedgerEventStore)_store, TimeProvider.System, Log.SuspensionNotKept);
        _shares = new ShareKeeper(
            Shares, setup.Catalog, setup.PolicyFolder is { } folder ? new PolicyFolder(folder) : null, new ShareSnapshotFile(setup.SharesPath),
            _relaxations, setup.Time, Log);
        _quotas = new QuotaWatch(Health, (ILedgerEventStore)_store, setup.Time);
        Quotas = NewQuotas(setup);
        UpstreamCall call = new(_upstream, Quotas);
        Failover failover = new(call, Health, Quotas, new RetryBudget(setup.Time), bookkeeper, Guard, Log);
        _background = new BackgroundBook(bookkeeper, Guard);
        _batches = new BatchBook(Guard);
        Router router = new(Health, new Random(setup.Seed), Shares, Quotas);
        _handler = new GatewayHandler(
            setup.Catalog, Guard, Room = new WaitingRoom(router), failover, new TokenCount(_upstream, Health, Quotas),
            new FileHandler(_handles, failover, call, _upstream, Health, Quotas), bookkeeper,
            new StateKeeper(_conversations), new StateDesk(_conversations, _conversations is null ? null : new BackgroundDesk(_conversations, failover, _background)), _background, _batches,
            new ConstitutionDesk(Guard, router, failover, bookkeeper), _idempotency, new ExchangeTracer(_traces), setup.Time, Log);
    }

    public ILogger Log { get; }
    public HealthBook Health { get; }

    /// <summary>The balance policy in force and its credits.</summary>
    public ShareControl Shares { get; }

    /// <summary>Shows on the page what weights alone would have made of the same requests; null where nobody watches.</summary>
    public Ballast.Balance.Watch.BalanceWatch? Watch { get; set; }

    /// <summary>What counts against hard quotas.</summary>
    public QuotaBook Quotas { get; }

    /// <summary>Requests that wait for room.</summary>
    public WaitingRoom Room { get; }
    public Guard Guard { get; }
    public LedgerWriter Ledger { get; }

    /// <summary>Running totals since the start.</summary>
    public LiveTotals Totals { get; }

    /// <summary>Figures of attempts and requests, by OpenTelemetry's conventions.</summary>
    public GenAIMeter Meter { get; } = new();

    /// <summary>What the ports prove themselves with; null where neither has TLS.</summary>
    public TlsCertificate? Tls => _tls;

    /// <summary>Carries traces and metrics to a collector; null where none is configured.</summary>
    public OtlpExport? Export => _export;
    public Catalog.CatalogHolder Catalog => _setup.Catalog;
    public TimeProvider Time => _setup.Time;
    public DateTimeOffset StartedAt { get; }

    /// <summary>The text of the first token for administration, where this start made it: it is known nowhere else and never told again.</summary>
    public string? FirstAdminToken => _tenants?.FirstToken;

    /// <summary>Makes and changes who uses the gateway.</summary>
    internal Tenancy.TenantDesk Desk => _tenants!.Desk;

    /// <summary>Requests for administration.</summary>
    internal Admin.AdminApi AdminApi => _tenants!.Api;

    /// <summary>Where clients reach the gateway.</summary>
    public Uri Address { get; private set; } = null!;
    public Uri AdminAddress { get; private set; } = null!;

    /// <summary>Requests are taken; false while it stops.</summary>
    public bool IsReady => _refusal is null;

    /// <exception cref="AddressInUseException">One of the two ports is taken.</exception>
    public static async Task<BallastServer> StartAsync(ServerSetup setup, CancellationToken cancellation)
    {
        BallastServer server = new(setup);
        try
        {
            server._shares.Start();
            server._tenants = await Tenants.OpenAsync(setup, server.Guard, server._pepper, server.Ledger, server.Log, cancellation).ConfigureAwait(false);
            await server.HoldAgainAsync().ConfigureAwait(false);
            server.Address = await server._gateway.StartAsync(
                http => CrossOrigin.DispatchAsync(http, server._handler, setup.Catalog.Current.Cors, server._refusal), cancellation).ConfigureAwait(false);
            server.AdminAddress = await server._admin.StartAsync(new AdminHandler(server).HandleAsync, cancellation).ConfigureAwait(false);
        }
        catch
        {
            await server.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        server.Log.Serving(server.Address.ToString(), server.AdminAddress.ToString());
        return server;
    }

    /// <summary>Takes no more requests, lets the running ones end within the drain time, writes the ledger out.</summary>
    public async ValueTask DisposeAsync()
    {
        _refusal = GatewayError.NotServing;
        using CancellationTokenSource drain = new(_setup.Catalog.Current.Limits.DrainTimeout, _setup.Time);
        try
        {
            await _gateway.StopAsync(drain.Token).ConfigureAwait(false);
            await _admin.StopAsync(drain.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // Requests that outlast the drain time are cut; their rows are written below.
        }

        _idempotency.Stop();
        await CutAsync().ConfigureAwait(false);
        await _gateway.DisposeAsync().ConfigureAwait(false);
        await _admin.DisposeAsync().ConfigureAwait(false);
        _tls?.Dispose();
        _upstream.Dispose();
        _background.Dispose();
        _batches.Dispose();
        _loops?.Dispose();
        if (_conversations is not null)
        {
            await _conversations.DisposeAsync().ConfigureAwait(false);
        }

        _setup.Catalog.Reloaded -= Quotas.Bind;
        await _shares.DisposeAsync().ConfigureAwait(false);
        await _relaxations.DisposeAsync().ConfigureAwait(false);
        await _quotas.DisposeAsync().ConfigureAwait(false);
        if (_tenants is not null)
        {
            await _tenants.DisposeAsync().ConfigureAwait(false);
        }

        await Ledger.DisposeAsync().ConfigureAwait(false);
        _traces?.Dispose();
        _export?.Dispose();
        _spool.Dispose();
        await _handles.DisposeAsync().ConfigureAwait(false);
        await _kept.DisposeAsync().ConfigureAwait(false);
        _idempotency.Dispose();
        await _store.DisposeAsync().ConfigureAwait(false);
        _logging.Dispose();
    }

    /// <summary>What batches were held for is held again before the first request is taken.</summary>
    private async Task HoldAgainAsync()
    {
        try
        {
            await _batches.RestoreAsync(_handles, _setup.Time).ConfigureAwait(false);
        }
        catch (HandleStoreException failure)
        {
            Log.HoldsUnreadable(failure);
        }
    }

    /// <summary>Waits until the requests that were cut have recorded their attempts.</summary>
    private async Task CutAsync()
    {
        long start = _setup.Time.GetTimestamp();
        while (Guard.Running > 0 && _setup.Time.GetElapsedTime(start) < CutTimeout)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), _setup.Time).ConfigureAwait(false);
        }
    }

    private static OtlpSettings OtlpOf(TelemetryOptions options) => new()
    {
        Endpoint = options.Endpoint!,
        IsGrpc = options.IsGrpc,
        Headers = [.. options.Headers.Select(static header => new KeyValuePair<string, string>(header.Key, header.Value.Reveal()))],
        SendsTraces = options.SendsTraces,
        SendsMetrics = options.SendsMetrics,
        MetricsInterval = options.MetricsInterval,
        QueueMax = options.QueueMax,
        ServiceName = options.ServiceName,
        Resource = options.Resource,
    };

    private static QuotaBook NewQuotas(ServerSetup setup)
    {
        QuotaBook quotas = new(setup.Time);
        quotas.Bind(setup.Catalog.Current);
        setup.Catalog.Reloaded += quotas.Bind;
        return quotas;
    }

    private static ILoggerFactory NewLogging(ServerSetup setup) =>
        ConsoleLog.Open(setup.IsJsonLog ? new JsonLineFormatter(setup.Time) : new TextLineFormatter(setup.Time), setup.LogLevel, setup.LogTo);
}
