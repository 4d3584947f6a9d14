namespace Ballast.Configuration;

/// <summary>Where the gateway listens.</summary>
public sealed record ServerOptions
{
    /// <summary>Address for clients; port 0 takes a free one.</summary>
    public Uri Listen { get; init; } = new("http://127.0.0.1:8080");

    /// <summary>Address for health, metrics and the read-only page; loopback only.</summary>
    public Uri Admin { get; init; } = new("http://127.0.0.1:8081");

    public ServerEngine Engine { get; init; } = ServerEngine.Auto;

    /// <summary>Gateways that ask with the same accounts, this one included: each keeps to its part of hard quotas.</summary>
    public int Nodes { get; init; } = 1;

    /// <summary>Whose web pages' scripts may call; null for none.</summary>
    public CorsOptions? Cors { get; init; }
}
