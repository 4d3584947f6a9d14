using System.Net;
using Ballast.Catalog;
using Ballast.Configuration;
using Ballast.Server;
using Ballast.Tests.Ledger;
using Microsoft.Extensions.Logging;

namespace Ballast.Tests.Server;

/// <summary>A gateway on free ports with a ledger in a temporary folder. Its upstreams are addresses where nothing listens.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    public const string Key = "test-key-for-the-page";

    private const string Yaml = """
        providers:
          azure:
            kind: openai-compatible
            platform: azure
            region: swedencentral
            base_url: http://127.0.0.1:9/v1
            allow_private_addresses: true
            data: { geo: eu, retention_days: 0, training: false }
            deployments:
              gpt: { vendor: openai }
          bedrock:
            kind: openai-compatible
            platform: aws
            region: eu-west-1
            base_url: http://127.0.0.1:9/v1
            allow_private_addresses: true
            data: { geo: eu, retention_days: 0, training: false }
            deployments:
              gpt: { vendor: openai }
              llama: { vendor: meta }
        models:
          chat: { deployments: [azure/gpt, bedrock/gpt] }
          llama: { deployments: [bedrock/llama] }
        keys:
          test: { key_env: TEST_KEY, app: tests }
        limits: { breaker_failures: 2, breaker_open: 60s, drain_timeout: 3s }
        """;

    private readonly TemporaryFolder _folder;

    private TestServer(BallastServer server, TemporaryFolder folder)
    {
        Server = server;
        _folder = folder;
        Admin = new HttpClient { BaseAddress = server.AdminAddress, Timeout = TimeSpan.FromSeconds(20) };
        Client = new HttpClient { BaseAddress = server.Address, Timeout = TimeSpan.FromSeconds(20) };
        Client.DefaultRequestHeaders.Add("x-api-key", Key);
    }

    public BallastServer Server { get; }
    public HttpClient Admin { get; }
    public HttpClient Client { get; }

    public static async Task<TestServer> StartAsync(string limit = "retry_floor: 10")
    {
        LoadResult loaded = OptionsLoader.Load(Yaml.Replace("breaker_open: 60s", $"breaker_open: 60s, {limit}", StringComparison.Ordinal), "test.yaml", name => name == "TEST_KEY" ? Key : null);
        Assert.True(loaded.Options is not null, string.Join('\n', loaded.Faults.Select(fault => fault.Print("test.yaml"))));
        TemporaryFolder folder = new();
        BallastServer server = await BallastServer.StartAsync(
            new ServerSetup
            {
                Catalog = new CatalogHolder(CatalogBuilder.Build(loaded.Options, revision: 1), loaded.Options),
                Listen = new Uri("http://127.0.0.1:0"),
                Admin = new Uri("http://127.0.0.1:0"),
                LedgerPath = folder.File("ledger.db"),
                LogLevel = LogLevel.None,
                Seed = 1,
            },
            TestContext.Current.CancellationToken);
        return new TestServer(server, folder);
    }

    public async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string? host = null)
    {
        using HttpRequestMessage request = new(method, path);
        request.Headers.Host = host;
        return await Admin.SendAsync(request, TestContext.Current.CancellationToken);
    }

    /// <summary>Asks a model that nothing answers for, and waits until the exchange is in the books: that comes after its answer.</summary>
    public async Task<HttpStatusCode> AskAsync(string model)
    {
        using StringContent body = new($$"""{"model":"{{model}}","messages":[{"role":"user","content":"Hi"}]}""", System.Text.Encoding.UTF8, "application/json");
        using HttpResponseMessage response = await Client.PostAsync(new Uri("/v1/chat/completions", UriKind.Relative), body, TestContext.Current.CancellationToken);
        while (Server.Guard.Running > 0)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, TestContext.Current.CancellationToken);
        }

        return response.StatusCode;
    }

    public async ValueTask DisposeAsync()
    {
        Admin.Dispose();
        Client.Dispose();
        await Server.DisposeAsync();
        _folder.Dispose();
    }
}
