using Ballast.Catalog;
using Ballast.Exchanges;
using Ballast.Protocols;
using Ballast.Upstream.Signing;

namespace Ballast.Upstream.Providers;

/// <summary>api.openai.com.</summary>
public sealed class OpenAIProvider : ProviderEndpoint
{
    public static OpenAIProvider Instance { get; } = new();

    public override Uri AddressOf(Deployment deployment, Protocol protocol, Operation operation, bool stream) => Join(deployment.Provider, "/v1" + PathOf(protocol, operation));

    public override Uri? KeepAddressOf(Provider provider, string path) => Join(provider, "/v1" + path);

    public override void Sign(UpstreamMessage request, Provider provider, Credential? credential) => SignBearer(request, provider);
}
