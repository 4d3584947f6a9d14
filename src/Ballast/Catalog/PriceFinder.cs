using Ballast.Configuration;
using Ballast.Prices;
using Ballast.Protocols.Conversation;

namespace Ballast.Catalog;

/// <summary>
/// Finds what a deployment costs: the price that it names, one under its own name or its vendor's, else the price book's, less the discount agreed with the provider.
/// Figures written in the configuration are what is paid: no discount is taken off them.
/// </summary>
internal sealed class PriceFinder(BallastOptions options)
{
    private readonly Dictionary<string, PriceSchedule> _written = options.Prices.ToDictionary(static price => price.Name, Schedule, StringComparer.Ordinal);

    public PriceSchedule? Find(ProviderOptions provider, DeploymentOptions deployment)
    {
        string vendor = deployment.Vendor ?? provider.Vendor!;
        return deployment.Price is { } named ? _written[named]
            : _written.GetValueOrDefault($"{provider.Name}/{deployment.Name}") ?? _written.GetValueOrDefault($"{vendor}/{deployment.Name}")
            ?? InBook(options.PriceBook, provider, deployment.Model ?? deployment.Name);
    }

    public static PriceSchedule? InBook(PriceBook book, ProviderOptions provider, string model)
    {
        PriceSchedule? listed = book.Schedule(provider.Platform!, model);
        return provider.DiscountPercent is 0 ? listed : listed?.Times(1 - provider.DiscountPercent / 100, $"less {provider.DiscountPercent:0.####} %");
    }

    private static PriceSchedule Schedule(PriceOptions written) =>
        new([Row(written, ServiceTier.Standard), .. written.ByServiceTier.Select(pair => Row(pair.Value with { Source = written.Source }, pair.Key))]);

    private static PriceRow Row(PriceOptions written, ServiceTier tier)
    {
        PriceFigures figures = PriceFigures.Of(written.Input, written.Output, written.CacheRead, written.CacheWrite, written.CacheWriteLong);
        return new PriceRow
        {
            Platform = "",
            Model = written.Name,
            Patterns = [],
            ServiceTier = tier,
            KnownFrom = DateOnly.MinValue,
            Price = new Price(figures.Input, figures.CacheRead, figures.CacheWrite, figures.CacheWriteLong, figures.Output, written.Source)
            {
                Tiers = written.Tiers,
                PerRequest = written.PerRequest,
            },
        };
    }
}
