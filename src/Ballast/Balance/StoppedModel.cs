namespace Ballast.Balance;

/// <summary>A model that cannot be answered for.</summary>
/// <param name="Model">Its public name.</param>
/// <param name="Apps">Applications that are concerned; empty where keys name none.</param>
/// <param name="ForAll">It stops for everybody who could use it; else the applications named have no lawful candidate left and others go on.</param>
public sealed record StoppedModel(string Model, IReadOnlyList<string> Apps, bool ForAll);
