namespace Ballast.Ledger;

/// <summary>
/// Running totals since the start, fed row by row as the ledger records them: the picture that the demo and the administration page show.
/// Thread-safe; a record takes a short lock with no I/O inside and allocates only for a vendor, platform or deployment not seen before.
/// </summary>
public sealed class LiveTotals(TimeProvider time)
{
    /// <summary>Vendors, and platforms, told apart; further ones are summed as <c>other</c>.</summary>
    public const int ComponentsMax = 64;

    /// <summary>Deployments told apart; further ones are summed as <c>other</c>.</summary>
    public const int DeploymentsMax = 256;

    /// <summary>Seconds that "recently" covers.</summary>
    public const int WindowSeconds = 10;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Component> _platforms = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Component> _vendors = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Component> _deployments = new(StringComparer.Ordinal);
    private readonly SlidingCount _recentRequests = new(WindowSeconds);
    private readonly TimeHistogram _ttft = new();
    private readonly long[] _outcomes = new long[4];
    private readonly long _started = time.GetTimestamp();
    private LedgerEntry? _last;
    private Place _lastPlace;
    private long _requests;
    private long _requestsFailed;
    private long _requestsTurnedAway;
    private long _failovers;
    private long _inputTokens;
    private long _outputTokens;
    private decimal _costUsd;
    private DateOnly _day;
    private decimal _dayUsd;

    /// <summary>Told of every row and the second since the start in which it ended, in order, while no other row is counted; must be quick and must not throw.</summary>
    public Action<LedgerEntry, long>? Observer { get; set; }

    public void Record(LedgerEntry entry)
    {
        long second = Second();
        lock (_gate)
        {
            _outcomes[(int)entry.Outcome]++;
            if (entry.AttemptNumber == 1)
            {
                _requests++;
                _recentRequests.Add(second);
            }
            else if (entry.Outcome == AttemptOutcome.Completed && !entry.Operation.EndsWith("_list", StringComparison.Ordinal))
            {
                // A list looks at each of its batches where that runs: nothing has failed before.
                _failovers++;
            }

            if (entry is { EndsExchange: true, Outcome: AttemptOutcome.Failed })
            {
                _requestsFailed++;
            }

            _inputTokens += Tokens(entry.InputTokens) + Tokens(entry.CacheReadTokens)
                + Tokens(entry.CacheWriteTokens) + Tokens(entry.CacheWriteLongTokens);
            _outputTokens += Tokens(entry.OutputTokens);
            _costUsd += entry.CostUsd ?? 0;
            BeginDay();
            _dayUsd += entry.CostUsd ?? 0;
            if (entry is { Stream: true, TimeToFirstToken: TimeSpan ttft })
            {
                _ttft.Add(ttft);
            }

            Place place = PlaceOf(entry);
            place.Platform.Record(entry, second);
            place.Vendor.Record(entry, second);
            place.Deployment.Record(entry, second);
            Observer?.Invoke(entry, second);
        }
    }

    /// <summary>An exchange ended with an error of the gateway's own before anything was tried for it.</summary>
    public void RecordTurnedAway()
    {
        lock (_gate)
        {
            _requestsTurnedAway++;
        }
    }

    /// <summary>Tokens of the last minutes.</summary>
    public LiveTimeline Timeline()
    {
        long second = Second();
        lock (_gate)
        {
            return new LiveTimeline(second, Series(_platforms, second), Series(_vendors, second));
        }
    }

    public LiveSnapshot Snapshot()
    {
        long second = Second();
        lock (_gate)
        {
            BeginDay();
            double elapsed = Math.Clamp(time.GetElapsedTime(_started).TotalSeconds, 1, WindowSeconds);
            return new LiveSnapshot
            {
                Requests = _requests,
                RequestsFailed = _requestsFailed,
                RequestsTurnedAway = _requestsTurnedAway,
                Attempts = _outcomes.Sum(),
                Completed = _outcomes[(int)AttemptOutcome.Completed],
                Failed = _outcomes[(int)AttemptOutcome.Failed],
                Interrupted = _outcomes[(int)AttemptOutcome.Interrupted],
                Cancelled = _outcomes[(int)AttemptOutcome.Cancelled],
                Failovers = _failovers,
                InputTokens = _inputTokens,
                OutputTokens = _outputTokens,
                CostUsd = _costUsd,
                CostUsdToday = _dayUsd,
                RequestsPerSecond = _recentRequests.Count(second) / elapsed,
                TtftP50 = _ttft.Percentile(50),
                TtftP95 = _ttft.Percentile(95),
                Ttft = _ttft.Snapshot(),
                Platforms = Snapshot(_platforms, second),
                Vendors = Snapshot(_vendors, second),
                Deployments = Snapshot(_deployments, second),
            };
        }
    }

