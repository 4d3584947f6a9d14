namespace Ballast.Balance;

/// <summary>Where else one model of a compared side can be had, by today's catalog.</summary>
/// <param name="Model">The model's name without its vendor's prefix.</param>
/// <param name="Platforms">For a vendor: every platform that offers it. For a platform: every other one. Empty is nowhere else.</param>
public sealed record ModelPlaces(string Model, IReadOnlyList<string> Platforms);
