using Ballast.Configuration;
using Ballast.Prices;
using Ballast.Protocols;

namespace Ballast.Catalog;

/// <summary>A provider that takes every model name: how a deployment is made for a name that nobody wrote down.</summary>
/// <param name="Vendor">Who makes its models, or <c>by-name</c>.</param>
/// <param name="FeatureChanges">Applied to the kind's defaults.</param>
/// <param name="PricesOf">What a model costs, by its vendor and its id; null where that is not known.</param>
public sealed record AnyModel(string Vendor, IReadOnlyList<string> FeatureChanges, Func<string, string, PriceSchedule?> PricesOf)
{
    /// <summary>All its models are of one vendor, so that a bare name of that vendor may go here.</summary>
    public bool IsOfOneVendor => Vendor != VendorName.ByName;

    /// <param name="provider">The provider that takes any model.</param>
    /// <param name="model">What stands after <c>provider/</c>; sent as it is.</param>
    public Deployment Create(Provider provider, string model)
    {
        string vendor = VendorName.Of(Vendor, model);
        IReadOnlyList<Protocol> protocols = ProtocolDefaults.Choose(provider, vendor, model, []);
        return new Deployment
        {
            Name = $"{provider.Name}/{model}",
            Provider = provider.For(protocols),
            Model = model,
            SentModel = model,
            Vendor = vendor,
            Protocols = protocols,
            Platform = provider.Platform,
            Region = provider.Region,
            Data = InferenceProfile.GeoOf(provider.Platform, model) is { } geo ? provider.Data with { Geo = geo } : provider.Data,
            Features = FeatureName.Apply(FeatureDefaults.Of(provider.Kind, vendor, protocols[0], provider.Platform), FeatureChanges),
            Prices = PricesOf(vendor, model),
            IsEmbedding = model.Contains("embed", StringComparison.OrdinalIgnoreCase),
        };
    }
}
