using System.Buffers.Binary;
using System.Text;

namespace Ballast.Sandbox.Bedrock;

/// <summary>
/// One message of AWS's binary event stream (https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html): lengths, their checksum, headers, payload,
/// the checksum of it all.
/// </summary>
internal static class BinaryMessage
{
    private const int PreludeBytes = 12;
    private const int ChecksumBytes = 4;
    private const byte TextHeader = 7;

    private static readonly uint[] s_table = Table();

    public static byte[] Event(string type, ReadOnlySpan<byte> payload) =>
        Write([(":event-type", type), (":content-type", "application/json"), (":message-type", "event")], payload);

    public static byte[] Exception(string type, ReadOnlySpan<byte> payload) =>
        Write([(":exception-type", type), (":content-type", "application/json"), (":message-type", "exception")], payload);

    private static byte[] Write(ReadOnlySpan<(string Name, string Value)> headers, ReadOnlySpan<byte> payload)
    {
        using MemoryStream written = new();
        foreach ((string name, string value) in headers)
        {
            byte[] nameBytes = Encoding.UTF8.GetBytes(name);
            byte[] valueBytes = Encoding.UTF8.GetBytes(value);
            written.WriteByte((byte)nameBytes.Length);
            written.Write(nameBytes);
            written.WriteByte(TextHeader);
            written.WriteByte((byte)(valueBytes.Length >> 8));
            written.WriteByte((byte)valueBytes.Length);
            written.Write(valueBytes);
        }

        int headerBytes = (int)written.Length;
        byte[] message = new byte[PreludeBytes + headerBytes + payload.Length + ChecksumBytes];
        BinaryPrimitives.WriteInt32BigEndian(message, message.Length);
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(4), headerBytes);
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(8), Checksum(message.AsSpan(0, 8)));
        written.ToArray().CopyTo(message, PreludeBytes);
        payload.CopyTo(message.AsSpan(PreludeBytes + headerBytes));
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(message.Length - ChecksumBytes), Checksum(message.AsSpan(0, message.Length - ChecksumBytes)));
        return message;
    }

    /// <summary>CRC-32 as in zlib and Ethernet.</summary>
    private static uint Checksum(ReadOnlySpan<byte> bytes)
    {
        uint value = uint.MaxValue;
        foreach (byte next in bytes)
        {
            value = s_table[(byte)(value ^ next)] ^ (value >> 8);
        }

        return ~value;
    }

    private static uint[] Table()
    {
        const uint Polynomial = 0xEDB88320;
        uint[] table = new uint[256];
        for (uint i = 0; i < table.Length; i++)
        {
            uint value = i;
            for (int bit = 0; bit < 8; bit++)
            {
                value = (value & 1) == 0 ? value >> 1 : Polynomial ^ (value >> 1);
            }

            table[i] = value;
        }

        return table;
    }
}
