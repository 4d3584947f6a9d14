namespace Ballast.Catalog;

/// <summary>Prices of one model in US dollars per million tokens, one for each disjoint token class.</summary>
/// <param name="Source">Where the figure is from, for people.</param>
public sealed record Price(
    decimal Input, decimal CacheRead, decimal CacheWrite, decimal CacheWriteLong, decimal Output, string? Source);
