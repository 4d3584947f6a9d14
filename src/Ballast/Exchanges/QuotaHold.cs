namespace Ballast.Exchanges;

/// <summary>How far an attempt's part of a quota has come.</summary>
public enum QuotaStage
{
    None,

    /// <summary>Taken; the vendor may not have counted it yet.</summary>
    Held,

    /// <summary>The vendor has answered, so that it has counted the request; how many tokens is not known yet.</summary>
    Arrived,

    /// <summary>All is known, and leaves the window in a minute.</summary>
    Settled,
}

#pragma warning disable CA1051 // changed in place, as what is reserved for a request is
/// <summary>What one attempt has taken of hard quotas. Plain data of whoever keeps them.</summary>
public struct QuotaHold
{
    public QuotaStage Stage;

    /// <summary>It counts for its account alone: it asks no model for anything.</summary>
    public bool IsOfAccount;

    /// <summary>The most tokens that it may take.</summary>
    public long Tokens;
}
