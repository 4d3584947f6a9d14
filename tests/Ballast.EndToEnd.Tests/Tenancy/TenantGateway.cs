using System.Net.Http.Headers;
using System.Text.Json;
using Ballast.Catalog;
using Ballast.Configuration;
using Ballast.Guards;
using Ballast.Ledger;
using Ballast.Sandbox;
using Ballast.Server;
using Ballast.EndToEnd.Tests.Fixtures;

namespace Ballast.EndToEnd.Tests.Tenancy;

/// <summary>The real gateway with apps, limits and budgets in front of a sandbox; it can be ended and started again on the same files.</summary>
internal sealed class TenantGateway : IAsyncDisposable
{
    public const string Key = "client-key-of-the-tenants";

    private readonly string _folder;
    private readonly string _yaml;
    private TenantClient _client = null!;

    private TenantGateway(SandboxHost sandbox, string folder, string yaml)
    {
        (Sandbox, _folder, _yaml) = (sandbox, folder, yaml);
    }

    public SandboxHost Sandbox { get; }
    public BallastServer Server { get; private set; } = null!;
    public HttpClient Http => _client.Http;
    public LogLines Log { get; } = new();
    public string AdminToken { get; private set; } = "";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <param name="tenants">Lines of <c>apps:</c>, <c>budgets:</c> and such; the key <c>client</c> is of the app <c>tests</c>.</param>
    /// <param name="keyMore">Lines of that key.</param>
    /// <param name="latencyScale">0 lets the platforms answer at once.</param>
    public static async Task<TenantGateway> StartAsync(string tenants, string keyMore = "", double latencyScale = 0)
    {
        SandboxHost sandbox = await SandboxHost.StartAsync(new SandboxOptions { BasePort = 0, LatencyScale = latencyScale }, Cancellation);
        string yaml = $$"""
            providers:
            {{Provider(sandbox, "openai", "PLATFORM_KEY")}}
                deployments:
                  gpt-5-mini: { max_output_tokens: 400, protocols: [openai-chat] }
                  behind: { model: gpt-5-mini, protocols: [openai-responses] }
                  text-embedding-3-small: { embedding: true }
                  gpt-image-1-mini: {}
                  gpt-4o-mini-tts: {}
                  omni-moderation-latest: {}
                  gpt-3.5-turbo-instruct: {}
                  pictures: { model: gpt-image-1-mini, price: pictures }
                  painted: { model: gpt-image-1-mini, price: painted }
            {{Provider(sandbox, "anthropic", "ANTHROPIC_KEY")}}
                deployments: { claude: { model: claude-haiku-4-5 } }
            price_book: none
            models:
              claude: { deployments: [anthropic/claude] }
              priced: { deployments: [openai/gpt-5-mini] }
            prices:
              openai/gpt-5-mini: { input: 1, output: 10 }
              openai/behind: { input: 1, output: 10 }
              openai/text-embedding-3-small: { input: 1, output: 0 }
              pictures: { input: 2, output: 8 }
              painted: { input: 0, output: 0, per_image: 0.04 }
            keys:
              client: { key_env: CLIENT_KEY, app: tests{{keyMore}} }
            {{tenants}}
            """;
        string folder = Directory.CreateTempSubdirectory("ballast-tenants-").FullName;
        TenantGateway gateway = new(sandbox, folder, yaml);
        await gateway.StartAsync();
        return gateway;
    }

    /// <summary>An entry of <c>providers:</c> up to its deployments.</summary>
    /// <param name="sandbox">Where the platform is.</param>
    /// <param name="platform">Its name, and its vendor's.</param>
    /// <param name="variable">Holds its key.</param>
    public static string Provider(SandboxHost sandbox, string platform, string variable) => $$"""
          {{platform}}:
            kind: {{platform}}
            platform: {{platform}}
            region: us
            base_url: "{{sandbox.Platforms[platform].Address.GetLeftPart(UriPartial.Authority)}}"
            allow_private_addresses: true
            api_key: ${{{variable}}}
            data: { geo: us, retention_days: 0, training: false }
            vendor: {{platform}}
        """;

    /// <summary>Ends the gateway and starts it again on the same files, without what it had in memory.</summary>
    public async Task RestartAsync()
    {
        await StopAsync();
        await StartAsync();
    }

    public async Task StopAsync()
    {
        _client.Dispose();
        await Server.DisposeAsync();
    }

    public BudgetMeter Budget(string id) => Server.Guard.Meters.Budget(id)!;

    public static HttpRequestMessage NewRequest(string path, string body, string? key = null) => TenantClient.NewRequest(path, body, key ?? Key);

    public Task<(int Status, string Body, HttpResponseHeaders Headers)> AskAsync(string path, string body, string? key = null) => _client.AskAsync(path, body, key);

    public Task<(int Status, JsonElement Body)> AdministerAsync(string method, string path, string? body = null) => _client.AdministerAsync(AdminToken, method, path, body);

    /// <summary>All rows, once no request runs any more.</summary>
    public async Task<IReadOnlyList<LedgerEntry>> EntriesAsync()
    {
        Assert.True(await GatewayHost.UntilAsync(() => Task.FromResult(Server.Guard.Running == 0), TimeSpan.FromSeconds(60)), "a request does not end");
        await Server.Ledger.FlushAsync();
        return await new LedgerReader(Path.Combine(_folder, "ledger.db")).EntriesAsync(LedgerFilter.Everything, 1_000_000, Cancellation);
    }

    public IEnumerable<string> Files => Directory.GetFiles(_folder);

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await Sandbox.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task StartAsync()
    {
        LoadResult loaded = OptionsLoader.Load(_yaml, "tenants.yaml", name => name == "CLIENT_KEY" ? Key : name == "ALERT_SECRET" ? new string('s', 40) : name == "ANTHROPIC_KEY" ? Sandbox.Platforms["anthropic"].ApiKey : Sandbox.Platforms["openai"].ApiKey);
        Assert.True(loaded.Options is not null, string.Join('\n', loaded.Faults.Select(static fault => fault.Print("tenants.yaml"))));
        Server = await BallastServer.StartAsync(
            new ServerSetup
            {
                Catalog = new CatalogHolder(CatalogBuilder.Build(loaded.Options, revision: 1), loaded.Options),
                Listen = new Uri("http://127.0.0.1:0"),
                Admin = new Uri("http://127.0.0.1:0"),
                LedgerPath = Path.Combine(_folder, "ledger.db"),
                LogTo = Log,
                Seed = 1,
            },
            Cancellation);
        _client = new TenantClient(Server, Key);
        AdminToken = Server.FirstAdminToken ?? AdminToken;
    }
}
