namespace Ballast.Prices;

/// <summary>The figures of a request whose input tokens are more than <see cref="Above"/>; a request with just as many is still below.</summary>
public sealed record PriceTier(long Above, PriceFigures Figures);
