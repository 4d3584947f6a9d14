using System.Buffers.Binary;
using System.Text;

namespace Ballast.Cli.Conformance;

/// <summary>Takes AWS's binary event stream apart (https://smithy.io/2.0/aws/amazon-eventstream.html), both checksums of every message checked.</summary>
internal static class BinaryEvents
{
    private const int PreludeBytes = 12;
    private const int ChecksumBytes = 4;
    private const byte TextHeader = 7;

    private static readonly uint[] s_table = [.. Enumerable.Range(0, 256).Select(static number => Enumerable.Range(0, 8)
        .Aggregate((uint)number, static (value, _) => (value & 1) == 1 ? (value >> 1) ^ 0xEDB88320 : value >> 1))];

    /// <summary>The messages in order: their headers, and their payload as text.</summary>
    public static IEnumerable<(Dictionary<string, string> Headers, string Payload)> Read(ReadOnlyMemory<byte> stream)
    {
        while (!stream.IsEmpty)
        {
            Expect.That(stream.Length >= PreludeBytes + ChecksumBytes, "the stream ends within a message");
            uint length = BinaryPrimitives.ReadUInt32BigEndian(stream.Span);
            uint headers = BinaryPrimitives.ReadUInt32BigEndian(stream.Span[4..]);
            Check(stream.Span[..(PreludeBytes - ChecksumBytes)], stream.Span[(PreludeBytes - ChecksumBytes)..], "prelude");
            Expect.That(length <= stream.Length, "the stream ends within a message");
            Expect.That(headers + PreludeBytes + ChecksumBytes <= length, "a message is shorter than its headers");
            ReadOnlyMemory<byte> message = stream[..(int)length];
            Check(message.Span[..^ChecksumBytes], message.Span[^ChecksumBytes..], "message");
            yield return (ReadHeaders(message.Span.Slice(PreludeBytes, (int)headers)), Encoding.UTF8.GetString(message.Span[(PreludeBytes + (int)headers)..^ChecksumBytes]));
            stream = stream[(int)length..];
        }
    }

    private static Dictionary<string, string> ReadHeaders(ReadOnlySpan<byte> bytes)
    {
        Dictionary<string, string> headers = new(StringComparer.Ordinal);
        while (!bytes.IsEmpty)
        {
            int name = bytes[0];
            Expect.That(bytes.Length >= name + 4 && bytes[name + 1] == TextHeader, "a header of a message is no text");
            int value = BinaryPrimitives.ReadUInt16BigEndian(bytes[(name + 2)..]);
            Expect.That(bytes.Length >= name + 4 + value, "a header of a message is cut off");
            headers[Encoding.UTF8.GetString(bytes.Slice(1, name))] = Encoding.UTF8.GetString(bytes.Slice(name + 4, value));
            bytes = bytes[(name + 4 + value)..];
        }

        return headers;
    }

    private static void Check(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> wanted, string what)
    {
        uint sum = uint.MaxValue;
        foreach (byte one in bytes)
        {
            sum = s_table[(byte)(sum ^ one)] ^ (sum >> 8);
        }

        Expect.That(~sum == BinaryPrimitives.ReadUInt32BigEndian(wanted), $"the checksum of a {what} is wrong");
    }
}
