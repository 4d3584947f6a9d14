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

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);

    private static IEnumerable<string> Lines() => File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Prices", "vectors.tsv")).Skip(1);
}
