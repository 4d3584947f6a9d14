namespace Ballast.Balance;

/// <summary>A statement about a vendor or platform that traffic cannot show.</summary>
/// <param name="Text">One or two sentences.</param>
/// <param name="Source">Title of the page or document it is from.</param>
/// <param name="Date">Month of the document, or in which the page was last known to say so.</param>
public sealed record DeclaredFact(string Text, string Source, string Date);
