using Ballast.Balance.Capacity;
using Ballast.Catalog;
using Ballast.Configuration.Policies;
using Ballast.Ledger;
using Ballast.Routing.Shares;

namespace Ballast.Balance;

/// <summary>
/// Exposure measured on the organisation's own traffic: shares of every kind of component, what stops without each, which sets of components stop a model, and which
/// providers fail together although nothing declared connects them. Pure: what it is built from is all that it knows.
/// </summary>
public sealed class ExposureAnalysis
{
    /// <summary>Rows of the ledger that are looked at.</summary>
    public const int RowsMax = 2_000_000;

    /// <summary>An hour with fewer requests says nothing about shares.</summary>
    private const int HourRequestsMin = 20;
    private const int Resamples = 400;

    private readonly CatalogSnapshot _catalog;
    private readonly ComponentMap _components;
    private readonly Criticality _criticality;
    private readonly IReadOnlyList<SubstituteOptions> _substitutes;
    private readonly Dictionary<(string Key, string Model, string Deployment, Component Gone), (double Lawful, double Proven)> _left = [];
    private readonly Dictionary<string, IReadOnlyList<ComponentEdge>> _edges = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Key, string Model), IReadOnlyList<Deployment>> _lawful = [];
    private readonly Dictionary<Component, double> _room = [];
    private readonly Dictionary<string, ApiKey> _keys;
    private CapacityAnalysis _capacity;
    private DateTimeOffset _middle;

    private ExposureAnalysis(CatalogSnapshot catalog, ComponentMap components, PolicyOptions? policy)
    {
        (_catalog, _components) = (catalog, components);
        _criticality = new Criticality(policy?.Criticality ?? new Dictionary<string, int>(), catalog.Keys);
        _substitutes = policy?.Substitutes ?? [];
        _keys = catalog.Keys.Select(key => policy is null ? key : SharePolicy.Restrict(key, policy)).ToDictionary(static key => key.Id, StringComparer.Ordinal);
        _capacity = CapacityAnalysis.Build(components, Quotas.Declared, [], static _ => []);
    }

    public IReadOnlyList<DimensionExposure> Dimensions { get; private set; } = [];
    public IReadOnlyList<ModelCuts> Models { get; private set; } = [];

    /// <summary>Providers that fail together.</summary>
    public IReadOnlyList<SharedFailure> SharedFailures { get; private set; } = [];

    /// <summary>What Ballast itself runs on.</summary>
    public IReadOnlyList<ComponentEdge> Gateway => _components.Gateway;

    /// <summary>What goes on without each platform, vendor, region, account and party, and without pairs of the first of them.</summary>
    public IReadOnlyList<CapacityLeft> Capacity { get; private set; } = [];

    /// <summary>Deployments whose quota nobody knows.</summary>
    public IReadOnlyList<string> UnknownQuotas => _capacity.Unknown;

    /// <summary>Tokens in the minute of the 99th percentile.</summary>
    public double PeakTokens => _capacity.PeakTokens;

    /// <summary>Whether what the policy wants to survive would.</summary>
    public IReadOnlyList<SurvivalCheck> Survival { get; private set; } = [];

    /// <summary>Hours in which there was any traffic.</summary>
    public int Hours { get; private set; }

    /// <summary>By day, then by platform: share of the tokens, from 0 to 1.</summary>
    public IReadOnlyList<(DateOnly Day, IReadOnlyDictionary<string, double> Platforms)> Days { get; private set; } = [];

    /// <summary>Answered requests that it is built from.</summary>
    public long Requests { get; private set; }

    /// <summary>By how much more vendors than platforms there seem to be: several vendors on one platform are one failure.</summary>
    public double CommonModeGap => Effective(ComponentKind.Vendor) - Effective(ComponentKind.Platform);

    /// <summary>Vendor and platform of a deployment; null for one that only the ledger remembers.</summary>
    public (string Vendor, string Platform)? LinkOf(string deployment) =>
        _catalog.Deployments.TryGetValue(deployment, out Deployment? found) ? (found.Vendor, found.Platform) : null;

    /// <param name="catalog">Today's.</param>
    /// <param name="components">The graph as declared; what traffic shows is added.</param>
    /// <param name="policy">Tells how critical apps are, and which substitutes have been shown; null where none is in force.</param>
    /// <param name="entries">The ledger's rows of the window.</param>
    /// <param name="quotas">What is known of quotas; null for what the configuration declares.</param>
    public static ExposureAnalysis Build(CatalogSnapshot catalog, ComponentMap components, PolicyOptions? policy, IReadOnlyList<LedgerEntry> entries, Quotas? quotas = null)
    {
        IReadOnlyList<SharedFailure> modes = SharedFailure.Find(entries);
        ComponentMap observed = new([.. components.Links, .. modes.SelectMany(static mode => mode.ToLinks())], components.Gateway);
        ExposureAnalysis analysis = new(catalog, observed, policy) { SharedFailures = modes };
        LedgerEntry[] answered = [.. entries.Where(static entry => entry.Outcome is AttemptOutcome.Completed or AttemptOutcome.Interrupted)];
        analysis.Requests = answered.Length;
        analysis.Hours = answered.Select(static entry => entry.StartedAt.ToUnixTimeSeconds() / 3600).Distinct().Count();
        analysis._middle = answered.Length == 0 ? default : answered[0].StartedAt + ((answered[^1].StartedAt - answered[0].StartedAt) / 2);
        analysis._capacity = CapacityAnalysis.Build(observed, quotas ?? Quotas.Declared, answered, analysis.LawfulOf);
        analysis.Dimensions = [.. Enum.GetValues<ComponentKind>().Select(kind => analysis.Measure(kind, answered)).Where(static dimension => dimension.Components.Count > 0)];
        analysis.Days =
        [
            .. answered.GroupBy(static entry => DateOnly.FromDateTime(entry.StartedAt.UtcDateTime)).OrderBy(static day => day.Key)
                .Select(static day => (day.Key, (IReadOnlyDictionary<string, double>)PlatformsOf(day))),
        ];
        analysis.Models = analysis.FindCuts();
        Component[] looked = [.. s_lookedAt.SelectMany(kind => analysis.Dimensions.Where(dimension => dimension.Kind == kind).SelectMany(static dimension => dimension.Components)).Select(static use => use.Component)];
        analysis.Capacity = answered.Length == 0 ? [] : analysis._capacity.WithoutEach(looked, withPairs: true);
        analysis.Survival = policy is null ? [] : [.. SurvivalCheck.Of(policy, analysis._keys, analysis._criticality, observed, quotas ?? Quotas.Declared, answered, analysis.LawfulOf)];
        return analysis;
    }

    private static readonly ComponentKind[] s_lookedAt = [ComponentKind.Platform, ComponentKind.Vendor, ComponentKind.Region, ComponentKind.Provider, ComponentKind.Party, ComponentKind.Network, ComponentKind.Jurisdiction];

    /// <summary>Deployments that the row's request might have gone to; the one that answered it, where today's catalog knows neither.</summary>
    private IReadOnlyList<Deployment> LawfulOf(LedgerEntry entry)
    {
        if (!_lawful.TryGetValue((entry.KeyId, entry.RequestedModel), out IReadOnlyList<Deployment>? known))
        {
            _lawful[(entry.KeyId, entry.RequestedModel)] = known =
            [
                .. (_catalog.FindModel(entry.RequestedModel)?.Candidates ?? []).Select(static candidate => candidate.Deployment)
                    .Where(deployment => !_keys.TryGetValue(entry.KeyId, out ApiKey? key) || key.Allow.Allows(deployment.Data)),
            ];
        }

        return known;
    }

    private static Dictionary<string, double> PlatformsOf(IEnumerable<LedgerEntry> day)
    {
        Dictionary<string, double> tokens = new(StringComparer.Ordinal);
        foreach (LedgerEntry entry in day)
        {
            tokens[entry.Platform] = tokens.GetValueOrDefault(entry.Platform) + Tokens(entry);
        }

        double all = tokens.Values.Sum();
        return tokens.ToDictionary(static pair => pair.Key, pair => all == 0 ? 0 : pair.Value / all, StringComparer.Ordinal);
    }

    private double Effective(ComponentKind kind) => Dimensions.FirstOrDefault(dimension => dimension.Kind == kind)?.EffectiveNumber ?? 0;

    private DimensionExposure Measure(ComponentKind kind, LedgerEntry[] answered)
    {
        Dictionary<Component, Tally> tallies = [];
        Tally all = new();
        foreach (LedgerEntry entry in answered)
        {
            int weight = _criticality.WeightOf(entry.App);
            long hour = entry.StartedAt.ToUnixTimeSeconds() / 3600;
            bool isLate = entry.StartedAt >= _middle;
            all.Add(entry, weight, hour, isLate, stops: 0, unproven: 0);
            foreach (ComponentEdge edge in EdgesOf(entry).Where(edge => edge.Component.Kind == kind))
            {
                (double lawful, double proven) = LeftWithout(entry, edge.Component);
                if (!tallies.TryGetValue(edge.Component, out Tally? tally))
                {
                    tallies[edge.Component] = tally = new Tally();
                }

                tally.Provenance = (Provenance)Math.Max((int)tally.Provenance, (int)edge.Provenance);
                tally.Add(entry, weight, hour, isLate, 1 - lawful, 1 - proven);
            }
        }

        return new DimensionExposure(kind, [.. tallies.Select(pair => Describe(pair.Key, pair.Value, all, RoomWithout(pair.Key))).OrderByDescending(static use => use.TokenShare).ThenBy(static use => use.Component.Name, StringComparer.Ordinal)]);
    }

    private static ComponentUse Describe(Component component, Tally own, Tally all, double room) => new()
    {
        Component = component,
        Provenance = own.Provenance,
        RequestShare = Ratio(own.Requests, all.Requests),
        TokenShare = Ratio(own.Tokens, all.Tokens),
        CostShare = all.Cost == 0 ? null : (double)(own.Cost / all.Cost),
        CriticalShare = Ratio(own.Weight, all.Weight),
        HourlyMax = all.Hours.Where(static hour => hour.Value.Requests >= HourRequestsMin)
            .Select(hour => (double?)Ratio(own.Hours.GetValueOrDefault(hour.Key).Requests, hour.Value.Requests)).Max(),
        HourlyMin = all.Hours.Where(static hour => hour.Value.Requests >= HourRequestsMin)
            .Select(hour => (double?)Ratio(own.Hours.GetValueOrDefault(hour.Key).Requests, hour.Value.Requests)).Min(),
        Trend = all.Late == 0 || all.Late == all.Tokens ? null : Ratio(own.Late, all.Late) - Ratio(own.Tokens - own.Late, all.Tokens - all.Late),
        Room = room,
        Stops = Ratio(own.Stops, all.Weight),
        StopsInterval = Interval(own, all, static hour => hour.Stops),
        StopsPerHour = Ratio(own.StopsRequests, all.Hours.Count),
        Unproven = Ratio(own.Unproven, all.Weight),
        UnprovenInterval = Interval(own, all, static hour => hour.Unproven),
    };

    /// <summary>Whole hours are drawn again, since the requests of an hour are alike.</summary>
    private static (double Low, double High) Interval(Tally own, Tally all, Func<HourTally, double> part)
    {
        long[] hours = [.. all.Hours.Keys.Order()];
        double sum = own.Hours.Values.Sum(part);
        if (hours.Length < 2 || sum == 0)
        {
            double value = Ratio(sum, all.Weight);
            return (value, value);
        }

        Random random = new(1);
        double[] drawn = new double[Resamples];
        for (int sample = 0; sample < Resamples; sample++)
        {
            double stops = 0;
            double weight = 0;
            for (int draw = 0; draw < hours.Length; draw++)
            {
                long hour = hours[random.Next(hours.Length)];
                stops += part(own.Hours.GetValueOrDefault(hour));
                weight += all.Hours[hour].Weight;
            }

            drawn[sample] = Ratio(stops, weight);
        }

        Array.Sort(drawn);
        return (drawn[Resamples / 20], drawn[Resamples - 1 - (Resamples / 20)]);
    }

    /// <summary>
    /// What of a request can go on without a component: where there is a lawful deployment, as far as quotas leave room at the busiest times; and of that, as far as somebody
    /// has shown that the substitute can do the work.
    /// </summary>
    private (double Lawful, double Proven) LeftWithout(LedgerEntry entry, Component gone)
    {
        (string, string, string, Component) question = (entry.KeyId, entry.RequestedModel, entry.Deployment, gone);
        if (!_left.TryGetValue(question, out (double, double) known))
        {
            Deployment[] left = [.. LawfulOf(entry).Where(deployment => EdgesOf(deployment).All(edge => edge.Component != gone))];
            double proven = _substitutes.Where(substitute => substitute.For == entry.Deployment && left.Any(deployment => substitute.By.Contains(deployment.Name)))
                .Max(static substitute => substitute.Parity) ?? 0;
            double room = left.Length == 0 ? 0 : RoomWithout(gone);
            _left[question] = known = (room, Math.Min(room, proven));
        }

        return known;
    }

    private double RoomWithout(Component gone)
    {
        if (!_room.TryGetValue(gone, out double room))
        {
            _room[gone] = room = _capacity.RoomWithout(gone);
        }

        return room;
    }

    private List<ModelCuts> FindCuts()
    {
        IReadOnlyList<ApiKey> keys = _keys.Count > 0 ? [.. _keys.Values] : [new ApiKey { Id = "", App = "", Digest = default }];
        return
        [
            .. from model in _catalog.ModelOrder
               where !model.IsDeployment && !model.IsBareName
               from key in keys
               where key.Models is null || key.Models.Contains(model.Name)
               let lawful = model.Candidates.Select(static candidate => candidate.Deployment).Where(deployment => key.Allow.Allows(deployment.Data)).ToArray()
               where lawful.Length > 0
               group (key.App, lawful) by (model.Name, Lawful: string.Join('|', lawful.Select(static deployment => deployment.Name))) into same
               select new ModelCuts(
                   same.Key.Name, [.. same.Select(static one => one.App).Where(static app => app.Length > 0).Distinct(StringComparer.Ordinal)], CutSets.Of(same.First().lawful, _components)),
        ];
    }

    private IReadOnlyList<ComponentEdge> EdgesOf(LedgerEntry entry)
    {
        if (_catalog.Deployments.TryGetValue(entry.Deployment, out Deployment? deployment))
        {
            return EdgesOf(deployment);
        }

        if (!_edges.TryGetValue(entry.Deployment, out IReadOnlyList<ComponentEdge>? known))
        {
            // Only the ledger still knows it: what its row says.
            (ComponentKind Kind, string Name)[] told =
            [
                (ComponentKind.Vendor, entry.Vendor), (ComponentKind.Platform, entry.Platform), (ComponentKind.Region, entry.Region),
                (ComponentKind.Provider, entry.Deployment.Split('/', 2)[0]), (ComponentKind.Deployment, entry.Deployment),
            ];
            _edges[entry.Deployment] = known = [.. told.Select(static one => new ComponentEdge(new Component(one.Kind, one.Name), Provenance.Declared, "ledger"))];
        }

        return known;
    }

    private IReadOnlyList<ComponentEdge> EdgesOf(Deployment deployment)
    {
        if (!_edges.TryGetValue(deployment.Name, out IReadOnlyList<ComponentEdge>? known))
        {
            _edges[deployment.Name] = known = _components.Of(deployment);
        }

        return known;
    }

    internal static double Tokens(LedgerEntry entry) =>
        entry.InputTokens + entry.CacheReadTokens + entry.CacheWriteTokens + entry.CacheWriteLongTokens + entry.OutputTokens;

    private static double Ratio(double part, double whole) => whole == 0 ? 0 : part / whole;

    private sealed class Tally
    {
        public double Requests { get; private set; }
        public double Tokens { get; private set; }
        public decimal Cost { get; private set; }
        public double Weight { get; private set; }
        public double Stops { get; private set; }
        public double StopsRequests { get; private set; }
        public double Unproven { get; private set; }

        /// <summary>Tokens of the second half of the time.</summary>
        public double Late { get; private set; }
        public Provenance Provenance { get; set; }
        public Dictionary<long, HourTally> Hours { get; } = [];

        public void Add(LedgerEntry entry, int weight, long hour, bool isLate, double stops, double unproven)
        {
            Requests++;
            Tokens += ExposureAnalysis.Tokens(entry);
            Cost += entry.CostUsd ?? 0;
            Weight += weight;
            Late += isLate ? ExposureAnalysis.Tokens(entry) : 0;
            Stops += weight * stops;
            StopsRequests += stops;
            Unproven += weight * unproven;
            HourTally known = Hours.GetValueOrDefault(hour);
            Hours[hour] = new HourTally(known.Requests + 1, known.Weight + weight, known.Stops + (weight * stops), known.Unproven + (weight * unproven));
        }
    }

    private readonly record struct HourTally(double Requests, double Weight, double Stops, double Unproven);
}
