namespace Ballast.Prices;

/// <summary>The dearest of a model's prices that may count for a request of one day, whichever class, tier or hour it comes to.</summary>
/// <param name="Day">On which it is asked (UTC); it may be answered on the next.</param>
/// <param name="Pieces">US dollars for what is not counted by tokens.</param>
/// <param name="Input">US dollars for a million tokens of the request.</param>
/// <param name="Output">US dollars for a million tokens of the answer.</param>
internal sealed record DearestPrices(DateOnly Day, decimal Pieces, decimal Input, decimal Output);
