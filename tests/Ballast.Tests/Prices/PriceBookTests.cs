using System.Text;
using Ballast.Prices;
using Ballast.Protocols.Conversation;

namespace Ballast.Tests.Prices;

public sealed class PriceBookTests
{
    [Fact]
    public void Shipped_EveryRow_CanBeReadAndIsPriced()
    {
        PriceRow[] rows = [.. PriceBook.Shipped.Rows];

        Assert.True(rows.Length > 1_500, $"The shipped book has {rows.Length} rows.");
        Assert.All(rows, static row =>
        {
            Assert.NotNull(row.Price.Source);
            Assert.NotNull(row.Price.Revision);
            Assert.True(row.KnownTo is null || row.KnownFrom < row.KnownTo, $"{row.Model} is known backwards");
            Assert.True(row.ValidFrom is null || row.ValidTo is null || row.ValidFrom < row.ValidTo, $"{row.Model} is valid backwards");
        });
    }

    [Fact]
    public void Shipped_WrittenAndReadAgain_IsTheSame()
    {
        using MemoryStream stream = new();
        PriceBookFile.Write(stream, PriceBook.Shipped);
        byte[] first = stream.ToArray();

        PriceBook again = PriceBookFile.Read(new MemoryStream(first), "again");
        using MemoryStream second = new();
        PriceBookFile.Write(second, again);

        Assert.Equal(Encoding.UTF8.GetString(first), Encoding.UTF8.GetString(second.ToArray()));
    }

    [Fact]
    public void Shipped_NoDay_HasTwoPricesForOneRequest()
    {
        // Of rows that stand, at most one is valid for a model, a service tier and a time of day, those for certain hours aside.
        foreach (IGrouping<object, PriceRow> subject in PriceBook.Shipped.Rows.Where(static row => row.KnownTo is null).GroupBy(static row => (object)row.Subject))
        {
            PriceRow[] rows = [.. subject];
            foreach (DateOnly day in rows.SelectMany(static row => new[] { row.ValidFrom, row.ValidTo }).Select(static day => day ?? new DateOnly(2026, 1, 1)))
            {
                Assert.True(rows.Count(row => row.IsValidOn(day)) <= 1, $"{subject.Key} has two prices on {day}");
            }
        }
    }

    /// <summary>A rise that a list announced and that its vendor took back: the book still knows what was believed when.</summary>
    [Fact]
    public void Shipped_ARiseThatWasTakenBack_IsKnownBothWays()
    {
        PriceRow[] rows = [.. PriceBook.Shipped.Find("anthropic", "claude-sonnet-5").Where(static row => row.ServiceTier == ServiceTier.Standard)];
        DateOnly request = new(2026, 9, 5);

        PriceRow asKnownThen = Assert.Single(rows, row => row.IsValidOn(request) && row.IsKnownOn(new DateOnly(2026, 9, 5)));
        PriceRow asKnownNow = Assert.Single(rows, row => row.IsValidOn(request) && row.IsKnownOn(new DateOnly(2026, 11, 1)));

        Assert.Equal((3m, 15m), (asKnownThen.Price.Input, asKnownThen.Price.Output));
        Assert.Equal((2m, 10m), (asKnownNow.Price.Input, asKnownNow.Price.Output));
    }

    /// <summary>Anthropic takes half of its prices for batches, cached tokens and long prompts included.</summary>
    [Fact]
    public void Shipped_BatchesOfAnthropic_CostHalf()
    {
        DateTimeOffset now = new(2026, 11, 1, 0, 0, 0, TimeSpan.Zero);
        DateOnly today = DateOnly.FromDateTime(now.UtcDateTime);
        PriceRow[] standing = [.. PriceBook.Shipped.Rows.Where(row => row.Platform == "anthropic" && row.IsKnownOn(today) && row.IsValidOn(today))];
        string[] models = [.. standing.Where(static row => row.ServiceTier == ServiceTier.Batch).Select(static row => row.Model).Distinct()];

        Assert.True(models.Length > 15);
        foreach (string model in models)
        {
            PriceSchedule schedule = new(standing.Where(row => row.Model == model));
            foreach (long length in (long[])[0, 300_000])
            {
                PriceFigures full = schedule.At(now)!.For(length);
                PriceFigures batch = schedule.At(now, ServiceTier.Batch)!.For(length);
                Assert.Equal((full.Input, full.Output, full.CacheRead), (batch.Input * 2, batch.Output * 2, batch.CacheRead * 2));
            }
        }
    }

