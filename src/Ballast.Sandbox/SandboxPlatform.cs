namespace Ballast.Sandbox;

/// <summary>One simulated platform: where it listens, the key it takes and the models it serves (the first does everything but thinking aloud).</summary>
public sealed record SandboxPlatform(string Name, Uri Address, string ApiKey, IReadOnlyList<SandboxModel> Models);
