using Ballast.Routing.Shares;

namespace Ballast.Balance.Simulation;

/// <summary>
/// One router through the whole story: half of the requests in steady state, three tenths after the mix has moved from 30 % to 3 % bound requests, the rest, with
/// the old mix, while Azure is gone.
/// </summary>
public sealed class SimulationRun
{
    /// <summary>Tokens that a bucket holds at most: two and a half of the largest requests, a third of a percent of a window of 10,000.</summary>
    public const double Burst = 2.5 * SimulatedTraffic.TokensMax;

    /// <summary>Requests that a moved mix, or an outage, is given to settle; a tenth of the phase where that is less.</summary>
    private const int SettlingMax = 12_000;

    /// <summary>Requests that run at once: so many estimates are not yet corrected.</summary>
    private const int RunningMax = 64;

    private readonly SimulatedRouter _router;
    private readonly SimulatedTraffic _traffic;
    private readonly IReadOnlyList<ShareRule> _rules;
    private readonly ulong[] _members;
    private readonly BoundMeter _bound;
    private readonly Queue<SimulatedRequest> _running = [];
    private readonly Dictionary<ulong, int> _warm = [];
    private long _violations;

    private SimulationRun(SimulatedRouter router, int seed)
    {
        ShareCreditRouter? own = router as ShareCreditRouter;
        int nodes = own?.Nodes ?? 1;
        double burst = own?.Burst ?? Burst;
        _router = router;
        _traffic = new SimulatedTraffic(seed);
        _rules = SimulatedField.Rules(burst);
        _members = SimulatedField.Members(_rules);
        _bound = new BoundMeter(_rules, _members, burst * nodes, SimulatedTraffic.TokensMax * nodes);
    }

    public static SimulationResult Of(SimulatedRouter router, int requests, int seed) => new SimulationRun(router, seed).Play(requests);

    private SimulationResult Play(int requests)
    {
        int shifted = requests * 3 / 10;
        int outage = requests / 5;
        Phase steady = Send(requests - shifted - outage, SimulatedField.BoundShare, SimulatedField.All);

        int settling = Math.Min(SettlingMax, shifted / 10);
        Send(settling, SimulatedField.BoundShareShifted, SimulatedField.All);
        Phase shift = Send(shifted - settling, SimulatedField.BoundShareShifted, SimulatedField.All);

        settling = Math.Min(SettlingMax, outage / 10);
        ulong withoutAzure = SimulatedField.All & ~SimulatedField.OfAzure;
        Send(settling, SimulatedField.BoundShare, withoutAzure);
        Phase dark = Send(outage - settling, SimulatedField.BoundShare, withoutAzure);
        double aws = SimulatedField.Deployments.Select((deployment, index) => deployment.Platform == "aws" ? dark.Tokens[index] : 0).Sum();
        return new SimulationResult(
            _router.Name, Math.Max(steady.Meter.WorstExcess, shift.Meter.WorstExcess), steady.Meter.WorstExcess, shift.Meter.WorstExcess, steady.Meter.RunExcess,
            dark.Tokens.Sum() is double all and > 0 ? 100 * aws / all : 0, _violations, _bound.Exceeded,
            steady.Continued == 0 ? 1 : (double)steady.Kept / steady.Continued, (_router as ShareCreditRouter)?.Relaxed ?? 0);
    }

    private Phase Send(int requests, double boundShare, ulong up)
    {
        Phase phase = new(new ShareMeter(_rules, _members));
        for (int sent = 0; sent < requests; sent++)
        {
            SimulatedRequest request = _traffic.Next(boundShare);
            int chosen = _router.Choose(request, request.IsBound ? up & SimulatedField.InUnion : up);
            phase.Meter.Count(chosen, request);
            phase.Tokens[chosen] += request.Tokens;
            _bound.Count(chosen, request);
            _violations += request.IsBound && !SimulatedField.Deployments[chosen].IsInUnion ? 1 : 0;
            if (request.IsContinued)
            {
                phase.Continued++;
                phase.Kept += _warm.TryGetValue(request.Session, out int warm) && warm == chosen ? 1 : 0;
            }

            _warm[request.Session] = chosen;
            _running.Enqueue(request);
            if (_running.Count > RunningMax)
            {
                SimulatedRequest ended = _running.Dequeue();
                _router.Settle(ended);
                _bound.Settle(ended);
            }
        }

        return phase;
    }

    private sealed class Phase(ShareMeter meter)
    {
        public ShareMeter Meter { get; } = meter;
        public double[] Tokens { get; } = new double[SimulatedField.Deployments.Count];
        public long Continued { get; set; }
        public long Kept { get; set; }
    }
}
