namespace Ballast.Balance;

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
}
