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

    /// <summary>
    /// Worked out by hand from what vendors publish (US dollars): gpt-4o-audio-preview 2.50 / 10 text, 40 / 80 sound (platform.openai.com/docs/pricing); gpt-image-1 5 / 10 input text / picture, 40
    /// pictures out, 1.25 / 2.50 cached (same page); gemini-2.5-flash 0.30 text, 1.00 sound, 0.10 cached sound, 2.50 out (ai.google.dev/gemini-api/docs/pricing); claude-sonnet-4-5 3 / 15 and 10 for a
    /// thousand searches (platform.claude.com/docs/en/about-claude/pricing); dall-e-3 0.04 a picture.
    /// </summary>
    public static TheoryData<Price, Usage, string> MediaVectors => new()
    {
        // 30 × 2.5 + 60 × 40 + 10 × 10 + 40 × 80 = 5,775 millionths
        { Of(2.5m, 2.5m, 10, new MediaPrices { InputAudio = 40, OutputAudio = 80 }), new Usage { InputTokens = 90, OutputTokens = 50, Media = new MediaUsage { InputAudioTokens = 60, OutputAudioTokens = 40 } }, "0.005775" },
        // 16 × 5 + 34 × 10 + 4 × 1.25 + 6 × 2.5 + 1,056 × 40 = 42,680 millionths
        { Of(5, 1.25m, 40, new MediaPrices { InputImage = 10, CacheReadImage = 2.5m, OutputImage = 40 }), new Usage { InputTokens = 50, CacheReadTokens = 10, OutputTokens = 1056, Media = new MediaUsage { InputImageTokens = 34, CacheReadImageTokens = 6, OutputImageTokens = 1056 } }, "0.04268" },
        // 25 × 0.3 + 35 × 1 + 25 × 0.03 + 15 × 0.1 + 30 × 2.5 = 119.75 millionths
        { Of(0.3m, 0.03m, 2.5m, new MediaPrices { InputAudio = 1, CacheReadAudio = 0.1m }), new Usage { InputTokens = 60, CacheReadTokens = 40, OutputTokens = 30, Media = new MediaUsage { InputAudioTokens = 35, CacheReadAudioTokens = 15 } }, "0.00011975" },
        // 1,000 × 3 + 100 × 15 millionths, and 3 × 0.01
        { Of(3, 0.3m, 15, new MediaPrices { PerSearch = 0.01m }), new Usage { InputTokens = 1000, OutputTokens = 100, Media = new MediaUsage { WebSearches = 3 } }, "0.0345" },
        // 2 × 0.04
        { Of(0, 0, 0, new MediaPrices { PerImage = 0.04m }), new Usage { Media = new MediaUsage { Images = 2 } }, "0.08" },
        // gemini-2.5-flash, 35 for a thousand prompts that were grounded, however many searches: 1,000 × 0.3 + 200 × 2.5 millionths, and 0.035
        { Of(0.3m, 0.03m, 2.5m, new MediaPrices { PerSearchingRequest = 0.035m }), new Usage { InputTokens = 1000, OutputTokens = 200, Media = new MediaUsage { WebSearches = 4 } }, "0.0358" },
        // gemini-3-flash, 14 for a thousand searches: 1,000 × 0.5 + 200 × 3 millionths, and 4 × 0.014
        { Of(0.5m, 0.05m, 3, new MediaPrices { PerSearch = 0.014m }), new Usage { InputTokens = 1000, OutputTokens = 200, Media = new MediaUsage { WebSearches = 4 } }, "0.0571" },
        // gpt-5, 10 for a thousand searches: 8,000 × 1.25 + 300 × 10 millionths, and 2 × 0.01
        { Of(1.25m, 0.125m, 10, new MediaPrices { PerSearch = 0.01m }), new Usage { InputTokens = 8000, OutputTokens = 300, Media = new MediaUsage { WebSearches = 2 } }, "0.033" },
        // Grounding that was allowed and not used costs nothing.
        { Of(0.3m, 0.03m, 2.5m, new MediaPrices { PerSearchingRequest = 0.035m }), new Usage { InputTokens = 1000, OutputTokens = 200, Media = new MediaUsage { Images = 1 } }, "0.0008" },
        // Sound without a price of its own costs as text.
        { Of(2, 2, 8, null), new Usage { InputTokens = 90, OutputTokens = 50, Media = new MediaUsage { InputAudioTokens = 60, OutputAudioTokens = 40, WebSearches = 4 } }, "0.00058" },
        // A cached token of sound without a price of its own costs as one that was not cached.
        { Of(2, 1, 8, new MediaPrices { InputAudio = 10 }), new Usage { CacheReadTokens = 5, Media = new MediaUsage { CacheReadAudioTokens = 5 } }, "0.00005" },
        // More sound than there are tokens is a vendor's error.
        { Of(2, 2, 8, new MediaPrices { InputAudio = 10, InputImage = 20 }), new Usage { InputTokens = 10, Media = new MediaUsage { InputAudioTokens = 1000, InputImageTokens = 1000 } }, "0.0001" },
    };

    [Theory]
    [MemberData(nameof(MediaVectors))]
    public void Cost_SoundPicturesAndSearches_IsWhatVendorsPublish(Price price, Usage usage, string expected) =>
        Assert.Equal(decimal.Parse(expected, System.Globalization.CultureInfo.InvariantCulture), Pricing.Cost(price, usage));

    private static Price Of(decimal input, decimal cacheRead, decimal output, MediaPrices? media) => new(input, cacheRead, input, input, output, null) { Media = media };

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
