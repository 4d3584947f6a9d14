using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using Ballast.Catalog;
using Ballast.Configuration;
using Ballast.Protocols;

namespace Ballast.Tests.Routing;

/// <summary>Makes catalog pieces for tests.</summary>
internal static class Deployments
{
    public static Deployment Of(string name, string vendor, string platform, string region, string geo = "eu")
    {
        DataTerms data = new(geo, RetentionDays: 0, Training: false);
        string provider = name[..name.IndexOf('/')];
        return new Deployment
        {
            Name = name,
            Model = name[(name.IndexOf('/') + 1)..],
            SentModel = name[(name.IndexOf('/') + 1)..],
            Vendor = vendor,
            Protocols = [ProtocolList.OpenAIChat],
            Platform = platform,
            Region = region,
            Data = data,
            Features = TargetFeatures.None,
            Provider = new Provider
            {
                Name = provider,
                Kind = ProviderKind.OpenAICompatible,
                Platform = platform,
                Region = region,
                BaseAddress = new Uri("http://127.0.0.1:9/v1"),
                Data = data,
            },
        };
    }

    public static ApiKey Key(DataAllowance? allow = null) => new()
    {
        Id = "test",
        App = "test",
        Digest = SHA256.HashData(Encoding.UTF8.GetBytes("test-key")),
        Allow = allow ?? DataAllowance.Everything,
    };

    public static CatalogSnapshot Catalog(LimitsOptions? limits = null, params IReadOnlyList<ApiKey> keys) => new()
    {
        Revision = 1,
        Providers = FrozenDictionary<string, Provider>.Empty,
        Deployments = FrozenDictionary<string, Deployment>.Empty,
        Models = FrozenDictionary<string, Model>.Empty,
        ModelOrder = [],
        Keys = keys,
        Limits = limits ?? new LimitsOptions(),
    };
}
