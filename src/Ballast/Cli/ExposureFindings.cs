using Ballast.Balance;
using Ballast.Balance.Shifts;
using Ballast.Routing.Shares;

namespace Ballast.Cli;

/// <summary>All that the exposure report is made of.</summary>
/// <param name="Analysis">From traffic and configuration.</param>
/// <param name="Policy">In force; null without one.</param>
/// <param name="Limits">Its caps and floors, held against traffic.</param>
/// <param name="Relaxations">Suspensions in the time looked at.</param>
/// <param name="Shifts">What was found to have shifted, and what is announced.</param>
/// <param name="Places">Where accounts' addresses lie; empty without range files.</param>
internal sealed record ExposureFindings(
    ExposureAnalysis Analysis, SharePolicy? Policy, IReadOnlyList<LimitCheck> Limits, IReadOnlyList<Relaxation> Relaxations, IReadOnlyList<RecordedShift> Shifts, IReadOnlyList<ObservedPlace> Places);
