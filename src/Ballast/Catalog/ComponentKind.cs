namespace Ballast.Catalog;

/// <summary>What can disappear as a whole.</summary>
public enum ComponentKind
{
    /// <summary>Who makes the model.</summary>
    Vendor,

    /// <summary>Who operates the endpoint.</summary>
    Platform,
    Region,

    /// <summary>One account at a platform: it can be locked, unpaid or misconfigured by itself.</summary>
    Provider,

    /// <summary>Models that are withdrawn or fail together: one generation of one vendor.</summary>
    Family,

    /// <summary>A line, proxy or gateway on the way to the endpoint.</summary>
    Network,

    /// <summary>Who the contract is with, or who owns or hosts them.</summary>
    Party,

    /// <summary>Whose law and whose sanctions it stands under.</summary>
    Jurisdiction,

    /// <summary>A single deployment.</summary>
    Deployment,
}
