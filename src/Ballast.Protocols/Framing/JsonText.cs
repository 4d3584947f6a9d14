using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Ballast.Protocols.Framing;

/// <summary>
/// JSON strings as .NET strings. Half a surrogate pair (JavaScript writes one where it cut a text) and broken UTF-8 are taken as they are or replaced,
/// where <see cref="Utf8JsonReader.GetString"/> throws.
/// </summary>
internal static class JsonText
{
    /// <summary>The value of the string or property name on which <paramref name="reader"/> stands.</summary>
    public static string Read(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString() ?? "";
        }
        catch (InvalidOperationException)
        {
            return Unescape(reader.HasValueSequence ? [] : reader.ValueSpan);
        }
    }

    /// <summary>As <see cref="Read"/>, with halves of surrogate pairs, which some servers cut between two events, replaced.</summary>
    public static string Lenient(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString() ?? "";
        }
        catch (InvalidOperationException)
        {
            return Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(Unescape(reader.ValueSpan)));
        }
    }

    /// <summary>As above, of the string at hand.</summary>
    public static string Lenient(ref JsonScan json)
    {
        int start = json.Start();
        ReadOnlySpan<byte> text = json.Text();
        if (!json.IsEscaped)
        {
            return Encoding.UTF8.GetString(text);
        }

        Utf8JsonReader reader = new(json.Bytes(json.Since(start)));
        reader.Read();
        return Lenient(ref reader);
    }

    /// <summary>False for anything but a whole number that 64 bits hold, written without fraction and exponent.</summary>
    public static bool TryInteger(ReadOnlySpan<byte> value, out long integer) => Utf8Parser.TryParse(value, out integer, out int length) && length == value.Length;

    /// <summary>UTF-16 code units of the string on which <paramref name="reader"/> stands, without making it.</summary>
    public static long Length(in Utf8JsonReader reader)
    {
        ReadOnlySpan<byte> text = reader.ValueSpan;
        if (!reader.ValueIsEscaped)
        {
            return Encoding.UTF8.GetCharCount(text);
        }

        long length = 0;
        while (!text.IsEmpty)
        {
            int escape = text.IndexOf((byte)'\\');
            length += Encoding.UTF8.GetCharCount(escape < 0 ? text : text[..escape]);
            if (escape < 0)
            {
                break;
            }

            length++;
            text = text[(escape + (text[escape + 1] == (byte)'u' ? 6 : 2))..];
        }

        return length;
    }

    /// <summary>
    /// False where a body holds broken UTF-8, or half a surrogate pair in any string or name. A request is passed on with it as it came, but can be neither
    /// compared nor written anew: what is read in full is checked first, so that no value kept raw (a schema, a tool's input) fails later.
    /// </summary>
    public static bool IsUnicode(ReadOnlySpan<byte> json)
    {
        if (!Utf8.IsValid(json))
        {
            return false;
        }

        bool isHighAhead = false;
        while (true)
        {
            int escape = json.IndexOf((byte)'\\');
            if (escape < 0 || escape + 1 >= json.Length)
            {
                return !isHighAhead;
            }

            bool isUnit = json[escape + 1] == (byte)'u' && escape + 6 <= json.Length;
            int unit = isUnit && ushort.TryParse(json.Slice(escape + 2, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ushort parsed) ? parsed : 0;
            bool isLow = (unit & 0xFC00) == 0xDC00;
            if (isLow != isHighAhead || (isHighAhead && escape > 0))
            {
                return false;
            }

            isHighAhead = (unit & 0xFC00) == 0xD800;
            json = json[(escape + (isUnit ? 6 : 2))..];
        }
    }

    private static string Unescape(ReadOnlySpan<byte> text)
    {
        StringBuilder result = new(text.Length);
        while (!text.IsEmpty)
        {
            int escape = text.IndexOf((byte)'\\');
            result.Append(Encoding.UTF8.GetString(escape < 0 ? text : text[..escape]));
            if (escape < 0)
            {
                break;
            }

            char mark = (char)text[escape + 1];
            result.Append(mark switch
            {
                'b' => '\b',
                'f' => '\f',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'u' => (char)int.Parse(text.Slice(escape + 2, 4), NumberStyles.HexNumber, CultureInfo.InvariantCulture),
                _ => mark,
            });
            text = text[(escape + (mark == 'u' ? 6 : 2))..];
        }

        return result.ToString();
    }
}
