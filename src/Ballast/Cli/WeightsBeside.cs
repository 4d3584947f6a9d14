using Ballast.Balance.Watch;

namespace Ballast.Cli;

/// <summary>What weights alone would have made of the same requests, told beside the exposure: the demo's story.</summary>
/// <param name="Timeline">By time, then by platform: share of the tokens, from 0 to 1.</param>
/// <param name="Marks">Where each act of the story begins.</param>
/// <param name="Standing">Shares of each act, and the worst windows.</param>
/// <param name="Compared">Which two times <see cref="ExposureFindings.Shifts"/> were found between.</param>
internal sealed record WeightsBeside(
    IReadOnlyList<(DateTimeOffset At, IReadOnlyDictionary<string, double> Platforms)> Timeline, IReadOnlyList<(DateTimeOffset At, string Text)> Marks, BalanceStanding Standing, string Compared);
