using System.Text.Json;
using Ballast.Exchanges;
using Ballast.Protocols;
using Ballast.Protocols.Conversation;

namespace Ballast.Guards.Redaction;

/// <summary>What redaction is to one request: values go out of it before anything is planned, and come back into its answer. It lives as long as the request.</summary>
public sealed class RedactedExchange : AnswerScreen
{
    private readonly RedactionPolicy _policy;
    private readonly RedactedValues _values;
    private readonly MatchFinder _finder;
    private readonly bool _isJsonOutput;
    private AnswerEvents _events;
    private AnswerFrames _frames;

    private RedactedExchange(RedactionPolicy policy, RedactedValues values, MatchFinder finder, bool isJsonOutput)
    {
        (_policy, _values, _finder, _isJsonOutput) = (policy, values, finder, isJsonOutput);
        _events = NewEvents();
        _frames = NewFrames();
    }

    /// <summary>Takes the values out of a request that has been received, in place.</summary>
    /// <exception cref="GatewayException">It holds what cannot be searched.</exception>
    /// <exception cref="ProtocolException">The body breaks its protocol.</exception>
    public static void Begin(Exchange exchange, RedactionPolicy policy)
    {
        RequestEnvelope envelope = exchange.Envelope;
        ReadOnlyMemory<byte> body = envelope.Body;
        if (envelope.Body.Span.TrimStart(" \t\r\n"u8) is not [(byte)'{', ..])
        {
            Refuse(policy, "a form"); // files
            return;
        }

        RedactedValues values = new(policy);
        MatchFinder finder = new(policy);
        JsonScreen screen = new(policy, values, finder, isAnswer: false) { TakesTokens = exchange.Protocol.Family != ProtocolFamily.Chat };
        try
        {
            body = screen.Run(body);
        }
        catch (JsonException)
        {
            throw ProtocolException.Invalid("A string of the request body is not valid Unicode text, so that it cannot be searched.");
        }

        if (screen.Unreadable is { } unreadable)
        {
            Refuse(policy, $"'{unreadable}'");
        }

        if (!body.Equals(envelope.Body))
        {
            exchange.UnscreenedBody = envelope.Body;
            exchange.Envelope = exchange.Protocol.Peek(body, exchange.Address);
        }

        bool isJsonOutput = exchange.Protocol.Family == ProtocolFamily.Chat && exchange.Operation == Operation.Chat && exchange.Request.ResponseFormat is not null;
        exchange.Screen = new RedactedExchange(policy, values, finder, isJsonOutput) { TakesFrames = envelope.Stream && envelope.ChoiceCount > 1 };
    }

    /// <summary>Refuses what cannot be searched, where the app wants that.</summary>
    /// <exception cref="GatewayException">It does.</exception>
    public static void Refuse(RedactionPolicy policy, string what)
    {
        if (policy.RefusesUnreadable)
        {
            throw new GatewayException(GatewayError.Unreadable, $"It holds {what}.");
        }
    }

    /// <inheritdoc/>
    public override IEnumerable<string> Notes => _values.Counts.Select(static one => $"redacted:{one.Key.ToLowerInvariant()}={one.Value.ToString(System.Globalization.CultureInfo.InvariantCulture)}");

    /// <inheritdoc/>
    public override void Restart()
    {
        _events = NewEvents();
        _frames = NewFrames();
    }

    /// <inheritdoc/>
    public override void Take(ChatEvent chatEvent, List<ChatEvent> output) => _events.Take(chatEvent, output);

    /// <inheritdoc/>
    public override void TakeFrame(in System.Buffers.ReadOnlySequence<byte> frame, System.Buffers.IBufferWriter<byte> output) => _frames.Take(frame, output);

    /// <inheritdoc/>
    public override void EndFrames(System.Buffers.IBufferWriter<byte> output) => _frames.End(output);

    /// <inheritdoc/>
    public override ReadOnlyMemory<byte> Whole(ReadOnlyMemory<byte> body)
    {
        try
        {
            return new JsonScreen(_policy, _values, _finder, isAnswer: true, _isJsonOutput).Run(body);
        }
        catch (JsonException)
        {
            return body; // no JSON: nothing was taken out of what it came from
        }
    }

    /// <inheritdoc/>
    public override string Hidden(string text) => TextScreen.Run(_policy, new RedactedValues(_policy), _finder, ScreenMode.Hide, text);

    private AnswerFrames NewFrames() => new(_policy, _values, _finder, _isJsonOutput);

    private AnswerEvents NewEvents() => new(_policy, _values, _finder, _isJsonOutput);
}
