using System.Globalization;
using Ballast.Ledger;
using Ballast.Prices;
using Ballast.Protocols.Conversation;

namespace Ballast.Tests.Prices;

/// <summary>Costs of whole answers by the shipped book, against sums that were worked out elsewhere from what the vendors publish (<c>vectors.tsv</c>, with links).</summary>
public sealed class PriceVectorTests
{
    public static TheoryData<string> Cases()
    {
        TheoryData<string> cases = [];
        foreach (string line in Lines())
        {
            cases.Add(line.Split('\t')[0]);
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Cost_ByTheShippedBook_IsWhatTheVendorCharges(string name)
    {
        string[] vector = Lines().Single(line => line.StartsWith(name + "\t", StringComparison.Ordinal)).Split('\t');
        Usage usage = new()
        {
            InputTokens = Number(vector[6]),
            CacheReadTokens = Number(vector[7]),
            CacheWriteTokens = Number(vector[8]),
            CacheWriteLongTokens = Number(vector[9]),
            OutputTokens = Number(vector[10]),
        };
        PriceSchedule schedule = PriceBook.Shipped.Schedule(vector[2], vector[3]) ?? throw new InvalidOperationException($"The book has no {vector[3]}.");

        decimal? cost = Pricing.Cost(schedule.At(DateTimeOffset.Parse(vector[4], CultureInfo.InvariantCulture), ServiceTierName.Read(vector[5])), usage);

        Assert.Equal(decimal.Parse(vector[11], CultureInfo.InvariantCulture), cost);
    }

    /// <summary>
    /// Searches by the shipped book, worked out by hand: 10 dollars for a thousand calls of OpenAI's tool, 25 at models that do not reason and for each request to its search models
    /// (https://platform.openai.com/docs/pricing#built-in-tools); 35 for a thousand prompts that Gemini 2 grounded, 14 for a thousand searches of Gemini 3
    /// (https://ai.google.dev/gemini-api/docs/pricing); 10 for a thousand of Anthropic's (https://platform.claude.com/docs/en/about-claude/pricing).
    /// </summary>
    [Theory]
    [InlineData("openai", "gpt-5-2025-08-07", 2, "0.0325")] // 2,000 × 1.25 + 1,000 × 10 millionths, and 2 × 0.01
    [InlineData("openai", "gpt-4.1", 2, "0.062")] // 2,000 × 2 + 1,000 × 8, and 2 × 0.025
    [InlineData("openai", "gpt-4o-mini-search-preview", 0, "0.0259")] // 2,000 × 0.15 + 1,000 × 0.6, and 0.025 for the request
    [InlineData("openai", "gpt-4o-mini", 0, "0.0009")] // 2,000 × 0.15 + 1,000 × 0.6
    [InlineData("openai", "gpt-4o-search-preview", 0, "0.04")] // 2,000 × 2.5 + 1,000 × 10, and 0.025
    [InlineData("google", "gemini-2.5-flash", 3, "0.0381")] // 2,000 × 0.3 + 1,000 × 2.5, and 0.035
    [InlineData("google", "gemini-3-flash-preview", 3, "0.046")] // 2,000 × 0.5 + 1,000 × 3, and 3 × 0.014
    [InlineData("anthropic", "claude-sonnet-4-5", 3, "0.051")] // 2,000 × 3 + 1,000 × 15, and 3 × 0.01
    public void Cost_OfSearches_IsWhatTheVendorCharges(string platform, string model, int searches, string expected)
    {
        Usage usage = new() { InputTokens = 2000, OutputTokens = 1000, Media = searches == 0 ? null : new MediaUsage { WebSearches = searches } };

        Assert.Equal(
            decimal.Parse(expected, CultureInfo.InvariantCulture),
            Pricing.Cost(PriceBook.Shipped.Schedule(platform, model)!.At(new DateTimeOffset(2026, 11, 30, 12, 0, 0, TimeSpan.Zero)), usage));
    }

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);

    private static IEnumerable<string> Lines() => File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Prices", "vectors.tsv")).Skip(1);
}
