using Ballast.Routing.Shares;

namespace Ballast.Balance;

/// <summary>What one rule would have done.</summary>
/// <param name="Rule">The rule.</param>
/// <param name="Before">The component's share as it was, from 0 to 1; null without traffic of the scope.</param>
/// <param name="After">Its share under the policy.</param>
/// <param name="Suspended">Requests for which the rule would have been suspended.</param>
public sealed record DryRunRule(ShareRule Rule, double? Before, double? After, long Suspended);
