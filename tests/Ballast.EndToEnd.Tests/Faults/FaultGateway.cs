using System.Globalization;
using System.Text;
using Ballast.Catalog;
using Ballast.Configuration;
using Ballast.Ledger;
using Ballast.Routing.Shares;
using Ballast.Sandbox;
using Ballast.Server;
using Microsoft.Extensions.Logging;

namespace Ballast.EndToEnd.Tests.Faults;

/// <summary>What a gateway under fault is made of.</summary>
internal sealed record FaultSetup
{
    public const string Key = "key-of-the-faults";

    /// <summary>Models by name; a deployment is written <c>provider/name=sent model</c>, and a provider is a platform of the sandbox or one of <see cref="Raw"/>.</summary>
    public required IReadOnlyList<(string Model, string[] Deployments)> Models { get; init; }

    /// <summary>Upstreams of the test's own by name.</summary>
    public IReadOnlyList<(string Name, string Kind, RawUpstream Upstream)> Raw { get; init; } = [];

    /// <summary>Lines under <c>limits:</c>.</summary>
    public IReadOnlyList<string> Limits { get; init; } = [];

    /// <summary>What the key's data terms say, as YAML; null allows everything.</summary>
    public string? Allow { get; init; }

    /// <summary>Further sections of the file.</summary>
    public string More { get; init; } = "";

    /// <summary>Variables that those name.</summary>
    public IReadOnlyDictionary<string, string> Variables { get; init; } = new Dictionary<string, string>();
    public double LatencyScale { get; init; }

    /// <summary>A balance policy that is in force from the start; null for none.</summary>
    public string? Policy { get; init; }

    /// <summary>What is different of the server: where its ledger is.</summary>
    public Func<ServerSetup, ServerSetup> Server { get; init; } = static setup => setup;

    /// <summary>Lines of a provider in the place of its key.</summary>
    public IReadOnlyDictionary<string, string> Credentials { get; init; } = new Dictionary<string, string>();

    /// <summary>Lines of <c>vertex</c> in the place of its key, given the sandbox and a folder for files; null proves by the service account's file.</summary>
    public Func<SandboxHost, string, string>? Vertex { get; init; }

    /// <summary>Where the data of a provider is processed; what is not named here is <c>eu</c>.</summary>
    public IReadOnlyDictionary<string, string> Data { get; init; } = new Dictionary<string, string>();
}

/// <summary>The real gateway on a free port in front of a sandbox of its own, with a ledger in a temporary folder.</summary>
internal sealed class FaultGateway : IAsyncDisposable
{
    private static readonly TimeSpan SettleWithin = TimeSpan.FromSeconds(30);

    private static readonly (string Name, string Kind, string Path, string Vendor)[] Platforms =
    [
        ("openai", "openai", "", "openai"), ("azure", "azure-openai", "", "openai"), ("bedrock", "aws-bedrock", "", "openai"),
        ("anthropic", "anthropic", "", "anthropic"), ("local", "openai-compatible", "/v1", "meta"),
        ("converse", "aws-bedrock", "", "anthropic"), ("invoke", "aws-bedrock", "", "anthropic"),
        ("gemini", "gemini", "", "google"), ("vertex", "vertex", "", "google"),
    ];

    /// <summary>The sandbox's platform behind a provider: Bedrock has three surfaces at one address.</summary>
    private static string AtSandbox(string provider) => provider is "converse" or "invoke" ? "bedrock" : provider;

    private readonly string _folder;

