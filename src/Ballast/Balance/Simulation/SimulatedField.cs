using Ballast.Catalog;
using Ballast.Routing.Shares;

namespace Ballast.Balance.Simulation;

/// <summary>
/// What the simulation routes to: six deployments on four platforms, four rules, and weights that meet every rule in expectation as long as 30 % of the requests
/// are bound to the European Union.
/// </summary>
public static class SimulatedField
{
    public const double BoundShare = 0.30;

    /// <summary>After the mix has moved.</summary>
    public const double BoundShareShifted = 0.03;

    public static IReadOnlyList<(string Name, string Vendor, string Platform, bool IsInUnion)> Deployments { get; } =
    [
        ("azure-sweden/gpt", "openai", "azure", true),
        ("azure-virginia/gpt", "openai", "azure", false),
        ("aws-frankfurt/claude", "anthropic", "aws", true),
        ("aws-virginia/gpt", "openai", "aws", false),
        ("google-amsterdam/gemini", "google", "google", true),
        ("anthropic/claude", "anthropic", "anthropic", false),
    ];

    /// <summary>Of bound requests: 40 % Azure, 40 % AWS, 20 % Google.</summary>
    public static double[] BoundWeights { get; } = [0.40, 0, 0.40, 0, 0.20, 0];

    /// <summary>Of the rest: with the bound ones together Azure 50 %, AWS 32 %, Google 10 %, Anthropic 8 %.</summary>
    public static double[] FreeWeights { get; } = [0.10, (0.38 / 0.7) - 0.10, 0.12 / 0.7, 0.08 / 0.7, 0.04 / 0.7, 0.08 / 0.7];

    /// <summary>Masks of deployments, one bit each.</summary>
    public static ulong All { get; } = Mask(static _ => true);
    public static ulong InUnion { get; } = Mask(static deployment => deployment.IsInUnion);
    public static ulong OfAzure { get; } = Mask(static deployment => deployment.Platform == "azure");

    public static IReadOnlyList<ShareRule> Rules(double burst) =>
    [
        new() { Id = "azure-50", Target = new Component(ComponentKind.Platform, "azure"), Share = 0.50, Burst = burst },
        new() { Id = "aws-45", Target = new Component(ComponentKind.Platform, "aws"), Share = 0.45, Burst = burst },
        new() { Id = "openai-60", Target = new Component(ComponentKind.Vendor, "openai"), Share = 0.60, Burst = burst },
        new() { Id = "google-5", Target = new Component(ComponentKind.Platform, "google"), Share = 0.05, IsFloor = true, Burst = burst },
    ];

    /// <summary>By deployment: in which rules' groups it is.</summary>
    public static ulong[] Members(IReadOnlyList<ShareRule> rules)
    {
        ulong[] members = new ulong[Deployments.Count];
        for (int index = 0; index < members.Length; index++)
        {
            for (int rule = 0; rule < rules.Count; rule++)
            {
                Component target = rules[rule].Target;
                string name = target.Kind == ComponentKind.Vendor ? Deployments[index].Vendor : Deployments[index].Platform;
                members[index] |= (name == target.Name) != rules[rule].IsFloor ? 1UL << rule : 0;
            }
        }

        return members;
    }

    private static ulong Mask(Func<(string Name, string Vendor, string Platform, bool IsInUnion), bool> holds) =>
        Deployments.Select((deployment, index) => holds(deployment) ? 1UL << index : 0).Aggregate((left, right) => left | right);
}
