namespace Ballast.Ledger;

/// <summary>What a usage report can be grouped by.</summary>
public enum UsageDimension
{
    /// <summary>The public name that the client asked for.</summary>
    Model,
    Vendor,
    Platform,
    Region,
    App,

    /// <summary>The day in UTC on which the attempt started.</summary>
    Day,
    Deployment,
    Outcome,
}
