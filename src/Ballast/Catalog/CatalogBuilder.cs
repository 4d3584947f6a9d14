using System.Collections.Frozen;
using Ballast.Configuration;
using Ballast.Protocols;

namespace Ballast.Catalog;

/// <summary>Builds the running catalog from valid options: names become references, defaults become values. Pure: no I/O, no clock.</summary>
public static class CatalogBuilder
{
    /// <summary>Given as every model's date: Ballast does not know when a vendor published it, and a fixed date keeps lists equal across restarts.</summary>
    public const long CreatedUnixSeconds = 1_735_689_600;

    private const long MaxOutputTokensDefault = 8192;

    /// <param name="options">Must have passed <see cref="OptionsValidator"/>.</param>
    /// <param name="revision">Counts up with every catalog.</param>
    public static CatalogSnapshot Build(BallastOptions options, int revision)
    {
        PriceFinder prices = new(options);
        List<Provider> providers = [];
        List<Deployment> deployments = [];
        foreach (ProviderOptions written in options.Providers)
        {
            Provider provider = BuildProvider(written, prices, options.Server.Nodes);
            providers.Add(provider);
            deployments.AddRange(written.Deployments.Select(deployment => BuildDeployment(provider, written, deployment, prices, options.Server.Nodes)));
        }

        FrozenDictionary<string, Provider> providersByName = providers.ToFrozenDictionary(static provider => provider.Name, StringComparer.Ordinal);
        FrozenDictionary<string, Deployment> deploymentsByName =
            deployments.ToFrozenDictionary(static deployment => deployment.Name, StringComparer.Ordinal);
        List<Model> models = BuildModels(options, deployments, deploymentsByName, providersByName);
        return new CatalogSnapshot
        {
            Revision = revision,
            Providers = providersByName,
            Deployments = deploymentsByName,
            Models = models.ToFrozenDictionary(static model => model.Name, StringComparer.Ordinal),
            ModelOrder = models,
            Keys = [.. options.Keys.Select(key => BuildKey(key, options.Tenancy))],
            Tenancy = options.Tenancy,
            Telemetry = options.Telemetry,
            Commitments = options.Commitments,
            Limits = options.Limits,
            Cors = options.Server.Cors,
            Constitution = [.. (options.Constitution?.Principles ?? []).Select(static principle => new Principle(principle))],
            Finder = new ModelFinder(providersByName, providers),
        };
    }

    private static Provider BuildProvider(ProviderOptions written, PriceFinder prices, int nodes)
    {
        ProviderKind kind = FeatureDefaults.KindOf(written.Kind!);
        return new Provider
        {
            Name = written.Name,
            Kind = kind,
            Protocols = ProtocolsOf(written, kind),
            NativeAddress = kind == ProviderKind.AwsBedrock && written is { BaseUrl: null, Api: null } ? ProviderKindName.DefaultBaseUrl(written.Kind!, written.Region, "converse") : null,
            Platform = written.Platform!,
            Region = written.Region!,
            BaseAddress = BaseAddressOf(written, kind),
            ApiKey = written.ApiKey is { } secret ? new Secret(secret.Reveal()) : null,
            Entra = written.Entra is { } entra ? BuildIdentity(entra) : null,
            Project = written.Project,
            CredentialsFile = written.CredentialsFile,
            MetadataHost = written.MetadataHost,
            Aws = written.Aws is { RoleArn: null } ? BuildKeys(written.Aws) : null,
            AwsIdentity = written.Aws is { } aws ? BuildIdentity(aws, written.Region!) : null,
            Ca = written.Ca,
            Http = written.Http2 switch
            {
                "true" => HttpUse.Http2,
                "auto" => HttpUse.Negotiated,
                _ => HttpUse.Http11,
            },
            ApiVersion = written.ApiVersion,
            Headers = written.Headers,
            AllowPrivateAddresses = written.AllowPrivateAddresses,
            Quota = written.Quota,
            HardQuota = HardQuota.Of(written.Quota, nodes),
            Data = new DataTerms(written.Data!.Geo!, written.Data.RetentionDays!.Value, written.Data.Training!.Value),
            Betas = written.Betas?.ToFrozenSet(StringComparer.Ordinal) ?? BetaDefaults.Of(kind, written.Platform!),
            AnyModel = written.AnyModel ? new AnyModel(written.Vendor!, written.Features, (vendor, model) => prices.Find(written, vendor, model, sentModel: model)) : null,
        };
    }

