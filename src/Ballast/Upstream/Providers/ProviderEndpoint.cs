using Ballast.Catalog;
using Ballast.Exchanges;
using Ballast.Protocols;
using Ballast.Upstream.Signing;

namespace Ballast.Upstream.Providers;

/// <summary>Where a request names the beta features of Anthropic's that it asks for.</summary>
[Flags]
public enum BetaPlaces
{
    None = 0,

    /// <summary><c>anthropic-beta</c>, a list with commas.</summary>
    Header = 1,

    /// <summary><c>anthropic_beta</c>, a JSON list.</summary>
    Body = 2,
}

/// <summary>Where requests of one kind of provider go and how they are signed. Stateless; the provider's own data comes with each call.</summary>
public abstract class ProviderEndpoint
{
    /// <summary>The address of an operation. Made of configuration only: nothing that a caller sent enters it unescaped.</summary>
    /// <param name="deployment">Where the request goes.</param>
    /// <param name="protocol">One of the deployment's, in which it is asked.</param>
    /// <param name="operation">What is wanted.</param>
    /// <param name="stream">The answer is wanted as a stream: some protocols have another path for it.</param>
    public abstract Uri AddressOf(Deployment deployment, Protocol protocol, Operation operation, bool stream);

    /// <summary>Where this provider keeps files and batches; null where it keeps none.</summary>
    /// <param name="provider">Whose account is used.</param>
    /// <param name="path">Below the version: Ballast's own words and escaped ids of the provider's, nothing that a caller sent.</param>
    public virtual Uri? KeepAddressOf(Provider provider, string path) => null;

    /// <summary>This kind keeps batches of Anthropic's Messages; those that keep files keep OpenAI's batches.</summary>
    public virtual bool KeepsMessageBatches => false;

    /// <summary>The path of an operation below the version, where the server has OpenAI's shape.</summary>
    protected static string PathOf(Protocol protocol, Operation operation) =>
        protocol != ProtocolList.OpenAIResponses ? OperationName.PathOf(operation) : operation switch
        {
            Operation.CountTokens => "/responses/input_tokens",
            Operation.Compact => "/responses/compact",
            _ => "/responses",
        };

    /// <summary>Adds credentials and the headers that the endpoint demands; the last step before the request is sent.</summary>
    /// <param name="request">Addressed, with its body.</param>
    /// <param name="provider">Whose account is used.</param>
    /// <param name="credential">What was fetched; null where the provider's configuration holds all that is needed.</param>
    public abstract void Sign(UpstreamMessage request, Provider provider, Credential? credential);

    /// <summary>Requests are signed with something that has to be fetched first, and again from time to time.</summary>
    public virtual bool FetchesCredentials(Provider provider) => false;

    /// <summary>Where it is fetched. Asked only where <see cref="FetchesCredentials"/> says so.</summary>
    public virtual CredentialSource SourceOf(Provider provider) => throw new NotSupportedException("This provider's credentials are configured.");

    /// <summary>Requests carry the time, and are refused where it is not the platform's.</summary>
    public virtual bool SignsTime(Provider provider) => false;

    /// <summary>The platform's time, where an answer refuses a request that may have been signed for another; else null.</summary>
    public virtual DateTimeOffset? TimeToldBy(UpstreamAnswer answer) => null;

    /// <summary>Response header that carries the platform's request id.</summary>
    public virtual string RequestIdHeader => "x-request-id";

    /// <summary>What of a header of the caller's protocol may go to this provider; null where nothing may. Beta features are not among these (<see cref="BetaFeatures"/>).</summary>
    public virtual string? Filter(string name, string value) => value;

    /// <summary>Where a beta feature of Anthropic's is asked for; by the header, where Messages are spoken.</summary>
    /// <param name="beta">The feature's name.</param>
    /// <param name="deployment">Where the request goes.</param>
    /// <param name="protocol">In which it is asked.</param>
    /// <param name="operation">What is wanted.</param>
    public virtual BetaPlaces PlacesOf(string beta, Deployment deployment, Protocol protocol, Operation operation) =>
        protocol == ProtocolList.AnthropicMessages ? BetaPlaces.Header : BetaPlaces.None;

    /// <summary>All kinds; the one visible list.</summary>
    public static ProviderEndpoint Of(ProviderKind kind) => kind switch
    {
        ProviderKind.OpenAI => OpenAIProvider.Instance,
        ProviderKind.AzureOpenAI => AzureOpenAIProvider.Instance,
        ProviderKind.AwsBedrock => AwsBedrockProvider.Instance,
        ProviderKind.Anthropic => AnthropicProvider.Instance,
        ProviderKind.Gemini => GeminiProvider.Instance,
        ProviderKind.Vertex => VertexProvider.Instance,
        ProviderKind.OpenAICompatible => OpenAICompatibleProvider.Instance,
        ProviderKind.Ollama => OllamaProvider.Instance,
        ProviderKind.Cohere => CohereProvider.Instance,
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Unknown kind of provider."),
    };

    /// <summary>Joins a path to the provider's base address, which may have a path of its own.</summary>
    protected static Uri Join(Provider provider, string path)
    {
        string prefix = provider.BaseAddress.AbsolutePath.TrimEnd('/');
        return new Uri(provider.BaseAddress, prefix + path);
    }

    protected static void SignBearer(UpstreamMessage request, Provider provider)
    {
        if (provider.ApiKey is { } key)
        {
            HeaderWriter.Add(request.Headers, "Authorization", key.RevealBearer());
        }
    }
}
