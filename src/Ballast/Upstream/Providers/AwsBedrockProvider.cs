using Ballast.Catalog;
using Ballast.Exchanges;
using Ballast.Protocols;
using Ballast.Upstream.Signing;

namespace Ballast.Upstream.Providers;

/// <summary>
/// AWS Bedrock: Converse and InvokeModel at <c>bedrock-runtime.REGION.amazonaws.com</c>, OpenAI-shaped at <c>bedrock-mantle.REGION.api.aws/v1</c> or at the former's
/// <c>/openai/v1</c> (the base address ends in <c>/openai</c> then). With a Bedrock API key, or signed with an
/// access key.
/// </summary>
public sealed class AwsBedrockProvider : ProviderEndpoint
{
    public static AwsBedrockProvider Instance { get; } = new();

    public override string RequestIdHeader => "x-amzn-requestid";

    public override Uri AddressOf(Deployment deployment, Protocol protocol, Operation operation, bool stream)
    {
        string model = Uri.EscapeDataString(deployment.SentModel);
        if (protocol == ProtocolList.BedrockConverse)
        {
            return Join(deployment.Provider, $"/model/{model}/{(stream ? "converse-stream" : "converse")}");
        }

        if (protocol == ProtocolList.BedrockInvoke)
        {
            return Join(deployment.Provider, $"/model/{model}/{(stream ? "invoke-with-response-stream" : "invoke")}");
        }

        // Beside its own protocols the runtime speaks OpenAI's under a path of its own.
        bool isBeside = deployment.Protocols.Any(static offered => offered.Framing == StreamFraming.EventStream);
        return Join(deployment.Provider, (isBeside ? "/openai/v1" : "/v1") + PathOf(protocol, operation));
    }

    public override void Sign(UpstreamMessage request, Provider provider, Credential? credential)
    {
        if (provider.Aws is { } keys)
        {
            string service = request.Address.Host.StartsWith("bedrock-mantle.", StringComparison.Ordinal) ? "bedrock-mantle" : "bedrock";
            AwsSignature.Sign(request, keys, provider.Region, service, TimeProvider.System.GetUtcNow());
        }
        else
        {
            SignBearer(request, provider);
        }
    }
}
