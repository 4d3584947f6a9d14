using Ballast.Prices.Import;
using Ballast.Protocols.Conversation;

namespace Ballast.Prices;

/// <summary>One figure on which the book and a list differ.</summary>
/// <param name="Platform">Who operates the endpoint.</param>
/// <param name="Model">The model's name in the list.</param>
/// <param name="ServiceTier">For which service.</param>
/// <param name="Above">The tier: for requests with more input tokens than this; 0 for the base.</param>
/// <param name="Meter">Which token class.</param>
/// <param name="InBook">US dollars per million tokens.</param>
/// <param name="InList">US dollars per million tokens.</param>
public sealed record PriceDifference(
    string Platform, string Model, ServiceTier ServiceTier, long Above, string Meter, decimal InBook, decimal InList)
{
    /// <summary>Of the book's figure; null where that is zero.</summary>
    public decimal? Change => InBook == 0 ? null : (InList - InBook) / InBook;

    /// <param name="book">The book.</param>
    /// <param name="list">The list to hold against it.</param>
    /// <param name="at">For requests of this time.</param>
    /// <param name="threshold">Smallest difference that counts, of the book's figure: 0.01 is one in a hundred.</param>
    public static IReadOnlyList<PriceDifference> Find(PriceBook book, PriceList list, DateTimeOffset at, decimal threshold)
    {
        List<PriceDifference> found = [];
        foreach (IGrouping<(string Platform, string Model), PriceRow> group in list.Rows.GroupBy(static row => (row.Platform, row.Model)))
        {
            PriceRow[] known = [.. book.Find(group.Key.Platform, group.Key.Model).Where(static row => row.KnownTo is null)];
            if (known.Length == 0)
            {
                continue;
            }

            PriceSchedule mine = new(known), theirs = new(group);
            foreach (ServiceTier tier in group.Select(static row => row.ServiceTier).Distinct())
            {
                if (mine.At(at, tier) is { } inBook && theirs.At(at, tier) is { } inList)
                {
                    found.AddRange(Of(group.Key.Platform, group.Key.Model, tier, inBook, inList).Where(difference => difference.Change is not { } change || Math.Abs(change) >= threshold));
                }
            }
        }

        return found;
    }

    private static IEnumerable<PriceDifference> Of(string platform, string model, ServiceTier tier, Price book, Price list)
    {
        long[] edges = [0, .. book.Tiers.Concat(list.Tiers).Select(static part => part.Above).Distinct().Order()];
        foreach (long above in edges)
        {
            long tokens = above == 0 ? 0 : above + 1;
            PriceFigures a = book.For(tokens), b = list.For(tokens);
            PriceFigures filledA = PriceFigures.Of(a.Input, a.Output, null, null, null), filledB = PriceFigures.Of(b.Input, b.Output, null, null, null);
            foreach ((string name, Func<MediaPrices, decimal?> read, _) in above == 0 ? MediaPrices.Figures : [])
            {
                if (book.Media is { } known && list.Media is { } told && read(known) is { } mine && read(told) is { } theirs && mine != theirs)
                {
                    yield return new PriceDifference(platform, model, tier, above, name, mine, theirs);
                }
            }

            foreach ((string meter, decimal mine, decimal theirs, bool isFilled) in new[]
            {
                ("input", a.Input, b.Input, false),
                ("cache_read", a.CacheRead, b.CacheRead, a.CacheRead == filledA.CacheRead && b.CacheRead == filledB.CacheRead),
                ("cache_write", a.CacheWrite, b.CacheWrite, a.CacheWrite == filledA.CacheWrite && b.CacheWrite == filledB.CacheWrite),
                ("cache_write_1h", a.CacheWriteLong, b.CacheWriteLong, a.CacheWriteLong == filledA.CacheWriteLong && b.CacheWriteLong == filledB.CacheWriteLong),
                ("output", a.Output, b.Output, false),
            })
            {
                // What neither side published follows from the input, which is told already.
                if (mine != theirs && !isFilled)
                {
                    yield return new PriceDifference(platform, model, tier, above, meter, mine, theirs);
                }
            }
        }
    }
}