    [Fact]
    public void Schedule_RegionalProfile_IsDearerThanTheGlobalOne()
    {
        DateTimeOffset now = new(2026, 11, 1, 0, 0, 0, TimeSpan.Zero);

        Price global = PriceBook.Shipped.Schedule("aws", "global.anthropic.claude-sonnet-5-v1:0")!.At(now)!;
        Price regional = PriceBook.Shipped.Schedule("aws", "eu.anthropic.claude-sonnet-5-v1:0")!.At(now)!;

        Assert.Equal(2m, global.Input);
        Assert.Equal(2.2m, regional.Input);
    }

    [Fact]
    public void Schedule_PlatformWithoutThePrice_AssumesTheVendorsListAndSaysSo()
    {
        PriceRow own = Row("openai", "gpt-9", 1);
        PriceBook book = new([own], new Dictionary<string, IReadOnlyList<string>> { ["azure"] = ["openai"] });

        Price price = book.Schedule("azure", "gpt-9")!.At(DateTimeOffset.UnixEpoch)!;

        Assert.Equal(1m, price.Input);
        Assert.Contains("assumed: the list price of openai", price.Source, StringComparison.Ordinal);
        Assert.Null(book.Schedule("aws", "gpt-9"));
    }

    [Fact]
    public void Find_ANameOutright_GoesBeforeAPattern()
    {
        PriceBook book = new([Row("p", "mini-*", 1, "mini-*"), Row("p", "mini-turbo", 2)], new Dictionary<string, IReadOnlyList<string>>());

        Assert.Equal(2m, Assert.Single(book.Find("p", "mini-turbo")).Price.Input);
        Assert.Equal(1m, Assert.Single(book.Find("p", "MINI-slow")).Price.Input);
        Assert.Empty(book.Find("p", "maxi"));
        Assert.Empty(book.Find("q", "mini-turbo"));
    }

    [Theory]
    [InlineData("gpt-5.6-luna-####-##-##", "gpt-5.6-luna-2026-07-09", true)]
    [InlineData("gpt-5.6-luna-####-##-##", "gpt-5.6-luna-2026-07-9x", false)]
    [InlineData("*anthropic.claude*", "us.anthropic.claude-5", true)]
    [InlineData("*.claude*-v1:0", "a.claude-x-v1:0-v1:0", true)]
    [InlineData("a*b*c", "aXXbXXc", true)]
    [InlineData("a*b*c", "aXXbXX", false)]
    [InlineData("*", "", true)]
    [InlineData("", "", true)]
    [InlineData("", "x", false)]
    [InlineData("Model", "mODEL", true)]
    public void Pattern_Id_Matches(string pattern, string id, bool expected) => Assert.Equal(expected, new ModelPattern(pattern).Matches(id));

