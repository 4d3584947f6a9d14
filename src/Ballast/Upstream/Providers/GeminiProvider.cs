using Ballast.Catalog;
using Ballast.Exchanges;
using Ballast.Protocols;
using Ballast.Upstream.Signing;

namespace Ballast.Upstream.Providers;

/// <summary>The Gemini API (generativelanguage.googleapis.com) with a key: generateContent, and OpenAI's protocol under <c>/v1beta/openai</c> where a deployment asks for it.</summary>
public sealed class GeminiProvider : ProviderEndpoint
{
    public static GeminiProvider Instance { get; } = new();

    public override Uri AddressOf(Deployment deployment, Protocol protocol, Operation operation, bool stream) =>
        Join(deployment.Provider, MethodOf(protocol, operation, stream) is { } method
            ? $"/v1beta/{ResourceOf(deployment.SentModel)}:{method}"
            : "/v1beta/openai" + OperationName.PathOf(operation));

    public override void Sign(UpstreamMessage request, Provider provider, Credential? credential)
    {
        if (request.Address.AbsolutePath.Contains("/v1beta/openai/", StringComparison.Ordinal))
        {
            SignBearer(request, provider);
        }
        else if (provider.ApiKey is { } key)
        {
            HeaderWriter.Add(request.Headers, "x-goog-api-key", key.Reveal());
        }
    }

    /// <summary>The end of an address: what is asked of a model. A stream is asked for as events. Null for protocols that are not Google's own.</summary>
    public static string? MethodOf(Protocol protocol, Operation operation, bool stream) => protocol == ProtocolList.Gemini
        ? operation == Operation.CountTokens ? "countTokens" : stream ? "streamGenerateContent?alt=sse" : "generateContent"
        : protocol == ProtocolList.GeminiEmbeddings ? "batchEmbedContents"
        : protocol == ProtocolList.GeminiEmbedding ? "embedContent"
        : protocol == ProtocolList.VertexEmbeddings ? "predict"
        : null;

    /// <summary>A bare name is one of the API's own models; a name with a slash says its collection itself (<c>tunedModels/x</c>).</summary>
    private static string ResourceOf(string model) => model.Contains('/', StringComparison.Ordinal)
        ? string.Join('/', model.Split('/').Select(Uri.EscapeDataString))
        : "models/" + Uri.EscapeDataString(model);
}
