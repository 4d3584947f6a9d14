using System.Text;
using Ballast.Catalog;
using Ballast.Configuration;
using Ballast.Routing.Shares;
using Ballast.Sandbox;
using Ballast.Server;
using Microsoft.Extensions.Logging;

namespace Ballast.EndToEnd.Tests.Page;

/// <summary>A sandbox of its own, a gateway in front of it and somebody who asks: what the page is looked at with. One of the models has a name that is markup.</summary>
internal sealed class PageHouse : IAsyncDisposable
{
    public const string HostileModel = "<img src=x onerror=alert(1)>";

    public const string Key = "key-of-the-page-tests";

    private const string Yaml = """
        providers:
          azure:
            kind: azure-openai
            platform: azure
            region: swedencentral
            base_url: ${AZURE_URL}
            allow_private_addresses: true
            api_key: ${AZURE_KEY}
            data: { geo: eu, retention_days: 30, training: false }
            deployments:
              gpt-5-mini: { vendor: openai }
          openai:
            kind: openai
            platform: openai
            region: us
            base_url: ${OPENAI_URL}
            allow_private_addresses: true
            api_key: ${OPENAI_KEY}
            data: { geo: us, retention_days: 30, training: false }
            deployments:
              gpt-5-mini: { vendor: openai }
        models:
          chat: { deployments: [azure/gpt-5-mini, openai/gpt-5-mini] }
        budgets: { page-day: { app: page, usd: 10, period: day } }
        keys:
          page: { key_env: CLIENT_KEY, app: page }
        limits: { breaker_failures: 2, breaker_open: 500ms, ramp_up: 500ms, drain_timeout: 2s }
        """;

    /// <summary>A cap that only holds while openai takes the rest: what the router must do is seen on the page.</summary>
    private const string Policy = """
        apiVersion: ballast/v1
        kind: BalancePolicy
        metadata: { name: page, version: 3 }
        scopes: [{ id: all, rules: [{ id: azure-80, cap: { platform: azure }, share: 0.8, burst: 200 }, { id: openai-99, cap: { vendor: openai }, share: 0.99, burst: 1, enforce: soft }] }]
        """;

    private readonly DirectoryInfo _folder;
    private readonly HttpClient _client;
    private readonly CancellationTokenSource _stop = new();
    private Task _asking = Task.CompletedTask;

    private PageHouse(SandboxHost sandbox, BallastServer server, DirectoryInfo folder)
    {
        Sandbox = sandbox;
        Server = server;
        _folder = folder;
        _client = new HttpClient { BaseAddress = server.Address, Timeout = TimeSpan.FromSeconds(30) };
        _client.DefaultRequestHeaders.Add("x-api-key", Key);
    }

    public SandboxHost Sandbox { get; }
    public BallastServer Server { get; }

    /// <param name="isLimited">With a balance policy in force.</param>
    /// <param name="cors">Gives the origin whose scripts may call, from that of the sandbox's OpenAI; null for none.</param>
    /// <param name="isAnyOrigin">Scripts of every page may call.</param>
    public static async Task<PageHouse> StartAsync(bool isLimited = false, Func<string, string>? cors = null, bool isAnyOrigin = false)
    {
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        SandboxHost sandbox = await SandboxHost.StartAsync(new SandboxOptions { BasePort = 0, LatencyScale = 0 }, cancellation);
        string? origin = isAnyOrigin ? "*" : cors?.Invoke(sandbox.Platforms["openai"].Address.GetLeftPart(UriPartial.Authority));
        string yaml = origin is null ? Yaml : $"server: {{ cors: {{ origins: [\"{origin}\"] }} }}\n{Yaml}";
        LoadResult loaded = OptionsLoader.Load(yaml, "page.yaml", name => name switch
        {
            "AZURE_URL" => sandbox.Platforms["azure"].Address.GetLeftPart(UriPartial.Authority),
            "AZURE_KEY" => sandbox.Platforms["azure"].ApiKey,
            "OPENAI_URL" => sandbox.Platforms["openai"].Address.GetLeftPart(UriPartial.Authority),
            "OPENAI_KEY" => sandbox.Platforms["openai"].ApiKey,
            "CLIENT_KEY" => Key,
            _ => null,
        });
        Assert.True(loaded.Options is not null, string.Join('\n', loaded.Faults.Select(fault => fault.Print("page.yaml"))));
        CatalogSnapshot catalog = WithHostileModel(CatalogBuilder.Build(loaded.Options, revision: 1));
        DirectoryInfo folder = Directory.CreateTempSubdirectory("ballast-page-");
        PolicyFolder policies = new(Path.Combine(folder.FullName, "policies"));
        if (isLimited)
        {
            policies.Activate(Policy, "page");
        }

        BallastServer server = await BallastServer.StartAsync(
            new ServerSetup
            {
                Catalog = new CatalogHolder(catalog, loaded.Options),
                Listen = new Uri("http://127.0.0.1:0"),
                Admin = new Uri("http://127.0.0.1:0"),
                LedgerPath = Path.Combine(folder.FullName, "ledger.db"),
                PolicyFolder = policies.Path,
                LogLevel = LogLevel.None,
                Seed = 1,
            },
            cancellation);
        return new PageHouse(sandbox, server, folder);
    }

    /// <summary>Asks about ten times a second, until disposed of.</summary>
    public void BeginAsking() => _asking = AskAsync();

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _asking;
        _client.Dispose();
        await Server.DisposeAsync();
        await Sandbox.DisposeAsync();
        _stop.Dispose();
        _folder.Delete(recursive: true);
    }

    /// <summary>Put into the catalog by hand, since a careful configuration may refuse such a name: the page must not depend on that. It stops when azure does.</summary>
    private static CatalogSnapshot WithHostileModel(CatalogSnapshot catalog)
    {
        Candidate azure = catalog.Models["chat"].Candidates[0];
        return catalog with { ModelOrder = [new Model(HostileModel, Selection.Ordered, [azure], CreatedUnixSeconds: 0), .. catalog.ModelOrder] };
    }

    private async Task AskAsync()
    {
        try
        {
            while (true)
            {
                using StringContent body = new("""{"model":"chat","max_completion_tokens":50,"messages":[{"role":"user","content":"Hello"}]}""", Encoding.UTF8, "application/json");
                using HttpResponseMessage response = await _client.PostAsync(new Uri("/v1/chat/completions", UriKind.Relative), body, _stop.Token);
                await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, _stop.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The house closes.
        }
    }
}
