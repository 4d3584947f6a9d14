using Ballast.Catalog;
using Ballast.Exchanges;
using Ballast.Protocols;
using Ballast.Upstream.Signing;

namespace Ballast.Upstream.Providers;

/// <summary>A server of Ollama's, one's own or its cloud: its own chat at <c>/api/chat</c>, OpenAI's shape below <c>/v1</c>. A key is sent only if there is one.</summary>
public sealed class OllamaProvider : ProviderEndpoint
{
    public static OllamaProvider Instance { get; } = new();

    public override Uri AddressOf(Deployment deployment, Protocol protocol, Operation operation, bool stream) =>
        Join(deployment.Provider, protocol == ProtocolList.OllamaChat ? "/api/chat" : "/v1" + OperationName.PathOf(operation));

    public override void Sign(UpstreamMessage request, Provider provider, Credential? credential) => SignBearer(request, provider);
}
