using Ballast.Prices;
using Ballast.Protocols.Conversation;

namespace Ballast.Ledger;

/// <summary>
/// What an answer costs: each disjoint token class times its price per million tokens, in exact decimal arithmetic. The length of the whole prompt chooses the tier.
/// The sum is rounded once, half to even, to 1e-12 US dollars.
/// </summary>
public static class Pricing
{
    /// <summary>Decimals kept of a dollar.</summary>
    public const int Decimals = 12;

    /// <summary>A cost above this is not believed: the vendor's token count is wrong, and the cost is recorded as unknown.</summary>
    public const decimal CostUsdMax = 1_000_000m;

    /// <summary>Prices are for a million tokens. Multiplying by it is as exact as dividing by a million, and a tenth of the work.</summary>
    private const decimal DollarsPerMillionth = 0.000_001m;
    private const decimal TokensPerPrice = 1_000_000m;

    /// <summary>US dollars; null where the price is not known. A negative token count is taken as zero: nothing earns a credit.</summary>
    public static decimal? Cost(Price? price, Usage usage) => Costs(price, usage).Cost;

    /// <summary>The input's part of <see cref="Cost"/>, cache classes included.</summary>
    public static decimal? InputCost(Price? price, Usage usage) => Costs(price, usage).InputCost;

    /// <summary>Both at once.</summary>
    public static (decimal? Cost, decimal? InputCost) Costs(Price? price, Usage usage)
    {
        if (price is null)
        {
            return (null, null);
        }

        PriceFigures figures = price.For(usage.TotalInputTokens);
        decimal input = Class(usage.InputTokens, figures.Input)
            + Class(usage.CacheReadTokens, figures.CacheRead)
            + Class(usage.CacheWriteTokens, figures.CacheWrite)
            + Class(usage.CacheWriteLongTokens, figures.CacheWriteLong);
        decimal output = Class(usage.OutputTokens, figures.Output);
        decimal request = usage.TotalInputTokens + usage.OutputTokens > 0 ? price.PerRequest * TokensPerPrice : 0;
        if (price.Media is { } prices && usage.Media is { } media)
        {
            input += Instead(media.InputAudioTokens, media.InputImageTokens, usage.InputTokens, prices.InputAudio, prices.InputImage, figures.Input)
                + Instead(media.CacheReadAudioTokens, media.CacheReadImageTokens, usage.CacheReadTokens, prices.CacheReadAudio ?? prices.InputAudio, prices.CacheReadImage ?? prices.InputImage, figures.CacheRead);
            output += Instead(media.OutputAudioTokens, media.OutputImageTokens, usage.OutputTokens, prices.OutputAudio, prices.OutputImage, figures.Output);
            request += TokensPerPrice * (Class(media.WebSearches, prices.PerSearch ?? 0) + Class(Math.Min(media.WebSearches, 1), prices.PerSearchingRequest ?? 0) + Class(media.Images, prices.PerImage ?? 0));
        }

        decimal? cost = Round(input + request + output);
        return cost is null ? (null, null) : (cost, Round(input));
    }

    /// <summary>What sound and pictures among the tokens of a class cost more (or less) than text. Together they are never more than the class.</summary>
    private static decimal Instead(long audio, long image, long all, decimal? audioPrice, decimal? imagePrice, decimal textPrice)
    {
        long sound = Math.Clamp(audio, 0, Math.Max(0, all));
        long pictures = Math.Clamp(image, 0, Math.Max(0, all) - sound);
        return (sound * ((audioPrice ?? textPrice) - textPrice)) + (pictures * ((imagePrice ?? textPrice) - textPrice));
    }

    /// <summary>In millionths of a dollar, still unrounded. The millionth comes last, so that rounding does.</summary>
    private static decimal Class(long tokens, decimal price) => tokens <= 0 ? 0 : tokens * price;

    private static decimal? Round(decimal millionths)
    {
        decimal dollars = millionths * DollarsPerMillionth;
        return dollars > CostUsdMax ? null : decimal.Round(dollars, Decimals, MidpointRounding.ToEven);
    }
}
