using Ballast.Ledger;
using Ballast.Prices;
using Ballast.Protocols.Conversation;
using CsCheck;

namespace Ballast.Tests.Ledger;

public sealed class PricingTests
{
    private static readonly Price s_price = new(Input: 3, CacheRead: 0.3m, CacheWrite: 3.75m, CacheWriteLong: 6, Output: 15, Source: null);

    [Fact]
    public void Cost_EveryClass_IsPricedOnce()
    {
        Usage usage = new()
        {
            InputTokens = 1_000,
            CacheReadTokens = 10_000,
            CacheWriteTokens = 2_000,
            CacheWriteLongTokens = 500,
            OutputTokens = 300,
            ReasoningTokens = 200,
        };

        Assert.Equal(0.003m + 0.003m + 0.0075m + 0.003m + 0.0045m, Pricing.Cost(s_price, usage));
        Assert.Equal(0.003m + 0.003m + 0.0075m + 0.003m, Pricing.InputCost(s_price, usage));
    }

    [Fact]
    public void Cost_NoPrice_IsUnknownAndNotZero()
    {
        Assert.Null(Pricing.Cost(null, new Usage { InputTokens = 5 }));
        Assert.Null(Pricing.InputCost(null, new Usage { InputTokens = 5 }));
        Assert.Equal(0m, Pricing.Cost(s_price, new Usage()));
    }

    [Theory]
    [InlineData("0.0000005", "0.000000000000")] // half a picodollar: to the even neighbour, which is 0
    [InlineData("0.0000015", "0.000000000002")] // one and a half: to 2
    [InlineData("0.0000025", "0.000000000002")] // two and a half: to 2
    [InlineData("0.00000251", "0.000000000003")]
    public void Cost_HalfAPicodollar_RoundsToEven(string pricePerMillion, string expected)
    {
        Price price = s_price with { Input = decimal.Parse(pricePerMillion, System.Globalization.CultureInfo.InvariantCulture) };

        Assert.Equal(
            decimal.Parse(expected, System.Globalization.CultureInfo.InvariantCulture),
            Pricing.Cost(price, new Usage { InputTokens = 1 }));
    }

    [Fact]
    public void Cost_NegativeTokens_GiveNoCredit() =>
        Assert.Equal(0.000_015m, Pricing.Cost(s_price, new Usage { InputTokens = -1_000_000, OutputTokens = 1 }));

    [Fact]
    public void Cost_AbsurdTokens_IsUnknown() => Assert.Null(Pricing.Cost(s_price, new Usage { OutputTokens = long.MaxValue }));

    [Fact]
    public void Cost_AnyUsage_EqualsTheWholeNumberModel() =>
        (from input in Gen.Int[0, 2_000_000]
         from read in Gen.Int[0, 2_000_000]
         from output in Gen.Int[0, 200_000]
         from inputPrice in Gen.Int[0, 100_000]
         from readPrice in Gen.Int[0, 100_000]
         from outputPrice in Gen.Int[0, 100_000]
         select (input, read, output, inputPrice, readPrice, outputPrice)).Sample(
            sample =>
            {
                // Prices in thousandths of a dollar per million tokens are whole nanodollars a token.
                Int128 pico = ((Int128)sample.input * sample.inputPrice + (Int128)sample.read * sample.readPrice
                    + (Int128)sample.output * sample.outputPrice) * 1_000;
                Price price = new(sample.inputPrice / 1000m, sample.readPrice / 1000m, 0, 0, sample.outputPrice / 1000m, null);
                Usage usage = new() { InputTokens = sample.input, CacheReadTokens = sample.read, OutputTokens = sample.output };
                Assert.Equal((long)pico, Picodollars.FromDollars(Pricing.Cost(price, usage)!.Value));
            });
}
