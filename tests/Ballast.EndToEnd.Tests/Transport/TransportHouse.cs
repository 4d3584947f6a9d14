using System.Buffers.Text;
using System.Net;
using System.Text;
using System.Text.Json;
using Ballast.Catalog;
using Ballast.Configuration;
using Ballast.Sandbox;
using Ballast.Server;
using Microsoft.Extensions.Logging;

namespace Ballast.EndToEnd.Tests.Transport;

/// <summary>The real gateway in front of a sandbox that speaks TLS, both for one test. The model is <c>chat</c>.</summary>
internal sealed class TransportHouse : IAsyncDisposable
{
    private const string Key = "key-of-the-transport";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("ballast-transport-");
    private BallastServer? _server;
    private HttpClient? _http;
    private CatalogHolder? _catalog;

    public required SandboxHost Sandbox { get; init; }

    public BallastServer Server => _server ?? throw new InvalidOperationException("The gateway has not been started.");

    public string CaPath => PathOf("ca.pem");

    /// <summary>A sandbox with TLS; its authority's certificate lies in <see cref="CaPath"/>.</summary>
    public static async Task<TransportHouse> StartSandboxAsync(SandboxCertificate certificate = SandboxCertificate.Sound)
    {
        string ca = Path.GetTempFileName();
        SandboxOptions options = new() { BasePort = 0, LatencyScale = 0, Tls = true, CaPath = ca, Certificate = certificate };
        TransportHouse house = new() { Sandbox = await SandboxHost.StartAsync(options, Cancellation) };
        File.Move(ca, house.CaPath);
        return house;
    }

    public static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public string PathOf(string name) => Path.Combine(_folder.FullName, name);

    /// <param name="azure">Lines of provider <c>azure</c> beyond its place and address.</param>
    /// <param name="fallback">A second deployment at the sandbox's <c>openai</c>.</param>
    public async Task StartGatewayAsync(string azure, bool fallback = false)
    {
        LogCapture.Install();
        BallastOptions options = Load(azure, fallback);
        _catalog = new CatalogHolder(CatalogBuilder.Build(options, revision: 1), options);
        _server = await BallastServer.StartAsync(
            new ServerSetup
            {
                Catalog = _catalog,
                Listen = new Uri("http://127.0.0.1:0"),
                Admin = new Uri("http://127.0.0.1:0"),
                LedgerPath = PathOf("ledger.db"),
                LogLevel = LogLevel.Trace,
                Seed = 1,
            },
            Cancellation);
        _http = new HttpClient { BaseAddress = _server.Address, Timeout = TimeSpan.FromSeconds(60) };
        _http.DefaultRequestHeaders.Authorization = new("Bearer", Key);
    }

    public void Reload(string azure)
    {
        Assert.True(_catalog!.TryReload(Yaml(azure, fallback: false), PathOf("ballast.yaml"), Environment, out IReadOnlyList<ConfigurationFault> faults), string.Join('\n', faults));
    }

