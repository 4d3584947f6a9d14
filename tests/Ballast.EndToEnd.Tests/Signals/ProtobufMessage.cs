using System.Buffers.Binary;
using System.Text;

namespace Ballast.EndToEnd.Tests.Signals;

/// <summary>A message in protobuf's wire format, read without its schema: fields by number. It shares nothing with what wrote it.</summary>
internal sealed class ProtobufMessage
{
    private readonly List<(int Number, ulong Value, ReadOnlyMemory<byte> Bytes)> _fields = [];

    public ProtobufMessage(ReadOnlyMemory<byte> bytes)
    {
        for (int at = 0; at < bytes.Length;)
        {
            ulong key = Varint(bytes.Span, ref at);
            (int number, int type) = ((int)(key >> 3), (int)(key & 7));
            switch (type)
            {
                case 0:
                    _fields.Add((number, Varint(bytes.Span, ref at), default));
                    break;
                case 1:
                    _fields.Add((number, BinaryPrimitives.ReadUInt64LittleEndian(bytes.Span[at..]), bytes.Slice(at, 8)));
                    at += 8;
                    break;
                case 2:
                    int length = (int)Varint(bytes.Span, ref at);
                    _fields.Add((number, 0, bytes.Slice(at, length)));
                    at += length;
                    break;
                case 5:
                    _fields.Add((number, BinaryPrimitives.ReadUInt32LittleEndian(bytes.Span[at..]), bytes.Slice(at, 4)));
                    at += 4;
                    break;
                default:
                    throw new InvalidDataException($"wire type {type}");
            }
        }
    }

    public IEnumerable<ProtobufMessage> All(int number) => _fields.Where(field => field.Number == number).Select(field => new ProtobufMessage(field.Bytes));

    public ProtobufMessage? One(int number) => All(number).SingleOrDefault();

    public bool Has(int number) => _fields.Exists(field => field.Number == number);

    public string Text(int number) => Encoding.UTF8.GetString(Bytes(number).Span);

    public string Hex(int number) => Convert.ToHexStringLower(Bytes(number).Span);

    public ReadOnlyMemory<byte> Bytes(int number) => _fields.FirstOrDefault(field => field.Number == number).Bytes;

    public ulong Number(int number) => _fields.FirstOrDefault(field => field.Number == number).Value;

    public double Double(int number) => BitConverter.UInt64BitsToDouble(Number(number));

    /// <summary>A packed list of eight bytes each.</summary>
    public ulong[] Fixed64s(int number) =>
        [.. _fields.Where(field => field.Number == number).SelectMany(field => field.Bytes.ToArray().Chunk(8)).Select(chunk => BinaryPrimitives.ReadUInt64LittleEndian(chunk))];

    /// <summary>Attributes as OTLP has them: keys with a value of one of some types.</summary>
    public Dictionary<string, object> Attributes(int number) => All(number).ToDictionary(pair => pair.Text(1), pair => Value(pair.One(2)!));

    private static object Value(ProtobufMessage value) =>
        value.Has(1) ? value.Text(1)
        : value.Has(2) ? value.Number(2) != 0
        : value.Has(3) ? (long)value.Number(3)
        : value.Has(4) ? value.Double(4)
        : value.Has(5) ? value.One(5)!.All(1).Select(Value).ToArray()
        : "";

    private static ulong Varint(ReadOnlySpan<byte> bytes, ref int at)
    {
        ulong value = 0;
        for (int shift = 0; ; shift += 7)
        {
            byte one = bytes[at++];
            value |= (ulong)(one & 0x7f) << shift;
            if (one < 0x80)
            {
                return value;
            }
        }
    }
}
