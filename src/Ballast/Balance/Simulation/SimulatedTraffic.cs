namespace Ballast.Balance.Simulation;

/// <summary>One request of the simulation.</summary>
/// <param name="Number">From 1.</param>
/// <param name="Session">From 1; requests of one session follow on one another and share a cache.</param>
/// <param name="IsContinued">The session has asked before.</param>
/// <param name="IsBound">Its data may not leave the European Union.</param>
/// <param name="Tokens">What it really comes to.</param>
/// <param name="Estimate">What it is taken for when it is routed.</param>
public readonly record struct SimulatedRequest(long Number, ulong Session, bool IsContinued, bool IsBound, double Tokens, double Estimate);

/// <summary>
/// Requests without end, always the same for the same seed: log-normal sizes from 200 to 60,000 tokens, sessions of about eight turns, estimates that are wrong by
/// a log-normal factor.
/// </summary>
public sealed class SimulatedTraffic(int seed)
{
    public const double TokensMin = 200;
    public const double TokensMax = 60_000;

    private const int SessionsOpen = 256;
    private const double TurnsMean = 8;
    private const double TokensMedian = 2_000;
    private const double TokensSigma = 1.2;
    private const double EstimateSigma = 0.6;

    private readonly Random _random = new(seed);
    private readonly (ulong Id, bool IsBound)[] _sessions = new (ulong, bool)[SessionsOpen];
    private ulong _last;
    private long _number;

    /// <summary>The next request.</summary>
    /// <param name="boundShare">Part of the new sessions that may not leave the European Union.</param>
    public SimulatedRequest Next(double boundShare)
    {
        int place = _random.Next(SessionsOpen);
        bool isContinued = _sessions[place].Id != 0 && _random.NextDouble() >= 1 / TurnsMean;
        if (!isContinued)
        {
            _sessions[place] = (++_last, _random.NextDouble() < boundShare);
        }

        double tokens = Math.Clamp(TokensMedian * Math.Exp(TokensSigma * Normal()), TokensMin, TokensMax);
        double estimate = Math.Clamp(tokens * Math.Exp(EstimateSigma * Normal()), TokensMin, TokensMax);
        return new SimulatedRequest(++_number, _sessions[place].Id, isContinued, _sessions[place].IsBound, Math.Round(tokens), Math.Round(estimate));
    }

    private double Normal() => Math.Sqrt(-2 * Math.Log(1 - _random.NextDouble())) * Math.Cos(2 * Math.PI * _random.NextDouble());
}
