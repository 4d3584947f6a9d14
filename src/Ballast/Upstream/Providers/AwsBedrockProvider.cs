using Ballast.Catalog;
using Ballast.Exchanges;
using Ballast.Protocols;
using Ballast.Upstream.Signing;

namespace Ballast.Upstream.Providers;

/// <summary>
/// AWS Bedrock's OpenAI-shaped endpoints with a Bedrock API key: <c>bedrock-mantle.REGION.api.aws/v1</c>, or <c>bedrock-runtime.REGION.amazonaws.com/openai/v1</c>
/// (the base address ends in <c>/openai</c> then).
/// </summary>
public sealed class AwsBedrockProvider : ProviderEndpoint
{
    public static AwsBedrockProvider Instance { get; } = new();

    public override string RequestIdHeader => "x-amzn-requestid";

    public override Uri AddressOf(Deployment deployment, Protocol protocol, Operation operation, bool stream) => Join(deployment.Provider, "/v1/chat/completions");

    public override void Sign(UpstreamMessage request, Provider provider, Credential? credential) => SignBearer(request, provider);
}
