namespace Ballast.Balance;

/// <summary>A model that goes on with fewer candidates.</summary>
/// <param name="Model">Its public name.</param>
/// <param name="Left">Candidates left.</param>
/// <param name="Of">Candidates it has now.</param>
public sealed record ThinnedModel(string Model, int Left, int Of);
