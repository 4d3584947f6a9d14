namespace Ballast.Ledger;

/// <summary>
/// Money in the ledger: whole picodollars (1e-12 US dollars), so that sums are exact and add up to the same figure in any order.
/// One picodollar is the smallest step a price of one dollar per million tokens with six decimals can make.
/// </summary>
public static class Picodollars
{
    /// <summary>Picodollars in one dollar.</summary>
    public const long PerDollar = 1_000_000_000_000;

    /// <summary>Sums are taken in two parts of this size, because nine million dollars would overflow 64 bits of picodollars.</summary>
    public const long PerMicrodollar = 1_000_000;

    /// <summary>Rounds half to even; a value beyond 64 bits (9.2 million dollars in one attempt) is cut to the largest.</summary>
    public static long FromDollars(decimal dollars)
    {
        const decimal max = (decimal)long.MaxValue / PerDollar;
        decimal within = Math.Clamp(dollars, -max, max);
        return (long)decimal.Round(within * PerDollar, 0, MidpointRounding.ToEven);
    }

    public static decimal ToDollars(long pico) => (decimal)pico / PerDollar;

    /// <summary>Joins the two parts of a sum: whole microdollars and the picodollars left over.</summary>
    public static decimal ToDollars(long microdollars, long remainder) =>
        ((decimal)microdollars * PerMicrodollar + remainder) / PerDollar;
}
