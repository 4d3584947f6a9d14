namespace Ballast.Prices;

/// <summary>
/// What one model costs at one platform: US dollars per million tokens, one figure for each disjoint token class. A price with <see cref="Tiers"/> is dearer for long
/// prompts: the whole request is then priced by the tier, not only what lies above its edge (so OpenAI, Google and Anthropic publish it).
/// </summary>
/// <param name="Source">Where the figure is from, for people.</param>
public sealed record Price(
    decimal Input, decimal CacheRead, decimal CacheWrite, decimal CacheWriteLong, decimal Output, string? Source)
{
    /// <summary>Most tiers that a price may have; the published ones have up to two.</summary>
    public const int TiersMax = 8;

    /// <summary>By rising edge.</summary>
    public IReadOnlyList<PriceTier> Tiers { get; init; } = [];

    /// <summary>US dollars for each request, whatever its tokens.</summary>
    public decimal PerRequest { get; init; }

    /// <summary>What sound, pictures and searches cost; null where they cost as text does, and searches nothing.</summary>
    public MediaPrices? Media { get; init; }

    /// <summary>Which state of <see cref="Source"/> it is, and what else was done to it; for people.</summary>
    public string? Revision { get; init; }

    /// <summary>The figures for a request with this many input tokens in all, cached ones included.</summary>
    public PriceFigures For(long inputTokens)
    {
        for (int i = Tiers.Count - 1; i >= 0; i--)
        {
            if (inputTokens > Tiers[i].Above)
            {
                return Tiers[i].Figures;
            }
        }

        return new PriceFigures(Input, Output, CacheRead, CacheWrite, CacheWriteLong);
    }

    /// <summary>Every figure times a factor: a discount, a dearer service tier.</summary>
    public Price Times(decimal factor, string why) => this with
    {
        Input = Input * factor,
        Output = Output * factor,
        CacheRead = CacheRead * factor,
        CacheWrite = CacheWrite * factor,
        CacheWriteLong = CacheWriteLong * factor,
        PerRequest = PerRequest * factor,
        Media = Media?.Times(factor),
        Tiers = [.. Tiers.Select(tier => tier with { Figures = tier.Figures.Times(factor) })],
        Revision = Revision is null ? why : $"{Revision}, {why}",
    };
}
