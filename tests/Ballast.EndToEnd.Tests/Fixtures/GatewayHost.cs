using System.Buffers;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Ballast.Catalog;
using Ballast.Configuration;
using Ballast.Ledger;
using Ballast.Sandbox;
using Ballast.Server;

namespace Ballast.EndToEnd.Tests.Fixtures;

/// <summary>A gateway as <c>ballast serve</c> composes it, in front of a sandbox of its own, with a ledger in a temporary file and its log kept in memory.</summary>
public sealed class GatewayHost : IAsyncDisposable
{
    private static readonly TimeSpan SettleWithin = TimeSpan.FromSeconds(30);

    private readonly string _folder;
    private readonly Dictionary<string, string> _variables;

    /// <summary>All of <see cref="Secrets"/> in all their forms: a text is gone through once, however many there are.</summary>
    private readonly SearchValues<string> _secrets;

    private GatewayHost(SandboxHost sandbox, BallastServer server, LogLines log, string folder, Dictionary<string, string> variables)
    {
        Sandbox = sandbox;
        Server = server;
        Log = log;
        Ledger = new LedgerReader(LedgerPathIn(folder));
        _folder = folder;
        _variables = variables;
        _secrets = SearchValues.Create([.. Secrets.SelectMany(FormsOf).Distinct()], StringComparison.OrdinalIgnoreCase);
    }

    public SandboxHost Sandbox { get; }
    public BallastServer Server { get; }
    public LogLines Log { get; }
    public LedgerReader Ledger { get; }

    /// <summary>What no client, no log line and no ledger row may hold: keys of providers and of clients, and where providers are reached.</summary>
    public IEnumerable<string> Secrets => _variables.Values.Select(value => value.Replace("http://", "", StringComparison.Ordinal));

    /// <param name="latencyScale">0 lets the platforms answer at once, 1 at natural speed.</param>
    /// <param name="conversations">What is kept; null keeps it as the default is.</param>
    /// <param name="isFailing">Platforms fail where a prompt asks for it, and deployments have copies to fail at: <see cref="ErrorPlaces"/>.</param>
    public static async Task<GatewayHost> StartAsync(double latencyScale, ConversationOptions? conversations = null, bool isFailing = false)
    {
        SandboxHost sandbox = await SandboxHost.StartAsync(
            new SandboxOptions { BasePort = 0, LatencyScale = latencyScale }, TestContext.Current.CancellationToken);
        if (isFailing)
        {
            ErrorPlaces.AddTo(sandbox.Faults);
        }

        string folder = Directory.CreateTempSubdirectory("ballast-tests-").FullName;
        Dictionary<string, string> variables = Variables(sandbox);
        string credentials = Path.Combine(folder, "google-credentials.json");
        await File.WriteAllTextAsync(credentials, sandbox.Google.ServiceAccountFile(), TestContext.Current.CancellationToken);
        variables["GOOGLE_CREDENTIALS"] = credentials;
        LogLines log = new();
        BallastServer server = await BallastServer.StartAsync(
            new ServerSetup
            {
                Catalog = Load(variables, latencyScale > 0 ? HangUpKeys.AddTo : isFailing ? ErrorPlaces.WithCopies : static options => options),
                Listen = new Uri("http://127.0.0.1:0"),
                Admin = new Uri("http://127.0.0.1:0"),
                LedgerPath = LedgerPathIn(folder),
                Conversations = conversations,
                Seed = 1,
                LogTo = log,
            },
            TestContext.Current.CancellationToken);
        return new GatewayHost(sandbox, server, log, folder, variables);
    }

    /// <summary>The key of a client, by its name in <c>gateway.yaml</c>.</summary>
    public string KeyOf(string client) => _variables[VariableOf(client)];

    /// <summary>The ledger's rows of one application, or of all, once they are written.</summary>
    public async Task<IReadOnlyList<LedgerEntry>> EntriesAsync(string? app = null)
    {
        await Server.Ledger.FlushAsync();
        return await Ledger.EntriesAsync(new LedgerFilter(App: app), 1_000_000);
    }

    /// <summary>The ledger's rows of an exchange, as soon as there are any; none where none came within the time.</summary>
    public async Task<IReadOnlyList<LedgerEntry>> EntriesOfAsync(string exchangeId, TimeSpan? within = null)
    {
        IReadOnlyList<LedgerEntry> rows = [];
        await UntilAsync(
            async () =>
            {
                rows = [.. (await EntriesAsync()).Where(entry => entry.ExchangeId == exchangeId)];
                return rows.Count > 0;
            },
            within ?? SettleWithin);
        return rows;
    }

    /// <summary>The line that refuses an exchange; it is written after the client has its answer.</summary>
    public async Task<string?> RefusalOfAsync(string exchangeId)
    {
        string? line = null;
        await UntilAsync(
            () =>
            {
                line = Log.All.FirstOrDefault(known => known.Contains($"{exchangeId} refused: ", StringComparison.Ordinal));
                return Task.FromResult(line is not null);
            },
            SettleWithin);
        return line;
    }