    /// <summary>Asks once, streamed.</summary>
    public async Task<(HttpStatusCode Status, string Body)> AskAsync()
    {
        using StringContent body = new("""{"model":"chat","stream":true,"messages":[{"role":"user","content":"Say hello."}]}""", Encoding.UTF8, "application/json");
        using HttpResponseMessage response = await _http!.PostAsync(new Uri("/v1/chat/completions", UriKind.Relative), body, Cancellation);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(Cancellation));
    }

    /// <summary>Asks once; fails unless a whole answer came.</summary>
    public async Task AskWellAsync()
    {
        (HttpStatusCode status, string body) = await AskAsync();
        Assert.True(status == HttpStatusCode.OK && body.Contains("data: [DONE]", StringComparison.Ordinal), $"{status}: {body}\n{LogCapture.Text}");
    }

    /// <summary>Asks once and gives the error's code.</summary>
    public async Task<string?> AskForErrorAsync()
    {
        (HttpStatusCode status, string body) = await AskAsync();
        Assert.NotEqual(HttpStatusCode.OK, status);
        AssertNoSecret(body, "answer");
        using JsonDocument error = JsonDocument.Parse(body);
        return error.RootElement.GetProperty("error").GetProperty("code").GetString();
    }

    /// <summary>A token as another party would write it: a file that changes now and then.</summary>
    public string WriteWorkloadToken(TimeSpan lifetime)
    {
        long end = (TimeProvider.System.GetUtcNow() + lifetime).ToUnixTimeSeconds();
        string head = Base64Url.EncodeToString("""{"alg":"RS256","kid":"k","typ":"JWT"}"""u8);
        string claims = Base64Url.EncodeToString(Encoding.UTF8.GetBytes(
            $$"""{"aud":"api://AzureADTokenExchange","iss":"https://oidc.example","sub":"system:serviceaccount:ns:ballast","exp":{{end}}}"""));
        string path = PathOf("workload-token");
        File.WriteAllText(path, $"{head}.{claims}.{WorkloadCanary}");
        return path;
    }

    /// <summary>Stands where a signature would.</summary>
    public const string WorkloadCanary = "c2lnbmF0dXJlLWNhbmFyeS13b3JrbG9hZC10b2tlbg";

    public string Entra(string proof) =>
        $"entra: {{ tenant_id: {SandboxEntra.TenantId}, client_id: {SandboxEntra.ClientId}, authority: '{Sandbox.Entra.Authority}', {proof} }}";

    /// <summary>No secret, no token stands in the log, the ledger or what is given.</summary>
    public async Task AssertNoSecretAsync()
    {
        await DisposeGatewayAsync();
        AssertNoSecret(LogCapture.Text, "log");
        foreach (string file in Directory.GetFiles(_folder.FullName, "ledger.db*"))
        {
            AssertNoSecret(Encoding.Latin1.GetString(await File.ReadAllBytesAsync(file, Cancellation)), file);
        }
    }

    private static void AssertNoSecret(string text, string place)
    {
        // The last one begins every token that the sandbox issues.
        foreach (string canary in new[] { SandboxEntra.ClientSecret, WrongSecret, WorkloadCanary, "eyJ0eXAiOiJKV1Qi" })
        {
            Assert.False(text.Contains(canary, StringComparison.Ordinal), $"a secret stands in the {place}");
        }
    }

    public const string WrongSecret = "wrong-secret-canary~9876543210";

    public async ValueTask DisposeAsync()
    {
        await DisposeGatewayAsync();
        await Sandbox.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    private async Task DisposeGatewayAsync()
    {
        if (_server is { } server)
        {
            await server.DisposeAsync();
            _http?.Dispose();
            _server = null;
        }
    }

    private BallastOptions Load(string azure, bool fallback)
    {
        LoadResult loaded = OptionsLoader.Load(Yaml(azure, fallback), PathOf("ballast.yaml"), Environment);
        Assert.True(loaded.Options is not null, string.Join('\n', loaded.Faults.Select(static fault => fault.Print("transport.yaml"))));
        return loaded.Options;
    }

    private string Yaml(string azure, bool fallback)
    {
        Uri Of(string platform) => Sandbox.Platforms[platform].Address;
        string second = $$"""
              openai:
                kind: openai
                platform: openai
                region: us
                base_url: {{Of("openai")}}
                allow_private_addresses: true
                ca: ca.pem
                api_key: ${OPENAI}
                data: { geo: eu, retention_days: 0, training: false }
                deployments: { gpt-5-mini: { vendor: openai } }
            """;
        return $$"""
            providers:
              azure:
                kind: azure-openai
                platform: azure
                region: swedencentral
                base_url: {{(azure.Contains("base_url:", StringComparison.Ordinal) ? azure.Split("base_url:")[1].Split('\n')[0].Trim() : Of("azure"))}}
                allow_private_addresses: true
                data: { geo: eu, retention_days: 0, training: false }
                deployments: { gpt-5-mini: { vendor: openai } }
            {{string.Join('\n', azure.Split('\n').Where(static line => !line.Contains("base_url:", StringComparison.Ordinal)).Select(static line => "    " + line.Trim()))}}
            {{(fallback ? second : "")}}
            models:
              chat: { deployments: [azure/gpt-5-mini{{(fallback ? ", openai/gpt-5-mini" : "")}}] }
            keys:
              test: { key: {{Key}}, app: test }
            """;
    }

    private string? Environment(string name) => name switch
    {
        "AZURE" => Sandbox.Platforms["azure"].ApiKey,
        "OPENAI" => Sandbox.Platforms["openai"].ApiKey,
        "SECRET" => SandboxEntra.ClientSecret,
        "WRONG" => WrongSecret,
        _ => null,
    };
}