    private static IReadOnlyList<LiveComponent> Snapshot(Dictionary<string, Component> components, long second) =>
    [
        .. components.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => pair.Value.Snapshot(pair.Key, second)),
    ];

    private static IReadOnlyList<LiveSeries> Series(Dictionary<string, Component> components, long second) =>
    [
        .. components.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => new LiveSeries(pair.Key, pair.Value.Tokens!.Read(second))),
    ];

    /// <summary>Days are UTC's.</summary>
    private void BeginDay()
    {
        DateOnly today = DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime);
        if (today != _day)
        {
            (_day, _dayUsd) = (today, 0);
        }
    }

    /// <summary>Rows of one deployment have its very words: such a row after another needs no looking up.</summary>
    private Place PlaceOf(LedgerEntry entry)
    {
        if (_last is null || !ReferenceEquals(_last.Deployment, entry.Deployment) || !ReferenceEquals(_last.Platform, entry.Platform)
            || !ReferenceEquals(_last.Vendor, entry.Vendor))
        {
            _last = entry;
            _lastPlace = new Place(
                Find(_platforms, entry.Platform, ComponentsMax, hasTimeline: true), Find(_vendors, entry.Vendor, ComponentsMax, hasTimeline: true),
                Find(_deployments, entry.Deployment, DeploymentsMax, hasTimeline: false));
        }

        return _lastPlace;
    }

    private static Component Find(Dictionary<string, Component> components, string name, int max, bool hasTimeline)
    {
        if (components.TryGetValue(name, out Component? component))
        {
            return component;
        }

        string key = components.Count < max - 1 ? name : "other";
        if (!components.TryGetValue(key, out component))
        {
            component = new Component(hasTimeline);
            components.Add(key, component);
        }

        return component;
    }

    /// <summary>As the store cuts them, so that both show the same sums.</summary>
    private static long Tokens(long count) => Math.Clamp(count, 0, SqliteLedgerStore.TokensMax);

    private long Second() => (long)time.GetElapsedTime(_started).TotalSeconds;

    /// <summary>Where a row is counted.</summary>
    private readonly record struct Place(Component Platform, Component Vendor, Component Deployment);

    private sealed class Component(bool hasTimeline)
    {
        private readonly SlidingCount _recent = new(WindowSeconds);
        private readonly TimeHistogram _ttft = new();
        private long _attempts;
        private long _answered;
        private long _failed;
        private decimal _costUsd;

        /// <summary>Null for a deployment: there may be too many of them.</summary>
        public TokenRing? Tokens { get; } = hasTimeline ? new TokenRing() : null;

        public void Record(LedgerEntry entry, long second)
        {
            _attempts++;
            _costUsd += entry.CostUsd ?? 0;
            if (entry.Outcome is AttemptOutcome.Completed or AttemptOutcome.Interrupted)
            {
                _answered++;
                _recent.Add(second);
                Tokens?.Add(second, LiveTotals.Tokens(entry.InputTokens) + LiveTotals.Tokens(entry.CacheReadTokens) + LiveTotals.Tokens(entry.CacheWriteTokens)
                    + LiveTotals.Tokens(entry.CacheWriteLongTokens) + LiveTotals.Tokens(entry.OutputTokens));
            }

            if (entry.Outcome == AttemptOutcome.Failed)
            {
                _failed++;
            }

            if (entry is { Stream: true, TimeToFirstToken: TimeSpan ttft })
            {
                _ttft.Add(ttft);
            }
        }

        public LiveComponent Snapshot(string name, long second) => new()
        {
            Name = name,
            Attempts = _attempts,
            Answered = _answered,
            Failed = _failed,
            CostUsd = _costUsd,
            AnsweredRecently = _recent.Count(second),
            TtftP50 = _ttft.Percentile(50),
            TtftP95 = _ttft.Percentile(95),
        };
    }
}