    private FaultGateway(SandboxHost sandbox, BallastServer server, string yaml, string folder)
    {
        Sandbox = sandbox;
        Server = server;
        Yaml = yaml;
        _folder = folder;
        Http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false, MaxConnectionsPerServer = 2000 })
        {
            BaseAddress = server.Address,
            Timeout = TimeSpan.FromSeconds(60),
        };
    }

    public SandboxHost Sandbox { get; }
    public BallastServer Server { get; }
    public HttpClient Http { get; }

    /// <summary>The configuration as written.</summary>
    public string Yaml { get; }

    public static async Task<FaultGateway> StartAsync(FaultSetup setup)
    {
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        SandboxHost sandbox = await SandboxHost.StartAsync(new SandboxOptions { BasePort = 0, LatencyScale = setup.LatencyScale }, cancellation);
        string folder = Directory.CreateTempSubdirectory("ballast-faults-").FullName;
        string yaml = Write(
            setup with { Credentials = new Dictionary<string, string>(setup.Credentials) { ["vertex"] = (setup.Vertex ?? ByServiceAccount)(sandbox, folder) } }, sandbox);
        LoadResult loaded = OptionsLoader.Load(yaml, "faults.yaml", name => setup.Variables.GetValueOrDefault(name) ?? Environment(name, sandbox));
        Assert.True(loaded.Options is not null, string.Join('\n', loaded.Faults.Where(fault => !fault.IsWarning).Select(fault => fault.Print("faults.yaml"))));
        ServerSetup plain = new()
        {
            Catalog = new CatalogHolder(CatalogBuilder.Build(loaded.Options, revision: 1), loaded.Options),
            Listen = new Uri("http://127.0.0.1:0"),
            Admin = new Uri("http://127.0.0.1:0"),
            LedgerPath = Path.Combine(folder, "ledger.db"),
            LogLevel = LogLevel.Critical,
            Seed = 1,
            PolicyFolder = setup.Policy is null ? null : Path.Combine(folder, "policies"),
        };
        if (setup.Policy is not null)
        {
            new PolicyFolder(plain.PolicyFolder!).Activate(setup.Policy, "policy");
        }

        BallastServer server = await BallastServer.StartAsync(setup.Server(plain), cancellation);
        return new FaultGateway(sandbox, server, yaml, folder);
    }

    public async Task<ClientAnswer> AskAsync(Caller caller, string model, bool stream, string prompt = Caller.Prompt)
    {
        using HttpRequestMessage request = caller.NewRequest(model, stream, prompt);
        return await ClientAnswer.SendAsync(Http, caller, stream, request);
    }

    /// <summary>All rows, once no request runs any more.</summary>
    public async Task<IReadOnlyList<LedgerEntry>> SettleAsync()
    {
        long start = TimeProvider.System.GetTimestamp();
        while (Server.Guard.Running > 0)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < SettleWithin, "a request does not end");
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, TestContext.Current.CancellationToken);
        }

        await Server.Ledger.FlushAsync();
        await Sandbox.Billing.FlushAsync();
        return await Reader.EntriesAsync(LedgerFilter.Everything, 100_000, TestContext.Current.CancellationToken);
    }

    public LedgerReader Reader => new(Path.Combine(_folder, "ledger.db"));

    /// <summary>The rows of one answer's exchange, in the order of its attempts.</summary>
    public async Task<LedgerEntry[]> RowsAsync(ClientAnswer answer)
    {
        IReadOnlyList<LedgerEntry> entries = await SettleAsync();
        return [.. entries.Where(entry => entry.ExchangeId == answer.Id).OrderBy(entry => entry.AttemptNumber)];
    }

    /// <summary>Holds the ledger against the platforms' own bill: the same requests, the same tokens, and never fewer where the ledger had to estimate.</summary>
    public async Task ReconcileAsync()
    {
        IReadOnlyList<LedgerEntry> entries = await SettleAsync();
        Dictionary<string, BillingRow> bill = Sandbox.Billing.Rows.ToDictionary(row => row.ClientRequestId!);
        HashSet<string> platforms = [.. Platforms.Select(platform => platform.Name)];
        LedgerEntry[] reached = [.. entries.Where(entry => entry.Reached && platforms.Contains(entry.Deployment[..entry.Deployment.IndexOf('/')]))];
        Assert.Equal(bill.Keys.Order(), reached.Select(entry => entry.AttemptId).Order());
        foreach (LedgerEntry entry in reached)
        {
            BillingRow row = bill[entry.AttemptId];
            string what = $"{entry.Deployment} {entry.Outcome} {entry.Reason}: ledger {entry.InputTokens}+{entry.CacheReadTokens}/{entry.OutputTokens}, bill "
                + $"{row.InputTokens}+{row.CacheReadTokens}/{row.OutputTokens} ({row.Outcome})";
            Assert.True((entry.UpstreamStatus ?? 0) == row.Status || row.Status == 0, what);
            if (!entry.IsEstimated)
            {
                Assert.True((entry.InputTokens, entry.CacheReadTokens, entry.CacheWriteTokens, entry.OutputTokens)
                    == (row.InputTokens, row.CacheReadTokens, row.CacheWriteTokens, row.OutputTokens), what);
            }

            Assert.True(entry.InputTokens + entry.CacheReadTokens + entry.CacheWriteTokens >= row.InputTokens + row.CacheReadTokens + row.CacheWriteTokens, what);
            Assert.True(entry.OutputTokens >= row.OutputTokens, what);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await Server.DisposeAsync();
        await Sandbox.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private static string ByServiceAccount(SandboxHost sandbox, string folder)
    {
        string file = Path.Combine(folder, "google-credentials.json");
        File.WriteAllText(file, sandbox.Google.ServiceAccountFile());
        return $"credentials_file: {file}\n    project: {SandboxGoogle.ProjectId}";
    }

    /// <summary>The variables that the configuration names: a key for each provider.</summary>
    private static string? Environment(string name, SandboxHost sandbox) => name == "GCE_METADATA_HOST" ? sandbox.Google.Address.Authority
        : sandbox.Platforms.TryGetValue(name["KEY_".Length..].ToLowerInvariant(), out SandboxPlatform? platform) ? platform.ApiKey : "key-at-" + name;

    private static string Write(FaultSetup setup, SandboxHost sandbox)
    {
        StringBuilder yaml = new("providers:\n");
        string[] deployments = [.. setup.Models.SelectMany(model => model.Deployments).Distinct()];
        foreach ((string name, string kind, string path, string vendor) in Platforms)
        {
            string address = sandbox.Platforms[AtSandbox(name)].Address.GetLeftPart(UriPartial.Authority) + path;
            WriteProvider(yaml, name, kind, address, vendor, setup, deployments);
        }

        foreach ((string name, string kind, RawUpstream upstream) in setup.Raw)
        {
            string address = upstream.Address.GetLeftPart(UriPartial.Authority) + (kind == "openai-compatible" ? "/v1" : "");
            WriteProvider(yaml, name, kind, address, kind switch { "anthropic" => "anthropic", "gemini" or "vertex" => "google", _ => "openai" }, setup, deployments);
        }

        yaml.Append("models:\n");
        foreach ((string model, string[] ordered) in setup.Models)
        {
            yaml.Append(CultureInfo.InvariantCulture, $"  {model}: {{ deployments: [{string.Join(", ", ordered.Select(one => one[..one.IndexOf('=')]))}] }}\n");
        }

        yaml.Append(CultureInfo.InvariantCulture, $"keys:\n  faults:\n    key: {FaultSetup.Key}\n    app: faults\n");
        yaml.Append(setup.Allow is null ? "" : $"    allow: {setup.Allow}\n");
        yaml.Append("limits:\n");
        // A connect may take as long as a first token: on a busy machine a short limit of its own would be a fault of the test.
        string? firstToken = setup.Limits.FirstOrDefault(limit => limit.StartsWith("first_token_timeout", StringComparison.Ordinal));
        bool hasConnect = firstToken is null || setup.Limits.Any(limit => limit.StartsWith("connect_timeout", StringComparison.Ordinal));
        string[] connect = hasConnect ? [] : [firstToken!.Replace("first_token", "connect", StringComparison.Ordinal)];
        foreach (string limit in (string[])["drain_timeout: 0s", .. connect, .. setup.Limits])
        {
            yaml.Append(CultureInfo.InvariantCulture, $"  {limit}\n");
        }

        return yaml.Append(setup.More).ToString();
    }

    private static void WriteProvider(
        StringBuilder yaml, string name, string kind, string address, string vendor, FaultSetup setup, string[] deployments)
    {
        string[] own = [.. deployments.Where(one => one.StartsWith(name + "/", StringComparison.Ordinal))];
        if (own.Length == 0)
        {
            return;
        }

        string data = setup.Data.GetValueOrDefault(name, "{ geo: eu, retention_days: 0, training: false }");
        string api = name == AtSandbox(name) ? "" : $"api: {name}\n    ";
        string credential = setup.Credentials.GetValueOrDefault(name, $"{api}api_key: ${{KEY_{AtSandbox(name).ToUpperInvariant()}}}");
        yaml.Append(CultureInfo.InvariantCulture, $"""
              {name}:
                kind: {kind}
                platform: {name}
                region: {name}-1
                base_url: {address}
                allow_private_addresses: true
                {credential}
                data: {data}
                deployments:

            """);
        foreach (string one in own)
        {
            string[] parts = one[(name.Length + 1)..].Split('=');
            string maker = parts[1].Contains("llama", StringComparison.Ordinal) ? "meta" : parts[1].Contains("claude", StringComparison.Ordinal) ? "anthropic" : vendor;
            string embeds = parts[1].Contains("embedding", StringComparison.Ordinal) ? ", embedding: true" : "";
            yaml.Append(CultureInfo.InvariantCulture, $"      {parts[0]}: {{ vendor: {maker}, model: '{parts[1]}'{embeds} }}\n");
        }
    }
}
