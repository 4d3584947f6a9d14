using System.Globalization;
using Ballast.Balance.Simulation;
using Ballast.Catalog;
using Ballast.Ledger;
using Ballast.Protocols.Conversation;
using Ballast.Routing.Shares;

namespace Ballast.Balance.Watch;

/// <summary>
/// Watches a gateway keep a policy, beside what the models' weights alone would have made of the same requests: every answered request is routed a second time, on
/// paper, by the smooth weighted round robin of <c>ballast simulate</c>, with the same size and the same platforms gone. Thread-safe.
/// </summary>
public sealed class BalanceWatch(CatalogSnapshot catalog, SharePolicy policy, TimeProvider time)
{
    /// <summary>Requests in a window.</summary>
    public const int Window = 200;

    /// <summary>Requests are counted in the order in which they began, for that is when they are routed: so long is waited for one that ends later.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2.5);

    /// <summary>Requests that a timeline of the whole story is drawn from.</summary>
    private const int StoryMax = 200_000;

    /// <summary>By so much weights alone must be over a cap before it is told.</summary>
    private const double DivertedMin = 0.03;

    private readonly Lock _gate = new();
    private readonly ShareTrace _kept = new(policy);
    private readonly ShareTrace _weighted = new(policy);
    private readonly Dictionary<(string Key, string Model), Desk?> _desks = [];
    private readonly Dictionary<string, TokenRing> _timeline = new(StringComparer.Ordinal);
    private readonly List<(string Name, DateTimeOffset From)> _acts = [];
    private readonly List<(string Platform, DateTimeOffset From, DateTimeOffset Until)> _gone = [];
    private readonly List<BalanceNote> _notes = [];
    private readonly HashSet<(int Act, int Rule)> _full = [];
    private readonly List<(DateTimeOffset At, string Platform, double Units)> _story = [];
    private (int Act, int Requests) _actBegun;
    private readonly PriorityQueue<(LedgerEntry Entry, long Second), DateTimeOffset> _waiting = new();

    public SharePolicy Policy => policy;

    /// <summary>A part of the story begins: shares are told for each.</summary>
    public void BeginAct(string name, string note)
    {
        lock (_gate)
        {
            _acts.Add((name, time.GetUtcNow()));
            AddNote(note);
        }
    }

    /// <summary>Something worth telling has happened; one sentence.</summary>
    public void Note(string text)
    {
        lock (_gate)
        {
            AddNote(text);
        }
    }

    /// <summary>A platform goes: what begins from now on cannot be sent there.</summary>
    public void Lose(string platform)
    {
        lock (_gate)
        {
            _gone.Add((platform, time.GetUtcNow(), DateTimeOffset.MaxValue));
        }
    }

    public void Regain(string platform)
    {
        lock (_gate)
        {
            int index = _gone.FindLastIndex(gone => gone.Platform == platform);
            _gone[index] = _gone[index] with { Until = time.GetUtcNow() };
        }
    }

    /// <summary>To be set as <see cref="LiveTotals.Observer"/>.</summary>
    public void Record(LedgerEntry entry, long second)
    {
        if (entry.Outcome is not (AttemptOutcome.Completed or AttemptOutcome.Interrupted) || !catalog.Deployments.ContainsKey(entry.Deployment))
        {
            return;
        }

        lock (_gate)
        {
            _waiting.Enqueue((entry, second), entry.StartedAt);
            CountUntil(time.GetUtcNow() - Patience);
        }
    }

    /// <summary>Counts what still waits for its turn: nothing more will come.</summary>
    public void Complete()
    {
        lock (_gate)
        {
            CountUntil(DateTimeOffset.MaxValue);
        }
    }

    public BalanceStanding Standing()
    {
        lock (_gate)
        {
            CountUntil(time.GetUtcNow() - Patience);
            return new BalanceStanding
            {
                Rules = [.. policy.Book.Rules.Select((rule, index) => new BalanceStanding.RuleShares(rule, _kept.RuleShare(index), _weighted.RuleShare(index)))],
                Kept = _kept.Platforms(),
                Weighted = _weighted.Platforms(),
                Acts = [.. _acts.Select((act, index) => new BalanceStanding.Act(act.Name, _kept.PlatformsOf(index), _weighted.PlatformsOf(index)))],
                WorstExcess = _kept.WorstExcess,
                WeightedWorstExcess = _weighted.WorstExcess,
                Notes = [.. _notes],
            };
        }
    }

