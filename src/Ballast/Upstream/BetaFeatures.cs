using Ballast.Exchanges;
using Ballast.Protocols;
using Ballast.Protocols.Conversation;
using Ballast.Upstream.Providers;

namespace Ballast.Upstream;

/// <summary>
/// The beta features of Anthropic's that a caller asks for, as far as they may go to one deployment: in the header, in the body, or in both, as its endpoint takes them.
/// Which may go is the provider's list; every one that goes nowhere is named as lost.
/// </summary>
/// <param name="Header">The header's value; null where none is sent.</param>
/// <param name="Body">What the body names; null leaves it as the caller wrote it.</param>
public sealed record BetaFeatures(string? Header, IReadOnlyList<string>? Body)
{
    /// <summary>The header in which callers ask for them, and Anthropic's own API takes them.</summary>
    public const string HeaderName = "anthropic-beta";

    /// <summary>Pointer of the header's first feature: headers are pointed into as if they were an object of lists.</summary>
    private const string HeaderPointer = $"header:/{HeaderName}";

    /// <summary>What is asked for and may go; null where nothing is asked for, which is what most requests do. What may not go is added to the attempt's losses.</summary>
    public static BetaFeatures? Of(Exchange exchange, Attempt attempt)
    {
        string? header = null;
        foreach ((string name, string value) in exchange.ProtocolHeaders)
        {
            header = name == HeaderName ? value : header;
        }

        (IReadOnlyList<string> Names, string Pointer)? body = InBody(exchange, attempt);
        if (header is null && body is null)
        {
            return null;
        }

        Sorted sorted = new(attempt, exchange.Operation);
        if (header is not null)
        {
            sorted.Add(header.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries), HeaderPointer);
        }

        if (body is { } written)
        {
            sorted.Add(written.Names, written.Pointer);
        }

        // Bytes that say the right thing already are passed on.
        bool isRight = body is null ? sorted.Body.Count == 0 : attempt.Protocol == exchange.Protocol && sorted.Body.SequenceEqual(body.Value.Names);
        return new BetaFeatures(sorted.Header.Count == 0 ? null : string.Join(',', sorted.Header), isRight ? null : sorted.Body);
    }

    /// <summary>The request without its own list: it is written from the target's.</summary>
    public ChatRequest Strip(ChatRequest request) =>
        Body is null ? request : request with { Extras = [.. request.Extras.Where(static extra => extra.Pointer is not (BetaField.Pointer or BetaField.ConversePointer))] };

    /// <summary>What the caller's body names. Converse's own callers reach Converse with their bytes as they are.</summary>
    private static (IReadOnlyList<string> Names, string Pointer)? InBody(Exchange exchange, Attempt attempt)
    {
        Protocol caller = exchange.Protocol;
        ReadOnlyMemory<byte> body = exchange.Envelope.Body;
        if (caller == ProtocolList.BedrockConverse)
        {
            if (attempt.Protocol == caller || !BetaField.MayBeIn(body.Span))
            {
                return null;
            }

            RawJson value = exchange.Request.Extras.FirstOrDefault(static extra => extra.Pointer == BetaField.ConversePointer)?.Value ?? default;
            return !value.IsEmpty && BetaField.ReadValue(value.Utf8.Span) is { } inside ? (inside, BetaField.ConversePointer) : null;
        }

        // Anthropic's own API has the header alone; it is the clouds' bodies that hold the field.
        bool isCloudBody = caller == ProtocolList.BedrockInvoke || (caller == ProtocolList.AnthropicMessages && exchange.Envelope.Address.Model is not null);
        return isCloudBody && BetaField.MayBeIn(body.Span) && BetaField.Read(body.Span) is { } names ? (names, BetaField.Pointer) : null;
    }

    private sealed class Sorted(Attempt attempt, Operation operation)
    {
        private readonly ProviderEndpoint _endpoint = ProviderEndpoint.Of(attempt.Deployment.Provider.Kind);

        public List<string> Header { get; } = [];

        public List<string> Body { get; } = [];

        public void Add(IReadOnlyList<string> names, string pointer)
        {
            for (int i = 0; i < names.Count; i++)
            {
                Add(names[i], $"{pointer}/{i}");
            }
        }

        private void Add(string name, string pointer)
        {
            BetaPlaces places = _endpoint.PlacesOf(name, attempt.Deployment, attempt.Protocol, operation);
            if (places == BetaPlaces.None)
            {
                attempt.Losses.Add(pointer, "This endpoint is asked for no beta feature of this name.");
                return;
            }

            if (attempt.Deployment.Provider.Betas is { } known && !known.Contains(name))
            {
                attempt.Losses.Add(pointer, "This platform is not known to have this beta feature.");
                return;
            }

            Put(Header, name, (places & BetaPlaces.Header) != 0);
            Put(Body, name, (places & BetaPlaces.Body) != 0);
        }

        private static void Put(List<string> list, string name, bool isWanted)
        {
            if (isWanted && !list.Contains(name))
            {
                list.Add(name);
            }
        }
    }
}
