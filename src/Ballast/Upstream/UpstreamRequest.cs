using System.Net;
using System.Runtime.CompilerServices;
using Ballast.Catalog;
using Ballast.Exchanges;
using Ballast.Protocols;
using Ballast.Upstream.Providers;

namespace Ballast.Upstream;

/// <summary>Makes the upstream's request of the caller's: the same bytes with the model name spliced in, or a translation.</summary>
public static class UpstreamRequest
{
    /// <summary>Addresses by operation. They are made of configuration alone, so they live as long as their deployment does.</summary>
    private static readonly ConditionalWeakTable<Deployment, Uri?[]> s_addresses = [];

    /// <summary>True where the caller's own bytes can go on.</summary>
    public static bool IsPassthrough(Exchange exchange, Deployment deployment) =>
        exchange.Protocol == deployment.Provider.Protocol && !exchange.Envelope.HasForeignThinking
        && (!exchange.Envelope.AsksJsonSchema || deployment.Target.Has(TargetFeatures.JsonSchema));

    /// <summary>Builds the request; what cannot cross is added to the attempt's losses.</summary>
    public static HttpRequestMessage Build(Exchange exchange, Attempt attempt)
    {
        Deployment deployment = attempt.Deployment;
        PooledBuffer body = new(exchange.Envelope.Body.Length + 256);
        try
        {
            if (IsPassthrough(exchange, deployment))
            {
                deployment.Provider.Protocol.SpliceRequest(exchange.Envelope, deployment.Target, body);
            }
            else
            {
                deployment.Provider.Protocol.WriteRequest(exchange.Request, deployment.Target, attempt.Losses, body);
            }

            return Address(exchange, attempt, body);
        }
        catch
        {
            body.Dispose();
            throw;
        }
    }

    /// <summary>Puts a body that is already in the upstream's protocol into an addressed request; signed it is when it is sent. The request owns the body.</summary>
    public static HttpRequestMessage Address(Exchange exchange, Attempt attempt, PooledBuffer body)
    {
        Provider provider = attempt.Deployment.Provider;
        ProviderEndpoint endpoint = ProviderEndpoint.Of(provider.Kind);
        HttpRequestMessage request = new(HttpMethod.Post, AddressOf(endpoint, attempt.Deployment, exchange.Operation))
        {
            Content = new BodyContent(body),
            Version = provider.Http == HttpUse.Http11 ? HttpVersion.Version11 : HttpVersion.Version20,
            VersionPolicy = provider.Http == HttpUse.Http2 ? HttpVersionPolicy.RequestVersionExact : HttpVersionPolicy.RequestVersionOrLower,
        };
        foreach ((string name, string value) in provider.Headers)
        {
            HeaderWriter.Add(request.Headers, name, value);
        }

        if (exchange.Protocol == provider.Protocol)
        {
            foreach ((string name, string value) in exchange.ProtocolHeaders)
            {
                if (endpoint.Filter(name, value, provider) is { } filtered)
                {
                    HeaderWriter.Add(request.Headers, name, filtered);
                }
            }
        }

        HeaderWriter.Add(request.Headers, "Accept", exchange.Envelope.Stream ? "text/event-stream" : "application/json");
        HeaderWriter.Add(request.Headers, "User-Agent", "ballast/0.1");
        HeaderWriter.Add(request.Headers, "x-client-request-id", attempt.Id);
        return request;
    }

    private static Uri AddressOf(ProviderEndpoint endpoint, Deployment deployment, Operation operation)
    {
        Uri?[] addresses = s_addresses.GetValue(deployment, static _ => new Uri?[Enum.GetValues<Operation>().Length]);
        return addresses[(int)operation] ??= endpoint.AddressOf(deployment, operation);
    }
}
