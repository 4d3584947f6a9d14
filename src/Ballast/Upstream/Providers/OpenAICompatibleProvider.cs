using Ballast.Catalog;
using Ballast.Exchanges;
using Ballast.Protocols;
using Ballast.Upstream.Signing;

namespace Ballast.Upstream.Providers;

/// <summary>
/// Any server that speaks Chat Completions (vLLM, llama.cpp, Ollama, Groq, Llama hosts …). The base address is written as such servers document it, with its
/// <c>/v1</c> or other prefix: only <c>/chat/completions</c> is added.
/// </summary>
public sealed class OpenAICompatibleProvider : ProviderEndpoint
{
    public static OpenAICompatibleProvider Instance { get; } = new();

    public override Uri AddressOf(Deployment deployment, Protocol protocol, Operation operation, bool stream) => Join(deployment.Provider, PathOf(protocol, operation));

    public override Uri? KeepAddressOf(Provider provider, string path) => Join(provider, path);

    public override void Sign(UpstreamMessage request, Provider provider, Credential? credential) => SignBearer(request, provider);
}
