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

    private const int Places = 12;

    private static readonly ulong[] s_powers = [.. Enumerable.Range(0, Places + 1).Select(static power => (ulong)Math.Pow(10, power))];

    /// <summary>Rounds half to even; a value beyond 64 bits (9.2 million dollars in one attempt) is cut to the largest.</summary>
    public static long FromDollars(decimal dollars)
    {
        // Nearly all amounts have few digits and no more than twelve places: they need no rounding, and several are turned for each request.
        Span<int> parts = stackalloc int[4];
        decimal.GetBits(dollars, parts);
        int places = dollars.Scale;
        if (places <= Places && parts[2] == 0)
        {
            ulong digits = ((ulong)(uint)parts[1] << 32) | (uint)parts[0];
            ulong above = Math.BigMul(digits, s_powers[Places - places], out ulong pico);
            if (above == 0 && pico <= long.MaxValue)
            {
                return parts[3] < 0 ? -(long)pico : (long)pico;
            }
        }

        const decimal max = (decimal)long.MaxValue / PerDollar;
        decimal within = Math.Clamp(dollars, -max, max);
        return (long)decimal.Round(within * PerDollar, 0, MidpointRounding.ToEven);
    }

    public static decimal ToDollars(long pico) => (decimal)pico / PerDollar;

    /// <summary>Joins the two parts of a sum: whole microdollars and the picodollars left over.</summary>
    public static decimal ToDollars(long microdollars, long remainder) =>
        ((decimal)microdollars * PerMicrodollar + remainder) / PerDollar;
}
