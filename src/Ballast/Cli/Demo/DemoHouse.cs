using Ballast.Balance.Watch;
using Ballast.Ledger;
using Ballast.Routing.Shares;
using Ballast.Sandbox;
using Ballast.Server;
using Microsoft.Extensions.Logging;

namespace Ballast.Cli.Demo;

/// <summary>All that the demo runs on: the sandbox, the gateway in front of it, and the ledger's file. Loopback only.</summary>
internal sealed class DemoHouse : IAsyncDisposable
{
    private static readonly TimeSpan SettleTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan SettleStep = TimeSpan.FromMilliseconds(10);

    private readonly string _temporaryFolder;

    private DemoHouse(SandboxHost sandbox, BallastServer server, DemoConfiguration configuration, string ledgerPath, string temporaryFolder)
    {
        Sandbox = sandbox;
        Server = server;
        Configuration = configuration;
        LedgerPath = ledgerPath;
        _temporaryFolder = temporaryFolder;
        StartedAt = server.Time.GetUtcNow();
        Watch = new BalanceWatch(server.Catalog.Current, server.Shares.Current ?? throw new InvalidOperationException("The demo's policy is not in force."), server.Time);
        server.Watch = Watch;
        server.Totals.Observer = Watch.Record;
    }

    public SandboxHost Sandbox { get; }
    public BallastServer Server { get; }
    public DemoConfiguration Configuration { get; }
    public string LedgerPath { get; }

    /// <summary>Times in which a cap was suspended; written to within a second.</summary>
    public RelaxationFile Relaxations => new(Path.ChangeExtension(LedgerPath, ".relaxations.jsonl"));

    /// <summary>Shares as the gateway keeps them, beside what weights alone would have made of the same requests.</summary>
    public BalanceWatch Watch { get; }

    /// <summary>Rows of the ledger from here on belong to this run: a file that is named may hold earlier ones.</summary>
    public DateTimeOffset StartedAt { get; }

    /// <exception cref="SandboxPortInUseException">A port of the sandbox is taken.</exception>
    /// <exception cref="AddressInUseException">A port of the gateway is taken.</exception>
    /// <exception cref="LedgerException">The ledger's file cannot be used.</exception>
    public static async Task<DemoHouse> StartAsync(DemoSettings settings, CancellationToken cancellation)
    {
        SandboxHost? sandbox = null;
        string temporaryFolder = Directory.CreateTempSubdirectory("ballast-demo-").FullName;
        string ledgerPath = settings.LedgerPath ?? Path.Combine(temporaryFolder, "ledger.db");
        try
        {
            sandbox = await SandboxHost.StartAsync(
                new SandboxOptions
                {
                    BasePort = settings.SandboxPort,
                    Seed = settings.Seed,
                    LatencyScale = settings.LatencyScale,
                    ReplaysRecordings = settings.RequestsFolder is not null,
                },
                cancellation).ConfigureAwait(false);
            DemoConfiguration configuration = new(sandbox, settings.Seconds, temporaryFolder);
            PolicyFolder policies = new(Path.Combine(temporaryFolder, "policies"));
            policies.Activate(settings.RequestsFolder is null ? DemoConfiguration.PolicyText : DemoConfiguration.PolicyTextForLarge, "demo");
            BallastServer server = await BallastServer.StartAsync(
                new ServerSetup
                {
                    Catalog = configuration.Load(),
                    Listen = Loopback(settings.Port),
                    Admin = Loopback(settings.AdminPort),
                    LedgerPath = ledgerPath,
                    PolicyFolder = policies.Path,
                    // On a terminal that is drawn on, a line from elsewhere would tear the picture.
                    LogLevel = settings.IsLive && !Console.IsErrorRedirected ? LogLevel.None : LogLevel.Critical,
                    Seed = settings.Seed,
                    AdmitOnly = DemoConfiguration.StoryApps,
                },
                cancellation).ConfigureAwait(false);
            return new DemoHouse(sandbox, server, configuration, ledgerPath, temporaryFolder);
        }
        catch
        {
            if (sandbox is not null)
            {
                await sandbox.DisposeAsync().ConfigureAwait(false);
            }

            Remove(temporaryFolder);
            throw;
        }
    }

    /// <summary>Completes when every request has been settled and both the ledger and the bill are written out.</summary>
    public async Task SettleAsync()
    {
        long start = Server.Time.GetTimestamp();
        while (Server.Guard.Running > 0 && Server.Time.GetElapsedTime(start) < SettleTimeout)
        {
            await Task.Delay(SettleStep, Server.Time).ConfigureAwait(false);
        }

        await Server.Ledger.FlushAsync().ConfigureAwait(false);
        await Sandbox.Billing.FlushAsync().ConfigureAwait(false);
    }

    /// <summary>Everything as if nothing had happened, open to everybody on this machine.</summary>
    public async Task OpenAsync()
    {
        Sandbox.Faults.Clear();
        foreach (string platform in Sandbox.Platforms.Keys)
        {
            await Sandbox.ReturnAsync(platform).ConfigureAwait(false);
        }

        Server.Health.Reset();
        Server.Guard.AdmitOnly = null;
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync().ConfigureAwait(false);
        await Sandbox.DisposeAsync().ConfigureAwait(false);
        Remove(_temporaryFolder);
    }

    private static Uri Loopback(int port) => new UriBuilder("http", "127.0.0.1", port).Uri;

    private static void Remove(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (IOException)
        {
            // A file that is still held stays behind in the system's own folder for such files.
        }
    }
}
