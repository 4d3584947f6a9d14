using Ballast.Catalog;
using Ballast.Exchanges;
using Ballast.Protocols;
using Ballast.Upstream.Signing;

namespace Ballast.Upstream.Providers;

/// <summary>
/// Azure OpenAI and AI Foundry, with a resource key or tokens of Entra ID: <c>/openai/v1</c>, or the classic deployment paths where an API version is configured, and
/// Claude models under <c>/anthropic/v1</c>.
/// </summary>
public sealed class AzureOpenAIProvider : ProviderEndpoint
{
    private const string ClaudePath = "/anthropic/v1";

    public static AzureOpenAIProvider Instance { get; } = new();

    public override string RequestIdHeader => "apim-request-id";

    public override Uri AddressOf(Deployment deployment, Protocol protocol, Operation operation, bool stream)
    {
        Provider provider = deployment.Provider;
        if (protocol == ProtocolList.AnthropicMessages)
        {
            return Join(provider, operation == Operation.CountTokens ? ClaudePath + "/messages/count_tokens" : ClaudePath + "/messages");
        }

        if (protocol == ProtocolList.OpenAIResponses && provider.ApiVersion is { } dated)
        {
            return Join(provider, $"/openai{PathOf(protocol, operation)}?api-version={dated}"); // It names the model in its body.
        }

        return provider.ApiVersion is { } version
            ? Join(provider, $"/openai/deployments/{Uri.EscapeDataString(deployment.SentModel)}{PathOf(protocol, operation)}?api-version={version}")
            : Join(provider, "/openai/v1" + PathOf(protocol, operation));
    }

    public override Uri? KeepAddressOf(Provider provider, string path) =>
        Join(provider, provider.ApiVersion is { } version ? $"/openai{path}{(path.Contains('?', StringComparison.Ordinal) ? '&' : '?')}api-version={version}" : "/openai/v1" + path);

    public override void Sign(UpstreamMessage request, Provider provider, Credential? credential)
    {
        if (credential is BearerToken token)
        {
            HeaderWriter.Add(request.Headers, "Authorization", token.Authorization.Reveal());
        }
        else if (provider.ApiKey is { } key)
        {
            HeaderWriter.Add(request.Headers, "api-key", key.Reveal());
        }

        if (request.Address.AbsolutePath.Contains(ClaudePath, StringComparison.Ordinal) && request.Headers.Find("anthropic-version") is null)
        {
            HeaderWriter.Add(request.Headers, "anthropic-version", AnthropicProvider.DefaultVersion);
        }
    }

    public override bool FetchesCredentials(Provider provider) => provider.Entra is not null;

    public override CredentialSource SourceOf(Provider provider) => new EntraCredentials(provider.Entra!, provider.AllowPrivateAddresses, provider.Ca);
}
