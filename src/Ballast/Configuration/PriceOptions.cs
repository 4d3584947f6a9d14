using Ballast.Prices;
using Ballast.Protocols.Conversation;

namespace Ballast.Configuration;

/// <summary>Prices of one model in US dollars per million tokens, as written under <c>prices:</c>.</summary>
public sealed record PriceOptions
{
    public required string Name { get; init; }
    public decimal Input { get; init; }
    public decimal Output { get; init; }

    /// <summary>Null counts as <see cref="Input"/>.</summary>
    public decimal? CacheRead { get; init; }

    /// <summary>Null counts as 1.25 × <see cref="Input"/>, the dearest that a vendor published: an omission may overstate a bill, never understate it.</summary>
    public decimal? CacheWrite { get; init; }

    /// <summary>Cache of one hour. Null counts as 2 × <see cref="Input"/>, for the same reason.</summary>
    public decimal? CacheWriteLong { get; init; }

    /// <summary>US dollars for each request, whatever its tokens.</summary>
    public decimal PerRequest { get; init; }

    /// <summary>What sound, pictures and searches cost; null where nothing is written of them.</summary>
    public MediaPrices? Media { get; init; }

    /// <summary>Dearer (or cheaper) figures for the whole of a request with a long prompt.</summary>
    public IReadOnlyList<PriceTier> Tiers { get; init; } = [];

    /// <summary>Figures of their own for batch, flex and priority; what is left out here costs as standard, priority 2.5 times as much.</summary>
    public IReadOnlyDictionary<ServiceTier, PriceOptions> ByServiceTier { get; init; } = new Dictionary<ServiceTier, PriceOptions>();

    /// <summary>Where the figures are from, for people.</summary>
    public string? Source { get; init; }
}
