using System.Net;
using Ballast.Exchanges;
using Ballast.Gateway;
using Ballast.Guards;
using Ballast.Ledger;
using Ballast.Routing;
using Ballast.Telemetry;
using Ballast.Upstream;
using Ballast.Upstream.Signing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Ballast.Server;

/// <summary>The running gateway: the client port, the administration port, the ledger. Composed here by hand, once, in the order of a request.</summary>
public sealed class BallastServer : IAsyncDisposable
{
    /// <summary>Connections taken at once on the client port; the framework has no limit of its own.</summary>
    private const int ConnectionsMax = 20_000;

    /// <summary>
    /// What the framework takes of a body, in bytes; <see cref="Ballast.Configuration.LimitsOptions.RequestBodyBytesMax"/> is checked by the gateway itself. What lies
    /// beyond is read and thrown away (for 5 seconds at most) so that the client sees the refusal: a connection closed on unread bytes is reset, and the answer is lost.
    /// </summary>
    private const long DiscardBytesMax = 2L * 1024 * 1024 * 1024;

    private static readonly TimeSpan CutTimeout = TimeSpan.FromSeconds(0.5);

    private readonly ServerSetup _setup;
    private readonly UpstreamClient _upstream;
    private readonly SqliteLedgerStore _store;
    private readonly WebApplication _gateway;
    private readonly WebApplication _admin;
    private volatile GatewayError? _refusal;

    private BallastServer(ServerSetup setup)
    {
        if (!setup.Admin.IsLoopback)
        {
            throw new ArgumentException("The administration port is for loopback only.", nameof(setup));
        }

        _setup = setup;
        StartedAt = setup.Time.GetUtcNow();
        _gateway = NewHost(setup, setup.Listen, DiscardBytesMax);
        Log = _gateway.Services.GetRequiredService<ILoggerFactory>().CreateLogger("ballast");
        _upstream = new UpstreamClient(new CredentialBook(setup.Time, Log));
        Health = new HealthBook(setup.Time);
        Guard = new Guard { AdmitOnly = setup.AdmitOnly };
        Totals = new LiveTotals(setup.Time);
        _store = SqliteLedgerStore.Open(setup.LedgerPath);
        Ledger = new LedgerWriter(
            _store, new LedgerWriterOptions { QueueMax = setup.Catalog.Current.Limits.LedgerQueueMax }, setup.Time, Totals,
            failure => Log.LedgerFailed(failure.Error, failure.Pending));
        Failover failover = new(new UpstreamCall(_upstream), Health, new RetryBudget(setup.Time), Log);
        GatewayHandler handler = new(
            setup.Catalog, Guard, new Router(Health, new Random(setup.Seed)), failover, new TokenCount(_upstream, Health),
            new Bookkeeper(Ledger, Totals), setup.Time, Log);
        _gateway.Run(http => ProtocolEndpoints.DispatchAsync(http, handler, _refusal));
        _admin = NewHost(setup, setup.Admin, bodyBytesMax: 0);
        _admin.Run(new AdminHandler(this).HandleAsync);
    }

    public ILogger Log { get; }
    public HealthBook Health { get; }
    public Guard Guard { get; }
    public LedgerWriter Ledger { get; }

    /// <summary>Running totals since the start.</summary>
    public LiveTotals Totals { get; }
    public Catalog.CatalogHolder Catalog => _setup.Catalog;
    public TimeProvider Time => _setup.Time;
    public DateTimeOffset StartedAt { get; }

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
            server.Address = await ListenAsync(server._gateway, setup.Listen, cancellation).ConfigureAwait(false);
            server.AdminAddress = await ListenAsync(server._admin, setup.Admin, cancellation).ConfigureAwait(false);
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

        await CutAsync().ConfigureAwait(false);
        await _gateway.DisposeAsync().ConfigureAwait(false);
        await _admin.DisposeAsync().ConfigureAwait(false);
        _upstream.Dispose();
        await Ledger.DisposeAsync().ConfigureAwait(false);
        await _store.DisposeAsync().ConfigureAwait(false);
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

    private static WebApplication NewHost(ServerSetup setup, Uri address, long bodyBytesMax)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { EnvironmentName = Environments.Production });
        ConfigureLog(builder, setup.LogTo);
        builder.Logging.SetMinimumLevel(setup.LogLevel);
        builder.Logging.AddFilter("Microsoft", LogLevel.Critical);
        builder.Services.Configure<SocketTransportOptions>(sockets => sockets.UnsafePreferInlineScheduling = true);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = setup.Catalog.Current.Limits.DrainTimeout);
        // Signals belong to the command that started the server: several hosts in one process must not each act on them.
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = bodyBytesMax;
            kestrel.Limits.MaxConcurrentConnections = ConnectionsMax;
            kestrel.Limits.MaxRequestHeadersTotalSize = 32 * 1024;
            kestrel.Listen(IPAddress.Parse(address.Host == "localhost" ? "127.0.0.1" : address.Host.Trim('[', ']')), address.Port);
        });
        return builder.Build();
    }

    private static void ConfigureLog(WebApplicationBuilder builder, ILoggerProvider? logTo)
    {
        builder.Logging.ClearProviders();
        if (logTo is not null)
        {
            builder.Logging.AddProvider(logTo);
            return;
        }

        builder.Logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.ColorBehavior = Microsoft.Extensions.Logging.Console.LoggerColorBehavior.Disabled;
            console.TimestampFormat = "HH:mm:ss.fff ";
            console.UseUtcTimestamp = true;
        });
        builder.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(
            console => console.LogToStandardErrorThreshold = LogLevel.Trace);
    }

    private static async Task<Uri> ListenAsync(WebApplication host, Uri wanted, CancellationToken cancellation)
    {
        try
        {
            await host.StartAsync(cancellation).ConfigureAwait(false);
        }
        catch (IOException exception) when (exception.InnerException is Microsoft.AspNetCore.Connections.AddressInUseException)
        {
            throw new AddressInUseException(wanted, exception);
        }

        return new Uri(host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
    }

    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
