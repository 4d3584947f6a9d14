using System.Collections.Concurrent;
using System.Collections.Frozen;
using Ballast.Configuration;

namespace Ballast.Catalog;

/// <summary>
/// Finds models whose names nobody wrote down, at providers that take any model: <c>provider/name</c>, or a bare name at providers of that one vendor.
/// What was found is remembered up to <see cref="RememberedMax"/> names; further ones are made anew each time.
/// </summary>
internal sealed class ModelFinder(FrozenDictionary<string, Provider> providers, IReadOnlyList<Provider> order)
{
    public const int RememberedMax = 1000;

    private readonly ConcurrentDictionary<string, Model> _remembered = new(StringComparer.Ordinal);
    private readonly Provider[] _ofOneVendor = [.. order.Where(static provider => provider.AnyModel is { IsOfOneVendor: true })];

    public Model? Find(string name)
    {
        if (_remembered.TryGetValue(name, out Model? known))
        {
            return known;
        }

        if (!ConfiguredName.IsReference(name) || Create(name) is not { } model)
        {
            return null;
        }

        if (_remembered.Count < RememberedMax)
        {
            _remembered.TryAdd(name, model);
        }

        return model;
    }

    private Model? Create(string name)
    {
        int slash = name.IndexOf('/', StringComparison.Ordinal);
        if (slash > 0 && providers.TryGetValue(name[..slash], out Provider? provider))
        {
            return provider.AnyModel is { } any ? Join(name, [any.Create(provider, name[(slash + 1)..])], isDeployment: true) : null;
        }

        string vendor = VendorName.Of(VendorName.ByName, name);
        Deployment[] found = [.. _ofOneVendor.Where(one => one.AnyModel!.Vendor == vendor).Select(one => one.AnyModel!.Create(one, name))];
        return found.Length == 0 ? null : Join(name, found, isDeployment: false);
    }

    private static Model Join(string name, Deployment[] deployments, bool isDeployment) =>
        new(name, Selection.Ordered, [.. deployments.Select(static deployment => new Candidate(deployment, 1))], CatalogBuilder.CreatedUnixSeconds)
        {
            IsDeployment = isDeployment,
        };
}
