using Ballast.Tenancy.Leases;

namespace Ballast.Guards.Leases;

/// <summary>
/// One gateway's parts of a meter's limits. The parts of all gateways together are never more than the limit, and one that is made smaller stays as large as what was taken of
/// it in the last 60 seconds: so no 60 seconds hold more than the limit, whichever gateways were asked. Free room goes to the gateways by how much is asked of them. Under its meter's lock.
/// </summary>
internal sealed class RateParts(string name, LeaseShare share, RateMeter meter)
{
    public const int Dimensions = 4;

    /// <summary>The part of free room that is dealt out evenly, so that one that was not asked can begin.</summary>
    private const double EvenShare = 0.1;
    private const double NoDemand = 0.01;

    private static readonly TimeSpan s_demandEvery = TimeSpan.FromMilliseconds(500);

    private readonly Part[] _parts = [new(), new(), new(), new()];
    private long _countedTimestamp = share.Time.GetTimestamp();
    private bool _isActive;

    /// <summary>The most that may be taken here; without a limit there is nothing to share.</summary>
    public long Most(int dimension, long limit) => Math.Max(_parts[dimension].Granted, share.Kept(limit));

    /// <summary>Counted whether it is taken or not: by it free room is dealt out.</summary>
    public void Ask(int dimension, long amount)
    {
        _parts[dimension].Asked += amount;
        if (!_isActive)
        {
            _isActive = true;
            share.Rates.TryAdd(name, meter);
        }
    }

    /// <summary>There may be room elsewhere for what there is none for here.</summary>
    public bool MayHave(int dimension, long limit, long used, long wanted)
    {
        Part part = _parts[dimension];
        part.Need += wanted;
        return share.IsUp && used + part.OthersUsed + wanted <= limit;
    }

    /// <summary>What others had taken when last heard of.</summary>
    public long OthersUsed(int dimension) => _parts[dimension].OthersUsed;

    /// <summary>Adds what is to be said of one dimension; a part that gets smaller does so here, before anybody else may have it.</summary>
    public void Report(List<RateReport> reports, int dimension, long? limit, long used, bool isEnd)
    {
        Part part = _parts[dimension];
        if (limit is not { } most)
        {
            return;
        }

        long free = Math.Max(0, most - used - part.OthersUsed);
        double demand = part.Demand + part.OthersDemand;
        double weight = demand <= NoDemand ? 1.0 / share.Gateways : (EvenShare / share.Gateways) + ((1 - EvenShare) * part.Demand / demand);
        bool isAsked = part.Demand > NoDemand || part.Asked > 0;
        double extra = free * weight;
        long target = used + (long)(isAsked ? Math.Ceiling(extra) : extra);
        long wanted = isEnd ? used : isAsked || used > 0 ? Math.Max(target, used + Math.Min(part.Need, most)) : 0;
        part.Need = 0;
        part.Granted = Math.Min(part.Granted, wanted);
        reports.Add(new RateReport(name, dimension, most, used, part.Demand, wanted));
    }

    public void Apply(RateGrant grant)
    {
        Part part = _parts[grant.Dimension];
        (part.Granted, part.OthersUsed, part.OthersDemand) = (grant.Granted, grant.OthersUsed, grant.OthersDemand);
    }

    /// <summary>Counts what was asked, some times a second at most.</summary>
    public void Count()
    {
        TimeSpan passed = share.Time.GetElapsedTime(_countedTimestamp);
        if (passed < s_demandEvery)
        {
            return;
        }

        _countedTimestamp = share.Time.GetTimestamp();
        double weight = 1 - Math.Exp(-passed.TotalSeconds / 3);
        foreach (Part part in _parts)
        {
            part.Demand += ((part.Asked / passed.TotalSeconds) - part.Demand) * weight;
            part.Demand = part.Demand < NoDemand / 2 ? 0 : part.Demand;
            part.Asked = 0;
        }
    }

    /// <summary>Nothing counts any more and nothing is held: there is nothing to say until somebody asks.</summary>
    public bool TryRest(ReadOnlySpan<long> used)
    {
        for (int i = 0; i < Dimensions; i++)
        {
            if (used[i] != 0 || _parts[i] is not { Demand: 0, Asked: 0, Granted: 0 })
            {
                return false;
            }
        }

        _isActive = false;
        return share.Rates.TryRemove(name, out _);
    }

    private sealed class Part
    {
        public long Granted { get; set; }
        public long Asked { get; set; }
        public long Need { get; set; }
        public double Demand { get; set; }
        public long OthersUsed { get; set; }
        public double OthersDemand { get; set; }
    }
}
