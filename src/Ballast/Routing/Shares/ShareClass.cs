namespace Ballast.Routing.Shares;

/// <summary>
/// Requests that have the same candidates before them: one model, one set of lawful deployments. Holds by how much each candidate lags behind its weight. Not
/// thread-safe: it is changed by its <see cref="ShareBook"/> alone.
/// </summary>
public sealed class ShareClass
{
    /// <summary>Candidates that one mask can tell apart; a policy is not made for models with more.</summary>
    public const int CandidatesMax = 64;

    private readonly double[] _weights;

    /// <param name="members">By candidate: the rules whose groups it belongs to, one bit each.</param>
    /// <param name="weights">By candidate; null where they are taken in their order.</param>
    /// <param name="lawful">Candidates that these requests may go to at all, one bit each.</param>
    public ShareClass(ulong[] members, double[]? weights, ulong lawful)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(members.Length, CandidatesMax);
        Members = members;
        _weights = weights ?? [];
        Lawful = lawful;
        Lag = new double[members.Length];
        ulong inescapable = lawful == 0 ? 0 : ulong.MaxValue;
        for (int index = 0; index < members.Length; index++)
        {
            inescapable &= (lawful & (1UL << index)) == 0 ? ulong.MaxValue : members[index];
        }

        Inescapable = inescapable;
    }

    /// <summary>They are taken in their order, not by weight.</summary>
    public bool IsOrdered => _weights.Length == 0;
    public ulong Lawful { get; }

    /// <summary>Rules in whose groups every lawful candidate is: these requests cannot go elsewhere, whatever is healthy.</summary>
    public ulong Inescapable { get; }
    internal ulong[] Members { get; }

    /// <summary>By candidate, in units: what its weight would have given it, less what it got.</summary>
    internal double[] Lag { get; }

    internal double Weight(int index) => _weights[index];
}
