namespace Ballast.Bench;

/// <summary>All that runs while measuring: the simulated platform, TLS before it, and the candidates, each in one process.</summary>
public sealed class Field : IAsyncDisposable
{
    public const string ClientKey = "sk-ballast-0123456789abcdef0123456789abcdef";

    private readonly BenchOptions _options;
    private readonly List<PinnedProcess> _running = [];
    private readonly Dictionary<string, PinnedProcess> _candidates = [];

    private Field(BenchOptions options) => _options = options;

    public PinnedProcess Platform { get; private set; } = null!;
    public int PlatformTlsPort { get; private set; }
    public int NginxTlsPort { get; } = PinnedProcess.FreePort();

    /// <summary>The ledger of what is launched from now on: a start is not to add up what the rounds have spent of a budget within minutes.</summary>
    public string Ledger { get; set; } = "ledger";

    /// <summary>The running candidate of this name; null where it could not be set up.</summary>
    public PinnedProcess? Find(string name) => _candidates.GetValueOrDefault(name);

    public static async Task<Field> StartAsync(BenchOptions options, CancellationToken cancellation)
    {
        Field field = new(options);
        try
        {
            field.PlatformTlsPort = PinnedProcess.FreePort();
            field.Platform = field.Start("platform", PinnedProcess.LoadCore, PinnedProcess.FreePort(), port => [Path.Combine(options.Tools, "platform"), $"{port}"]);
            await field.Platform.ListensAsync(cancellation);
            PinnedProcess tls = field.Start(
                "platform-tls", PinnedProcess.LoadCore, field.PlatformTlsPort, port => ["nginx", "-p", options.Scratch, "-c", field.Configure("nginx-tls.conf", port)]);
            await tls.ListensAsync(cancellation);
            foreach (string name in options.Counts is null ? Candidate.All : [Candidate.Ballast])
            {
                await field.RunAsync(name, cancellation);
            }

            return field;
        }
        catch
        {
            await field.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts the candidate; false where it is not installed.</summary>
    public async Task<bool> RunAsync(string name, CancellationToken cancellation)
    {
        if (Launch(name) is not { } process)
        {
            return false;
        }

        _candidates[name] = process;
        await process.ListensAsync(cancellation);
        return true;
    }

    /// <summary>Starts the candidate without waiting for it.</summary>
    public PinnedProcess? Launch(string name) => Candidate.Command(name, this, _options) is { } command
        ? Start(name, PinnedProcess.ProxyCore, PinnedProcess.FreePort(), command)
        : null;

    public void Stop(PinnedProcess process)
    {
        process.Dispose();
        _running.Remove(process);
        if (_candidates.GetValueOrDefault(process.Name) == process)
        {
            _candidates.Remove(process.Name);
        }
    }

    /// <summary>Fills a configuration of bench/ in and writes it to the scratch folder.</summary>
    public string Configure(string file, int port)
    {
        string text = File.ReadAllText(Path.Combine(_options.Files, file))
            .Replace("@SCRATCH@", _options.Scratch, StringComparison.Ordinal)
            .Replace("@LEDGER@", Ledger, StringComparison.Ordinal)
            .Replace("@FILES@", _options.Files, StringComparison.Ordinal)
            .Replace("@LISTEN@", $"{port}", StringComparison.Ordinal)
            .Replace("@LISTEN_TLS@", $"{NginxTlsPort}", StringComparison.Ordinal)
            .Replace("@ADMIN@", $"{PinnedProcess.FreePort()}", StringComparison.Ordinal)
            .Replace("@PLATFORM@", $"{Platform.Port}", StringComparison.Ordinal)
            .Replace("@PLATFORM_TLS@", $"{PlatformTlsPort}", StringComparison.Ordinal);
        string path = Path.Combine(_options.Scratch, $"{port}-{file}");
        File.WriteAllText(path, text);
        return path;
    }

    public ValueTask DisposeAsync()
    {
        foreach (PinnedProcess process in _running)
        {
            process.Dispose();
        }

        _running.Clear();
        return ValueTask.CompletedTask;
    }

    private PinnedProcess Start(string name, int core, int port, Func<int, IEnumerable<string>> command)
    {
        Dictionary<string, string> environment = new()
        {
            ["BENCH_KEY"] = ClientKey,
            ["BENCH_PLATFORM_KEY"] = "sk-platform",
            ["SSL_CERT_FILE"] = Path.Combine(_options.Scratch, "authority.pem"),
        };
        if (_options.Counts is { } counts)
        {
            environment["DOTNET_TieredPGO"] = "1";
            environment["DOTNET_WritePGOData"] = "1";
            environment["DOTNET_PGODataPath"] = counts;
        }

        PinnedProcess process = PinnedProcess.Start(_options, name, core, port, command(port), environment);
        _running.Add(process);
        return process;
    }
}
