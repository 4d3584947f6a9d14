namespace Ballast.Prices;

/// <summary>A price book or a list to import cannot be used; the message says which, where and why, for people.</summary>
public sealed class PriceException(string message) : Exception(message);
