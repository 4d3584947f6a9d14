using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Ballast.Catalog;
using Ballast.Configuration;
using Ballast.EndToEnd.Tests.Faults;
using Ballast.EndToEnd.Tests.Fixtures;
using Ballast.Ledger;
using Ballast.Sandbox;
using Ballast.Server;

namespace Ballast.EndToEnd.Tests.Files;

/// <summary>A gateway with two platforms that keep files, one that keeps none, one that is broken, and keys of two apps. It can end and begin again on its own files.</summary>
internal sealed class FileHouse : IAsyncDisposable
{
    public const string One = "key-of-one";
    public const string OneRestricted = "key-of-one-restricted";
    public const string Two = "key-of-two";

    private readonly TemporaryFolder _folder = new();
    private BallastServer _server = null!;

    private FileHouse(SandboxHost sandbox, RawUpstream broken)
    {
        Sandbox = sandbox;
        Broken = broken;
    }

    public SandboxHost Sandbox { get; }

    /// <summary>Refuses everything with 503, unless a test says otherwise.</summary>
    public RawUpstream Broken { get; }

    public BallastServer Server => _server;
    public HttpClient Http { get; private set; } = null!;
    public LogLines Log { get; } = new();

    /// <summary>Where it is remembered what lies where.</summary>
    public string HandlesPath => _folder.File("ledger.handles.db");

    public string Yaml => $$"""
        providers:
          broken: { kind: openai-compatible, platform: broken, region: b, base_url: "{{Broken.Address.GetLeftPart(UriPartial.Authority)}}/v1", allow_private_addresses: true,
                    api_key: "${KEY}", data: { geo: eu, retention_days: 0, training: false }, deployments: { m: { vendor: openai, model: m } } }
          openai: { kind: openai, platform: openai, region: us, base_url: "{{AddressOf("openai")}}", allow_private_addresses: true, api_key: "${OPENAI}",
                    data: { geo: us, retention_days: 30, training: false }, deployments: { small: { vendor: openai, model: gpt-5-mini }, big: { vendor: openai, model: gpt-5.2 } } }
          azure: { kind: azure-openai, platform: azure, region: eu, base_url: "{{AddressOf("azure")}}", api_version: 2025-04-01-preview, allow_private_addresses: true,
                   api_key: "${AZURE}", data: { geo: eu, retention_days: 0, training: false },
                   deployments: { small: { vendor: openai, model: gpt-5-mini }, other: { vendor: openai, model: gpt-5.2 } } }
          anthropic: { kind: anthropic, platform: anthropic, region: us, base_url: "{{AddressOf("anthropic")}}", allow_private_addresses: true, api_key: "${ANTHROPIC}",
                       data: { geo: us, retention_days: 0, training: false },
                       deployments: { claude: { vendor: anthropic, model: claude-haiku-4-5 }, sonnet: { vendor: anthropic, model: claude-sonnet-4-5 } } }
          spare: { kind: anthropic, platform: spare, region: us, base_url: "{{Broken.Address.GetLeftPart(UriPartial.Authority)}}", allow_private_addresses: true, api_key: "${KEY}",
                       data: { geo: us, retention_days: 0, training: false }, deployments: { claude: { vendor: anthropic, model: claude-haiku-4-5 } } }
        models:
          small: { deployments: [openai/small] }
          big: { deployments: [openai/big] }
          eu-small: { deployments: [azure/small] }
          eu-other: { deployments: [azure/other] }
          shaky: { deployments: [broken/m, azure/small] }
          only-broken: { deployments: [broken/m] }
          claude: { deployments: [anthropic/claude] }
          sonnet: { deployments: [anthropic/sonnet] }
          shaky-claude: { deployments: [spare/claude, anthropic/claude] }
        keys:
          one: { key: {{One}}, app: one, allow: { geo: [us, eu], retention_days_max: 30, training: false }, models: [small, big, eu-small, eu-other, shaky, only-broken, claude, sonnet, shaky-claude] }
          one-restricted: { key: {{OneRestricted}}, app: one, models: [small, claude] }
          two: { key: {{Two}}, app: two, allow: { geo: [eu] } , models: [small, eu-small, shaky] }
        prices:
          openai/small: { input: 0.25, output: 2.00 }
          anthropic/claude: { input: 1, output: 5, batch: { input: 0.5, output: 2.5 } }
          anthropic/sonnet: { input: 3, output: 15, batch: { input: 1.5, output: 7.5 } }
        limits: { drain_timeout: 0s, retry_floor: 10000, handles_per_app_max: 12 }

        """;

    public static async Task<FileHouse> StartAsync()
    {
        SandboxHost sandbox = await SandboxHost.StartAsync(new SandboxOptions { BasePort = 0, LatencyScale = 0 }, TestContext.Current.CancellationToken);
        RawUpstream broken = new(static visit => visit.RespondAsync("503 Service Unavailable", "content-type: application/json\r\n", """{"error":{"message":"away","type":"server_error"}}"""));
        FileHouse house = new(sandbox, broken);
        await house.BeginAsync(house.Yaml);
        return house;
    }

    /// <summary>Ends the gateway and begins another one on the same files.</summary>
    public async Task RestartAsync(string yaml)
    {
        await EndAsync();
        await BeginAsync(yaml);
    }

