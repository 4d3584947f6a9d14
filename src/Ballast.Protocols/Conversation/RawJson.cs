using System.Text;
using System.Text.Json;

namespace Ballast.Protocols.Conversation;

/// <summary>One JSON value kept as the UTF-8 bytes it arrived in, so that what is not understood is not changed either.</summary>
public readonly record struct RawJson(ReadOnlyMemory<byte> Utf8)
{
    /// <summary>The value <c>{}</c>.</summary>
    public static RawJson EmptyObject { get; } = new("{}"u8.ToArray());

    public bool IsEmpty => Utf8.IsEmpty;

    public static RawJson From(string json) => new(Encoding.UTF8.GetBytes(json));

    /// <summary>A text as JSON writes it.</summary>
    public static RawJson OfText(string text) => From($"\"{JsonEncodedText.Encode(text)}\"");

    /// <summary>Copies the value at which <paramref name="reader"/> stands and leaves the reader at the value's end.</summary>
    /// <param name="reader">A reader over <paramref name="source"/>, standing on the first token of a value.</param>
    /// <param name="source">The bytes that the reader reads.</param>
    public static RawJson Take(ref Utf8JsonReader reader, ReadOnlyMemory<byte> source)
    {
        int start = (int)reader.TokenStartIndex;
        reader.Skip();
        return new RawJson(source[start..(int)reader.BytesConsumed]);
    }

    public void WriteTo(Utf8JsonWriter writer) => writer.WriteRawValue(Utf8.Span, skipInputValidation: true);

    public bool Equals(RawJson other) => Utf8.Span.SequenceEqual(other.Utf8.Span);

    public override int GetHashCode()
    {
        HashCode hash = default;
        hash.AddBytes(Utf8.Span);
        return hash.ToHashCode();
    }

    public override string ToString() => Encoding.UTF8.GetString(Utf8.Span);
}
