namespace Ballast.Configuration;

/// <summary>All deployments by <c>provider/model</c>, with what they inherit from their provider.</summary>
internal sealed class DeploymentIndex
{
    private readonly Dictionary<string, (ProviderOptions Provider, DeploymentOptions Deployment)> _deployments = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ProviderOptions> _anyModel = new(StringComparer.Ordinal);
    private readonly HashSet<string> _models = new(StringComparer.Ordinal);

    public DeploymentIndex(BallastOptions options)
    {
        foreach (ProviderOptions provider in options.Providers)
        {
            if (provider.AnyModel)
            {
                _anyModel.TryAdd(provider.Name, provider);
            }

            foreach (DeploymentOptions deployment in provider.Deployments)
            {
                _deployments.TryAdd($"{provider.Name}/{deployment.Name}", (provider, deployment));
                _models.Add(deployment.Name);
            }
        }

        _models.UnionWith(options.Models.Select(static model => model.Name));
    }

    public IReadOnlyCollection<string> Names => _deployments.Keys;

    public bool IsDeployment(string name) => _deployments.ContainsKey(name);

    /// <summary>A deployment that is written, or one that a provider with <c>any_model</c> accepts.</summary>
    public bool IsReachable(string name) => IsDeployment(name) || AnyModelOf(name) is not null;

    /// <summary>A model that is written, or the bare name of a deployment.</summary>
    public bool IsModel(string name) => _models.Contains(name);

    /// <summary>Vendor, platform and region of a deployment; items that are not known are null.</summary>
    public (string? Vendor, string? Platform, string? Region) PlaceOf(string name)
    {
        if (_deployments.TryGetValue(name, out (ProviderOptions Provider, DeploymentOptions Deployment) found))
        {
            return (found.Deployment.Vendor ?? found.Provider.Vendor, found.Provider.Platform, found.Deployment.Region ?? found.Provider.Region);
        }

        return AnyModelOf(name) is { } provider
            ? (VendorName.Of(provider.Vendor, name[(name.IndexOf('/') + 1)..]), provider.Platform, provider.Region)
            : (null, null, null);
    }

    /// <summary>What is done with data at a deployment; items that are not known are null.</summary>
    public DataOptions TermsOf(string name)
    {
        if (!_deployments.TryGetValue(name, out (ProviderOptions Provider, DeploymentOptions Deployment) found))
        {
            return AnyModelOf(name)?.Data ?? new DataOptions();
        }

        return new DataOptions
        {
            Geo = InferenceProfile.WidestOf(found.Provider.Platform, found.Deployment.Model ?? found.Deployment.Name, found.Deployment.Data?.Geo) ?? found.Provider.Data?.Geo,
            RetentionDays = found.Deployment.Data?.RetentionDays ?? found.Provider.Data?.RetentionDays,
            Training = found.Deployment.Data?.Training ?? found.Provider.Data?.Training,
        };
    }

    private ProviderOptions? AnyModelOf(string name)
    {
        int slash = name.IndexOf('/', StringComparison.Ordinal);
        return slash > 0 && slash < name.Length - 1 ? _anyModel.GetValueOrDefault(name[..slash]) : null;
    }
}
