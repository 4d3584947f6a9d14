namespace Ballast.Prices;

/// <summary>What taking a list into the book did; models are named <c>platform/model</c>.</summary>
/// <param name="Book">The book afterwards.</param>
/// <param name="New">Models that it did not have.</param>
/// <param name="Changed">Models whose figures, days or ids changed.</param>
/// <param name="Kept">Models that differ and were left, since the book has them from another source.</param>
/// <param name="Unchanged">How many models say the same.</param>
public sealed record PriceMergeResult(
    PriceBook Book, IReadOnlyList<string> New, IReadOnlyList<string> Changed, IReadOnlyList<string> Kept, int Unchanged);
