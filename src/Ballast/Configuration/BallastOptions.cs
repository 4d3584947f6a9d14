using Ballast.Prices;

namespace Ballast.Configuration;

/// <summary>The whole configuration as written in <c>ballast.yaml</c>. Lists keep the order of the file.</summary>
public sealed record BallastOptions
{
    public ServerOptions Server { get; init; } = new();
    public LedgerOptions Ledger { get; init; } = new();
    public BalanceOptions Balance { get; init; } = new();
    public ConversationOptions Conversations { get; init; } = new();
    public IReadOnlyList<ProviderOptions> Providers { get; init; } = [];
    public IReadOnlyList<ModelOptions> Models { get; init; } = [];
    public IReadOnlyList<KeyOptions> Keys { get; init; } = [];
    public IReadOnlyList<PriceOptions> Prices { get; init; } = [];

    /// <summary>Where the prices of deployments are looked up that <see cref="Prices"/> says nothing of.</summary>
    public PriceBook PriceBook { get; init; } = PriceBook.Empty;
    public TenancyOptions Tenancy { get; init; } = new();
    /// <summary>Null where no port has TLS.</summary>
    public TlsOptions? Tls { get; init; }
    public LogOptions Log { get; init; } = new();
    public TelemetryOptions Telemetry { get; init; } = new();

    /// <summary>What was promised to be spent at platforms.</summary>
    public IReadOnlyList<CommitmentOptions> Commitments { get; init; } = [];
    public LimitsOptions Limits { get; init; } = new();

    /// <summary>What requests and answers are held against; null where nothing is.</summary>
    public ConstitutionOptions? Constitution { get; init; }

    /// <summary>Files beside the configuration that it was made of, such as certificates; a change of one is a change of the configuration.</summary>
    public IReadOnlyList<string> Watched { get; init; } = [];

    /// <summary>Where each value stood.</summary>
    public SourceMap Source { get; init; } = new();
}
