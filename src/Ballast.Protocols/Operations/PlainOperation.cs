using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.Operations;

/// <summary>
/// A protocol of something other than chat. Its errors, rate limits and lists of models look as in <paramref name="kin"/>, the same vendor's chat protocol.
/// What such a protocol does not override is never asked of it: deployments are chosen by <see cref="Protocol.Family"/>.
/// </summary>
/// <param name="name">Stable name.</param>
/// <param name="kin">The vendor's chat protocol.</param>
public abstract class PlainOperation(string name, Protocol kin) : Protocol
{
    public override string Name => name;

    public override string RequestIdHeader => kin.RequestIdHeader;

    public override string? KeyParameter => kin.KeyParameter;

    public override ChatRequest ReadRequest(ReadOnlyMemory<byte> body, RequestAddress address = default) => throw Untranslatable();

    public override void WriteRequest(ChatRequest request, RequestTarget target, LossReport losses, IBufferWriter<byte> output) => throw Untranslatable();

    /// <summary>The caller's bytes with the model's name replaced, or put in where the caller named none.</summary>
    public override void SpliceRequest(RequestEnvelope envelope, RequestTarget target, IBufferWriter<byte> output)
    {
        byte[] quoted = Encoding.UTF8.GetBytes($"\"{JsonEncodedText.Encode(target.Model, JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"");
        if (envelope.ModelValue.IsPresent)
        {
            JsonSplice.Write(envelope.Body.Span, [new JsonEdit(envelope.ModelValue, quoted)], output);
            return;
        }

        BodyFields fields = BodyFields.Read(envelope.Body);
        string field = $"\"model\":{Encoding.UTF8.GetString(quoted)}{(fields.IsEmpty ? "" : ",")}";
        JsonSplice.Write(envelope.Body.Span, [new JsonEdit(new JsonSpan(fields.BodyStart, 0), Encoding.UTF8.GetBytes(field))], output);
    }

    public override ResponseWriter OpenWriter(WriterOptions options) => throw Untranslatable();

    public override ChatError ReadError(int status, ReadOnlyMemory<byte> body) => kin.ReadError(status, body);

    public override int StatusOf(ChatError error) => kin.StatusOf(error);

    public override void WriteError(ChatError error, IBufferWriter<byte> output) => kin.WriteError(error, output);

    public override bool TrySpliceError(ReadOnlyMemory<byte> body, string requestId, IBufferWriter<byte> output) => kin.TrySpliceError(body, requestId, output);

    /// <summary>Nothing: sound and pictures have no place for an error. The connection is cut instead (<see cref="Protocol.CutsBrokenStreams"/>).</summary>
    public override void WriteStreamError(ChatError error, IBufferWriter<byte> output)
    {
    }

    /// <summary>Nothing: the end of the body is the end.</summary>
    public override void WriteStreamEnd(IBufferWriter<byte> output)
    {
    }

    public override bool CutsBrokenStreams => true;

    public override RateLimits ReadRateLimits(Func<string, string?> header, DateTimeOffset now) => kin.ReadRateLimits(header, now);

    public override void WriteRateLimits(RateLimits limits, DateTimeOffset now, Action<string, string> header) => kin.WriteRateLimits(limits, now, header);

    public override void WriteModels(IReadOnlyList<ModelDescription> models, Func<string, string?> query, IBufferWriter<byte> output) => kin.WriteModels(models, query, output);

    public override void WriteModel(ModelDescription model, IBufferWriter<byte> output) => kin.WriteModel(model, output);

    private NotSupportedException Untranslatable() => new($"'{Name}' is passed on, never translated.");
}
