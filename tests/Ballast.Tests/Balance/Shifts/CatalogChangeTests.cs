using Ballast.Balance.Shifts;
using Ballast.Catalog;
using Ballast.Ledger;
using Ballast.Prices;
using Ballast.Protocols.Conversation;

namespace Ballast.Tests.Balance.Shifts;

public class CatalogChangeTests
{
    private static readonly DateOnly s_today = new(2026, 11, 30);

    private static readonly ShareRow[] s_shares = [new("credit", "anthropic/claude", "anthropic", "anthropic", "global", 1, 1, 1, 1), new("news", "azure/gpt", "openai", "azure", "se", 1, 1, 1, 1)];

    [Fact]
    public void Find_PricesThatChange_AreToldWithTheirFiguresAndApps()
    {
        PriceRow now = Row(2, 10) with { ValidTo = new DateOnly(2026, 12, 15) };
        PriceRow next = Row(3, 15) with { ValidFrom = new DateOnly(2026, 12, 15) };
        PriceRow corrected = Row(2.5m, 10) with { KnownFrom = new DateOnly(2026, 1, 1), KnownTo = s_today.AddDays(-2) };
        PriceBook book = new([now with { KnownFrom = s_today.AddDays(-2) }, next, corrected], new Dictionary<string, IReadOnlyList<string>>());

        IReadOnlyList<CatalogChange> changes = Find(book, static claude => claude with { Prices = new PriceSchedule([Row(2, 10)]) });

        Assert.Equal(
            [(s_today.AddDays(-2), "the price book was changed from $2.5/$10 to $2/$10"), (new DateOnly(2026, 12, 15), "the list price changes from $2/$10 to $3/$15")],
            changes.Select(static change => (change.Day, change.Text)));
        Assert.All(changes, static change => Assert.Equal(["credit"], change.Apps));
    }

    [Fact]
    public void Find_PriceWrittenInTheConfiguration_IsNotTheBooks()
    {
        PriceBook book = new([Row(2, 10) with { ValidTo = new DateOnly(2026, 12, 15) }, Row(3, 15) with { ValidFrom = new DateOnly(2026, 12, 15) }], new Dictionary<string, IReadOnlyList<string>>());

        Assert.Empty(Find(book, static claude => claude with { Prices = new PriceSchedule([Row(2, 10) with { Platform = "" }]) }));
    }

    [Fact]
    public void Find_DatesOfADeployment_AreToldUpToNinetyDaysAhead()
    {
        IReadOnlyList<CatalogChange> changes = Find(PriceBook.Empty, static claude => claude with { Deprecated = s_today.AddDays(-400), EndOfLife = s_today.AddDays(60) });

        Assert.Equal([CatalogChangeKind.Deprecated, CatalogChangeKind.EndOfLife], changes.Select(static change => change.Kind));
        Assert.Empty(Find(PriceBook.Empty, static claude => claude with { EndOfLife = s_today.AddDays(91) }));
    }

    [Fact]
    public void Events_OfShiftsAndAnnouncements_ReadBackAsTheyWereWritten()
    {
        CatalogChange end = Find(PriceBook.Empty, static claude => claude with { EndOfLife = s_today.AddDays(60) })[0];
        Shift slow = ShiftAnalysis.Compare(new Component(ComponentKind.Vendor, "openai"), ShiftMetric.Ttft, [0.4, 0.41, 0.39, 0.4], [0.6, 0.61, 0.59, 0.6]) with { Apps = ["credit"] };
        DateTimeOffset until = new(2026, 11, 30, 6, 40, 0, TimeSpan.Zero);

        IReadOnlyList<RecordedShift> read = ShiftEvents.Read([ShiftEvents.Write(slow, until), ShiftEvents.Write(end), new LedgerEvent { Id = "x", At = until, Kind = LedgerEvent.Shift, Subject = "", Body = "[]" }]);

        Assert.Equal(2, read.Count);
        Assert.Equal(("end_of_life", "deployment:anthropic/claude", "it stops", null), (read[0].Kind, read[0].Subject, read[0].Text, read[0].Probability));
        Assert.Equal(("ttft", "vendor:openai", "400 ms to 600 ms"), (read[1].Kind, read[1].Subject, read[1].Text));
        Assert.Equal(0.5, read[1].Change!.Value, tolerance: 0.01);
        Assert.Equal(new DateTimeOffset(2026, 11, 30, 6, 0, 0, TimeSpan.Zero), read[1].At);
        Assert.Equal(["credit"], read[1].Apps);
    }

    private static IReadOnlyList<CatalogChange> Find(PriceBook book, Func<Deployment, Deployment> change)
    {
        Deployment claude = SampleCatalog.Create().Deployments["anthropic/claude"];
        return CatalogChange.Find(SampleCatalog.Create([change(claude)], []), book, s_today.AddDays(-7), s_today, s_shares);
    }

    private static PriceRow Row(decimal input, decimal output) => new()
    {
        Platform = "anthropic", Model = "claude", Patterns = [], ServiceTier = ServiceTier.Standard, KnownFrom = new DateOnly(2026, 1, 1),
        Price = new Price(input, 0, 0, 0, output, "a list"),
    };
}
