using System.Buffers;
using System.Text;
using Ballast.Protocols.Framing;
using Ballast.Protocols.Tests.Wire;

namespace Ballast.Protocols.Tests.Framing;

/// <summary>The binary framing, against an encoder that shares nothing with it, and against published bytes.</summary>
public sealed class EventStreamTests
{
    /// <summary>A message of AWS's own published test set (<c>payload_one_str_header</c>).</summary>
    private const string Published = "0000003D0000002007FD83960C636F6E74656E742D747970650700106170706C69636174696F6E2F6A736F6E7B27666F6F273A27626172277D8D9C08B1";

    [Fact]
    public void TryTake_PublishedMessage_GivesItsPayload()
    {
        ReadOnlySequence<byte> buffer = new(Convert.FromHexString(Published));
        Assert.True(new EventStream().TryTake(ref buffer, out ReadOnlySequence<byte> frame, out EventStreamMessage message));
        Assert.Equal("{'foo':'bar'}", Encoding.UTF8.GetString(message.Payload));
        Assert.Equal(61, frame.Length);
        Assert.True(buffer.IsEmpty);
    }

    [Fact]
    public void WriteEvent_AnyPayload_IsWhatAnotherEncoderMakes()
    {
        foreach (string payload in (string[])["", "{}", "{\"a\":\"ü\"}", new string('x', 70_000)])
        {
            ArrayBufferWriter<byte> output = new();
            EventStream.WriteEvent(output, "contentBlockDelta"u8, Encoding.UTF8.GetBytes(payload));
            EventStream.WriteException(output, "throttlingException"u8, "{}"u8);
            byte[] expected = [.. EventStreamText.Message("event", "contentBlockDelta", payload), .. EventStreamText.Message("exception", "throttlingException", "{}")];
            Assert.Equal(expected, output.WrittenMemory.ToArray());
        }
    }

    [Fact]
    public void TryTake_CutAtEveryByte_GivesTheSameMessages()
    {
        byte[] body = [.. EventStreamText.Message("event", "a", "{\"x\":1}"), .. EventStreamText.Message("exception", "b", ""), .. EventStreamText.Message("event", "c", new string('y', 300))];
        string whole = Take([body]);
        Assert.Equal("event a 7|exception b 0|event c 300|", whole);
        for (int at = 0; at <= body.Length; at++)
        {
            Assert.Equal(whole, Take(Pieces.Cut(body, at)));
        }

        foreach (int size in (int[])[1, 2, 3, 7, 64])
        {
            Assert.Equal(whole, Take(Pieces.Drip(body, size)));
        }
    }

    [Fact]
    public void TryTake_AnyBitFlipped_IsRefusedOrNeedsMore()
    {
        byte[] sound = EventStreamText.Message("event", "contentBlockDelta", "{\"x\":1}");
        for (int bit = 0; bit < sound.Length * 8; bit++)
        {
            byte[] broken = [.. sound];
            broken[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Throws<ProtocolException>(() => Take([broken]));
        }
    }

    [Fact]
    public void TryTake_HeadersOfEveryType_AreSkippedByTheirLength()
    {
        byte[] headers =
        [
            1, (byte)'a', 0, 1, (byte)'b', 1, 1, (byte)'c', 2, 9, 1, (byte)'d', 3, 9, 9, 1, (byte)'e', 4, 9, 9, 9, 9, 1, (byte)'f', 5, 1, 2, 3, 4, 5, 6, 7, 8,
            1, (byte)'g', 6, 0, 2, 7, 7, 1, (byte)'h', 8, 1, 2, 3, 4, 5, 6, 7, 8, 1, (byte)'i', 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
            11, .. ":event-type"u8, 7, 0, 1, (byte)'z',
        ];
        Assert.Equal("event z 1|", Take([EventStreamText.Message(headers, [1])]));
    }

    [Theory]
    [InlineData(new byte[] { 1, (byte)'a', 10 })]
    [InlineData(new byte[] { 5, (byte)'a' })]
    [InlineData(new byte[] { 0, 7, 0, 0 })]
    [InlineData(new byte[] { 1, (byte)'a', 7, 0, 9 })]
    [InlineData(new byte[] { 1, (byte)'a' })]
    public void TryTake_BrokenHeaders_AreRefused(byte[] headers) => Assert.Throws<ProtocolException>(() => Take([EventStreamText.Message(headers, [])]));

    [Fact]
    public void TryTake_LargerThanTheLimit_IsRefusedBeforeItArrives()
    {
        byte[] message = EventStreamText.Message("event", "a", new string('x', 2000));
        ReadOnlySequence<byte> prelude = new(message, 0, 12);
        Assert.Throws<ProtocolException>(() =>
        {
            ReadOnlySequence<byte> buffer = prelude;
            new EventStream(frameBytesMax: 1000).TryTake(ref buffer, out _, out _);
        });
        byte[] headers = new byte[EventStream.HeaderBytesMax + 1];
        Assert.Throws<ProtocolException>(() => Take([EventStreamText.Message(headers, [])]));
    }

    private static string Take(IReadOnlyList<ReadOnlyMemory<byte>> pieces)
    {
        EventStream stream = new();
        StringBuilder text = new();
        List<ReadOnlyMemory<byte>> unread = [];
        foreach (ReadOnlyMemory<byte> piece in pieces)
        {
            unread.Add(piece);
            ReadOnlySequence<byte> buffer = Pieces.Join(unread);
            while (stream.TryTake(ref buffer, out _, out EventStreamMessage message))
            {
                text.Append($"{Encoding.UTF8.GetString(message.MessageType)} {Encoding.UTF8.GetString(message.EventType)} {message.Payload.Length}|");
            }

            unread = Pieces.Split(buffer);
        }

        return text.ToString();
    }
}
