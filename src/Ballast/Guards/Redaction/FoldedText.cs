using System.Globalization;
using System.Text;

namespace Ballast.Guards.Redaction;

/// <summary>
/// A text beside its original: every character folded (<see cref="FoldTable"/>), one level of writing undone (<c>%40</c>, <c>&amp;#64;</c>, <c>\u0040</c>), and for each
/// character the place in the original that it came from. Detectors look at this; what is replaced is the original. Used again and again, by one at a time.
/// </summary>
internal sealed class FoldedText
{
    /// <summary>Signs of escape in a row that are undone together.</summary>
    private const int LevelsMax = 8;

    private static readonly (string Name, char Value)[] s_entities =
    [
        ("commat", '@'), ("period", '.'), ("nbsp", ' '), ("plus", '+'), ("lowbar", '_'), ("hyphen", '-'), ("dash", '-'), ("colon", ':'), ("equals", '='), ("sol", '/'),
        ("lpar", '('), ("rpar", ')'), ("quot", '"'), ("apos", '\''), ("amp", '&'), ("lt", '<'), ("gt", '>'), ("Tab", '\t'), ("NewLine", '\n'), ("shy", '\u00AD'),
        ("zwj", '\u200D'), ("zwnj", '\u200C'),
    ];

    private char[] _chars = new char[256];
    private int[] _starts = new int[256];
    private int[] _ends = new int[256];

    public int Length { get; private set; }

    public ReadOnlySpan<char> Chars => _chars.AsSpan(0, Length);

    public char this[int index] => _chars[index];

    /// <summary>Where the character begins in the original.</summary>
    public int StartOf(int index) => _starts[index];

    /// <summary>Where the character ends in the original.</summary>
    public int EndOf(int index) => _ends[index];

    public void Clear() => Length = 0;

    public void Add(char folded, int start, int end)
    {
        if (Length == _chars.Length)
        {
            Array.Resize(ref _chars, Length * 2);
            Array.Resize(ref _starts, Length * 2);
            Array.Resize(ref _ends, Length * 2);
        }

        _chars[Length] = folded;
        _starts[Length] = start;
        _ends[Length++] = end;
    }

    /// <summary>Takes another text in the place of the one before.</summary>
    public void Take(ReadOnlySpan<char> text)
    {
        Length = 0;
        int at = 0;
        while (at < text.Length)
        {
            Rune rune = Undo(text[at..], out int length);
            if (length == 0)
            {
                Rune.DecodeFromUtf16(text[at..], out rune, out length);
            }

            char folded = FoldTable.IsTag(rune.Value) && IsTagBeside(text, at, length) ? (char)(rune.Value - 0xE0000) : FoldTable.Of(rune);
            if (folded != FoldTable.Dropped)
            {
                Add(folded, at, at + length);
            }

            at += length;
        }
    }

    /// <summary>One tag alone is noise between characters; several are a text of their own.</summary>
    private static bool IsTagBeside(ReadOnlySpan<char> text, int at, int length) =>
        (Rune.DecodeFromUtf16(text[(at + length)..], out Rune next, out _) == System.Buffers.OperationStatus.Done && FoldTable.IsTag(next.Value))
        || (at >= 2 && Rune.DecodeLastFromUtf16(text[..at], out Rune last, out _) == System.Buffers.OperationStatus.Done && FoldTable.IsTag(last.Value));

    /// <summary>What an escape at the beginning stands for; a length of 0 where there is none.</summary>
    private static Rune Undo(ReadOnlySpan<char> text, out int length)
    {
        length = 0;
        return text[0] switch
        {
            '%' => Percent(text, out length),
            '&' => Entity(text, out length),
            '\\' => Backslash(text, out length),
            _ => default,
        };
    }

    private static Rune Percent(ReadOnlySpan<char> text, out int length)
    {
        Span<byte> bytes = stackalloc byte[4];
        int count = 0;
        length = 0;
        int at = 0;
        while (count < bytes.Length && at < text.Length && text[at] == '%' && TryHex(text, at + 1, 2, out int value))
        {
            at += 3;
            for (int level = 0; level < LevelsMax && value == '%' && TryHex(text, at, 2, out int inner); level++)
            {
                value = inner; // escaped twice
                at += 2;
            }

            bytes[count++] = (byte)value;
            if (Rune.DecodeFromUtf8(bytes[..count], out Rune rune, out _) == System.Buffers.OperationStatus.Done)
            {
                length = at;
                return rune;
            }
        }

        return default;
    }

    private static Rune Entity(ReadOnlySpan<char> text, out int length)
    {
        length = 0;
        if (text.Length < 3)
        {
            return default;
        }

        if (text[1] == '#')
        {
            bool isHex = text.Length > 2 && text[2] is 'x' or 'X';
            int at = isHex ? 3 : 2;
            int first = at;
            while (at < text.Length && at - first < 7 && (isHex ? char.IsAsciiHexDigit(text[at]) : char.IsAsciiDigit(text[at])))
            {
                at++;
            }

            if (at == first || !int.TryParse(text[first..at], isHex ? NumberStyles.AllowHexSpecifier : NumberStyles.None, CultureInfo.InvariantCulture, out int value) || !Rune.IsValid(value))
            {
                return default;
            }

            length = at < text.Length && text[at] == ';' ? at + 1 : at;
            return new Rune(value);
        }

        foreach ((string name, char value) in s_entities)
        {
            if (text.Length > name.Length + 1 && text[name.Length + 1] == ';' && text[1..].StartsWith(name, StringComparison.Ordinal))
            {
                length = name.Length + 2;
                if (value == '&' && length < text.Length && text[length] == '#')
                {
                    // Escaped twice: what follows is read as if its sign stood before it.
                    Span<char> inner = stackalloc char[12];
                    inner[0] = '&';
                    int taken = Math.Min(inner.Length - 1, text.Length - length);
                    text.Slice(length, taken).CopyTo(inner[1..]);
                    Rune rune = Entity(inner[..(taken + 1)], out int innerLength);
                    length += Math.Max(0, innerLength - 1);
                    return innerLength > 0 ? rune : new Rune('&');
                }

                return new Rune(value);
            }
        }

        return default;
    }

    private static Rune Backslash(ReadOnlySpan<char> text, out int length)
    {
        int slashes = text[..Math.Min(text.Length, LevelsMax)].IndexOfAnyExcept('\\');
        length = 0;
        if (slashes < 0)
        {
            return default;
        }

        int value;
        switch (text[slashes])
        {
            case 'u' when TryHex(text, slashes + 1, 4, out value):
                length = slashes + 5;
                if (char.IsHighSurrogate((char)value) && length + 6 <= text.Length && text[length] == '\\' && text[length + 1] == 'u'
                    && TryHex(text, length + 2, 4, out int low) && char.IsLowSurrogate((char)low))
                {
                    length += 6;
                    return new Rune((char)value, (char)low);
                }

                return Rune.IsValid(value) ? new Rune(value) : Rune.ReplacementChar;
            case 'x' when TryHex(text, slashes + 1, 2, out value):
                length = slashes + 3;
                return new Rune(value);
            case 'n' or 'r' or 't':
                length = slashes + 1;
                return new Rune(text[slashes] == 't' ? '\t' : '\n');
            case '"' or '/':
                length = slashes + 1;
                return new Rune(text[slashes]);
            default:
                return default;
        }
    }

    private static bool TryHex(ReadOnlySpan<char> text, int at, int digits, out int value)
    {
        value = 0;
        return at + digits <= text.Length && int.TryParse(text.Slice(at, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
    }
}
