using Ballast.Prices.Import;

namespace Ballast.Prices;

/// <summary>
/// Takes a list into the book. Nothing is overwritten: a row whose figures changed is closed on the day the new ones became known, and stays. A model that the book has
/// from another source keeps it, unless the list is to replace it; a model that the list no longer has stays as it was.
/// </summary>
public static class PriceMerge
{
    /// <param name="book">The book as it is.</param>
    /// <param name="list">What was read.</param>
    /// <param name="known">From when the list's figures are known.</param>
    /// <param name="replace">Take the list's figures for models that came from another source too.</param>
    /// <exception cref="PriceException">The book already knows something later about a model of the list.</exception>
    public static PriceMergeResult Merge(PriceBook book, PriceList list, DateOnly known, bool replace)
    {
        ILookup<(string, string), PriceRow> standing = book.Rows.Where(static row => row.KnownTo is null).ToLookup(static row => (row.Platform, row.Model));
        HashSet<PriceRow> closed = new(ReferenceEqualityComparer.Instance);
        List<PriceRow> added = [];
        List<string> newModels = [], changedModels = [], keptModels = [];
        int unchanged = 0;
        foreach (IGrouping<(string Platform, string Model), PriceRow> group in list.Rows.GroupBy(static row => (row.Platform, row.Model)))
        {
            PriceRow[] old = [.. standing[group.Key]];
            PriceRow[] told = [.. group.Select(row => WithSearches(row, old.LastOrDefault(other => other.Subject == row.Subject)))];
            PriceRow[] gone = [.. old.Where(row => !told.Any(other => IsSame(row, other)))];
            PriceRow[] fresh = [.. told.Where(row => !old.Any(other => IsSame(row, other)))];
            string name = $"{group.Key.Platform}/{group.Key.Model}";
            if (gone.Length == 0 && fresh.Length == 0)
            {
                unchanged++;
            }
            else if (old.Length == 0)
            {
                newModels.Add(name);
                added.AddRange(fresh);
            }
            else if (!replace && old.Any(row => row.Price.Source != group.First().Price.Source))
            {
                keptModels.Add(name);
            }
            else if (gone.FirstOrDefault(row => row.KnownFrom > known) is { } later)
            {
                throw new PriceException($"{name} is known since {later.KnownFrom:yyyy-MM-dd}, after the list's day {known:yyyy-MM-dd}: an older list cannot take its place.");
            }
            else
            {
                changedModels.Add(name);
                closed.UnionWith(gone);
                added.AddRange(fresh);
            }
        }

        Dictionary<string, IReadOnlyList<string>> fallbacks = new(book.Fallbacks, StringComparer.OrdinalIgnoreCase);
        foreach ((string platform, IReadOnlyList<string> others) in list.Fallbacks)
        {
            fallbacks.TryAdd(platform, others);
        }

        return new PriceMergeResult(new PriceBook(Sorted(Close(book.Rows, closed, known).Concat(added)), fallbacks), newModels, changedModels, keptModels, unchanged);
    }

    /// <summary>A row that would have been known for no day at all is dropped: it was corrected on the day it came.</summary>
    private static IEnumerable<PriceRow> Close(IEnumerable<PriceRow> rows, HashSet<PriceRow> closed, DateOnly known) =>
        rows.Where(row => !closed.Contains(row) || row.KnownFrom < known).Select(row => closed.Contains(row) ? row with { KnownTo = known } : row);

    /// <summary>Platforms by name, their models in the order they came (an earlier rule takes an id before a later one), what is known later last.</summary>
    private static PriceRow[] Sorted(IEnumerable<PriceRow> rows)
    {
        PriceRow[] all = [.. rows];
        Dictionary<(string, string), int> order = [];
        foreach (PriceRow row in all)
        {
            order.TryAdd((row.Platform, row.Model), order.Count);
        }

        return [.. all.OrderBy(static row => row.Platform, StringComparer.Ordinal).ThenBy(row => order[(row.Platform, row.Model)])];
    }

    /// <summary>A list that is silent about searches does not say that they cost nothing: what was known of them stays.</summary>
    private static PriceRow WithSearches(PriceRow row, PriceRow? old)
    {
        MediaPrices? media = row.Price.Media;
        bool isSilent = old?.Price.Media is not null && media is not { PerSearch: not null } and not { PerSearchingRequest: not null };
        MediaPrices? kept = isSilent ? (media ?? new MediaPrices()) with { PerSearch = old!.Price.Media!.PerSearch, PerSearchingRequest = old.Price.Media.PerSearchingRequest } : media;
        decimal perRequest = row.Price.PerRequest == 0 && old is not null ? old.Price.PerRequest : row.Price.PerRequest;
        return row with { Price = row.Price with { Media = kept == new MediaPrices() ? null : kept, PerRequest = perRequest } };
    }

    private static bool IsSame(PriceRow a, PriceRow b) =>
        a.Subject == b.Subject && a.ValidFrom == b.ValidFrom && a.ValidTo == b.ValidTo && a.Patterns.SequenceEqual(b.Patterns) && HasSameFigures(a.Price, b.Price);

    private static bool HasSameFigures(Price a, Price b) => a.For(0) == b.For(0) && a.PerRequest == b.PerRequest && a.Media == b.Media && a.Tiers.SequenceEqual(b.Tiers);
}
