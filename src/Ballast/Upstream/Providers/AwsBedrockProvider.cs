using System.Globalization;
using Ballast.Catalog;
using Ballast.Exchanges;
using Ballast.Protocols;
using Ballast.Upstream.Signing;

namespace Ballast.Upstream.Providers;

/// <summary>
/// AWS Bedrock: Converse and InvokeModel at <c>bedrock-runtime.REGION.amazonaws.com</c>, OpenAI-shaped at <c>bedrock-mantle.REGION.api.aws/v1</c> or at the former's
/// <c>/openai/v1</c> (the base address ends in <c>/openai</c> then). With a Bedrock API key, or signed with an
/// access key, which may have to be fetched.
/// </summary>
public sealed class AwsBedrockProvider : ProviderEndpoint
{
    private const string Count = "count-tokens";

    public static AwsBedrockProvider Instance { get; } = new();

    public override string RequestIdHeader => "x-amzn-requestid";

    public override Uri AddressOf(Deployment deployment, Protocol protocol, Operation operation, bool stream)
    {
        string model = Uri.EscapeDataString(deployment.SentModel);
        if (protocol == ProtocolList.BedrockConverse)
        {
            return Join(deployment.Provider, $"/model/{model}/{(operation == Operation.CountTokens ? Count : stream ? "converse-stream" : "converse")}");
        }

        if (protocol == ProtocolList.BedrockInvoke)
        {
            return Join(deployment.Provider, $"/model/{model}/{(operation == Operation.CountTokens ? Count : stream ? "invoke-with-response-stream" : "invoke")}");
        }

        // Beside its own protocols the runtime speaks OpenAI's under a path of its own.
        bool isBeside = deployment.Protocols.Any(static offered => offered.Framing == StreamFraming.EventStream);
        return Join(deployment.Provider, (isBeside ? "/openai/v1" : "/v1") + PathOf(protocol, operation));
    }

    public override void Sign(UpstreamMessage request, Provider provider, Credential? credential)
    {
        AwsSession? session = credential as AwsSession;
        if ((session?.Keys ?? provider.Aws) is { } keys)
        {
            string service = request.Address.Host.StartsWith("bedrock-mantle.", StringComparison.Ordinal) ? "bedrock-mantle" : "bedrock";
            AwsSignature.Sign(request, keys, provider.Region, service, request.SignedAt);
        }
        else
        {
            SignBearer(request, provider);
        }
    }

    /// <summary>The runtime's own protocols have no header for them.</summary>
    public override BetaPlaces PlacesOf(string beta, Deployment deployment, Protocol protocol, Operation operation) =>
        protocol == ProtocolList.BedrockInvoke || (protocol == ProtocolList.BedrockConverse && deployment.Vendor == "anthropic")
            ? BetaPlaces.Body : base.PlacesOf(beta, deployment, protocol, operation);

    public override bool SignsTime(Provider provider) => provider.Aws is not null || provider.AwsIdentity is not null;

    public override DateTimeOffset? TimeToldBy(UpstreamAnswer answer)
    {
        string type = answer.Status is 400 or 403 ? answer.Header("x-amzn-errortype") ?? "" : "";
        bool mayBeLate = type.StartsWith("InvalidSignature", StringComparison.Ordinal) || type.StartsWith("RequestTimeTooSkewed", StringComparison.Ordinal)
            || type.StartsWith("RequestExpired", StringComparison.Ordinal) || type.StartsWith("SignatureDoesNotMatch", StringComparison.Ordinal);
        return mayBeLate && DateTimeOffset.TryParseExact(answer.Header("Date"), "r", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset told) ? told : null;
    }

    public override bool FetchesCredentials(Provider provider) => provider.AwsIdentity is not null;

    public override CredentialSource SourceOf(Provider provider) =>
        new AwsCredentials(provider.AwsIdentity ?? throw new InvalidOperationException("Nothing is fetched for this provider."), provider.AllowPrivateAddresses, provider.Ca);
}
