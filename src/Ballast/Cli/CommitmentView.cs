using System.Globalization;
using Ballast.Ledger;

namespace Ballast.Cli;

/// <summary>Commitments as a table.</summary>
internal static class CommitmentView
{
    public static ReportTable Table(IReadOnlyList<CommitmentFigures> all, DateTimeOffset now)
    {
        ReportTable table = new($"Commitments, {ReportFormat.Moment(now, "")}");
        foreach (string column in (string[])["commitment", "platform", "until", "state"])
        {
            table.AddTextColumn(column);
        }

        foreach (string column in (string[])["amount", "used", "time", "pace", "forecast", "shortfall"])
        {
            table.AddNumberColumn(column, isOptional: column is "time");
        }

        bool hasUnknown = all.Any(static one => one.UnknownCost > 0);
        if (hasUnknown)
        {
            table.AddNumberColumn("no price");
        }

        foreach (CommitmentFigures one in all)
        {
            string[] cells =
            [
                one.Commitment.Id, one.Commitment.Platform, one.Commitment.To.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), one.State,
                Money(one, one.Commitment.Amount), Money(one, one.Used), ReportFormat.Percent((double)one.Elapsed),
                one.Pace is { } pace ? ReportFormat.Percent((double)pace) : ReportFormat.Unknown, Money(one, one.Forecast), Money(one, one.Shortfall),
            ];
            table.AddRow(hasUnknown ? cells.Append(ReportFormat.Count(one.UnknownCost)) : cells);
        }

        return table;
    }

    private static string Money(CommitmentFigures one, decimal? amount) => amount is { } value
        ? value.ToString("N2", CultureInfo.InvariantCulture) + " " + one.Commitment.Currency
        : ReportFormat.Unknown;
}
