namespace Ballast.Configuration;

/// <summary>What serves clients and calls upstreams.</summary>
public enum ServerEngine
{
    /// <summary>The program's own engine where it can run (Linux), else the framework's.</summary>
    Auto,

    /// <summary>The framework's: Kestrel, and its HTTP client.</summary>
    Kestrel,
}
