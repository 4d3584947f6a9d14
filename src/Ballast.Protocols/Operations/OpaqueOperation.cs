using System.Buffers;
using System.Buffers.Text;
using System.Text;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.Operations;

/// <summary>
/// Operations whose bodies are only passed on, JSON or a form with files: the model's name is found and replaced, usage is read where the answer tells it, and every
/// other byte stays as it was.
/// </summary>
public sealed class OpaqueOperation(Protocol kin) : PlainOperation("opaque", kin)
{
    /// <summary>What OpenAI judges with where its caller names no model, as its own examples do.</summary>
    public const string ModerationModel = "omni-moderation-latest";

    public override ProtocolFamily Family => ProtocolFamily.Opaque;

    public override StreamFraming Framing => StreamFraming.None;

    /// <summary>A form names its boundary there.</summary>
    public override IReadOnlyList<string> RequestHeaders { get; } = ["content-type"];

    public override RequestEnvelope Peek(ReadOnlyMemory<byte> body, RequestAddress address = default)
    {
        if (FormFields.IsForm(body.Span))
        {
            JsonSpan model = FormFields.Find(body.Span, "model"u8);
            JsonSpan stream = FormFields.Find(body.Span, "stream"u8);
            return new RequestEnvelope
            {
                Body = body,
                Address = address,
                Model = model.IsPresent ? Encoding.UTF8.GetString(body.Span.Slice(model.Start, model.Length)) : address.Model ?? throw MissingModel(),
                ModelValue = model,
                Stream = stream.IsPresent && body.Span.Slice(stream.Start, stream.Length).SequenceEqual("true"u8),
                ChoiceCount = CountAt(body.Span, FormFields.Find(body.Span, "n"u8)),
            };
        }

        BodyFields fields = BodyFields.Read(body);
        return new RequestEnvelope
        {
            Body = body,
            Address = address,
            Model = fields.TextOrNull("model") is { Length: > 0 } named ? named : address.Model ?? address.DefaultModel ?? throw MissingModel(),
            ModelValue = fields.FindAny("model"),
            Stream = fields.KindOf("stream") == (byte)'t',
            ChoiceCount = CountAt(body.Span, fields.FindAny("n")),
        };
    }

    /// <summary>How many answers are asked for: what is no number is left to the upstream.</summary>
    private static int CountAt(ReadOnlySpan<byte> body, JsonSpan place) =>
        place.IsPresent && Utf8Parser.TryParse(body.Slice(place.Start, place.Length), out int count, out int length) && length == place.Length ? Math.Max(1, count) : 1;

    public override void SpliceRequest(RequestEnvelope envelope, RequestTarget target, IBufferWriter<byte> output)
    {
        if (!FormFields.IsForm(envelope.Body.Span))
        {
            base.SpliceRequest(envelope, target, output);
        }
        else if (envelope.ModelValue.IsPresent)
        {
            JsonSplice.Write(envelope.Body.Span, [new JsonEdit(envelope.ModelValue, Encoding.UTF8.GetBytes(target.Model))], output);
        }
        else
        {
            output.Write(envelope.Body.Span); // The address names the model.
        }
    }

    public override ResponseReader OpenReader(ReaderOptions options) => options.MediaType switch
    {
        "text/event-stream" => new OpaqueEventReader(options),
        null or "application/json" when !options.Stream => new PlainReader(options),
        _ => new OpaqueByteReader(options),
    };

    private static ProtocolException MissingModel() =>
        new(new Conversation.ChatError(Conversation.ChatErrorKind.InvalidRequest, "Missing required parameter: 'model'.") { Param = "model", Code = "missing_required_parameter" });
}
