using System.Globalization;
using Ballast.Prices;
using Ballast.Protocols.Conversation;

namespace Ballast.Configuration;

/// <summary>Reads <c>prices:</c> and <c>price_book:</c>.</summary>
internal static class PriceReader
{
    /// <summary>The file that is taken where it lies beside the configuration and <c>price_book</c> is not written.</summary>
    public const string DefaultBook = "prices.jsonl";

    private const string Shipped = "shipped";
    private const string None = "none";
    private const decimal FigureMax = 100_000m;
    private const int TierEdgeMax = 1_000_000_000;

    public static List<PriceOptions> Read(LoadContext context, SectionReader file)
    {
        List<PriceOptions> prices = [];
        foreach ((string name, SectionReader section) in file.NamedSections("prices", "price", ConfiguredName.IsReference, ConfiguredName.ReferenceRule))
        {
            PriceOptions price = ReadFigures(section, name) with
            {
                PerRequest = section.Number("per_request", 0, FigureMax) ?? 0,
                Media = MediaPrices.Of(figure => section.Number(figure, 0, FigureMax)),
                Tiers = ReadTiers(context, section),
                Source = section.Text("source"),
                ByServiceTier = ReadServiceTiers(context, section, name),
            };
            section.End();
            section.Require("input", "US dollars per million tokens");
            section.Require("output", "US dollars per million tokens; 0 for embeddings");
            prices.Add(price);
        }

        return prices;
    }

    /// <summary>A book that cannot be read is a fault: costs would silently be unknown, and budgets with them.</summary>
    public static PriceBook ReadBook(LoadContext context, SectionReader file)
    {
        string? written = file.Text("price_book");
        if (written is Shipped or None)
        {
            return written == None ? PriceBook.Empty : PriceBook.Shipped;
        }

        string path = context.Locate(written ?? DefaultBook);
        context.Watch(path);
        if (written is null && !File.Exists(path))
        {
            return PriceBook.Shipped;
        }

        try
        {
            return PriceBookFile.Read(path);
        }
        catch (PriceException fault)
        {
            string message = written is null ? $"the price book {DefaultBook} beside this file cannot be used: {fault.Message}" : $"'price_book' cannot be used: {fault.Message}";
            file.Error("price_book", message.TrimEnd('.'), $"a file that 'ballast prices import' wrote, or '{Shipped}', or '{None}'");
            return PriceBook.Empty;
        }
    }

    private static PriceOptions ReadFigures(SectionReader section, string name) => new()
    {
        Name = name,
        Input = section.Number("input", 0, FigureMax) ?? 0,
        Output = section.Number("output", 0, FigureMax) ?? 0,
        CacheRead = section.Number("cache_read", 0, FigureMax),
        CacheWrite = section.Number("cache_write", 0, FigureMax),
        CacheWriteLong = section.Number("cache_write_1h", 0, FigureMax),
    };

    private static List<PriceTier> ReadTiers(LoadContext context, SectionReader price)
    {
        List<PriceTier> tiers = [];
        foreach ((YamlTree item, string path) in price.Items("tiers") ?? [])
        {
            if (item is not YamlMap map)
            {
                context.Faults.Error(path, item.Line, item.Column, $"a tier is expected here, not {item.Describe()}", "{ above: 200000, input: …, output: … }");
                continue;
            }

            SectionReader section = new(context, "tier", path, map);
            int? above = section.Whole("above", 1, TierEdgeMax);
            PriceOptions figures = ReadFigures(section, "");
            section.End();
            section.Require("above", "input tokens; a request with more is priced by this tier as a whole");
            section.Require("input", "US dollars per million tokens");
            section.Require("output", "US dollars per million tokens");
            tiers.Add(new PriceTier(above ?? 0, PriceFigures.Of(figures.Input, figures.Output, figures.CacheRead, figures.CacheWrite, figures.CacheWriteLong)));
        }

        if (tiers.Count > Price.TiersMax)
        {
            price.Error("tiers", string.Create(CultureInfo.InvariantCulture, $"there are more than {Price.TiersMax} tiers"), "no vendor has that many");
        }
        else if (tiers.DistinctBy(static tier => tier.Above).Count() != tiers.Count)
        {
            price.Error("tiers", "two tiers begin at the same number of tokens", "give each its own 'above'");
        }

        return [.. tiers.OrderBy(static tier => tier.Above)];
    }

    private static Dictionary<ServiceTier, PriceOptions> ReadServiceTiers(LoadContext context, SectionReader price, string name)
    {
        Dictionary<ServiceTier, PriceOptions> found = [];
        foreach (ServiceTier tier in (ServiceTier[])[ServiceTier.Batch, ServiceTier.Flex, ServiceTier.Priority])
        {
            if (price.Section(ServiceTierName.Of(tier), "service") is { } section)
            {
                PriceOptions figures = ReadFigures(section, name) with
                {
                    PerRequest = section.Number("per_request", 0, FigureMax) ?? 0,
                    Media = MediaPrices.Of(figure => section.Number(figure, 0, FigureMax)),
                    Tiers = ReadTiers(context, section),
                };
                section.End();
                section.Require("input", "US dollars per million tokens");
                section.Require("output", "US dollars per million tokens");
                found.Add(tier, figures);
            }
        }

        return found;
    }
}
