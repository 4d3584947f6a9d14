namespace Ballast.Prices;

/// <summary>
/// All prices that are known, and were: rows of <see cref="PriceRow"/>, immutable. A platform without a price for a model may name others whose list price is then
/// assumed, and said to be.
/// </summary>
public sealed class PriceBook
{
    private static readonly Lazy<PriceBook> s_shipped = new(PriceBookFile.ReadShipped);

    private readonly Dictionary<string, Lazy<List<PriceRow>>> _byPlatform = new(StringComparer.OrdinalIgnoreCase);

    public PriceBook(IEnumerable<PriceRow> rows, IReadOnlyDictionary<string, IReadOnlyList<string>> fallbacks)
        : this(rows.GroupBy(static row => row.Platform, StringComparer.OrdinalIgnoreCase).Select(static group => (group.Key, new Lazy<List<PriceRow>>(group.ToList()))), fallbacks)
    {
    }

    /// <param name="rows">By platform; read when one of the platform is looked for, since a start should not wait for prices of platforms that nobody uses.</param>
    /// <param name="fallbacks">See <see cref="Fallbacks"/>.</param>
    internal PriceBook(IEnumerable<(string Platform, Lazy<List<PriceRow>> Rows)> rows, IReadOnlyDictionary<string, IReadOnlyList<string>> fallbacks)
    {
        Fallbacks = fallbacks;
        foreach ((string platform, Lazy<List<PriceRow>> list) in rows)
        {
            _byPlatform.Add(platform, list);
        }
    }

    public static PriceBook Empty { get; } = new(Array.Empty<PriceRow>(), new Dictionary<string, IReadOnlyList<string>>());

    /// <summary>The book that is part of the program.</summary>
    public static PriceBook Shipped => s_shipped.Value;

    /// <summary>All rows, platform by platform.</summary>
    public IEnumerable<PriceRow> Rows => _byPlatform.Values.SelectMany(static rows => rows.Value);

    /// <summary>Whose prices are assumed where a platform has none of its own, in order.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Fallbacks { get; }

    public IEnumerable<string> Platforms => _byPlatform.Keys;

    /// <summary>The rows of the first model of the platform that the id is one of, whatever their times; empty where none is. A name outright goes before a pattern.</summary>
    public IReadOnlyList<PriceRow> Find(string platform, string model)
    {
        if (!_byPlatform.TryGetValue(platform, out Lazy<List<PriceRow>>? list))
        {
            return [];
        }

        List<PriceRow> rows = list.Value;
        PriceRow? found = rows.Find(row => row.Model.Equals(model, StringComparison.OrdinalIgnoreCase)) ?? rows.Find(row => row.Patterns.Any(pattern => pattern.Matches(model)));
        return found is null ? [] : [.. rows.Where(row => row.Model == found.Model)];
    }

    /// <summary>What a deployment costs, as the book knows it now; null where neither its platform nor one that it falls back to has the model.</summary>
    public PriceSchedule? Schedule(string platform, string model)
    {
        if (Standing(platform, model) is { Count: > 0 } own)
        {
            return new PriceSchedule(own);
        }

        foreach (string other in Fallbacks.GetValueOrDefault(platform) ?? [])
        {
            if (Standing(other, model) is { Count: > 0 } assumed)
            {
                return new PriceSchedule(assumed.Select(row => row with { Price = row.Price with { Source = $"{row.Price.Source}; assumed: the list price of {other}" } }));
            }
        }

        return null;
    }

    /// <summary>All rows of the model, closed ones too: the platform's own, else those of the first that it falls back to.</summary>
    public IReadOnlyList<PriceRow> History(string platform, string model) =>
        new[] { platform }.Concat(Fallbacks.GetValueOrDefault(platform) ?? []).Select(each => Find(each, model)).FirstOrDefault(static rows => rows.Count > 0) ?? [];

    private List<PriceRow> Standing(string platform, string model) => [.. Find(platform, model).Where(static row => row.KnownTo is null)];
}
