using Ballast.Configuration;

namespace Ballast.Ledger;

/// <summary>Where a commitment stands. Amounts are in its own currency.</summary>
public sealed record CommitmentFigures
{
    public required CommitmentOptions Commitment { get; init; }

    /// <summary>The first moment of its first day, and the first behind its last.</summary>
    public required DateTimeOffset From { get; init; }
    public required DateTimeOffset Until { get; init; }

    /// <summary><c>upcoming</c>, <c>running</c> or <c>ended</c>.</summary>
    public required string State { get; init; }

    /// <summary>How much of its time is over, 0 to 1.</summary>
    public required decimal Elapsed { get; init; }

    /// <summary>What the attempts cost that started within it.</summary>
    public required decimal Used { get; init; }

    /// <summary>Attempts whose cost is not known: <see cref="Used"/> lacks them.</summary>
    public required long UnknownCost { get; init; }

    /// <summary>What is used, as a share of what would be by now if it were used evenly: below 1 it is used too slowly. Null before it began.</summary>
    public decimal? Pace => Elapsed > 0 ? Math.Round(Used / (Commitment.Amount * Elapsed), 6, MidpointRounding.ToEven) : null;

    /// <summary>What will be used at its end if it goes on evenly. Null before it began.</summary>
    public decimal? Forecast => Elapsed > 0 ? Math.Round(Used / Elapsed, 6, MidpointRounding.ToEven) : null;

    public decimal Remaining => Math.Max(0, Commitment.Amount - Used);

    /// <summary>What the forecast lacks to the amount: paid for and not used. Null before it began.</summary>
    public decimal? Shortfall => Forecast is { } forecast ? Math.Max(0, Commitment.Amount - forecast) : null;

    /// <summary>What the forecast goes beyond the amount. Null before it began.</summary>
    public decimal? Excess => Forecast is { } forecast ? Math.Max(0, forecast - Commitment.Amount) : null;

    /// <summary>Of all commitments, as of a moment.</summary>
    /// <exception cref="LedgerException">The ledger cannot be read.</exception>
    public static async Task<IReadOnlyList<CommitmentFigures>> OfAsync(
        LedgerReader ledger, IReadOnlyList<CommitmentOptions> commitments, DateTimeOffset now, CancellationToken cancellation)
    {
        List<CommitmentFigures> figures = [];
        foreach (CommitmentOptions commitment in commitments)
        {
            TimeZoneInfo zone = TimeZoneInfo.FindSystemTimeZoneById(commitment.Zone);
            DateTimeOffset from = LocalDay.Begin(commitment.From, zone);
            DateTimeOffset until = LocalDay.Begin(commitment.To.AddDays(1), zone);
            UsageReport usage = await ledger.UsageAsync([UsageDimension.Platform], new LedgerFilter(from, until), cancellation).ConfigureAwait(false);
            figures.Add(Of(commitment, from, until, now, usage.Rows.FirstOrDefault(row => row.Keys[0] == commitment.Platform)));
        }

        return figures;
    }

    private static CommitmentFigures Of(CommitmentOptions commitment, DateTimeOffset from, DateTimeOffset until, DateTimeOffset now, UsageRow? usage)
    {
        DateTimeOffset within = now < from ? from : now > until ? until : now;
        return new CommitmentFigures
        {
            Commitment = commitment,
            From = from,
            Until = until,
            State = now < from ? "upcoming" : now < until ? "running" : "ended",
            Elapsed = (decimal)(within - from).Ticks / (until - from).Ticks,
            Used = Math.Round((usage?.CostUsd ?? 0) / commitment.UsdRate, 12, MidpointRounding.ToEven),
            UnknownCost = usage?.UnknownCost ?? 0,
        };
    }
}
