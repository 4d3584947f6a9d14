namespace Ballast.Routing.Shares;

/// <summary>The credits of a policy at one moment: what is shown, and what survives a restart.</summary>
public sealed record ShareSnapshot(string PolicyName, int PolicyVersion, DateTimeOffset SavedAt, IReadOnlyList<ShareSnapshot.Bucket> Buckets)
{
    /// <summary>One rule's bucket.</summary>
    /// <param name="Id">The rule's.</param>
    /// <param name="Scope">Id of its scope.</param>
    /// <param name="Target">Its component, as <c>kind:name</c>.</param>
    /// <param name="Credit">In the policy's unit; below zero it is in debt.</param>
    /// <param name="Group">Units that the group was charged with.</param>
    /// <param name="Total">Units that the scope was charged with.</param>
    /// <param name="Rule">The rule itself; null where the snapshot was read from a file.</param>
    /// <param name="RelaxedRequests">Requests for which it was suspended since it is in force.</param>
    /// <param name="RelaxedVolume">Their units.</param>
    /// <param name="IsRelaxed">It is suspended now.</param>
    /// <param name="Last">The suspension that is running, or the last one; null where there was none since the policy is in force.</param>
    /// <param name="Refused">Requests that were refused for it since it is in force; those that wait count at each look.</param>
    public sealed record Bucket(
        string Id, string Scope, string Target, double Credit, double Group, double Total, ShareRule? Rule = null, long RelaxedRequests = 0, double RelaxedVolume = 0, bool IsRelaxed = false, Relaxation? Last = null, long Refused = 0)
    {
        /// <summary>The component's share, from 0 to 1; null before there was any traffic.</summary>
        public double? Share => Total <= 0 ? null : Rule is { IsFloor: true } ? 1 - (Group / Total) : Group / Total;
    }
}
