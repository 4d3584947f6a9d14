using Ballast.Sandbox.Generation;

namespace Ballast.Sandbox.Server;

/// <summary>How fast one answer comes: the wait for the first token, then a steady rate.</summary>
internal readonly record struct Pace(TimeSpan FirstToken, TimeSpan PerToken, double Scale)
{
    /// <summary>No answer takes longer than this at latency scale 1, whatever its length.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(9);

    private static readonly TimeSpan LongestFirst = TimeSpan.FromSeconds(2);

    public Pace For(long tokens)
    {
        TimeSpan most = tokens <= 0 ? PerToken : (Longest - LongestFirst) * Scale / tokens;
        return this with { PerToken = PerToken < most ? PerToken : most };
    }

    public static Pace Draw(LatencyProfile profile, double scale, Dice dice)
    {
        double first = Math.Min(dice.NextLogNormal(profile.FirstTokenSeconds, LatencyProfile.FirstTokenSigma), LongestFirst.TotalSeconds);
        double rate = dice.NextLogNormal(profile.TokensPerSecond, LatencyProfile.RateSigma);
        return new Pace(TimeSpan.FromSeconds(first * scale), TimeSpan.FromSeconds(scale / rate), scale);
    }
}

/// <summary>What is usual on a platform; both are medians of log-normal distributions.</summary>
internal sealed record LatencyProfile(double FirstTokenSeconds, double TokensPerSecond)
{
    public const double FirstTokenSigma = 0.35;
    public const double RateSigma = 0.2;
}
