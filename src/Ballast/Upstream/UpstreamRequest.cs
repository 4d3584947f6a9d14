using System.Buffers;
using System.Runtime.CompilerServices;
using Ballast.Catalog;
using Ballast.Exchanges;
using Ballast.Protocols;
using Ballast.Upstream.Providers;

namespace Ballast.Upstream;

/// <summary>Makes the upstream's request of the caller's: the same bytes with the model name spliced in, or a translation.</summary>
public static class UpstreamRequest
{
    private const string ContentType = "content-type";

    /// <summary>Addresses are made of configuration alone, so they live as long as their deployment does.</summary>
    private static readonly ConditionalWeakTable<Deployment, KnownAddresses> s_addresses = [];

    /// <summary>True where the caller's own bytes can go on.</summary>
    public static bool IsPassthrough(Exchange exchange, Deployment deployment, Protocol protocol) =>
        exchange.Operation == Operation.Compact || IsCallersOwn(exchange, deployment, protocol);

    /// <summary>True where the answer's own bytes can go on, though the request's own may not.</summary>
    public static bool IsAnswerPassedOn(Exchange exchange, Deployment deployment, Protocol protocol) =>
        IsPassthrough(exchange, deployment, protocol)
        || (exchange.Protocol == protocol && protocol.AnswersRewrittenAlike && HasSchema(exchange, deployment));

    private static bool IsCallersOwn(Exchange exchange, Deployment deployment, Protocol protocol) =>
        exchange.Protocol == protocol && !exchange.Envelope.HasForeignThinking && !exchange.Envelope.AsksThread && !exchange.LeavesReasoningOut
        && HasSchema(exchange, deployment) && protocol.CanSplice(exchange.Envelope.Body.Span, deployment.Target);

    /// <summary>False where a JSON schema is asked for that the endpoint does not have: what stands in for it shows in the answer.</summary>
    private static bool HasSchema(Exchange exchange, Deployment deployment) => !exchange.Envelope.AsksJsonSchema || deployment.Target.Has(TargetFeatures.JsonSchema);

    /// <summary>Builds the request; what cannot cross is added to the attempt's losses.</summary>
    public static UpstreamMessage Build(Exchange exchange, Attempt attempt)
    {
        Deployment deployment = attempt.Deployment;
        PooledBuffer body = new(exchange.Envelope.Body.Length + 256);
        try
        {
            BetaFeatures? betas = BetaFeatures.Of(exchange, attempt);
            RequestTarget target = betas?.Body is { } named ? deployment.Target with { Betas = named } : deployment.Target;
            target = exchange.LeavesReasoningOut ? target with { ReadsBareReasoning = false } : target;
            if (exchange.Operation == Operation.Compact)
            {
                attempt.Protocol.SpliceCompaction(ToCompact(exchange, attempt), target, body);
            }
            else if (IsPassthrough(exchange, deployment, attempt.Protocol))
            {
                attempt.Protocol.SpliceRequest(exchange.Envelope, target, body);
            }
            else
            {
                attempt.Protocol.WriteRequest(betas?.Strip(exchange.Request) ?? exchange.Request, target, attempt.Losses, body);
            }

            return Address(exchange, attempt, body, betas);
        }
        catch
        {
            body.Dispose();
            throw;
        }
    }

    /// <summary>What is to be made shorter, without what another vendor must not see.</summary>
    private static RequestEnvelope ToCompact(Exchange exchange, Attempt attempt)
    {
        if (IsCallersOwn(exchange, attempt.Deployment, attempt.Protocol))
        {
            return exchange.Envelope;
        }

        ArrayBufferWriter<byte> written = new();
        attempt.Protocol.WriteRequest(exchange.Request, attempt.Deployment.Target, attempt.Losses, written);
        return attempt.Protocol.Peek(written.WrittenMemory, exchange.Address);
    }

