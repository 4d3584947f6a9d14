using Ballast.Catalog;
using Ballast.Configuration;
using Ballast.Ledger.Spool;
using Microsoft.Extensions.Logging;

namespace Ballast.Server;

/// <summary>What a server is made of. Ports may be 0: then any free one is taken and told by the server.</summary>
public sealed record ServerSetup
{
    public required CatalogHolder Catalog { get; init; }
    public required Uri Listen { get; init; }

    /// <summary>Loopback only.</summary>
    public required Uri Admin { get; init; }
    public required string LedgerPath { get; init; }

    /// <summary>Where it is remembered which file or batch lies where: beside the ledger. Made when the first one is.</summary>
    public string HandlesPath => Path.ChangeExtension(LedgerPath, ".handles.db");

    /// <summary>What requests with an <c>Idempotency-Key</c> were answered with: beside the ledger. Made when the first one comes.</summary>
    public string IdempotencyPath => Path.ChangeExtension(LedgerPath, ".idempotency.db");

    /// <summary>Folder of balance policies; null where there are none.</summary>
    public string? PolicyFolder { get; init; }

    /// <summary>Credits of the policy in force, and the times in which rules were suspended: beside the ledger.</summary>
    public string SharesPath => Path.ChangeExtension(LedgerPath, ".shares.json");
    public string RelaxationsPath => Path.ChangeExtension(LedgerPath, ".relaxations.jsonl");

    /// <summary>Where keys and budgets made at run time are kept: as configured, else beside the ledger.</summary>
    public string TenancyPath => Catalog.Current.Tenancy.Path ?? Path.ChangeExtension(LedgerPath, ".tenancy.db");

    /// <summary>Of the PostgreSQL database in which gateways share keys, limits and budgets; null where this one is alone.</summary>
    public string? TenancyConnection => Catalog.Current.Tenancy.IsShared ? LedgerConnection : null;

    /// <summary>The last view of a shared store of keys: beside the ledger.</summary>
    public string LastViewPath => Path.ChangeExtension(LedgerPath, ".tenants");

    /// <summary>What this gateway has used of its parts of shared budgets: beside the ledger.</summary>
    public string LeasesPath => Path.ChangeExtension(LedgerPath, ".leases");

    /// <summary>Alerts that wait, and the names of those that were told: beside the ledger.</summary>
    public string AlertsPath => Path.ChangeExtension(Path.GetFullPath(LedgerPath), ".alerts");

    /// <summary>Of the PostgreSQL database that holds the ledger; null for the file.</summary>
    public string? LedgerConnection { get; init; }

    /// <summary>How long sums by minute and by hour are kept.</summary>
    public Ballast.Ledger.Rollups.RollupRetention Retention { get; init; } = Ballast.Ledger.Rollups.RollupRetention.Default;

    /// <summary>Where rows are kept first, and how; by default beside the ledger.</summary>
    public SpoolOptions Spool { get => field ?? new SpoolOptions { Folder = Path.ChangeExtension(Path.GetFullPath(LedgerPath), ".spool") }; init; }

    /// <summary>What the spool keeps files with; null for the system's own.</summary>
    public SpoolDisk? SpoolDisk { get; init; }
    public ServerEngine Engine { get; init; } = ServerEngine.Auto;

    /// <summary>Answers and conversations that are kept; null keeps them in a file beside the ledger.</summary>
    public ConversationOptions? Conversations { get; init; }
    /// <summary>The certificate of ports whose address is <c>https://</c>; null where there are none.</summary>
    public TlsOptions? Tls { get; init; }

    /// <summary>One JSON object a line; else text for people.</summary>
    public bool IsJsonLog { get; init; }
    public TimeProvider Time { get; init; } = TimeProvider.System;
    public LogLevel LogLevel { get; init; } = LogLevel.Information;

    /// <summary>Where log lines go; null means standard error.</summary>
    public ILoggerProvider? LogTo { get; init; }

    /// <summary>Seed of weighted selection and ramps; fixed in tests.</summary>
    public int Seed { get; init; } = Environment.TickCount;

    /// <summary>Apps whose requests are taken at first; null means all. See <see cref="Guards.Guard.AdmitOnly"/>.</summary>
    public IReadOnlySet<string>? AdmitOnly { get; init; }

    internal ConversationOptions ConversationsOrDefault =>
        Conversations ?? new ConversationOptions { Path = Path.ChangeExtension(Path.GetFullPath(LedgerPath), null) + "-conversations.db" };
}

/// <summary>An address that cannot be listened on.</summary>
public sealed class AddressInUseException(Uri address, Exception inner)
    : Exception($"{address.GetLeftPart(UriPartial.Authority)} is already in use by another program.", inner)
{
    public Uri Address { get; } = address;
}
