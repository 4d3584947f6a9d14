using System.Net.Http.Headers;
using System.Text;
using Ballast.Catalog;
using Ballast.Configuration;
using Ballast.EndToEnd.Tests.Fixtures;
using Ballast.Ledger;
using Ballast.Sandbox;
using Ballast.Server;

namespace Ballast.EndToEnd.Tests.Redaction;

/// <summary>The real gateway with an app that redacts, in front of a sandbox; what its platforms are sent is kept byte by byte.</summary>
public sealed class RedactingGateway : IAsyncDisposable
{
    public const string Key = "client-key-of-those-who-redact";
    public const string CarefulKey = "client-key-of-those-who-redact-answers";
    public const string PlainKey = "client-key-of-those-who-do-not-redact";
    public const string LaxKey = "client-key-of-those-who-let-pictures-by";

    private static readonly string[] s_platforms = ["openai", "anthropic", "gemini", "bedrock", "ollama", "cohere"];

    private readonly SandboxHost _sandbox;
    private readonly BallastServer _server;
    private readonly Dictionary<string, WireTap> _taps;
    private readonly string _folder;

    private RedactingGateway(SandboxHost sandbox, BallastServer server, Dictionary<string, WireTap> taps, string folder, LogLines log)
    {
        (_sandbox, _server, _taps, _folder, Log) = (sandbox, server, taps, folder, log);
        Http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = server.Address, Timeout = TimeSpan.FromSeconds(60) };
    }

    public HttpClient Http { get; }
    public LogLines Log { get; }
    public Uri Address => _server.Address;

    /// <summary>All that all platforms were sent.</summary>
    public string Sent => string.Concat(_taps.Values.Select(static tap => tap.Sent));

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static async Task<RedactingGateway> StartAsync()
    {
        SandboxHost sandbox = await SandboxHost.StartAsync(new SandboxOptions { BasePort = 0, LatencyScale = 0 }, Cancellation);
        Dictionary<string, WireTap> taps = s_platforms.ToDictionary(static name => name, name => new WireTap(sandbox.Platforms[name].Address));
        Dictionary<string, string> variables = new()
        {
            ["KEY"] = Key, ["CAREFUL_KEY"] = CarefulKey, ["PLAIN_KEY"] = PlainKey, ["LAX_KEY"] = LaxKey, ["AWS_ID"] = SandboxAws.AccessKeyId, ["AWS_SECRET"] = SandboxAws.SecretAccessKey,
        };
        foreach (string name in s_platforms)
        {
            variables[$"{name.ToUpperInvariant()}_URL"] = taps[name].Address.GetLeftPart(UriPartial.Authority);
            variables[$"{name.ToUpperInvariant()}_KEY"] = sandbox.Platforms[name].ApiKey;
        }

        string file = Path.Combine(AppContext.BaseDirectory, "Redaction", "redaction.yaml");
        LoadResult loaded = OptionsLoader.Load(await File.ReadAllTextAsync(file, Cancellation), file, variables.GetValueOrDefault);
        Assert.True(loaded.Options is not null, string.Join('\n', loaded.Faults.Select(fault => fault.Print(file))));
        string folder = Directory.CreateTempSubdirectory("ballast-redaction-").FullName;
        LogLines log = new();
        BallastServer server = await BallastServer.StartAsync(
            new ServerSetup
            {
                Catalog = new CatalogHolder(CatalogBuilder.Build(loaded.Options, revision: 1), loaded.Options),
                Listen = new Uri("http://127.0.0.1:0"),
                Admin = new Uri("http://127.0.0.1:0"),
                LedgerPath = Path.Combine(folder, "ledger.db"),
                LogTo = log,
                LogLevel = Microsoft.Extensions.Logging.LogLevel.Trace,
                Seed = 1,
            },
            Cancellation);
        return new RedactingGateway(sandbox, server, taps, folder, log);
    }

    public async Task<(int Status, string Body, HttpResponseHeaders Headers)> AskAsync(string path, string body, string? key = null, HttpMethod? method = null)
    {
        using HttpRequestMessage request = new(method ?? HttpMethod.Post, path) { Content = method == HttpMethod.Get ? null : new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.TryAddWithoutValidation("x-api-key", key ?? Key);
        if (path.StartsWith("/v1/messages", StringComparison.Ordinal))
        {
            request.Headers.Add("anthropic-version", "2023-06-01");
        }

        using HttpResponseMessage response = await Http.SendAsync(request, Cancellation);
        return ((int)response.StatusCode, Encoding.UTF8.GetString(await response.Content.ReadAsByteArrayAsync(Cancellation)), response.Headers);
    }

    public async Task<IReadOnlyList<LedgerEntry>> EntriesAsync()
    {
        Assert.True(await GatewayHost.UntilAsync(() => Task.FromResult(_server.Guard.Running == 0), TimeSpan.FromSeconds(60)), "a request does not end");
        await _server.Ledger.FlushAsync();
        return await new LedgerReader(Path.Combine(_folder, "ledger.db")).EntriesAsync(LedgerFilter.Everything, 1_000_000, Cancellation);
    }

    /// <summary>The log, and all that lies on the disk, spool and kept conversations included.</summary>
    public async Task<IReadOnlyList<(string Where, string Text)>> KeptAsync()
    {
        await EntriesAsync();
        List<(string, string)> kept = [("the log", string.Join('\n', Log.All))];
        foreach (string file in Directory.GetFiles(_folder, "*", SearchOption.AllDirectories).Where(static file => Path.GetFileName(file) != "lock"))
        {
            using FileStream open = new(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using StreamReader reader = new(open, Encoding.Latin1);
            kept.Add((Path.GetFileName(file), await reader.ReadToEndAsync(Cancellation)));
        }

        return kept;
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _server.DisposeAsync();
        foreach (WireTap tap in _taps.Values)
        {
            await tap.DisposeAsync();
        }

        await _sandbox.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
