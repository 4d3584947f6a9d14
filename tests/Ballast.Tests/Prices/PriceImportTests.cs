using System.Text;
using Ballast.Prices;
using Ballast.Prices.Import;
using Ballast.Protocols.Conversation;

namespace Ballast.Tests.Prices;

public sealed class PriceImportTests
{
    private static readonly DateOnly s_known = new(2026, 8, 1);

    [Fact]
    public void GenaiPrices_TiersDatesAndRules_AreTakenOver()
    {
        PriceList list = Read("""
            [{"id":"x-ai","fallback_model_providers":["openai"],"models":[
              {"id":"one","match":{"or":[{"equals":"one"},{"starts_with":"one-"},{"regex":"^uno-\\d{2}\\.\\d$"},{"contains":"eins"},{"ends_with":"-1"}]},
               "prices":[{"prices":{"input_mtok":{"base":1,"tiers":[{"start":200000,"price":2}]},"output_mtok":{"base":5,"tiers":[{"start":200000,"price":7.5}]},"cache_read_mtok":0.1,"web_searches_kcount":10,"input_audio_mtok":7,"cache_image_read_mtok":0.5,"audio_hours":1}},
                         {"constraint":{"start_date":"2026-03-13"},"prices":{"input_mtok":3,"output_mtok":15}},
                         {"constraint":{"start_time":"16:30:00Z","end_time":"00:30:00Z"},"prices":{"input_mtok":0.5,"output_mtok":2}}]},
              {"id":"two","match":{"regex":"^(?!x)"},"prices":{"input_mtok":1,"output_mtok":1,"requests_kcount":5}}]}]
            """);

        Assert.Equal("genai-prices", list.Source);
        Assert.Equal(["openai"], list.Fallbacks["xai"]);
        PriceRow[] one = [.. list.Rows.Where(static row => row.Model == "one")];
        Assert.Equal(3, one.Length);
        Assert.Equal(["one-*", "uno-##.#", "*eins*", "*-1"], one[0].Patterns.Select(static pattern => pattern.Text));
        Assert.Equal((null, (DateOnly?)new DateOnly(2026, 3, 13)), (one[0].ValidFrom, one[0].ValidTo));
        Assert.Equal((new DateOnly(2026, 3, 13), null), (one[1].ValidFrom!.Value, one[1].ValidTo));
        Assert.Equal((new TimeOnly(16, 30), new TimeOnly(0, 30)), (one[2].DailyFrom!.Value, one[2].DailyTo!.Value));
        Assert.Equal(new PriceFigures(1, 5, 0.1m, 1.25m, 2), one[0].Price.For(200_000));
        Assert.Equal(new PriceFigures(2, 7.5m, 0.1m, 2.5m, 4), one[0].Price.For(200_001));
        Assert.Equal(new MediaPrices { PerSearch = 0.01m, InputAudio = 7, CacheReadImage = 0.5m }, one[0].Price.Media);
        Assert.Equal("r1; not counted here: audio_hours", one[0].Price.Revision);
        Assert.Null(one[1].Price.Media);
        Assert.Equal(0.005m, list.Rows.Single(static row => row.Model == "two").Price.PerRequest);
        Assert.Contains(list.Warnings, static warning => warning.StartsWith("xai/two", StringComparison.Ordinal));
    }

    [Fact]
    public void ModelsDev_TiersAndPriority_AreTakenOver()
    {
        PriceList list = Read("""
            {"amazon-bedrock":{"models":{"m":{"cost":{"input":2.5,"output":15,"cache_read":0.25,"tiers":[{"tier":{"size":272000},"input":5,"output":22.5}]},
              "experimental":{"modes":{"fast":{"cost":{"input":5,"output":30},"provider":{"body":{"service_tier":"priority"}}}}}},"free":{"limit":{}}}},
             "bedrock":{"models":{"m":{"cost":{"input":9,"output":9}}}}}
            """);

        Assert.Equal(2, list.Rows.Count);
        PriceRow standard = list.Rows[0], priority = list.Rows[1];
        Assert.Equal(("aws", "m", ServiceTier.Standard), (standard.Platform, standard.Model, standard.ServiceTier));
        Assert.Equal(2.5m, standard.Price.For(272_000).Input);
        Assert.Equal(new PriceFigures(5, 22.5m, 0.25m, 6.25m, 10), standard.Price.For(272_001));
        Assert.Equal((ServiceTier.Priority, 30m), (priority.ServiceTier, priority.Price.Output));
        Assert.Contains(list.Warnings, static warning => warning.Contains("there twice", StringComparison.Ordinal));
    }