    /// <summary>What weights alone would have sent to each platform, in the slots of a timeline.</summary>
    /// <param name="second">Of the timeline.</param>
    public IReadOnlyList<LiveSeries> Timeline(long second)
    {
        lock (_gate)
        {
            return [.. _timeline.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => new LiveSeries(pair.Key, pair.Value.Read(second)))];
        }
    }

    /// <summary>The same over the whole story: by stretches on the clock, then by platform, shares from 0 to 1.</summary>
    public IReadOnlyList<(DateTimeOffset At, IReadOnlyDictionary<string, double> Platforms)> Story(TimeSpan stretch)
    {
        lock (_gate)
        {
            IGrouping<DateTimeOffset, (DateTimeOffset At, string Platform, double Units)>[] parts = [.. _story.GroupBy(one => new DateTimeOffset(one.At.UtcTicks - (one.At.UtcTicks % stretch.Ticks), TimeSpan.Zero)).OrderBy(static part => part.Key)];
            return
            [
                .. parts.Where(part => part.Count() >= ExposureAnalysis.ShareShown * _story.Count / parts.Length).Select(static part => (part.Key, (IReadOnlyDictionary<string, double>)SharesOf([.. part]))),
            ];
        }
    }

    /// <summary>When each act of the story began.</summary>
    public IReadOnlyList<(DateTimeOffset At, string Name)> Acts()
    {
        lock (_gate)
        {
            return [.. _acts.Select(static act => (act.From, act.Name))];
        }
    }

    private static Dictionary<string, double> SharesOf((DateTimeOffset At, string Platform, double Units)[] part)
    {
        double all = part.Sum(static one => one.Units);
        return part.GroupBy(static one => one.Platform, StringComparer.Ordinal).ToDictionary(static own => own.Key, own => all == 0 ? 0 : own.Sum(static one => one.Units) / all, StringComparer.Ordinal);
    }

    private void CountUntil(DateTimeOffset moment)
    {
        while (_waiting.TryPeek(out _, out DateTimeOffset began) && began <= moment)
        {
            (LedgerEntry entry, long second) = _waiting.Dequeue();
            Count(entry, second);
        }
    }

    private void Count(LedgerEntry entry, long second)
    {
        if (DeskOf(entry) is not { } desk)
        {
            return;
        }

        Deployment served = catalog.Deployments[entry.Deployment];
        Usage usage = UsageOf(entry);
        int act = Math.Max(_acts.FindLastIndex(act => act.From <= entry.StartedAt), 0);
        _kept.Add(served, desk.Model, desk.Key, policy.Units(served, usage, entry.StartedAt), act);
        ulong up = desk.Lawful & ~Gone(desk.Model, entry.StartedAt);
        if (up == 0)
        {
            return; // By weights alone nothing would have answered either.
        }

        Deployment chosen = desk.Model.Candidates[desk.Wheel.Next(up)].Deployment;
        double units = policy.Units(chosen, usage, entry.StartedAt);
        _weighted.Add(chosen, desk.Model, desk.Key, units, act);
        if (_story.Count < StoryMax)
        {
            _story.Add((entry.StartedAt, chosen.Platform, units));
        }

        if (!_timeline.TryGetValue(chosen.Platform, out TokenRing? ring))
        {
            _timeline.Add(chosen.Platform, ring = new TokenRing());
        }

        NoteFullRules(act);
        ring.Add(second, usage.TotalInputTokens + usage.OutputTokens);
    }

    /// <summary>Once in each act for each rule: its cap diverts requests, and one sees where weights alone would lead.</summary>
    private void NoteFullRules(int act)
    {
        (int begun, _actBegun) = _actBegun.Act == act ? (_actBegun.Requests, (act, _actBegun.Requests + 1)) : (0, (act, 1));
        for (int rule = 0; rule < policy.Book.Rules.Count && begun >= Window / 2; rule++)
        {
            ShareRule own = policy.Book.Rules[rule];
            if (!own.IsFloor && _weighted.RuleShare(rule) > own.Share + DivertedMin && _kept.RuleShare(rule) <= own.Share + DivertedMin && _full.Add((act, rule)))
            {
                AddNote(string.Create(CultureInfo.InvariantCulture, $"{own.Target.Name} is held at {100 * own.Share:0} %: what does not fit goes elsewhere."));
            }
        }
    }

    private void AddNote(string text) => _notes.Add(new BalanceNote(time.GetUtcNow(), text));

    private ulong Gone(Model model, DateTimeOffset at)
    {
        ulong gone = 0;
        for (int index = 0; index < Math.Min(model.Candidates.Count, ShareClass.CandidatesMax); index++)
        {
            string platform = model.Candidates[index].Deployment.Platform;
            gone |= _gone.Exists(one => one.Platform == platform && one.From <= at && at < one.Until) ? 1UL << index : 0;
        }

        return gone;
    }

    private Desk? DeskOf(LedgerEntry entry)
    {
        if (_desks.TryGetValue((entry.KeyId, entry.RequestedModel), out Desk? known))
        {
            return known;
        }

        ApiKey? key = catalog.Keys.FirstOrDefault(key => key.Id == entry.KeyId);
        Model? model = catalog.FindModel(entry.RequestedModel);
        return _desks[(entry.KeyId, entry.RequestedModel)] = key is null || model is null ? null : Desk.Of(key, model);
    }

    private static Usage UsageOf(LedgerEntry entry) => new()
    {
        InputTokens = entry.InputTokens,
        CacheReadTokens = entry.CacheReadTokens,
        CacheWriteTokens = entry.CacheWriteTokens,
        CacheWriteLongTokens = entry.CacheWriteLongTokens,
        OutputTokens = entry.OutputTokens,
    };

    /// <summary>Where weights alone would send the requests of one key for one model.</summary>
    private sealed record Desk(ApiKey Key, Model Model, ulong Lawful, SmoothWheel Wheel)
    {
        public static Desk Of(ApiKey key, Model model)
        {
            Candidate[] candidates = [.. model.Candidates.Take(ShareClass.CandidatesMax)];
            ulong lawful = candidates.Select((candidate, index) => key.Allow.Allows(candidate.Deployment.Data) ? 1UL << index : 0).Aggregate(0UL, (all, one) => all | one);

            // Where an order is written, the first that is up takes all: that is what weights a thousand times apart come to.
            double[] weights = [.. candidates.Select((candidate, index) => model.Selection == Selection.Weighted ? candidate.Weight : Math.Pow(1000, -Math.Min(index, 8)))];
            return new Desk(key, model, lawful, new SmoothWheel(weights));
        }
    }
}
