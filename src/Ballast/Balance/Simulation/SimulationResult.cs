namespace Ballast.Balance.Simulation;

/// <summary>What a router did in the simulation.</summary>
/// <param name="Name">The router.</param>
/// <param name="WorstExcess">Percentage points over a rule, worst window of steady state and of the moved mix.</param>
/// <param name="SteadyExcess">The worst window of steady state alone.</param>
/// <param name="ShiftExcess">The worst window after the mix has moved and settled.</param>
/// <param name="RunExcess">Over the whole steady state.</param>
/// <param name="OutageShare">AWS's percentage of the tokens while Azure is gone; its cap is 45.</param>
/// <param name="ResidencyViolations">Bound requests that left the European Union.</param>
/// <param name="BoundExceeded">Requests after which some window of any length held more than the proven bound of one node allows.</param>
/// <param name="AffinityKept">Part of the continued requests of steady state that met their session's warm cache.</param>
/// <param name="Relaxed">Requests for which a rule was suspended.</param>
public sealed record SimulationResult(
    string Name, double WorstExcess, double SteadyExcess, double ShiftExcess, double RunExcess, double OutageShare,
    long ResidencyViolations, long BoundExceeded, double AffinityKept, long Relaxed);
