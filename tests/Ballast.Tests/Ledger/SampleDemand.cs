using Ballast.Ledger;
using Ballast.Protocols.Conversation;

namespace Ballast.Tests.Ledger;

/// <summary>What the ledger's sums must say of rows: worked out row by row.</summary>
internal static class SampleDemand
{
    public static DemandReport Of(params IReadOnlyList<LedgerEntry> rows)
    {
        LedgerEntry[] answered = [.. rows.Where(IsAnswered).OrderBy(static row => row.StartedAt)];
        TimeSpan stretch = answered.Length == 0 ? TimeSpan.FromHours(1) : DemandReport.StretchOf(answered[^1].StartedAt - answered[0].StartedAt);
        Dictionary<DemandLabel, DemandLabel> labels = [];
        return new DemandReport(
            stretch, [.. Cells(stretch, rows).Select(cell => cell with { Label = One(cell.Label) })],
            [
                .. rows.GroupBy(static row => (Minute: row.StartedAt.ToUnixTimeSeconds() / 60, Label: LabelOf(row))).OrderBy(static same => same.Key.Minute).Select(same => new DemandMinute(
                    One(same.Key.Label), same.Key.Minute, same.Count(IsAnswered), same.Where(IsAnswered).Sum(Tokens), same.Count(IsAsked), same.Count(static row => IsAsked(row) && (row.Outcome is AttemptOutcome.Failed or AttemptOutcome.Interrupted)))),
            ]);

        DemandLabel One(DemandLabel label) => labels.TryGetValue(label, out DemandLabel? known) ? known : labels[label] = label;
    }

    public static IReadOnlyList<DemandCell> Cells(TimeSpan length, IReadOnlyList<LedgerEntry> rows) =>
    [
        .. rows.Where(IsAnswered).GroupBy(row => (At: new DateTimeOffset(row.StartedAt.UtcTicks - (row.StartedAt.UtcTicks % length.Ticks), TimeSpan.Zero), Label: LabelOf(row)))
            .OrderBy(static same => same.Key.At).Select(static same => new DemandCell(
                same.Key.Label, same.Key.At, same.Count(),
                new Usage
                {
                    InputTokens = same.Sum(static row => row.InputTokens), CacheReadTokens = same.Sum(static row => row.CacheReadTokens), CacheWriteTokens = same.Sum(static row => row.CacheWriteTokens),
                    CacheWriteLongTokens = same.Sum(static row => row.CacheWriteLongTokens), OutputTokens = same.Sum(static row => row.OutputTokens),
                },
                same.Sum(static row => row.CostUsd ?? 0))),
    ];

    private static DemandLabel LabelOf(LedgerEntry row) => new(row.KeyId, row.App, row.RequestedModel, row.Deployment, row.Vendor, row.Platform, row.Region);

    private static bool IsAnswered(LedgerEntry row) => row.Outcome is AttemptOutcome.Completed or AttemptOutcome.Interrupted;

    private static bool IsAsked(LedgerEntry row) => row.Outcome != AttemptOutcome.Cancelled && row.UpstreamStatus is not (400 or 413 or 415 or 422 or 429);

    private static long Tokens(LedgerEntry row) => row.InputTokens + row.CacheReadTokens + row.CacheWriteTokens + row.CacheWriteLongTokens + row.OutputTokens;
}