    /// <summary>A Bedrock address that is written without saying what it speaks is one of the OpenAI-shaped ones.</summary>
    private static IReadOnlyList<Protocol> ProtocolsOf(ProviderOptions written, ProviderKind kind) =>
        written.Protocols.Count > 0 ? ProtocolDefaults.Named(written.Protocols)
        : kind == ProviderKind.AwsBedrock ? ProtocolDefaults.OfApi(written is { Api: null, BaseUrl: not null } ? "mantle" : written.Api)
        : [];

    private static AwsKeys? BuildKeys(AwsOptions written) => written is { AccessKeyId: { } id, SecretAccessKey: { } secret }
        ? new AwsKeys(id.Reveal(), new Secret(secret.Reveal()), written.SessionToken is { } token ? new Secret(token.Reveal()) : null)
        : null;

    /// <summary>Null where the keys are at hand and assume no role.</summary>
    private static AwsIdentity? BuildIdentity(AwsOptions written, string region)
    {
        AwsKeys? keys = BuildKeys(written);
        return keys is not null && written.RoleArn is null ? null : new AwsIdentity
        {
            Keys = keys,
            Profile = written.Profile,
            RoleArn = written.RoleArn,
            RoleSessionName = written.RoleSessionName ?? "ballast",
            ExternalId = written.ExternalId,
            TokenFile = written.TokenFile,
            StsUrl = written.StsUrl,
            Region = region,
        };
    }

    private static EntraIdentity BuildIdentity(EntraOptions written) => new()
    {
        TenantId = written.TenantId,
        ClientId = written.ClientId,
        ClientSecret = written.ClientSecret is { } secret ? new Secret(secret.Reveal()) : null,
        TokenFile = written.TokenFile,
        Authority = written.Authority ?? EntraOptions.DefaultAuthority,
        Scope = written.Scope ?? EntraOptions.DefaultScope,
    };

    /// <summary>People write addresses with and without the version, as the vendors' own SDKs do; the kinds that add it get it without.</summary>
    private static Uri BaseAddressOf(ProviderOptions written, ProviderKind kind)
    {
        Uri address = written.BaseUrl ?? ProviderKindName.DefaultBaseUrl(written.Kind!, written.Region, written.Api)!;
        string text = address.GetLeftPart(UriPartial.Path).TrimEnd('/');
        if (kind == ProviderKind.AzureOpenAI && (text.EndsWith("/anthropic", StringComparison.Ordinal) || text.EndsWith("/anthropic/v1", StringComparison.Ordinal)))
        {
            return new Uri(text[..text.LastIndexOf("/anthropic", StringComparison.Ordinal)]);
        }

        string added = kind switch
        {
            ProviderKind.OpenAICompatible => "",
            ProviderKind.AzureOpenAI => "/openai/v1",
            ProviderKind.Gemini => "/v1beta",
            _ => "/v1",
        };
        return new Uri(added.Length > 0 && text.EndsWith(added, StringComparison.Ordinal) ? text[..^added.Length] : text);
    }

