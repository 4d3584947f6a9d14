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

    public PriceSchedule? Find(ProviderOptions provider, DeploymentOptions deployment) =>
        deployment.Price is { } named ? _written[named]
            : Find(provider, deployment.Vendor ?? provider.Vendor!, deployment.Name, deployment.Model ?? deployment.Name);

    /// <param name="provider">Where it is asked.</param>
    /// <param name="vendor">Who makes it.</param>
    /// <param name="name">What stands after the provider's or the vendor's name, in the configuration.</param>
    /// <param name="sentModel">Its id at the platform.</param>
    public PriceSchedule? Find(ProviderOptions provider, string vendor, string name, string sentModel) =>
        _written.GetValueOrDefault($"{provider.Name}/{name}") ?? _written.GetValueOrDefault($"{vendor}/{name}") ?? InBook(provider, sentModel);

    private PriceSchedule? InBook(ProviderOptions provider, string model)
    {
        PriceSchedule? listed = options.PriceBook.Schedule(provider.Platform!, model);
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
                Media = written.Media,
            },
        };
    }
}