    /// <summary>Puts a body that is already in the upstream's protocol into an addressed request; signed it is when it is sent. The request owns the body.</summary>
    /// <param name="exchange">Whose request it is.</param>
    /// <param name="attempt">At the deployment that is asked.</param>
    /// <param name="body">Becomes the request's.</param>
    /// <param name="betas">What the header asks for; null where it asks for nothing.</param>
    public static UpstreamMessage Address(Exchange exchange, Attempt attempt, PooledBuffer body, BetaFeatures? betas)
    {
        Provider provider = attempt.Deployment.Provider;
        ProviderEndpoint endpoint = ProviderEndpoint.Of(provider.Kind);
        UpstreamMessage request = new(AddressOf(endpoint, exchange, attempt), body, ContentTypeOf(exchange)) { IsStream = exchange.Envelope.Stream };
        foreach ((string name, string value) in provider.Headers)
        {
            HeaderWriter.Add(request.Headers, name, value);
        }

        if (exchange.Protocol == attempt.Protocol)
        {
            foreach ((string name, string value) in exchange.ProtocolHeaders)
            {
                if (name is not (ContentType or BetaFeatures.HeaderName) && endpoint.Filter(name, value) is { } filtered)
                {
                    HeaderWriter.Add(request.Headers, name, filtered);
                }
            }
        }

        if (betas?.Header is { } features)
        {
            HeaderWriter.Add(request.Headers, BetaFeatures.HeaderName, features);
        }

        HeaderWriter.Add(request.Headers, "Accept", attempt.Protocol.Framing == StreamFraming.None ? "*/*"
            : !exchange.Envelope.Stream ? "application/json"
            : attempt.Protocol.Framing == StreamFraming.EventStream ? "application/vnd.amazon.eventstream"
            : attempt.Protocol.Framing == StreamFraming.JsonLines ? "application/x-ndjson"
            : "text/event-stream");
        HeaderWriter.Add(request.Headers, "User-Agent", "ballast/0.1");
        HeaderWriter.Add(request.Headers, "x-client-request-id", attempt.Id);
        Trace(request, attempt);
        return request;
    }

    /// <summary>Addresses a request about a file or batch that the attempt's provider keeps. The request owns the body.</summary>
    /// <param name="attempt">At a provider that keeps such things.</param>
    /// <param name="method">What is done.</param>
    /// <param name="path">See <see cref="ProviderEndpoint.KeepAddressOf"/>.</param>
    /// <param name="body">Empty where none is sent.</param>
    /// <param name="contentType">The body's; null where none is sent.</param>
    /// <param name="betas">What the header asks for; null where it asks for nothing.</param>
    public static UpstreamMessage AddressKept(Attempt attempt, string method, string path, PooledBuffer body, string? contentType, BetaFeatures? betas = null)
    {
        Provider provider = attempt.Deployment.Provider;
        Uri address = ProviderEndpoint.Of(provider.Kind).KeepAddressOf(provider, path)
            ?? throw new InvalidOperationException($"{provider.Name} was chosen to keep what its kind does not keep.");
        UpstreamMessage request = new(address, body, contentType) { Method = method };
        foreach ((string name, string value) in provider.Headers)
        {
            HeaderWriter.Add(request.Headers, name, value);
        }

        if (betas?.Header is { } features)
        {
            HeaderWriter.Add(request.Headers, BetaFeatures.HeaderName, features);
        }

        HeaderWriter.Add(request.Headers, "Accept", "*/*");
        HeaderWriter.Add(request.Headers, "User-Agent", "ballast/0.1");
        HeaderWriter.Add(request.Headers, "x-client-request-id", attempt.Id);
        Trace(request, attempt);
        return request;
    }

    private static void Trace(UpstreamMessage request, Attempt attempt)
    {
        if (attempt.Trace is { Parent: { } parent } trace)
        {
            HeaderWriter.Add(request.Headers, "traceparent", parent);
            if (trace.State is { } state)
            {
                HeaderWriter.Add(request.Headers, "tracestate", state);
            }
        }
    }

    /// <summary>All bodies are JSON but those that are only passed on: a form names its boundary there.</summary>
    private static string ContentTypeOf(Exchange exchange)
    {
        if (exchange.Protocol.Family == ProtocolFamily.Opaque)
        {
            foreach ((string name, string value) in exchange.ProtocolHeaders)
            {
                if (name == ContentType)
                {
                    return value;
                }
            }
        }

        return "application/json";
    }

    private static Uri AddressOf(ProviderEndpoint endpoint, Exchange exchange, Attempt attempt)
    {
        KnownAddresses addresses = s_addresses.GetValue(attempt.Deployment, static _ => new KnownAddresses());
        for (KnownAddress? known = addresses.First; known is not null; known = known.Next)
        {
            if (known.Protocol == attempt.Protocol && known.Operation == exchange.Operation && known.Stream == exchange.Envelope.Stream)
            {
                return known.Address;
            }
        }

        Uri address = endpoint.AddressOf(attempt.Deployment, attempt.Protocol, exchange.Operation, exchange.Envelope.Stream);
        addresses.First = new KnownAddress(attempt.Protocol, exchange.Operation, exchange.Envelope.Stream, address, addresses.First);
        return address;
    }

    /// <summary>A handful, looked through faster than a key of three can be hashed. Of two requests that add one at a time one may win: the other is made again.</summary>
    private sealed class KnownAddresses
    {
        private volatile KnownAddress? _first;

        public KnownAddress? First
        {
            get => _first;
            set => _first = value;
        }
    }

    private sealed record KnownAddress(Protocol Protocol, Operation Operation, bool Stream, Uri Address, KnownAddress? Next);
}
