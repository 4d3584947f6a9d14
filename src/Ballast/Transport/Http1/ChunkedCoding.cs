using System.Buffers;

namespace Ballast.Transport.Http1;

/// <summary>
/// Takes the chunked transfer coding (RFC 9112, 7.1) off a body, in place: a single chunk is not moved at all, further ones move down by the few bytes between them.
/// Strict in what parts chunks: lines end in CR LF, sizes are hexadecimal digits, extensions and trailers are skipped within limits.
/// </summary>
/// <param name="takesPadding">Blanks after a size are let pass: some servers write them, no client does.</param>
public sealed class ChunkedCoding(bool takesPadding = true)
{
    /// <summary>Longest line with a chunk's size, extensions included, in bytes.</summary>
    public const int SizeLineBytesMax = 4 * 1024;

    /// <summary>Largest trailer, in bytes.</summary>
    public const int TrailerBytesMax = 64 * 1024;

    /// <summary>Longest size that is read at once, in digits, and with the two line ends about it, in bytes.</summary>
    private const int PlainDigits = 6;
    private const int PlainLineBytes = PlainDigits + 4;

    private enum Part
    {
        Size,
        SizePadding,
        Extension,
        SizeLineFeed,
        Data,
        DataReturn,
        DataLineFeed,
        Trailer,
        TrailerName,
        TrailerLine,
        TrailerLineFeed,
        LastLineFeed,
        End,
    }

    private static readonly SearchValues<byte> s_token =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    private Part _part;
    private long _left;
    private int _digits;
    private int _lineBytes;

    /// <summary>The last chunk and the trailer are through.</summary>
    public bool IsEnded => _part == Part.End;

    public void Begin()
    {
        _part = Part.Size;
        _left = 0;
        _digits = 0;
        _lineBytes = 0;
    }

    /// <summary>Decodes all that has come, up to the coding's end.</summary>
    /// <param name="bytes">Decoded and coded bytes, one after the other.</param>
    /// <param name="start">Where decoded bytes begin that nobody has taken yet; moved where there are none.</param>
    /// <param name="decoded">Where they end.</param>
    /// <param name="coded">Where coded bytes begin.</param>
    /// <returns>False where the coding is broken.</returns>
    public bool TryDecode(Span<byte> bytes, ref int start, ref int decoded, ref int coded)
    {
        while (coded < bytes.Length && _part != Part.End)
        {
            if (bytes.Length - coded > PlainLineBytes && (_part == Part.DataReturn || (_part == Part.Size && _digits == 0)))
            {
                SkipPlainLine(bytes, ref coded);
            }

            if (_part == Part.Data)
            {
                int count = (int)Math.Min(_left, bytes.Length - coded);
                if (start == decoded)
                {
                    start = decoded = coded;
                }
                else if (decoded != coded)
                {
                    bytes.Slice(coded, count).CopyTo(bytes[decoded..]);
                }

                decoded += count;
                coded += count;
                _left -= count;
                _part = _left == 0 ? Part.DataReturn : Part.Data;
            }
            else if (!TryStep(bytes[coded++]))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Between most chunks there is a line's end and a short size alone: they are read at once. Whatever else there is, is left to the steps.</summary>
    private void SkipPlainLine(ReadOnlySpan<byte> bytes, ref int coded)
    {
        int at = coded;
        if (_part == Part.DataReturn)
        {
            if (bytes[at] != (byte)'\r' || bytes[at + 1] != (byte)'\n')
            {
                return;
            }

            at += 2;
        }

        int size = 0;
        for (int end = at + PlainDigits; at < end && DigitOf(bytes[at]) is >= 0 and int digit; at++)
        {
            size = (size << 4) | digit;
        }

        if (size > 0 && bytes[at] == (byte)'\r' && bytes[at + 1] == (byte)'\n')
        {
            coded = at + 2;
            _left = size;
            _lineBytes = 0;
            _part = Part.Data;
        }
    }

    private bool TryStep(byte unit)
    {
        if (++_lineBytes > (_part >= Part.Trailer ? TrailerBytesMax : SizeLineBytesMax))
        {
            return false;
        }

        switch (_part)
        {
            case Part.Size:
                return TryReadSize(unit);
            case Part.SizePadding:
                return unit is (byte)' ' or (byte)'\t' || TryEndSize(unit);
            case Part.Extension:
                return unit == (byte)'\r' ? Go(Part.SizeLineFeed) : IsText(unit);
            case Part.SizeLineFeed:
                return unit == (byte)'\n' && BeginData();
            case Part.DataReturn:
                return unit == (byte)'\r' && Go(Part.DataLineFeed);
            case Part.DataLineFeed:
                _digits = 0;
                _lineBytes = 0;
                return unit == (byte)'\n' && Go(Part.Size);
            case Part.Trailer:
                return unit == (byte)'\r' ? Go(Part.LastLineFeed) : s_token.Contains(unit) && Go(Part.TrailerName);
            case Part.TrailerName:
                return unit == (byte)':' ? Go(Part.TrailerLine) : s_token.Contains(unit);
            case Part.TrailerLine:
                return unit == (byte)'\r' ? Go(Part.TrailerLineFeed) : IsText(unit);
            case Part.TrailerLineFeed:
                return unit == (byte)'\n' && Go(Part.Trailer);
            default:
                return unit == (byte)'\n' && Go(Part.End);
        }
    }

    private static bool IsText(byte unit) => unit is (byte)'\t' or (>= (byte)' ' and not 0x7F);

    private bool TryReadSize(byte unit)
    {
        int digit = DigitOf(unit);
        if (digit < 0)
        {
            return _digits > 0 && TryEndSize(unit);
        }

        if (_left > long.MaxValue >> 4)
        {
            return false;
        }

        _digits++;
        _left = (_left << 4) | (long)digit;
        return true;
    }

    private bool TryEndSize(byte unit) => unit switch
    {
        (byte)'\r' => Go(Part.SizeLineFeed),
        (byte)';' => Go(Part.Extension),
        (byte)' ' or (byte)'\t' when takesPadding => Go(Part.SizePadding),
        _ => false,
    };

    private bool BeginData()
    {
        _lineBytes = 0;
        return Go(_left == 0 ? Part.Trailer : Part.Data);
    }

    private bool Go(Part part)
    {
        _part = part;
        return true;
    }

    private static int DigitOf(byte unit) => unit switch
    {
        >= (byte)'0' and <= (byte)'9' => unit - '0',
        >= (byte)'a' and <= (byte)'f' => unit - 'a' + 10,
        >= (byte)'A' and <= (byte)'F' => unit - 'A' + 10,
        _ => -1,
    };
}