    private static Deployment BuildDeployment(
        Provider provider, ProviderOptions providerOptions, DeploymentOptions written, PriceFinder prices, int nodes)
    {
        string vendor = written.Vendor ?? providerOptions.Vendor!;
        string name = $"{provider.Name}/{written.Name}";
        IReadOnlyList<Protocol> protocols = ProtocolDefaults.Choose(provider, vendor, written.Model ?? written.Name, ProtocolDefaults.Named(written.Protocols));
        TargetFeatures features = FeatureName.Apply(FeatureDefaults.Of(provider.Kind, vendor, protocols[0], provider.Platform), providerOptions.Features);
        return new Deployment
        {
            Name = name,
            Provider = provider.For(protocols),
            Model = written.Name,
            SentModel = written.Model ?? written.Name,
            Vendor = vendor,
            Protocols = protocols,
            Platform = provider.Platform,
            Region = written.Region ?? provider.Region,
            Data = new DataTerms(
                InferenceProfile.WidestOf(provider.Platform, written.Model ?? written.Name, written.Data?.Geo) ?? provider.Data.Geo,
                written.Data?.RetentionDays ?? provider.Data.RetentionDays,
                written.Data?.Training ?? provider.Data.Training),
            Features = FeatureName.Apply(features, written.Features),
            DefaultMaxOutputTokens = written.MaxOutputTokens ?? MaxOutputTokensDefault,
            Prices = prices.Find(providerOptions, written),
            IsEmbedding = written.Embedding,
            Deprecated = written.Deprecated,
            EndOfLife = written.EndOfLife,
            Quota = written.Quota,
            HardQuota = HardQuota.Of(written.Quota, nodes),
        };
    }

    /// <summary>Named models first, then bare names of deployments in the order of the file, then the deployments under their own names.</summary>
    private static List<Model> BuildModels(
        BallastOptions options, List<Deployment> deployments, FrozenDictionary<string, Deployment> byName, FrozenDictionary<string, Provider> providers)
    {
        List<Model> models = [.. options.Models.Select(model => BuildModel(model, byName, providers))];
        HashSet<string> taken = new(models.Select(static model => model.Name).Concat(byName.Keys), StringComparer.Ordinal);
        foreach (IGrouping<string, Deployment> same in deployments.GroupBy(static deployment => deployment.Model, StringComparer.Ordinal))
        {
            if (taken.Add(same.Key))
            {
                models.Add(new Model(same.Key, Selection.Ordered, [.. same.Select(static one => new Candidate(one, 1))], CreatedUnixSeconds));
            }
        }

        models.AddRange(deployments.Select(static deployment =>
            new Model(deployment.Name, Selection.Ordered, [new Candidate(deployment, 1)], CreatedUnixSeconds) { IsDeployment = true }));
        return models;
    }

    private static Model BuildModel(ModelOptions written, FrozenDictionary<string, Deployment> byName, FrozenDictionary<string, Provider> providers)
    {
        Candidate[] candidates = [.. written.Deployments.Select(candidate => new Candidate(Find(candidate.Deployment), candidate.Weight))];
        return new Model(written.Name, written.Selection == "weighted" ? Selection.Weighted : Selection.Ordered, candidates, CreatedUnixSeconds)
        {
            LossPolicy = written.LossPolicy is { } policy ? PolicyOf(policy) : null,
            RateLimits = written.RateLimits,
        };

        Deployment Find(string name)
        {
            if (byName.TryGetValue(name, out Deployment? deployment))
            {
                return deployment;
            }

            int slash = name.IndexOf('/', StringComparison.Ordinal);
            Provider provider = providers[name[..slash]];
            return provider.AnyModel!.Create(provider, name[(slash + 1)..]);
        }
    }

    public static LossPolicy PolicyOf(string written) => written switch
    {
        "strict" => LossPolicy.Strict,
        "allow" => LossPolicy.Allow,
        _ => LossPolicy.Warn,
    };

    public static DataAllowance AllowanceOf(AllowOptions? written) => written is { } allow
        ? new DataAllowance(allow.Geo?.ToFrozenSet(StringComparer.Ordinal), allow.RetentionDaysMax, allow.Training)
        : DataAllowance.Everything;

    private static ApiKey BuildKey(KeyOptions written, TenancyOptions tenancy) => new()
    {
        Id = written.Id,
        Digest = written.Digest,
        App = written.App ?? written.Id,
        Tier = tenancy.Apps.FirstOrDefault(app => app.Id == (written.App ?? written.Id))?.Tier,
        Allow = AllowanceOf(written.Allow),
        LossPolicy = PolicyOf(written.LossPolicy),
        Models = written.Models?.ToFrozenSet(StringComparer.Ordinal),
        ExpiresAt = written.ExpiresAt,
        Scopes = KeyScope.Of(written.Scopes),
        RateLimits = written.RateLimits,
    };
}
