using Ballast.Configuration;

namespace Ballast.Catalog;

/// <summary>
/// Holds the catalog in use and swaps it whole. A reload goes parse → validate → build → swap; any fault before the swap leaves the last good catalog in use.
/// </summary>
public sealed class CatalogHolder(CatalogSnapshot first, BallastOptions? firstOptions = null)
{
    private readonly Lock _reload = new();
    private CatalogSnapshot _written = first;
    private volatile CatalogSnapshot _current = first;
    private Func<ApiKey, ApiKey>? _restriction;
    private BallastOptions? _options = firstOptions;

    /// <summary>Raised after a swap, on the thread that reloaded; a handler must be quick and must not throw.</summary>
    public event Action<CatalogSnapshot>? Reloaded;

    /// <summary>The catalog in use. Take it once per exchange.</summary>
    public CatalogSnapshot Current => _current;

    /// <summary>Files beside the configuration that the catalog in use was made of.</summary>
    public IReadOnlyList<string> Watched
    {
        get
        {
            lock (_reload)
            {
                return _options?.Watched ?? [];
            }
        }
    }

    /// <summary>Reads the file anew. False leaves everything as it was; <paramref name="faults"/> says why, and holds the warnings of a success.</summary>
    public bool TryReload(string fileName, Func<string, string?> environment, out IReadOnlyList<ConfigurationFault> faults) =>
        TryReload(OptionsLoader.LoadFile(fileName, environment), out faults);

    /// <summary>Reads a text as if it stood in the file.</summary>
    public bool TryReload(string yaml, string fileName, Func<string, string?> environment, out IReadOnlyList<ConfigurationFault> faults) =>
        TryReload(OptionsLoader.Load(yaml, fileName, environment), out faults);

    public bool TryReload(LoadResult loaded, out IReadOnlyList<ConfigurationFault> faults)
    {
        faults = loaded.Faults;
        if (loaded.Options is not { } options)
        {
            return false;
        }

        CatalogSnapshot next;
        lock (_reload)
        {
            faults = [.. faults, .. NeedRestart(options)];
            _written = CatalogBuilder.Build(options, _current.Revision + 1);
            _current = next = Restricted(_written);
            _options = options;
        }

        Reloaded?.Invoke(next);
        return true;
    }

    /// <summary>From now on, and across reloads, keys may go where they are told here and nowhere else; null lifts that.</summary>
    /// <param name="restriction">Makes of a key as written one that may go to no more than that.</param>
    public void Restrict(Func<ApiKey, ApiKey>? restriction)
    {
        CatalogSnapshot next;
        lock (_reload)
        {
            if (restriction is null && _restriction is null)
            {
                return;
            }

            _restriction = restriction;
            _written = _written with { Revision = _current.Revision + 1 };
            _current = next = Restricted(_written);
        }

        Reloaded?.Invoke(next);
    }

    private CatalogSnapshot Restricted(CatalogSnapshot written) =>
        _restriction is null ? written : written with { Keys = [.. written.Keys.Select(_restriction)], Restriction = _restriction };

    /// <summary>What a reload cannot change is said, not silently left.</summary>
    private IEnumerable<ConfigurationFault> NeedRestart(BallastOptions next)
    {
        if (_options is null)
        {
            yield break;
        }

        foreach ((string path, bool isChanged) in new[]
        {
            ("server.listen", _options.Server.Listen != next.Server.Listen),
            ("server.admin", _options.Server.Admin != next.Server.Admin),
            ("ledger.path", _options.Ledger.Path != next.Ledger.Path),
            ("balance.policies", _options.Balance != next.Balance),
            ("ledger", (_options.Ledger with { Path = "", Connection = null }) != (next.Ledger with { Path = "", Connection = null })),
            ("ledger.connection", _options.Ledger.Connection?.Reveal() != next.Ledger.Connection?.Reveal()),
            ("conversations", _options.Conversations != next.Conversations),
            ("log", _options.Log != next.Log),
            ("tls", (_options.Tls is null ? null : _options.Tls with { Password = null }) != (next.Tls is null ? null : next.Tls with { Password = null })),
            ("telemetry", IsSentElsewhere(_options.Telemetry, next.Telemetry)),
        })
        {
            if (isChanged)
            {
                (int line, int column) = next.Source.At(path);
                yield return new ConfigurationFault(path, line, column, $"'{path}' takes effect at the next start", "", IsWarning: true);
            }
        }
    }

    /// <summary>Who is trusted and whose content is written takes effect at once; where it all goes does not.</summary>
    private static bool IsSentElsewhere(TelemetryOptions one, TelemetryOptions other) =>
        one.Endpoint != other.Endpoint || one.IsGrpc != other.IsGrpc || one.SendsTraces != other.SendsTraces || one.SendsMetrics != other.SendsMetrics
        || one.MetricsInterval != other.MetricsInterval || one.QueueMax != other.QueueMax || one.ServiceName != other.ServiceName
        || !one.Resource.SequenceEqual(other.Resource)
        || !one.Headers.Select(static header => (header.Key, header.Value.Reveal())).SequenceEqual(other.Headers.Select(static header => (header.Key, header.Value.Reveal())));
}
