using Ballast.Catalog;
using Ballast.Ledger;

namespace Ballast.Balance.Capacity;

/// <summary>How much of the demand can go on, from 0 to 1: between what is known to have room and what may have.</summary>
/// <param name="Low">Deployments of unknown quota carry no more than they were seen to carry.</param>
/// <param name="High">Deployments of unknown quota carry anything.</param>
public readonly record struct Survived(double Low, double High)
{
    /// <summary>No unknown quota matters.</summary>
    public bool IsKnown => High - Low < 1e-6;
}

/// <summary>What is left when something disappears, at the median minute's demand and at that of the 99th percentile.</summary>
/// <param name="Gone">One component, or two.</param>
/// <param name="Median">At the median busy minute.</param>
/// <param name="Peak">At the 99th percentile.</param>
public sealed record CapacityLeft(IReadOnlyList<Component> Gone, Survived Median, Survived Peak);

/// <summary>
/// N-1 capacity: whether the demand fits into the quotas that are left when a component is gone. Requests may go wherever they lawfully may (a maximum flow from classes of
/// requests through deployments and accounts), so that the answer is what the best routing could do. Quotas that nobody knows make an interval, never a zero.
/// </summary>
public sealed class CapacityAnalysis
{
    /// <summary>Pairs are looked at for so many components at most: those that carry most.</summary>
    public const int PairedMax = 12;

    /// <summary>Part of the minutes, on either side, whose mix of requests a demand has.</summary>
    private const double Around = 0.02;

    private readonly ComponentMap _components;
    private readonly Quotas _quotas;
    private readonly List<Deployment> _deployments = [];
    private readonly Dictionary<string, int> _places = new(StringComparer.Ordinal);
    private readonly Dictionary<string, double> _seen = new(StringComparer.Ordinal);
    private readonly Demand _median;
    private readonly Demand _peak;

    private CapacityAnalysis(ComponentMap components, Quotas quotas, IReadOnlyList<MinuteDemand> minutes)
    {
        (_components, _quotas) = (components, quotas);
        MinuteDemand[] ordered = [.. minutes.OrderBy(static minute => minute.Tokens)];
        _median = Build(ordered, 0.5);
        _peak = Build(ordered, 0.99);
        foreach (MinuteDemand minute in minutes)
        {
            foreach ((string deployment, double tokens) in minute.ByDeployment)
            {
                _seen[deployment] = Math.Max(_seen.GetValueOrDefault(deployment), tokens);
            }
        }
    }

    /// <summary>Tokens in the minute of the 99th percentile; 0 without traffic.</summary>
    public double PeakTokens => _peak.Tokens;

    /// <summary>Deployments that the demand may go to and whose quota nobody knows.</summary>
    public IReadOnlyList<string> Unknown => [.. _deployments.Where(deployment => !IsKnown(deployment)).Select(static deployment => deployment.Name).Order(StringComparer.Ordinal)];

    /// <param name="components">The graph.</param>
    /// <param name="quotas">What is known.</param>
    /// <param name="minutes">Of the ledger.</param>
    /// <param name="lawfulOf">Deployments that may answer a request; the same list for the same question.</param>
    public static CapacityAnalysis Build(ComponentMap components, Quotas quotas, IEnumerable<DemandMinute> minutes, Func<DemandLabel, IReadOnlyList<Deployment>> lawfulOf)
    {
        Dictionary<long, MinuteDemand> demands = [];
        Dictionary<DemandLabel, (string Class, IReadOnlyList<Deployment> Lawful)> known = new(ReferenceEqualityComparer.Instance);
        foreach (DemandMinute cell in minutes)
        {
            if (!known.TryGetValue(cell.Label, out (string Class, IReadOnlyList<Deployment> Lawful) told))
            {
                IReadOnlyList<Deployment> lawful = lawfulOf(cell.Label);
                known[cell.Label] = told = (string.Join('|', lawful.Select(static deployment => deployment.Name)), lawful);
            }

            // What today's catalog has no deployment for is no demand that could go anywhere.
            if (cell.Answered == 0 || told.Lawful.Count == 0)
            {
                continue;
            }

            if (!demands.TryGetValue(cell.Minute, out MinuteDemand? demand))
            {
                demands[cell.Minute] = demand = new MinuteDemand();
            }

            demand.Add(cell, told.Class, told.Lawful);
        }

        return new CapacityAnalysis(components, quotas, [.. demands.Values]);
    }