    /// <summary>Fails where a text holds what nobody outside may know.</summary>
    public void AssertNoSecretIn(string text, string what)
    {
        if (!text.AsSpan().ContainsAny(_secrets))
        {
            return;
        }

        string secret = Secrets.SelectMany(FormsOf).First(one => text.Contains(one, StringComparison.OrdinalIgnoreCase));
        Assert.Fail($"'{secret}' leaks through {what}: {text[..Math.Min(text.Length, 400)]}");
    }

    /// <summary>A text as it is, and as it would look in base64 (wherever it begins), in hexadecimal digits, in a URL, and backwards.</summary>
    private static IEnumerable<string> FormsOf(string secret)
    {
        byte[] bytes = System.Text.Encoding.UTF8.GetBytes(secret);
        yield return secret;
        yield return Convert.ToHexStringLower(bytes);
        yield return Uri.EscapeDataString(secret);
        yield return new string([.. secret.Reverse()]);
        for (int shift = 0; shift < 3; shift++)
        {
            // The letters that depend on what stands before and after are left out.
            string coded = Convert.ToBase64String([.. new byte[shift], .. bytes]);
            int first = shift == 0 ? 0 : 4, whole = (shift + bytes.Length) / 3 * 4;
            yield return coded[first..whole];
        }
    }

    /// <summary>Log, ledger and all bytes that lie on the disk, the metrics and the page hold no secret, however written.</summary>
    public async Task AssertNoSecretIsKeptAsync()
    {
        await Server.Ledger.FlushAsync();
        AssertNoSecretIn(MetricsText.Of(Server), "the metrics");
        using HttpClient browser = new(new SocketsHttpHandler { UseProxy = false });
        AssertNoSecretIn(await browser.GetStringAsync(new Uri(Server.AdminAddress, "/live.json")), "the page");
        foreach (string line in Log.All)
        {
            AssertNoSecretIn(line, "the log");
        }

        foreach (string file in Directory.GetFiles(_folder, "*", SearchOption.AllDirectories).Where(static file => Path.GetFileName(file) is not ("google-credentials.json" or "lock")))
        {
            using FileStream open = new(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using StreamReader reader = new(open, System.Text.Encoding.Latin1);
            AssertNoSecretIn(await reader.ReadToEndAsync(), Path.GetFileName(file));
        }
    }

    public static async Task<bool> UntilAsync(Func<Task<bool>> isSo, TimeSpan within)
    {
        long start = Stopwatch.GetTimestamp();
        while (!await isSo())
        {
            if (Stopwatch.GetElapsedTime(start) > within)
            {
                return false;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
        }

        return true;
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        await Sandbox.DisposeAsync();
        try
        {
            Directory.Delete(_folder, recursive: true);
        }
        catch (IOException)
        {
            // A file that is still held stays behind in the system's own folder for such files.
        }
    }

    private static string LedgerPathIn(string folder) => Path.Combine(folder, "ledger.db");

    private static string VariableOf(string client) => client.ToUpperInvariant().Replace('-', '_');

    private static Dictionary<string, string> Variables(SandboxHost sandbox)
    {
        Dictionary<string, string> variables = new(StringComparer.Ordinal)
        {
            ["UNAUTHORIZED_KEY"] = "canary-of-an-unknown-key",
            ["GONE_KEY"] = "canary-of-a-platform-that-is-gone",
            ["AWS_ID"] = SandboxAws.AccessKeyId,
            ["AWS_SECRET"] = SandboxAws.SecretAccessKey,
            ["GONE_URL"] = $"http://127.0.0.1:{UnusedPort()}",
        };
        foreach (SandboxPlatform platform in sandbox.Platforms.Values)
        {
            variables[$"{platform.Name.ToUpperInvariant()}_URL"] = platform.Address.GetLeftPart(UriPartial.Authority);
            variables[$"{platform.Name.ToUpperInvariant()}_KEY"] = platform.ApiKey;
        }

        foreach (string client in (ReadOnlySpan<string>)
            [
                "npm-openai", "npm-responses", "npm-anthropic", "npm-ai", "npm-google", "npm-vertex", "npm-vertex-ai", "npm-ollama", "npm-cohere", "npm-langchain", "npm-foundry", "npm-bedrock", "npm-aws", "narrow",
                "nuget-openai", "nuget-responses", "nuget-anthropic", "nuget-bedrock", "nuget-vertex", "nuget-foundry", "nuget-extensions", "raw", "allow", "strict",
            ])
        {
            variables[VariableOf(client)] = $"client-key-of-{client}-for-tests";
        }

        return variables;
    }

    private static CatalogHolder Load(Dictionary<string, string> variables, Func<BallastOptions, BallastOptions> add)
    {
        string file = Path.Combine(AppContext.BaseDirectory, "Fixtures", "gateway.yaml");
        LoadResult loaded = OptionsLoader.Load(File.ReadAllText(file), "gateway.yaml", name => variables.GetValueOrDefault(name));
        Assert.True(loaded.Options is not null, string.Join('\n', loaded.Faults.Select(fault => fault.Print("gateway.yaml"))));
        BallastOptions options = add(loaded.Options);
        return new CatalogHolder(CatalogBuilder.Build(options, revision: 1), options);
    }

    private static int UnusedPort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
