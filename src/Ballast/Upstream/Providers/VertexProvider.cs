using Ballast.Catalog;
using Ballast.Exchanges;
using Ballast.Protocols;
using Ballast.Upstream.Signing;

namespace Ballast.Upstream.Providers;

/// <summary>
/// Vertex AI: Google's models by generateContent, Claude by rawPredict with Messages bodies, all others by the OpenAI-shaped endpoint. With tokens of Google Cloud, or with a
/// key (then without a project).
/// </summary>
public sealed class VertexProvider : ProviderEndpoint
{
    public static VertexProvider Instance { get; } = new();

    public override Uri AddressOf(Deployment deployment, Protocol protocol, Operation operation, bool stream)
    {
        Provider provider = deployment.Provider;
        string place = provider.Project is { } project ? $"/v1/projects/{project}/locations/{provider.Region}" : "/v1";
        string model = Uri.EscapeDataString(deployment.SentModel);
        return Join(provider, place + (GeminiProvider.MethodOf(protocol, operation, stream) is { } method ? $"/publishers/google/models/{model}:{method}"
            : protocol == ProtocolList.AnthropicMessages ? $"/publishers/anthropic/models/{ClaudeOf(model, operation, stream)}"
            : "/endpoints/openapi" + OperationName.PathOf(operation)));
    }

    // A count has a path of its own, and its model in the body.
    private static string ClaudeOf(string model, Operation operation, bool stream) =>
        operation == Operation.CountTokens ? "count-tokens:rawPredict" : $"{model}:{(stream ? "streamRawPredict" : "rawPredict")}";

    public override void Sign(UpstreamMessage request, Provider provider, Credential? credential)
    {
        if (credential is BearerToken token)
        {
            HeaderWriter.Add(request.Headers, "Authorization", token.Authorization.Reveal());
        }
        else if (provider.ApiKey is { } key)
        {
            HeaderWriter.Add(request.Headers, "x-goog-api-key", key.Reveal());
        }
    }

    /// <summary>The version of the vendor's API is in the body here.</summary>
    public override string? Filter(string name, string value) => name == "anthropic-version" ? null : value;

    /// <summary>
    /// Google reads some features from the header only, and others from the body only: the header is refused for the long context. A count knows others still, and is refused
    /// for those it does not know: it is asked without any.
    /// </summary>
    public override BetaPlaces PlacesOf(string beta, Deployment deployment, Protocol protocol, Operation operation) =>
        protocol != ProtocolList.AnthropicMessages || operation != Operation.Chat ? BetaPlaces.None
        : beta.StartsWith("context-1m-", StringComparison.Ordinal) ? BetaPlaces.Body : BetaPlaces.Header | BetaPlaces.Body;

    public override bool FetchesCredentials(Provider provider) => provider.ApiKey is null;

    public override CredentialSource SourceOf(Provider provider) => new GoogleCredentials(provider.CredentialsFile, provider.MetadataHost, provider.AllowPrivateAddresses, provider.Ca);
}
