namespace Ballast.Prices.Import;

/// <summary>What was read from another project's file, in the book's own terms.</summary>
/// <param name="Source">The project.</param>
/// <param name="Rows">In the order of the file.</param>
/// <param name="Fallbacks">Where the file names platforms whose prices stand in for another's.</param>
/// <param name="Warnings">What could not be taken over, one line each, for people.</param>
public sealed record PriceList(
    string Source, IReadOnlyList<PriceRow> Rows, IReadOnlyDictionary<string, IReadOnlyList<string>> Fallbacks, IReadOnlyList<string> Warnings);
