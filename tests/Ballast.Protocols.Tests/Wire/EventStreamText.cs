using System.Buffers.Binary;
using System.Text;
using System.Text.RegularExpressions;

namespace Ballast.Protocols.Tests.Wire;

/// <summary>
/// A binary event stream written like server-sent events, so that golden files stay text: <c>event: NAME</c> (or <c>exception: NAME</c>), <c>data: JSON</c>, a blank
/// line. Knows nothing of the product's own framing.
/// </summary>
public static partial class EventStreamText
{
    public static byte[] Encode(string text)
    {
        using MemoryStream bytes = new();
        foreach (string frame in text.Replace("\r\n", "\n").Replace('\r', '\n').Split("\n\n", StringSplitOptions.RemoveEmptyEntries))
        {
            string[] lines = frame.Split('\n');
            string? exception = Field(lines, "exception: ");
            bytes.Write(Message(exception is null ? "event" : "exception", exception ?? Field(lines, "event: ") ?? "", Field(lines, "data: ") ?? frame));
        }

        return bytes.ToArray();
    }

    /// <summary>InvokeModel's streams: each server-sent event in a message of its own, as base64; exceptions as above.</summary>
    public static byte[] EncodeChunks(string text)
    {
        using MemoryStream bytes = new();
        foreach (string frame in text.Replace("\r\n", "\n").Replace('\r', '\n').Split("\n\n", StringSplitOptions.RemoveEmptyEntries))
        {
            string[] lines = frame.Split('\n');
            bytes.Write(Field(lines, "exception: ") is { } exception
                ? Message("exception", exception, Field(lines, "data: ") ?? frame)
                : Message("event", "chunk", $"{{\"bytes\":\"{Convert.ToBase64String(Encoding.UTF8.GetBytes(Field(lines, "data: ") ?? frame))}\",\"p\":\"abc\"}}"));
        }

        return bytes.ToArray();
    }

    public static string DecodeChunks(ReadOnlySpan<byte> bytes)
    {
        StringBuilder text = new();
        foreach (string frame in Decode(bytes).Split("\n\n", StringSplitOptions.RemoveEmptyEntries))
        {
            const string chunk = "event: chunk\ndata: ";
            if (!frame.StartsWith(chunk, StringComparison.Ordinal))
            {
                text.Append(frame).Append("\n\n");
                continue;
            }

            string data = Encoding.UTF8.GetString(Convert.FromBase64String(frame[(chunk.Length + "{\"bytes\":\"".Length)..].Split('"')[0]));
            text.Append("event: ").Append(NameIn().Match(data).Groups[1].Value).Append("\ndata: ").Append(data).Append("\n\n");
        }

        return text.ToString();
    }

    public static string Decode(ReadOnlySpan<byte> bytes)
    {
        StringBuilder text = new();
        while (bytes.Length >= 16 && BinaryPrimitives.ReadInt32BigEndian(bytes) is int length && length <= bytes.Length && length >= 16)
        {
            int headers = BinaryPrimitives.ReadInt32BigEndian(bytes[4..]);
            Dictionary<string, string> named = Headers(bytes.Slice(12, headers));
            string kind = named.GetValueOrDefault(":message-type", "event");
            text.Append(kind).Append(": ").Append(named.GetValueOrDefault($":{kind}-type")).Append("\ndata: ")
                .Append(Encoding.UTF8.GetString(bytes[(12 + headers)..(length - 4)])).Append("\n\n");
            bytes = bytes[length..];
        }

        return text.Append(Convert.ToHexString(bytes)).ToString();
    }

    public static byte[] Message(string kind, string type, string payload)
    {
        using MemoryStream headers = new();
        foreach ((string name, string value) in (ReadOnlySpan<(string, string)>)[($":{kind}-type", type), (":content-type", "application/json"), (":message-type", kind)])
        {
            byte[] bytes = Encoding.UTF8.GetBytes(value);
            headers.WriteByte((byte)name.Length);
            headers.Write(Encoding.ASCII.GetBytes(name));
            headers.Write([7, (byte)(bytes.Length >> 8), (byte)bytes.Length]);
            headers.Write(bytes);
        }

        return Message(headers.ToArray(), Encoding.UTF8.GetBytes(payload));
    }

    public static byte[] Message(byte[] headers, byte[] payload)
    {
        byte[] message = new byte[16 + headers.Length + payload.Length];
        BinaryPrimitives.WriteInt32BigEndian(message, message.Length);
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(4), headers.Length);
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(8), Checksum(message.AsSpan(0, 8)));
        headers.CopyTo(message, 12);
        payload.CopyTo(message, 12 + headers.Length);
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(message.Length - 4), Checksum(message.AsSpan(0, message.Length - 4)));
        return message;
    }

    /// <summary>CRC-32, bit by bit.</summary>
    public static uint Checksum(ReadOnlySpan<byte> bytes)
    {
        uint sum = uint.MaxValue;
        foreach (byte one in bytes)
        {
            sum ^= one;
            for (int bit = 0; bit < 8; bit++)
            {
                sum = (sum >> 1) ^ ((sum & 1) * 0xEDB88320);
            }
        }

        return ~sum;
    }

    [GeneratedRegex("^{\"type\":\"([a-z_]+)\"")]
    private static partial Regex NameIn();

    private static string? Field(string[] lines, string name) =>
        lines.Where(line => line.StartsWith(name, StringComparison.Ordinal)).Select(line => line[name.Length..]).FirstOrDefault();

    private static Dictionary<string, string> Headers(ReadOnlySpan<byte> bytes)
    {
        Dictionary<string, string> headers = [];
        while (!bytes.IsEmpty)
        {
            string name = Encoding.ASCII.GetString(bytes.Slice(1, bytes[0]));
            bytes = bytes[(1 + bytes[0] + 1)..];
            int length = BinaryPrimitives.ReadUInt16BigEndian(bytes);
            headers[name] = Encoding.UTF8.GetString(bytes.Slice(2, length));
            bytes = bytes[(2 + length)..];
        }

        return headers;
    }
}