    public async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string key = One, HttpContent? content = null, string? model = null, bool headersOnly = false)
    {
        using HttpRequestMessage request = new(method, path) { Content = content };
        request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {key}");
        if (model is not null)
        {
            request.Headers.TryAddWithoutValidation("x-ballast-model", model);
        }

        return await Http.SendAsync(request, headersOnly ? HttpCompletionOption.ResponseHeadersRead : HttpCompletionOption.ResponseContentRead, TestContext.Current.CancellationToken);
    }

    public async Task<HttpResponseMessage> UploadAsync(string content, string purpose = "user_data", string key = One, string? model = null, string path = "/v1/files", string? field = null)
    {
        using MultipartFormDataContent form = [];
        form.Add(new ByteArrayContent(Encoding.UTF8.GetBytes(content)) { Headers = { ContentType = new MediaTypeHeaderValue("text/plain") } }, "file", "a file.txt");
        form.Add(new StringContent(purpose), "purpose");
        if (field is not null)
        {
            form.Add(new StringContent(field), "model");
        }

        return await SendAsync(HttpMethod.Post, path, key, form, model);
    }

    /// <summary>The id of a file that was just uploaded.</summary>
    public async Task<string> UploadedAsync(string content, string purpose = "user_data", string key = One, string? model = null)
    {
        using HttpResponseMessage answer = await UploadAsync(content, purpose, key, model);
        return (await JsonAsync(answer)).GetProperty("id").GetString()!;
    }

    public Task<HttpResponseMessage> BeginBatchAsync(string fileId, string key = One, string path = "/v1/batches") =>
        SendAsync(HttpMethod.Post, path, key, Json($$$"""{ "endpoint" : "/v1/chat/completions", "input_file_id":"{{{fileId}}}","completion_window":"24h","metadata":{"a":"{{{fileId}}}"}}"""));

    /// <summary>The batch, once it is in that state.</summary>
    public async Task<JsonElement> UntilAsync(string batchId, string status, string key = One)
    {
        for (int look = 0; look < 200; look++)
        {
            using HttpResponseMessage answer = await SendAsync(HttpMethod.Get, $"/v1/batches/{batchId}", key);
            JsonElement batch = await JsonAsync(answer);
            if (batch.GetProperty("status").GetString() == status)
            {
                return batch;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, TestContext.Current.CancellationToken);
        }

        throw new InvalidOperationException($"The batch never is {status}.");
    }

    public static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");

    public static async Task<JsonElement> JsonAsync(HttpResponseMessage answer, int status = 200)
    {
        string text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True((int)answer.StatusCode == status, $"{(int)answer.StatusCode}: {text}");
        using JsonDocument document = JsonDocument.Parse(text);
        return document.RootElement.Clone();
    }

    /// <summary>The error's code, and where it says more, the message.</summary>
    public static async Task<(string? Code, string Message)> ErrorAsync(HttpResponseMessage answer, int status)
    {
        JsonElement error = (await JsonAsync(answer, status)).GetProperty("error");
        Assert.Equal(answer.Headers.GetValues("x-ballast-request-id").Single(), answer.Headers.GetValues("x-request-id").Single());
        return (error.GetProperty("code").GetString(), error.GetProperty("message").GetString()!);
    }

    /// <summary>How many requests reached a platform, the broken one included.</summary>
    public async Task<int> UpstreamCallsAsync()
    {
        await SettleAsync();
        return Sandbox.Billing.Rows.Count + Broken.Visits.Count;
    }

    /// <summary>The ledger's rows of one answer.</summary>
    public async Task<LedgerEntry[]> RowsAsync(HttpResponseMessage answer)
    {
        string id = answer.Headers.GetValues("x-ballast-request-id").Single();
        await SettleAsync();
        IReadOnlyList<LedgerEntry> all = await new LedgerReader(_folder.File("ledger.db")).EntriesAsync(LedgerFilter.Everything, 100_000, TestContext.Current.CancellationToken);
        return [.. all.Where(entry => entry.ExchangeId == id).OrderBy(entry => entry.AttemptNumber)];
    }

    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        await Sandbox.DisposeAsync();
        await Broken.DisposeAsync();
        _folder.Dispose();
    }

    private async Task SettleAsync()
    {
        for (int look = 0; Server.Guard.Running > 0; look++)
        {
            Assert.True(look < 2000, "a request does not end");
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, TestContext.Current.CancellationToken);
        }

        await Server.Ledger.FlushAsync();
        await Sandbox.Billing.FlushAsync();
    }

    private async Task BeginAsync(string yaml)
    {
        LoadResult loaded = OptionsLoader.Load(yaml, "files.yaml", VariableOf);
        Assert.True(loaded.Options is not null, string.Join('\n', loaded.Faults.Where(fault => !fault.IsWarning).Select(fault => fault.Print("files.yaml"))));
        _server = await BallastServer.StartAsync(
            new ServerSetup
            {
                Catalog = new CatalogHolder(CatalogBuilder.Build(loaded.Options, revision: 1), loaded.Options),
                Listen = new Uri("http://127.0.0.1:0"),
                Admin = new Uri("http://127.0.0.1:0"),
                LedgerPath = _folder.File("ledger.db"),
                LogTo = Log,
                Seed = 1,
            },
            TestContext.Current.CancellationToken);
        Http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = _server.Address, Timeout = TimeSpan.FromSeconds(60) };
    }

    private async Task EndAsync()
    {
        Http.Dispose();
        await _server.DisposeAsync();
    }

    private string AddressOf(string platform) => Sandbox.Platforms[platform].Address.GetLeftPart(UriPartial.Authority);

    private string? VariableOf(string name) => name == "KEY" ? "a-key" : Sandbox.Platforms[name.ToLowerInvariant()].ApiKey;
}
