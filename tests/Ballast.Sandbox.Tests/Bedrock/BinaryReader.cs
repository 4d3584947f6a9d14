using System.Buffers.Binary;
using System.Text;
using System.Text.Json;

namespace Ballast.Sandbox.Tests.Bedrock;

/// <summary>Takes AWS's binary event stream apart, lengths and checksums included.</summary>
internal static class BinaryReader
{
    public static List<(string Kind, string Type, JsonElement Data)> Read(ReadOnlySpan<byte> bytes)
    {
        List<(string, string, JsonElement)> messages = [];
        while (bytes.Length > 0)
        {
            int length = BinaryPrimitives.ReadInt32BigEndian(bytes);
            int headers = BinaryPrimitives.ReadInt32BigEndian(bytes[4..]);
            Assert.Equal(Checksum(bytes[..8]), BinaryPrimitives.ReadUInt32BigEndian(bytes[8..]));
            Assert.Equal(Checksum(bytes[..(length - 4)]), BinaryPrimitives.ReadUInt32BigEndian(bytes[(length - 4)..]));
            Dictionary<string, string> told = Headers(bytes.Slice(12, headers));
            string kind = told[":message-type"];
            Assert.Equal("application/json", told[":content-type"]);
            JsonElement data = JsonDocument.Parse(bytes[(12 + headers)..(length - 4)].ToArray()).RootElement;
            messages.Add((kind, told[kind == "event" ? ":event-type" : ":exception-type"], data));
            bytes = bytes[length..];
        }

        return messages;
    }

    private static Dictionary<string, string> Headers(ReadOnlySpan<byte> bytes)
    {
        Dictionary<string, string> headers = [];
        while (bytes.Length > 0)
        {
            int nameLength = bytes[0];
            string name = Encoding.UTF8.GetString(bytes.Slice(1, nameLength));
            Assert.Equal(7, bytes[1 + nameLength]);
            int valueLength = BinaryPrimitives.ReadUInt16BigEndian(bytes[(2 + nameLength)..]);
            headers.Add(name, Encoding.UTF8.GetString(bytes.Slice(4 + nameLength, valueLength)));
            bytes = bytes[(4 + nameLength + valueLength)..];
        }

        return headers;
    }

    /// <summary>Bit by bit, without a table.</summary>
    private static uint Checksum(ReadOnlySpan<byte> bytes)
    {
        uint sum = 0xFFFFFFFF;
        foreach (byte next in bytes)
        {
            for (int bit = 0; bit < 8; bit++)
            {
                uint low = (sum ^ (uint)(next >> bit)) & 1;
                sum = (sum >> 1) ^ (low * 0xEDB88320);
            }
        }

        return ~sum;
    }
}
