using System.Text;
using System.Text.Json;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.CohereChat;

/// <summary>Values of an answer, looked at where they lie.</summary>
internal static class CohereChatJson
{
    /// <summary>Deepest nesting taken in an answer.</summary>
    private const int DepthMax = 128;

    public static JsonReaderOptions ReaderOptions { get; } = new() { MaxDepth = DepthMax };

    /// <summary>The bytes of an object's field; empty where there is none or it is null, and where <paramref name="json"/> is no object.</summary>
    public static ReadOnlySpan<byte> Find(ReadOnlySpan<byte> json, ReadOnlySpan<byte> name)
    {
        if (json.IsEmpty || json[0] != (byte)'{')
        {
            return default;
        }

        Utf8JsonReader reader = new(json, ReaderOptions);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            bool isIt = reader.ValueTextEquals(name);
            reader.Read();
            int start = (int)reader.TokenStartIndex;
            bool isNull = reader.TokenType == JsonTokenType.Null;
            reader.Skip();
            if (isIt)
            {
                return isNull ? default : json[start..(int)reader.BytesConsumed];
            }
        }

        return default;
    }

    /// <summary>Bytes of a string as written, without its quotes; 0 for anything else.</summary>
    public static int LengthOf(ReadOnlySpan<byte> value) => value.Length > 2 && value[0] == (byte)'"' ? value.Length - 2 : 0;

    /// <summary>The string's value, or null for anything else.</summary>
    public static string? TextOf(ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty || value[0] != (byte)'"')
        {
            return null;
        }

        Utf8JsonReader reader = new(value);
        reader.Read();
        return JsonText.Read(ref reader);
    }

    public static int? NumberOf(ReadOnlySpan<byte> value) =>
        !value.IsEmpty && System.Buffers.Text.Utf8Parser.TryParse(value, out int number, out int consumed) && consumed == value.Length ? number : null;

    public static bool Is(ReadOnlySpan<byte> value, ReadOnlySpan<byte> word) => value.Length == word.Length + 2 && value[0] == (byte)'"' && value[1..^1].SequenceEqual(word);

    /// <summary>Names fields that no other protocol has, unless they say nothing.</summary>
    public static void Note(ReadOnlySpan<byte> json, string at, string[] known, LossReport losses)
    {
        if (json.IsEmpty || json[0] != (byte)'{')
        {
            return;
        }

        Utf8JsonReader reader = new(json, ReaderOptions);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string name = JsonText.Read(ref reader);
            reader.Read();
            int start = (int)reader.TokenStartIndex;
            reader.Skip();
            ReadOnlySpan<byte> value = json[start..(int)reader.BytesConsumed];
            bool says = !(value.SequenceEqual("null"u8) || value.SequenceEqual("\"\""u8) || value.SequenceEqual("[]"u8) || value.SequenceEqual("{}"u8));
            if (says && Array.IndexOf(known, name) < 0)
            {
                losses.AddInResponse(JsonCursor.Below(at, name), $"The field {name} cannot cross protocols.");
            }
        }
    }

    public static string Copy(ReadOnlySpan<byte> json) => Encoding.UTF8.GetString(json);
}
