using Ballast.Sandbox.Anthropic;
using Ballast.Sandbox.Aws;
using Ballast.Sandbox.Cohere;
using Ballast.Sandbox.Control;
using Ballast.Sandbox.Entra;
using Ballast.Sandbox.Generation;
using Ballast.Sandbox.Google;
using Ballast.Sandbox.Ollama;
using Ballast.Sandbox.Platforms;
using Ballast.Sandbox.Server;
using Ballast.Sandbox.Tls;

namespace Ballast.Sandbox;

/// <summary>A running sandbox: simulated platforms, the faults that befall them, and the log of what they charge.</summary>
public sealed class SandboxHost : IAsyncDisposable
{
    private readonly IReadOnlyList<PlatformHost> _hosts;
    private readonly EntraServer _entra;
    private readonly GoogleTokenServer _google;
    private readonly AwsServer _aws;
    private readonly ControlServer _control;
    private readonly TlsIdentity? _tls;
    private int _disposed;

    private SandboxHost(SandboxOptions options)
    {
        Faults = new FaultBook(options.Seed);
        Billing = new BillingLog(options.BillingLogPath);
        SandboxServices services = new(options, Faults, Billing);
        _tls = options.Tls ? TlsIdentity.Create(options.Certificate, options.Time) : null;
        PlatformSimulator[] simulators =
        [
            new OpenAISimulator(services),
            new AzureSimulator(services),
            new BedrockSimulator(services),
            new AnthropicSimulator(services),
            new LocalSimulator(services),
            new GeminiSimulator(services),
            new VertexSimulator(services),
            new OllamaSimulator(services),
            new CohereSimulator(services),
        ];
        _hosts = [.. simulators.Select((simulator, i) => new PlatformHost(simulator, services, PortAfter(options, i + 1), _tls))];
        _entra = new EntraServer(services, PortAfter(options, simulators.Length + 1), _tls);
        Entra = services.Entra;
        _google = new GoogleTokenServer(services, PortAfter(options, simulators.Length + 2), _tls);
        Google = services.Google;
        _aws = new AwsServer(services, PortAfter(options, simulators.Length + 3), _tls);
        Aws = services.Aws;
        _control = new ControlServer(this, options);
        Platforms = new Dictionary<string, SandboxPlatform>();
    }

    /// <summary>The control API.</summary>
    public Uri Control => _control.Address;

    /// <summary>By name: <c>openai</c>, <c>azure</c>, <c>bedrock</c>, <c>anthropic</c>, <c>local</c>, <c>gemini</c>, <c>vertex</c>, <c>ollama</c>, <c>cohere</c>.</summary>
    public IReadOnlyDictionary<string, SandboxPlatform> Platforms { get; private set; }

    public BillingLog Billing { get; }

    public FaultBook Faults { get; }

    /// <summary>The token endpoint of the <c>azure</c> platform. It disappears and returns by the name <c>entra</c>.</summary>
    public SandboxEntra Entra { get; }

    /// <summary>The token endpoints of the <c>vertex</c> platform. They disappear and return by the name <c>google-tokens</c>.</summary>
    public SandboxGoogle Google { get; }
    /// <summary>The account at AWS. What gives out its keys disappears and returns by the name <c>aws</c>.</summary>
    public SandboxAws Aws { get; }

    /// <exception cref="SandboxPortInUseException">A port is taken.</exception>
    public static async Task<SandboxHost> StartAsync(SandboxOptions options, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(options);
        SandboxHost host = new(options);
        Task warm = Task.Run(Tokens.Warm, cancellation);
        try
        {
            await host._control.StartAsync(cancellation).ConfigureAwait(false);
            foreach (PlatformHost platform in host._hosts)
            {
                await platform.StartAsync(cancellation).ConfigureAwait(false);
            }

            await host._entra.OpenAsync(cancellation).ConfigureAwait(false);
            await host._google.OpenAsync(cancellation).ConfigureAwait(false);
            await host._aws.OpenAsync(cancellation).ConfigureAwait(false);
            if (host._tls is { } tls && options.CaPath is { } path)
            {
                await tls.WriteAuthorityAsync(path, cancellation).ConfigureAwait(false);
            }

            host.Platforms = host._hosts.Select(platform => platform.Describe()).ToDictionary(platform => platform.Name);
            await warm.ConfigureAwait(false);
            return host;
        }
        catch
        {
            await host.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>The cloud is gone: its port refuses connects, live connections are reset, streams break off in mid-event.</summary>
    /// <exception cref="KeyNotFoundException">There is no such platform.</exception>
    public Task DisappearAsync(string platform) => platform switch
    {
        EntraServer.Name => _entra.CloseAsync(),
        GoogleTokenServer.Name => _google.CloseAsync(),
        AwsServer.Name => _aws.CloseAsync(),
        _ => Find(platform).DisappearAsync(),
    };

    /// <summary>Listens again, on the same port.</summary>
    /// <exception cref="KeyNotFoundException">There is no such platform.</exception>
    public Task ReturnAsync(string platform) => platform switch
    {
        EntraServer.Name => _entra.OpenAsync(CancellationToken.None),
        GoogleTokenServer.Name => _google.OpenAsync(CancellationToken.None),
        AwsServer.Name => _aws.OpenAsync(CancellationToken.None),
        _ => Find(platform).ReturnAsync(),
    };

    /// <exception cref="KeyNotFoundException">There is no such platform.</exception>
    public bool IsThere(string platform) => platform switch
    {
        EntraServer.Name => _entra.IsThere,
        GoogleTokenServer.Name => _google.IsThere,
        AwsServer.Name => _aws.IsThere,
        _ => Find(platform).IsThere,
    };

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        await _control.DisposeAsync().ConfigureAwait(false);
        await Task.WhenAll(_hosts.Select(platform => platform.DisposeAsync().AsTask())).ConfigureAwait(false);
        await _entra.DisposeAsync().ConfigureAwait(false);
        await _google.DisposeAsync().ConfigureAwait(false);
        Google.Dispose();
        await _aws.DisposeAsync().ConfigureAwait(false);
        _tls?.Dispose();
        Billing.Dispose();
    }

    private static int PortAfter(SandboxOptions options, int offset) => options.BasePort == 0 ? 0 : options.BasePort + offset;

    private PlatformHost Find(string name) =>
        _hosts.FirstOrDefault(platform => platform.Name == name)
        ?? throw new KeyNotFoundException($"There is no platform '{name}'.");
}
