namespace Ballast.Sandbox;

/// <summary>How a sandbox is started. The defaults serve people at a terminal; tests set port 0 and no latency.</summary>
public sealed record SandboxOptions
{
    public string Address { get; init; } = "127.0.0.1";

    /// <summary>The control API's port; the platforms take the ports after it. 0 means any free port for each listener.</summary>
    public int BasePort { get; init; } = 9100;

    /// <summary>The same seed and the same request give the same answer.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Append-only JSON lines, one per request; null keeps the log in memory only.</summary>
    public string? BillingLogPath { get; init; }

    /// <summary>Multiplies every simulated delay; 0 answers at once.</summary>
    public double LatencyScale { get; init; } = 1.0;

    /// <summary>
    /// For recorded conversations of real platforms: takes what the sandbox cannot check, as signatures that real issuers made and tool ids
    /// that a recorder replaced, and what other OpenAI-shaped platforms take beyond OpenAI. Otherwise all of it is refused.
    /// </summary>
    public bool ReplaysRecordings { get; init; }

    /// <summary>Platforms and token endpoint speak TLS (1.2 and later, HTTP/1.1 and HTTP/2) with a certificate of an authority made at the start.</summary>
    public bool Tls { get; init; }

    /// <summary>Where that authority's certificate is written for clients; null writes none.</summary>
    public string? CaPath { get; init; }

    public SandboxCertificate Certificate { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;
}
