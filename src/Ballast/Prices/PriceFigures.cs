namespace Ballast.Prices;

/// <summary>US dollars per million tokens, by token class.</summary>
public readonly record struct PriceFigures(decimal Input, decimal Output, decimal CacheRead, decimal CacheWrite, decimal CacheWriteLong)
{
    /// <summary>Times the input price, for a write to a cache of five minutes whose price is not published: the dearest that a vendor published.</summary>
    public const decimal CacheWriteFactor = 1.25m;

    /// <summary>The same for a cache of one hour.</summary>
    public const decimal CacheWriteLongFactor = 2m;

    /// <summary>What is left out is filled so that a bill may be overstated, never understated.</summary>
    public static PriceFigures Of(decimal input, decimal output, decimal? cacheRead, decimal? cacheWrite, decimal? cacheWriteLong) =>
        new(input, output, cacheRead ?? input, cacheWrite ?? input * CacheWriteFactor, cacheWriteLong ?? input * CacheWriteLongFactor);

    public PriceFigures Times(decimal factor) => new(Input * factor, Output * factor, CacheRead * factor, CacheWrite * factor, CacheWriteLong * factor);
}
