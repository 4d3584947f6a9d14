using Ballast.Protocols.Conversation;

namespace Ballast.Ledger;

/// <summary>Who asked for what, and where it went: the grain at which law and components are told apart. One object for each such combination of a report.</summary>
public sealed record DemandLabel(string KeyId, string App, string RequestedModel, string Deployment, string Vendor, string Platform, string Region);

/// <summary>What was answered in one stretch of time.</summary>
/// <param name="Label">Who and where.</param>
/// <param name="From">Where the stretch begins; stretches lie on the clock (UTC).</param>
/// <param name="Requests">Requests that were answered, in full or in part.</param>
/// <param name="Usage">Their tokens.</param>
/// <param name="CostUsd">US dollars, as far as known.</param>
public sealed record DemandCell(DemandLabel Label, DateTimeOffset From, long Requests, Usage Usage, decimal CostUsd)
{
    public long Tokens => Usage.TotalInputTokens + Usage.OutputTokens;
}

/// <summary>One minute: what was answered, and how many attempts failed.</summary>
/// <param name="Label">Who and where.</param>
/// <param name="Minute">Since 1970-01-01 UTC.</param>
/// <param name="Answered">Requests that were answered, in full or in part.</param>
/// <param name="Tokens">Their tokens.</param>
/// <param name="Asked">Attempts that say something of whom they were sent to: neither cancelled, nor the caller's own fault, nor over a rate limit.</param>
/// <param name="Failing">Those of them that failed or broke off.</param>
public readonly record struct DemandMinute(DemandLabel Label, long Minute, int Answered, long Tokens, int Asked, int Failing);

/// <summary>The demand of a period, at two grains.</summary>
/// <param name="Stretch">How long the cells' stretches are: an hour, and less where the whole traffic took less than two days.</param>
/// <param name="Cells">In order of time.</param>
/// <param name="Minutes">In order of time.</param>
public sealed record DemandReport(TimeSpan Stretch, IReadOnlyList<DemandCell> Cells, IReadOnlyList<DemandMinute> Minutes)
{
    /// <summary>So many stretches are wanted, where there is an hour or more for fewer.</summary>
    private const int StretchesMax = 48;

    private static readonly int[] s_seconds = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1_800];

    /// <summary>How long a stretch is where all traffic lies within this time.</summary>
    public static TimeSpan StretchOf(TimeSpan span)
    {
        foreach (int seconds in s_seconds)
        {
            if (span <= TimeSpan.FromSeconds((long)seconds * StretchesMax))
            {
                return TimeSpan.FromSeconds(seconds);
            }
        }

        return TimeSpan.FromHours(1);
    }
}
