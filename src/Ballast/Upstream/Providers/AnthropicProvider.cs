using Ballast.Catalog;
using Ballast.Exchanges;
using Ballast.Protocols;
using Ballast.Upstream.Signing;

namespace Ballast.Upstream.Providers;

/// <summary>api.anthropic.com, Messages.</summary>
public sealed class AnthropicProvider : ProviderEndpoint
{
    /// <summary>Sent where the caller sent none.</summary>
    public const string DefaultVersion = "2023-06-01";

    public static AnthropicProvider Instance { get; } = new();

    public override string RequestIdHeader => "request-id";

    public override Uri AddressOf(Deployment deployment, Protocol protocol, Operation operation, bool stream) =>
        Join(deployment.Provider, operation == Operation.CountTokens ? "/v1/messages/count_tokens" : "/v1/messages");

    public override bool KeepsMessageBatches => true;

    public override Uri? KeepAddressOf(Provider provider, string path) => Join(provider, "/v1" + path);

    public override void Sign(UpstreamMessage request, Provider provider, Credential? credential)
    {
        if (provider.ApiKey is { } key)
        {
            HeaderWriter.Add(request.Headers, "x-api-key", key.Reveal());
        }

        if (request.Headers.Find("anthropic-version") is null)
        {
            HeaderWriter.Add(request.Headers, "anthropic-version", DefaultVersion);
        }
    }
}