    [Fact]
    public void LiteLlm_PerTokenFigures_BecomePerMillion()
    {
        PriceList list = Read("""
            {"sample_spec":{"litellm_provider":"one of them"},
             "gemini/g":{"litellm_provider":"gemini","input_cost_per_token":1.25e-06,"output_cost_per_token":1e-05,"cache_read_input_token_cost":3.1e-07,
               "input_cost_per_token_above_200k_tokens":2.5e-06,"output_cost_per_token_above_200k_tokens":1.5e-05,
               "input_cost_per_token_batches":6.25e-07,"output_cost_per_token_batches":5e-06,"input_cost_per_token_priority":2.5e-06},
             "dall-e":{"litellm_provider":"openai","output_cost_per_image":0.04}}
            """);

        Assert.Equal(["g", "g", "g"], list.Rows.Select(static row => row.Model));
        PriceSchedule schedule = new(list.Rows);
        Price standard = schedule.At(default)!;
        Assert.Equal("google", list.Rows[0].Platform);
        Assert.Equal(new PriceFigures(1.25m, 10, 0.31m, 1.5625m, 2.5m), standard.For(1));
        Assert.Equal(new PriceFigures(2.5m, 15, 0.31m, 3.125m, 5), standard.For(200_001));
        Assert.Equal("1.25", standard.Input.ToString(System.Globalization.CultureInfo.InvariantCulture));
        Assert.Equal((0.625m, 5m), (schedule.At(default, ServiceTier.Batch)!.Input, schedule.At(default, ServiceTier.Batch)!.Output));
        Assert.Equal((2.5m, 10m), (schedule.At(default, ServiceTier.Priority)!.Input, schedule.At(default, ServiceTier.Priority)!.Output));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[{\"id\":3}]")]
    [InlineData("not json")]
    [InlineData("[{\"id\":\"p\",\"models\":[{\"id\":\"m\",\"match\":{},\"prices\":{\"input_mtok\":\"free\"}}]}]")]
    public void Read_AnotherFile_IsRefusedInWords(string text) =>
        Assert.Contains("is no price list that is known here", Assert.Throws<PriceException>(() => Read(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void Merge_AChangedFigure_ClosesTheOldRow()
    {
        PriceBook book = Book(PriceBookTests.Row("p", "m", 1));

        PriceMergeResult result = PriceMerge.Merge(book, List(PriceBookTests.Row("p", "m", 2)), s_known, replace: false);

        Assert.Equal(["p/m"], result.Changed);
        PriceRow[] rows = [.. result.Book.Rows];
        Assert.Equal([(1m, s_known), (2m, null)], rows.Select(static row => (row.Price.Input, row.KnownTo)));
        Assert.Equal(s_known, rows[1].KnownFrom);
        Assert.Equal(2m, result.Book.Schedule("p", "m")!.At(default)!.Input);
    }

    [Fact]
    public void Merge_TheSameAgain_ChangesNothing()
    {
        PriceBook book = Book(PriceBookTests.Row("p", "m", 1));

        PriceMergeResult result = PriceMerge.Merge(book, List(PriceBookTests.Row("p", "m", 1)), s_known, replace: false);

        Assert.Equal((0, 0, 1), (result.New.Count, result.Changed.Count, result.Unchanged));
        Assert.Single(result.Book.Rows);
    }

    /// <summary>What searches cost is known from elsewhere where a list does not tell it; a list that tells it counts.</summary>
    [Theory]
    [InlineData(null, 0.014)]
    [InlineData(0.02, 0.02)]
    public void Merge_AListThatIsSilentAboutSearches_LeavesWhatTheyCost(double? told, double expected)
    {
        PriceRow old = PriceBookTests.Row("p", "m", 1);
        old = old with { Price = old.Price with { PerRequest = 0.025m, Media = new MediaPrices { PerSearch = 0.014m, PerSearchingRequest = 0.035m } } };
        PriceRow listed = PriceBookTests.Row("p", "m", 2);
        listed = listed with { Price = listed.Price with { Media = new MediaPrices { InputAudio = 4, PerSearch = (decimal?)told } } };

        Price now = PriceMerge.Merge(Book(old), List(listed), s_known, replace: false).Book.Schedule("p", "m")!.At(default)!;

        Assert.Equal((2m, 0.025m, (decimal)expected, 4m), (now.Input, now.PerRequest, now.Media?.PerSearch, now.Media?.InputAudio));
        Assert.Equal(told is null ? 0.035m : null, now.Media?.PerSearchingRequest);
    }

    [Fact]
    public void Merge_AnotherSource_IsLeftUnlessItReplaces()
    {
        PriceRow other = PriceBookTests.Row("p", "m", 2);
        other = other with { Price = other.Price with { Source = "another" } };
        PriceBook book = Book(PriceBookTests.Row("p", "m", 1));

        Assert.Equal(["p/m"], PriceMerge.Merge(book, List(other), s_known, replace: false).Kept);
        Assert.Equal(["p/m"], PriceMerge.Merge(book, List(other), s_known, replace: true).Changed);
    }

    [Fact]
    public void Merge_AnOlderList_IsRefused()
    {
        PriceBook book = Book(PriceBookTests.Row("p", "m", 1) with { KnownFrom = new DateOnly(2026, 9, 1) });

        Assert.Throws<PriceException>(() => PriceMerge.Merge(book, List(PriceBookTests.Row("p", "m", 2)), s_known, replace: false));
    }

    [Fact]
    public void Merge_ACorrectionOnTheSameDay_LeavesNoTrace()
    {
        PriceBook book = Book(PriceBookTests.Row("p", "m", 1) with { KnownFrom = s_known });

        PriceMergeResult result = PriceMerge.Merge(book, List(PriceBookTests.Row("p", "m", 2)), s_known, replace: false);

        Assert.Equal(2m, Assert.Single(result.Book.Rows).Price.Input);
    }

    [Fact]
    public void Difference_AFigureThatMoved_IsFoundAboveTheThreshold()
    {
        PriceBook book = Book(PriceBookTests.Row("p", "m", 1), PriceBookTests.Row("p", "n", 100));
        PriceList list = List(PriceBookTests.Row("p", "m", 1.5m), PriceBookTests.Row("p", "n", 100.5m), PriceBookTests.Row("p", "new", 1));

        PriceDifference found = PriceDifference.Find(book, list, DateTimeOffset.UnixEpoch, 0.01m).First(static difference => difference.Meter == "input");

        Assert.Equal(("m", 1m, 1.5m, 0.5m), (found.Model, found.InBook, found.InList, found.Change));
        Assert.DoesNotContain(PriceDifference.Find(book, list, DateTimeOffset.UnixEpoch, 0.01m), static difference => difference.Model is "n" or "new");
    }

    private static PriceBook Book(params PriceRow[] rows) => new(rows, new Dictionary<string, IReadOnlyList<string>>());

    private static PriceList List(params PriceRow[] rows) =>
        new("test", [.. rows.Select(static row => row with { KnownFrom = s_known })], new Dictionary<string, IReadOnlyList<string>>(), []);

    private static PriceList Read(string json)
    {
        string path = Path.Combine(Path.GetTempPath(), $"ballast-prices-{Guid.NewGuid():n}.json");
        File.WriteAllText(path, json, new UTF8Encoding(false));
        try
        {
            return PriceListReader.Read(path, "r1", s_known);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
