using Ballast.Catalog;
using Ballast.Configuration;
using Ballast.Ledger;
using Ballast.Prices;
using Ballast.Routing.Shares;
using Ballast.Tenancy;

namespace Ballast.Cli;

/// <summary>Finds the ledger and the catalog that a report is made from.</summary>
internal static class ReportSource
{
    private const string ConfigDefault = "ballast.yaml";

    /// <summary><c>--ledger</c>, else what the configuration says, else the default file of a gateway without configuration.</summary>
    public static LedgerReader OpenLedger(ReportRequest request)
    {
        LedgerOptions? ledger = request.LedgerPath is null ? FindOptions(request)?.Ledger : null;
        return ledger?.Connection is { } connection
            ? LedgerReader.OfPostgres(connection.Reveal())
            : new LedgerReader(request.LedgerPath ?? ledger?.Path ?? new LedgerOptions().Path);
    }

    /// <summary>The same ledger, to write events to. Throws <see cref="LedgerException"/> where it cannot be opened.</summary>
    public static ILedgerEventStore OpenEvents(ReportRequest request, LedgerReader reader)
    {
        LedgerOptions? ledger = request.LedgerPath is null ? FindOptions(request)?.Ledger : null;
        return ledger?.Connection is { } connection ? new PostgresLedgerStore(connection.Reveal()) : SqliteLedgerStore.Open(reader.Path);
    }

    /// <summary>The configuration's price book; the shipped one without a configuration.</summary>
    public static PriceBook FindPrices(ReportRequest request) => FindOptions(request)?.PriceBook ?? PriceBook.Shipped;

    /// <summary>As <c>ballast serve</c> would run here; null where no configuration was named, there is none here, and no provider's variable is set.</summary>
    public static CatalogSnapshot? FindCatalog(ReportRequest request) =>
        FindOptions(request) is { } options ? CatalogBuilder.Build(options, revision: 0) : null;

    /// <summary>The catalog with the keys that were made at run time beside those of the file, all of them cut down to what their apps and teams may.</summary>
    public static async Task<CatalogSnapshot> WithMadeKeysAsync(ReportRequest request, CatalogSnapshot catalog, CancellationToken cancellation)
    {
        string ledger = request.LedgerPath ?? FindOptions(request)?.Ledger.Path ?? new LedgerOptions().Path;
        string path = catalog.Tenancy.Path ?? Path.ChangeExtension(ledger, ".tenancy.db");
        if (!File.Exists(path))
        {
            return catalog;
        }

        try
        {
            SqliteTenancyStore store = SqliteTenancyStore.Open(path);
            await using (store.ConfigureAwait(false))
            {
                return catalog with { Keys = [.. TenantView.Of(catalog, await store.LoadAsync(cancellation).ConfigureAwait(false)).EveryKey()] };
            }
        }
        catch (TenancyStoreException failure)
        {
            await request.Error.WriteLineAsync($"Keys made at run time are left out: {failure.Message}").ConfigureAwait(false);
            return catalog;
        }
    }

    /// <summary>The folder that the configuration names, else the default one of a gateway without configuration.</summary>
    public static PolicyFolder FindPolicies(ReportRequest request) => new((FindOptions(request)?.Balance ?? new BalanceOptions()).Policies);

    /// <summary>What the configuration promises to platforms; nothing without one.</summary>
    public static IReadOnlyList<CommitmentOptions> FindCommitments(ReportRequest request) => FindOptions(request)?.Commitments ?? [];

    /// <summary>A helpful sentence in place of an empty table.</summary>
    public static string NothingFound(ReportRequest request, string path)
    {
        string whose = (request.Filter.App is string app ? $" of application {app}" : "")
            + (request.Filter.KeyId is string key ? $" with key {key}" : "");
        return $"The ledger {path} has no attempts{whose} from {request.PeriodText}. Send a request through the gateway, or look further back with --since all.";
    }

    private static BallastOptions? FindOptions(ReportRequest request) => request.Options ??= ReadOptions(request);

    private static BallastOptions? ReadOptions(ReportRequest request)
    {
        if (request.ConfigPath is null && !File.Exists(ConfigDefault))
        {
            return EnvironmentOptions.TryBuild(Environment.GetEnvironmentVariable, out BallastOptions? unwritten) ? unwritten : null;
        }

        string path = request.ConfigPath ?? ConfigDefault;
        LoadResult result = OptionsLoader.LoadFile(path, Environment.GetEnvironmentVariable);
        if (result.Options is not null)
        {
            return result.Options;
        }

        LoadResult stoodIn = OptionsLoader.LoadFile(path, name => Environment.GetEnvironmentVariable(name) ?? StandIn(name));
        if (stoodIn.Options is { } options)
        {
            request.Error.WriteLine($"{path} names environment variables that are not set here; 'unset-…' stands for their values.");
            return options;
        }

        // Where a credential is missing another value does; a number, a duration or a name that is missing is asked for, and nothing else.
        ConfigurationFault[] faults = [.. result.Faults.Where(static fault => !fault.IsWarning)];
        ConfigurationFault[] needed = [.. faults.Where(fault => stoodIn.Faults.Any(still => !still.IsWarning && (still.Line, still.Column) == (fault.Line, fault.Column)))];
        throw new UsageException(string.Join(Environment.NewLine, (needed.Length > 0 ? needed : faults).Select(fault => fault.Print(path))));
    }

    /// <summary>
    /// For an environment variable that is not set: a report needs no credentials, so that it can be made where the gateway does not run. Two
    /// variables have two values, because two keys must differ.
    /// </summary>
    private static string StandIn(string name) =>
        name.Contains("URL", StringComparison.OrdinalIgnoreCase) || name.Contains("ENDPOINT", StringComparison.OrdinalIgnoreCase)
            ? "https://unset.invalid"
            : "unset-" + name;
}
