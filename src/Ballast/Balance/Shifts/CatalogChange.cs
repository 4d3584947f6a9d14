using System.Globalization;
using Ballast.Catalog;
using Ballast.Ledger;
using Ballast.Prices;
using Ballast.Protocols.Conversation;

namespace Ballast.Balance.Shifts;

/// <summary>What was announced.</summary>
public enum CatalogChangeKind
{
    /// <summary>A price of the price book changes, or was corrected.</summary>
    ListPrice,

    /// <summary>Its vendor advises against it from that day on.</summary>
    Deprecated,

    /// <summary>It stops on that day.</summary>
    EndOfLife,
}

/// <summary>A change of a deployment that is known from price book or configuration, not from traffic.</summary>
public sealed record CatalogChange
{
    /// <summary>How far ahead announced changes are told.</summary>
    public const int DaysAhead = 90;

    public required CatalogChangeKind Kind { get; init; }

    /// <summary>The deployment's name.</summary>
    public required string Deployment { get; init; }
    public required DateOnly Day { get; init; }

    /// <summary>In words, with the figures.</summary>
    public required string Text { get; init; }

    /// <summary>Applications that used it in the time looked at.</summary>
    public required IReadOnlyList<string> Apps { get; init; }

    /// <summary>Changes between two days, and announced ones up to <see cref="DaysAhead"/> days later; what ended before is told as well, as long as it is configured.</summary>
    public static IReadOnlyList<CatalogChange> Find(CatalogSnapshot catalog, PriceBook book, DateOnly since, DateOnly until, IReadOnlyList<ShareRow> shares)
    {
        List<CatalogChange> found = [];
        DateOnly ahead = until.AddDays(DaysAhead);
        foreach (Deployment deployment in catalog.Deployments.Values.OrderBy(static one => one.Name, StringComparer.Ordinal))
        {
            IReadOnlyList<string> apps = [.. shares.Where(row => row.Deployment == deployment.Name && row.App.Length > 0).Select(static row => row.App).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
            if (deployment.Deprecated is { } deprecated && deprecated <= ahead)
            {
                found.Add(Make(CatalogChangeKind.Deprecated, deprecated, "its vendor advises against it"));
            }

            if (deployment.EndOfLife is { } end && end <= ahead)
            {
                found.Add(Make(CatalogChangeKind.EndOfLife, end, end <= until ? "it should have stopped" : "it stops"));
            }

            bool isFromBook = deployment.Prices?.Rows.All(static row => row.Platform.Length > 0) ?? false;
            found.AddRange((isFromBook ? book.History(deployment.Platform, deployment.SentModel) : []).Where(static row => row is { ServiceTier: ServiceTier.Standard, HasDailyWindow: false })
                .GroupBy(static row => row.Subject).SelectMany(rows => PricesOf([.. rows], since, until, ahead)).Select(change => Make(CatalogChangeKind.ListPrice, change.Day, change.Text)));

            CatalogChange Make(CatalogChangeKind kind, DateOnly day, string text) => new() { Kind = kind, Deployment = deployment.Name, Day = day, Text = text, Apps = apps };
        }

        return [.. found.OrderBy(static change => change.Day).ThenBy(static change => change.Deployment, StringComparer.Ordinal)];
    }

    private static IEnumerable<(DateOnly Day, string Text)> PricesOf(PriceRow[] rows, DateOnly since, DateOnly until, DateOnly ahead)
    {
        foreach (PriceRow row in rows)
        {
            if (row.KnownTo is null && row.ValidFrom is { } from && from > since && from <= ahead
                && Array.Find(rows, other => other.KnownTo is null && other != row && other.IsValidOn(from.AddDays(-1))) is { } before && Differ(before, row))
            {
                yield return (from, $"the list price changes from {Print(before)} to {Print(row)}");
            }

            if (row.KnownFrom > since && row.KnownFrom <= until
                && Array.Find(rows, other => other.KnownTo == row.KnownFrom && other.ValidFrom == row.ValidFrom) is { } known && Differ(known, row))
            {
                yield return (row.KnownFrom, $"the price book was changed from {Print(known)} to {Print(row)}");
            }
        }
    }

    private static bool Differ(PriceRow one, PriceRow other) => one.Price.For(0).Input != other.Price.For(0).Input || one.Price.For(0).Output != other.Price.For(0).Output;

    private static string Print(PriceRow row) =>
        string.Create(CultureInfo.InvariantCulture, $"${row.Price.For(0).Input:0.####}/${row.Price.For(0).Output:0.####}");
}
