using System.Buffers;
using System.Buffers.Text;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.Clouds;

/// <summary>Writes a stream by the vendor's own writer and puts each of its events into a binary message.</summary>
internal sealed class BedrockInvokeWriter(WriterOptions options, ResponseWriter inside) : ResponseWriter(options)
{
    private readonly ArrayBufferWriter<byte> _events = new(1024);

    public override void Write(ChatEvent chatEvent, IBufferWriter<byte> output)
    {
        _events.ResetWrittenCount();
        inside.Write(chatEvent, _events);
        Wrap(_events.WrittenMemory, output);
    }

    /// <summary>Writes a message for each event.</summary>
    public static void Wrap(ReadOnlyMemory<byte> events, IBufferWriter<byte> output)
    {
        ServerSentEvents cutter = new();
        ReadOnlySequence<byte> rest = new(events);
        while (cutter.TryTake(ref rest, isCompleted: false, out _, out ServerSentEvent taken))
        {
            byte[] payload = ArrayPool<byte>.Shared.Rent(Base64.GetMaxEncodedToUtf8Length(taken.Data.Length) + 16);
            "{\"bytes\":\""u8.CopyTo(payload);
            Base64.EncodeToUtf8(taken.Data, payload.AsSpan(10), out _, out int written);
            "\"}"u8.CopyTo(payload.AsSpan(10 + written));
            EventStream.WriteEvent(output, "chunk"u8, payload.AsSpan(0, 12 + written));
            ArrayPool<byte>.Shared.Return(payload);
        }
    }
}