    /// <summary>What goes on without these components.</summary>
    public CapacityLeft Without(params IReadOnlyList<Component> gone) => new(gone, Left(_median, gone), Left(_peak, gone));

    /// <summary>Every single one of these components, and every pair of the first of them.</summary>
    public IReadOnlyList<CapacityLeft> WithoutEach(IReadOnlyList<Component> components, bool withPairs)
    {
        List<CapacityLeft> left = [.. components.Select(component => Without(component))];
        for (int one = 0; withPairs && one < Math.Min(components.Count, PairedMax); one++)
        {
            for (int two = one + 1; two < Math.Min(components.Count, PairedMax); two++)
            {
                left.Add(Without(components[one], components[two]));
            }
        }

        return left;
    }

    /// <summary>
    /// Of the demand that a component carries in the busy minute and that may lawfully go elsewhere: the part that finds room there. Where quotas are unknown, room is
    /// taken to be there.
    /// </summary>
    public double RoomWithout(Component gone)
    {
        bool[] lost = Lost([gone]);
        double carried = 0, stranded = 0;
        foreach (DemandClass one in _peak.Classes)
        {
            double on = one.ByDeployment.Where(pair => _places.TryGetValue(pair.Key, out int place) && lost[place]).Sum(static pair => pair.Value);
            carried += on;
            stranded += one.Lawful.All(place => lost[place]) ? one.Tokens : 0;
        }

        double movable = carried - Math.Min(carried, stranded);
        double crowded = Math.Max(0, (_peak.Tokens * (1 - Left(_peak, [gone]).High)) - stranded);
        return movable <= 0 ? 1 : Math.Clamp(1 - (crowded / movable), 0, 1);
    }

    private bool IsKnown(Deployment deployment) => _quotas.Of(deployment) is { IsKnown: true } || Quotas.Of(deployment.Provider) is { IsKnown: true };

    private Demand Build(MinuteDemand[] ordered, double quantile)
    {
        if (ordered.Length == 0)
        {
            return new Demand([], 0, 0);
        }

        // As large as that minute, and mixed as the minutes around it: who happened to ask in one minute is chance.
        int rank = Math.Clamp((int)Math.Ceiling(quantile * ordered.Length) - 1, 0, ordered.Length - 1);
        int around = (int)(Around * ordered.Length);
        MinuteDemand[] band = ordered[Math.Max(0, rank - around)..Math.Min(ordered.Length, rank + around + 1)];
        double scale = ordered[rank].Tokens / Math.Max(band.Sum(static minute => minute.Tokens), double.Epsilon);
        return new Demand(
            [
                .. band.SelectMany(static minute => minute.Classes).GroupBy(static one => one.Key, StringComparer.Ordinal).Select(same => new DemandClass(
                    [.. same.First().Value.Lawful.Select(PlaceOf)], scale * same.Sum(static one => one.Value.Tokens),
                    same.SelectMany(static one => one.Value.ByDeployment).GroupBy(static pair => pair.Key, StringComparer.Ordinal).ToDictionary(static pair => pair.Key, pair => scale * pair.Sum(static value => value.Value), StringComparer.Ordinal))),
            ],
            ordered[rank].Tokens, scale * band.Sum(static minute => minute.Requests));
    }

    private int PlaceOf(Deployment deployment)
    {
        if (!_places.TryGetValue(deployment.Name, out int place))
        {
            _places[deployment.Name] = place = _deployments.Count;
            _deployments.Add(deployment);
        }

        return place;
    }

