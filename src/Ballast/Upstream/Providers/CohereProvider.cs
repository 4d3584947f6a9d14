using Ballast.Catalog;
using Ballast.Exchanges;
using Ballast.Protocols;
using Ballast.Upstream.Signing;

namespace Ballast.Upstream.Providers;

/// <summary>api.cohere.com: chat, embeddings and reranking of version 2; OpenAI's shape, where it is asked for, below <c>/compatibility/v1</c>.</summary>
public sealed class CohereProvider : ProviderEndpoint
{
    public static CohereProvider Instance { get; } = new();

    public override Uri AddressOf(Deployment deployment, Protocol protocol, Operation operation, bool stream) =>
        Join(deployment.Provider, protocol == ProtocolList.CohereChat ? "/v2/chat"
            : protocol == ProtocolList.CohereEmbeddings ? "/v2/embed"
            : operation == Operation.Rerank ? "/v2/rerank"
            : "/compatibility/v1" + OperationName.PathOf(operation));

    public override void Sign(UpstreamMessage request, Provider provider, Credential? credential) => SignBearer(request, provider);
}
