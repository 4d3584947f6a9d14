namespace Ballast.Sandbox;

/// <summary>One simulated platform: where it listens, the key it takes and the models it serves, the most able one first.</summary>
public sealed record SandboxPlatform(string Name, Uri Address, string ApiKey, IReadOnlyList<SandboxModel> Models);