    private bool[] Lost(IReadOnlyList<Component> gone) => [.. _deployments.Select(deployment => gone.Any(component => _components.Depends(deployment, component)))];

    private Survived Left(Demand demand, IReadOnlyList<Component> gone)
    {
        if (demand.Tokens <= 0)
        {
            return new Survived(1, 1);
        }

        bool[] lost = Lost(gone);
        return new Survived(Flow(demand, lost, isUnknownFree: false) / demand.Tokens, Flow(demand, lost, isUnknownFree: true) / demand.Tokens);
    }

    /// <summary>Nodes: the source, classes, deployments, accounts, the sink.</summary>
    private double Flow(Demand demand, bool[] lost, bool isUnknownFree)
    {
        string[] accounts = [.. _deployments.Select(static deployment => deployment.Provider.Name).Distinct(StringComparer.Ordinal)];
        int classes = 1, deployments = classes + demand.Classes.Count, providers = deployments + _deployments.Count, sink = providers + accounts.Length;
        MaxFlow flow = new(sink + 1);
        double size = demand.Requests > 0 ? demand.Tokens / demand.Requests : 0;
        for (int one = 0; one < demand.Classes.Count; one++)
        {
            flow.Add(0, classes + one, demand.Classes[one].Tokens);
            foreach (int place in demand.Classes[one].Lawful.Where(place => !lost[place]))
            {
                flow.Add(classes + one, deployments + place, double.PositiveInfinity);
            }
        }

        for (int place = 0; place < _deployments.Count; place++)
        {
            Deployment deployment = _deployments[place];
            double room = _quotas.Of(deployment)?.Tokens(size)
                ?? (isUnknownFree || Quotas.Of(deployment.Provider) is { IsKnown: true } ? demand.Tokens : _seen.GetValueOrDefault(deployment.Name));
            flow.Add(deployments + place, providers + Array.IndexOf(accounts, deployment.Provider.Name), room);
        }

        for (int account = 0; account < accounts.Length; account++)
        {
            Provider provider = _deployments.First(deployment => deployment.Provider.Name == accounts[account]).Provider;
            flow.Add(providers + account, sink, Quotas.Of(provider)?.Tokens(size) ?? demand.Tokens);
        }

        return flow.Run(0, sink);
    }

    private sealed record Demand(IReadOnlyList<DemandClass> Classes, double Tokens, double Requests);

    private sealed record DemandClass(IReadOnlyList<int> Lawful, double Tokens, IReadOnlyDictionary<string, double> ByDeployment);

    /// <summary>What was asked for in one minute: by the deployments that may answer it, and by those that did.</summary>
    private sealed class MinuteDemand
    {
        public Dictionary<string, MinuteClass> Classes { get; } = new(StringComparer.Ordinal);
        public Dictionary<string, double> ByDeployment { get; } = new(StringComparer.Ordinal);
        public double Tokens { get; private set; }
        public double Requests { get; private set; }

        public void Add(DemandMinute cell, string name, IReadOnlyList<Deployment> lawful)
        {
            double tokens = cell.Tokens;
            string deployment = cell.Label.Deployment;
            if (!Classes.TryGetValue(name, out MinuteClass? own))
            {
                Classes[name] = own = new MinuteClass(lawful);
            }

            own.Tokens += tokens;
            own.ByDeployment[deployment] = own.ByDeployment.GetValueOrDefault(deployment) + tokens;
            ByDeployment[deployment] = ByDeployment.GetValueOrDefault(deployment) + tokens;
            Tokens += tokens;
            Requests += cell.Answered;
        }
    }

    private sealed class MinuteClass(IReadOnlyList<Deployment> lawful)
    {
        public IReadOnlyList<Deployment> Lawful { get; } = lawful;
        public double Tokens { get; set; }
        public Dictionary<string, double> ByDeployment { get; } = new(StringComparer.Ordinal);
    }
}
