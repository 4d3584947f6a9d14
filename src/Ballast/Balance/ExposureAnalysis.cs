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
    /// <summary>Sums of minutes that are looked at: some 400 MB of memory.</summary>
    public const int MinutesMax = 10_000_000;

    /// <summary>An hour with fewer requests says nothing about shares.</summary>
    private const int HourRequestsMin = 20;
    private const int Resamples = 400;

    /// <summary>A point of the timeline with less than this part of the mean's requests is left out: the shares of a few say nothing.</summary>
    internal const double ShareShown = 0.1;

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

    /// <summary>How long the stretches are that intervals come from: an hour, or less for short times.</summary>
    public TimeSpan Stretch { get; private set; } = TimeSpan.FromHours(1);

    /// <summary>By time, then by platform: share of the tokens, from 0 to 1.</summary>
    public IReadOnlyList<(DateTimeOffset At, IReadOnlyDictionary<string, double> Platforms)> Timeline { get; private set; } = [];

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
    /// <param name="demand">What the ledger holds of the window.</param>
    /// <param name="quotas">What is known of quotas; null for what the configuration declares.</param>
    public static ExposureAnalysis Build(CatalogSnapshot catalog, ComponentMap components, PolicyOptions? policy, DemandReport demand, Quotas? quotas = null)
    {
        IReadOnlyList<SharedFailure> modes = SharedFailure.Find(demand.Minutes);
        ComponentMap observed = new([.. components.Links, .. modes.SelectMany(static mode => mode.ToLinks())], components.Gateway);
        IReadOnlyList<DemandCell> answered = demand.Cells;
        ExposureAnalysis analysis = new(catalog, observed, policy) { SharedFailures = modes, Stretch = demand.Stretch };
        analysis.Requests = answered.Sum(static cell => cell.Requests);
        analysis.Hours = answered.Select(static cell => HourOf(cell)).Distinct().Count();
        analysis._middle = answered.Count == 0 ? default : answered[0].From + ((answered[^1].From + demand.Stretch - answered[0].From) / 2);
        analysis._capacity = CapacityAnalysis.Build(observed, quotas ?? Quotas.Declared, demand.Minutes, analysis.LawfulOf);
        analysis.Dimensions = [.. Enum.GetValues<ComponentKind>().Select(kind => analysis.Measure(kind, answered)).Where(static dimension => dimension.Components.Count > 0)];
        analysis.Timeline = TimelineOf(answered, demand.Stretch);
        analysis.Models = analysis.FindCuts();
        Component[] looked = [.. s_lookedAt.SelectMany(kind => analysis.Dimensions.Where(dimension => dimension.Kind == kind).SelectMany(static dimension => dimension.Components)).Select(static use => use.Component)];
        analysis.Capacity = answered.Count == 0 ? [] : analysis._capacity.WithoutEach(looked, withPairs: true);
        analysis.Survival = policy is null ? [] : [.. SurvivalCheck.Of(policy, analysis._keys, analysis._criticality, observed, quotas ?? Quotas.Declared, demand.Minutes, analysis.LawfulOf)];
        return analysis;
    }

    private static readonly ComponentKind[] s_lookedAt = [ComponentKind.Platform, ComponentKind.Vendor, ComponentKind.Region, ComponentKind.Provider, ComponentKind.Party, ComponentKind.Network, ComponentKind.Jurisdiction];

    /// <summary>Deployments that such a request might have gone to; none where today's catalog does not know its model.</summary>
    private IReadOnlyList<Deployment> LawfulOf(DemandLabel label)
    {
        if (!_lawful.TryGetValue((label.KeyId, label.RequestedModel), out IReadOnlyList<Deployment>? known))
        {
            _lawful[(label.KeyId, label.RequestedModel)] = known =
            [
                .. (_catalog.FindModel(label.RequestedModel)?.Candidates ?? []).Select(static candidate => candidate.Deployment)
                    .Where(deployment => !_keys.TryGetValue(label.KeyId, out ApiKey? key) || key.Allow.Allows(deployment.Data)),
            ];
        }

        return known;
    }

    /// <summary>As many points as a picture bears: single stretches of a short time, hours or parts of days of a longer one, days of a long one.</summary>
    private static (DateTimeOffset At, IReadOnlyDictionary<string, double> Platforms)[] TimelineOf(IReadOnlyList<DemandCell> answered, TimeSpan stretch)
    {
        if (answered.Count == 0)
        {
            return [];
        }

        TimeSpan span = answered[^1].From + stretch - answered[0].From;
        TimeSpan step = stretch < TimeSpan.FromHours(1) || span <= TimeSpan.FromDays(2) ? stretch : span <= TimeSpan.FromDays(8) ? TimeSpan.FromHours(6) : TimeSpan.FromDays(1);
        IGrouping<DateTimeOffset, DemandCell>[] parts = [.. answered.GroupBy(cell => new DateTimeOffset(cell.From.UtcTicks - (cell.From.UtcTicks % step.Ticks), TimeSpan.Zero)).OrderBy(static part => part.Key)];
        double enough = ShareShown * answered.Sum(static cell => cell.Requests) / parts.Length;
        return
        [
            .. parts.Where(part => part.Sum(static cell => cell.Requests) >= enough).Select(static part => (part.Key, (IReadOnlyDictionary<string, double>)PlatformsOf(part))),
        ];
    }

    private static Dictionary<string, double> PlatformsOf(IEnumerable<DemandCell> part)
    {
        Dictionary<string, double> tokens = new(StringComparer.Ordinal);
        foreach (DemandCell cell in part)
        {
            tokens[cell.Label.Platform] = tokens.GetValueOrDefault(cell.Label.Platform) + cell.Tokens;
        }

        double all = tokens.Values.Sum();
        return tokens.ToDictionary(static pair => pair.Key, pair => all == 0 ? 0 : pair.Value / all, StringComparer.Ordinal);
    }

    private static long HourOf(DemandCell cell) => cell.From.ToUnixTimeSeconds() / 3600;

    private double Effective(ComponentKind kind) => Dimensions.FirstOrDefault(dimension => dimension.Kind == kind)?.EffectiveNumber ?? 0;

    private DimensionExposure Measure(ComponentKind kind, IReadOnlyList<DemandCell> answered)
    {
        Dictionary<Component, Tally> tallies = [];
        Dictionary<DemandLabel, (int Weight, (Component Component, Provenance Provenance, double Stops, double Unproven)[] Needs)> known = new(ReferenceEqualityComparer.Instance);
        Tally all = new();
        foreach (DemandCell cell in answered)
        {
            if (!known.TryGetValue(cell.Label, out (int Weight, (Component Component, Provenance Provenance, double Stops, double Unproven)[] Needs) told))
            {
                known[cell.Label] = told = (_criticality.WeightOf(cell.Label.App), [.. EdgesOf(cell.Label).Where(edge => edge.Component.Kind == kind).Select(edge => NeedOf(cell.Label, edge))]);
            }

            bool isLate = cell.From >= _middle;
            all.Add(cell, told.Weight, isLate, stops: 0, unproven: 0);
            foreach ((Component component, Provenance provenance, double stops, double unproven) in told.Needs)
            {
                if (!tallies.TryGetValue(component, out Tally? tally))
                {
                    tallies[component] = tally = new Tally();
                }

                tally.Provenance = (Provenance)Math.Max((int)tally.Provenance, (int)provenance);
                tally.Add(cell, told.Weight, isLate, stops, unproven);
            }
        }

        double hours = all.Stretches.Count * Stretch.TotalHours;
        return new DimensionExposure(kind, [.. tallies.Select(pair => Describe(pair.Key, pair.Value, all, hours, RoomWithout(pair.Key))).OrderByDescending(static use => use.TokenShare).ThenBy(static use => use.Component.Name, StringComparer.Ordinal)]);
    }

    private (Component Component, Provenance Provenance, double Stops, double Unproven) NeedOf(DemandLabel label, ComponentEdge edge)
    {
        (double lawful, double proven) = LeftWithout(label, edge.Component);
        return (edge.Component, edge.Provenance, 1 - lawful, 1 - proven);
    }

    private static ComponentUse Describe(Component component, Tally own, Tally all, double hours, double room) => new()
    {
        Component = component,
        Provenance = own.Provenance,
        RequestShare = Ratio(own.Requests, all.Requests),
        TokenShare = Ratio(own.Tokens, all.Tokens),
        CostShare = all.Cost == 0 ? null : (double)(own.Cost / all.Cost),
        CriticalShare = Ratio(own.Weight, all.Weight),
        HourlyMax = SharesOfHours(own, all).Max(),
        HourlyMin = SharesOfHours(own, all).Min(),
        Trend = all.Late == 0 || all.Late == all.Tokens ? null : Ratio(own.Late, all.Late) - Ratio(own.Tokens - own.Late, all.Tokens - all.Late),
        Room = room,
        Stops = Ratio(own.Stops, all.Weight),
        StopsInterval = Interval(own, all, static part => part.Stops),
        StopsPerHour = Ratio(own.StopsRequests, hours),
        Unproven = Ratio(own.Unproven, all.Weight),
        UnprovenInterval = Interval(own, all, static part => part.Unproven),
    };

    /// <summary>One share for each hour with enough requests; none where all lies within one hour, which says nothing about others.</summary>
    private static IEnumerable<double?> SharesOfHours(Tally own, Tally all) => all.Hours.Count < 2 ? []
        : all.Hours.Where(static hour => hour.Value >= HourRequestsMin).Select(hour => (double?)Ratio(own.Hours.GetValueOrDefault(hour.Key), hour.Value));

    /// <summary>Whole stretches are drawn again, since the requests of an hour are alike.</summary>
    private static (double Low, double High) Interval(Tally own, Tally all, Func<StretchTally, double> part)
    {
        DateTimeOffset[] stretches = [.. all.Stretches.Keys.Order()];
        double sum = own.Stretches.Values.Sum(part);
        if (stretches.Length < 2 || sum == 0)
        {
            double value = Ratio(sum, all.Weight);
            return (value, value);
        }

        double[] parts = [.. stretches.Select(at => part(own.Stretches.GetValueOrDefault(at)))];
        double[] weights = [.. stretches.Select(at => all.Stretches[at].Weight)];
        Random random = new(1);
        double[] drawn = new double[Resamples];
        for (int sample = 0; sample < Resamples; sample++)
        {
            double stops = 0;
            double weight = 0;
            for (int draw = 0; draw < stretches.Length; draw++)
            {
                int place = random.Next(stretches.Length);
                stops += parts[place];
                weight += weights[place];
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
    private (double Lawful, double Proven) LeftWithout(DemandLabel label, Component gone)
    {
        (string, string, string, Component) question = (label.KeyId, label.RequestedModel, label.Deployment, gone);
        if (!_left.TryGetValue(question, out (double, double) known))
        {
            Deployment[] left = [.. LawfulOf(label).Where(deployment => EdgesOf(deployment).All(edge => edge.Component != gone))];
            double proven = _substitutes.Where(substitute => substitute.For == label.Deployment && left.Any(deployment => substitute.By.Contains(deployment.Name)))
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

    private IReadOnlyList<ComponentEdge> EdgesOf(DemandLabel label)
    {
        if (_catalog.Deployments.TryGetValue(label.Deployment, out Deployment? deployment))
        {
            return EdgesOf(deployment);
        }

        if (!_edges.TryGetValue(label.Deployment, out IReadOnlyList<ComponentEdge>? known))
        {
            // Only the ledger still knows it: what its rows say.
            (ComponentKind Kind, string Name)[] told =
            [
                (ComponentKind.Vendor, label.Vendor), (ComponentKind.Platform, label.Platform), (ComponentKind.Region, label.Region),
                (ComponentKind.Provider, label.Deployment.Split('/', 2)[0]), (ComponentKind.Deployment, label.Deployment),
            ];
            _edges[label.Deployment] = known = [.. told.Select(static one => new ComponentEdge(new Component(one.Kind, one.Name), Provenance.Declared, "ledger"))];
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
        public Dictionary<DateTimeOffset, StretchTally> Stretches { get; } = [];

        /// <summary>Requests by hour.</summary>
        public Dictionary<long, double> Hours { get; } = [];

        public void Add(DemandCell cell, int weight, bool isLate, double stops, double unproven)
        {
            double requests = cell.Requests;
            Requests += requests;
            Tokens += cell.Tokens;
            Cost += cell.CostUsd;
            Weight += weight * requests;
            Late += isLate ? cell.Tokens : 0;
            Stops += weight * requests * stops;
            StopsRequests += requests * stops;
            Unproven += weight * requests * unproven;
            StretchTally known = Stretches.GetValueOrDefault(cell.From);
            Stretches[cell.From] = new StretchTally(known.Weight + (weight * requests), known.Stops + (weight * requests * stops), known.Unproven + (weight * requests * unproven));
            Hours[HourOf(cell)] = Hours.GetValueOrDefault(HourOf(cell)) + requests;
        }
    }

    private readonly record struct StretchTally(double Weight, double Stops, double Unproven);
}
