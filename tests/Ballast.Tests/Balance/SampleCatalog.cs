using System.Collections.Frozen;
using Ballast.Catalog;
using Ballast.Configuration;
using Ballast.Protocols;

namespace Ballast.Tests.Balance;

/// <summary>
/// The demo's world in small: gpt at azure and aws, claude at anthropic, llama at home. <c>assistant</c> may go to any, <c>gpt</c> to two clouds,
/// <c>claude</c> to one place.
/// </summary>
internal static class SampleCatalog
{
    private static readonly DataTerms s_eu = new("eu", 0, Training: false);
    private static readonly DataTerms s_us = new("us", 30, Training: false);

    public static CatalogSnapshot Create(params IReadOnlyList<ApiKey> keys)
    {
        Deployment azure = Deployment("azure", "gpt", "openai", "azure", "sweden", s_eu);
        Deployment bedrock = Deployment("bedrock", "openai.gpt", "openai", "aws", "frankfurt", s_eu);
        Deployment anthropic = Deployment("anthropic", "claude", "anthropic", "anthropic", "global", s_us);
        Deployment local = Deployment("local", "meta/llama", "meta", "local", "home", s_eu);
        Deployment[] deployments = [azure, bedrock, anthropic, local];
        return Create(
            deployments,
            keys,
            Model("assistant", azure, bedrock, anthropic, local),
            Model("gpt", azure, bedrock),
            Model("claude", anthropic));
    }

    public static CatalogSnapshot Create(Deployment[] deployments, IReadOnlyList<ApiKey> keys, params Model[] models)
    {
        Model[] all = [.. models, .. deployments.Select(deployment => Model(deployment.Name, deployment) with { IsDeployment = true })];
        return new CatalogSnapshot
        {
            Revision = 1,
            Providers = deployments.Select(deployment => deployment.Provider).DistinctBy(provider => provider.Name)
                .ToFrozenDictionary(provider => provider.Name),
            Deployments = deployments.ToFrozenDictionary(deployment => deployment.Name),
            Models = all.ToFrozenDictionary(model => model.Name),
            ModelOrder = all,
            Keys = keys,
            Limits = new LimitsOptions(),
        };
    }

    public static ApiKey Key(string app, DataAllowance? allow = null, params string[] models) => new()
    {
        Id = app,
        App = app,
        Digest = new byte[32],
        Allow = allow ?? DataAllowance.Everything,
        Models = models.Length == 0 ? null : models.ToHashSet(),
    };

    public static DataAllowance EuropeOnly { get; } = new(new HashSet<string> { "eu" }, RetentionDaysMax: null, Training: false);

    public static Model Model(string name, params Deployment[] candidates) =>
        new(name, Selection.Ordered, [.. candidates.Select(deployment => new Candidate(deployment, 1))], 0);

    public static Deployment Deployment(string provider, string model, string vendor, string platform, string region, DataTerms data) => new()
    {
        Name = $"{provider}/{model}",
        Provider = new Provider
        {
            Name = provider,
            Kind = ProviderKind.OpenAICompatible,
            Platform = platform,
            Region = region,
            BaseAddress = new Uri("http://127.0.0.1:9"),
            Data = data,
        },
        Model = model,
        SentModel = model,
        Vendor = vendor,
        Protocols = [ProtocolList.OpenAIChat],
        Platform = platform,
        Region = region,
        Data = data,
        Features = new TargetFeatures(),
    };
}