    [Theory]
    [InlineData("{\"platform\":\"p\"", "line 2")]
    [InlineData("{\"platform\":\"p\",\"model\":\"m\",\"known_from\":\"2026-01-01\",\"input\":-1,\"output\":1}", "'input' must be between")]
    [InlineData("{\"platform\":\"p\",\"model\":\"m\",\"input\":1,\"output\":1}", "'known_from' is missing")]
    [InlineData("{\"platform\":\"p\",\"model\":\"m\",\"known_from\":\"01.02.2026\",\"input\":1,\"output\":1}", "'known_from' must be a day")]
    [InlineData("{\"platform\":\"p\",\"model\":\"m\",\"known_from\":\"2026-01-01\",\"input\":1,\"output\":1,\"service_tier\":\"fast\"}", "no service tier")]
    public void Read_ABadRow_NamesTheLineAndTheReason(string row, string expected)
    {
        byte[] bytes = Encoding.UTF8.GetBytes("{\"ballast_price_book\":1}\n" + row + "\n");

        PriceException fault = Assert.Throws<PriceException>(() => PriceBookFile.Read(new MemoryStream(bytes), "book"));

        Assert.Contains("line 2", fault.Message, StringComparison.Ordinal);
        Assert.Contains(expected, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void At_HoursOfTheDay_GoBeforeTheRest()
    {
        PriceRow night = Row("p", "m", 1);
        PriceRow day = Row("p", "m", 2) with { DailyFrom = new TimeOnly(8, 0), DailyTo = new TimeOnly(20, 0) };
        PriceSchedule schedule = new([night, day]);

        Assert.Equal(1m, schedule.At(Hour(7, 59))!.Input);
        Assert.Equal(2m, schedule.At(Hour(8, 0))!.Input);
        Assert.Equal(2m, schedule.At(Hour(19, 59))!.Input);
        Assert.Equal(1m, schedule.At(Hour(20, 0))!.Input);
        Assert.Equal(2m, schedule.At(Hour(8, 0).ToOffset(TimeSpan.FromHours(9)))!.Input);

        static DateTimeOffset Hour(int hour, int minute) => new(2026, 11, 1, hour, minute, 0, TimeSpan.Zero);
    }

    [Fact]
    public void At_HoursOverMidnight_AreOneWindow()
    {
        PriceRow row = Row("p", "m", 1) with { DailyFrom = new TimeOnly(22, 0), DailyTo = new TimeOnly(6, 0) };

        Assert.True(row.IsValidAt(new TimeOnly(23, 0)));
        Assert.True(row.IsValidAt(new TimeOnly(5, 59)));
        Assert.False(row.IsValidAt(new TimeOnly(6, 0)));
        Assert.False(row.IsValidAt(new TimeOnly(12, 0)));
    }

    [Fact]
    public void At_ServiceTierWithoutItsOwnPrice_IsNeverCheaperThanItCouldBe()
    {
        PriceSchedule plain = new([Row("p", "m", 4)]);
        PriceSchedule full = new([Row("p", "m", 4), Row("p", "m", 2) with { ServiceTier = ServiceTier.Batch }, Row("p", "m", 7) with { ServiceTier = ServiceTier.Priority }]);

        Assert.Equal(4m, plain.At(default, ServiceTier.Batch)!.Input);
        Assert.Equal(4m, plain.At(default, ServiceTier.Flex)!.Input);
        Assert.Equal(10m, plain.At(default, ServiceTier.Priority)!.Input);
        Assert.Equal(2m, full.At(default, ServiceTier.Batch)!.Input);
        Assert.Equal(7m, full.At(default, ServiceTier.Priority)!.Input);
    }

    [Fact]
    public void At_Never_Allocates()
    {
        PriceSchedule schedule = PriceBook.Shipped.Schedule("openai", "gpt-5.6-luna")!;
        DateTimeOffset now = new(2026, 11, 1, 0, 0, 0, TimeSpan.Zero);
        long least = long.MaxValue;
        for (int round = 0; round < 5; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 100; i++)
            {
                _ = schedule.At(now, ServiceTier.Priority)!.For(300_000);
            }

            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.Equal(0, least);
    }

    internal static PriceRow Row(string platform, string model, decimal input, params string[] patterns) => new()
    {
        Platform = platform,
        Model = model,
        Patterns = [.. patterns.Select(static pattern => new ModelPattern(pattern))],
        KnownFrom = new DateOnly(2026, 1, 1),
        Price = new Price(input, input, input, input, input * 5, "test"),
    };
}
