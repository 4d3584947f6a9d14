namespace Ballast.Transport.Http1;

/// <summary>
/// Takes a chunked body apart, however it is cut. Strict: sizes are plain hexadecimal, lines end with CR and LF, extensions and trailers are bounded, seen and dropped.
/// </summary>
public struct ChunkedDecoder
{
    /// <summary>A chunk's size line with its extensions, and all trailers together, in bytes.</summary>
    public const int LineBytesMax = 8 * 1024;

    private const int SizeDigitsMax = 15;

    private enum Part
    {
        Size,
        Extension,
        SizeEnd,
        Data,
        DataEnd,
        DataEndLine,
        TrailerStart,
        Trailer,
        TrailerEnd,
        End,
        Ended,
    }

    private Part _part;
    private long _left;
    private int _digits;
    private int _lineBytes;

    /// <summary>The last chunk and its trailers were read.</summary>
    public readonly bool IsEnded => _part == Part.Ended;

    /// <summary>Reads on from <paramref name="source"/>, up to the end of the body or of the destination.</summary>
    /// <param name="source">What came, from where the last call stopped.</param>
    /// <param name="destination">Where the body's bytes go.</param>
    /// <param name="written">How many went there.</param>
    /// <returns>How many bytes of the source were used.</returns>
    /// <exception cref="InvalidDataException">It is no chunked body.</exception>
    public int Decode(ReadOnlySpan<byte> source, Span<byte> destination, out int written)
    {
        written = 0;
        int at = 0;
        while (at < source.Length && _part != Part.Ended)
        {
            if (_part != Part.Data)
            {
                Step(source[at++]);
                continue;
            }

            int count = (int)Math.Min(_left, Math.Min(source.Length - at, destination.Length - written));
            if (count == 0)
            {
                return at;
            }

            source.Slice(at, count).CopyTo(destination[written..]);
            at += count;
            written += count;
            _left -= count;
            if (_left == 0)
            {
                _part = Part.DataEnd;
            }
        }

        return at;
    }

    private void Step(byte value)
    {
        if (_part is Part.Extension or Part.TrailerStart or Part.Trailer && ++_lineBytes > LineBytesMax)
        {
            throw Broken();
        }

        _part = _part switch
        {
            Part.Size => StepSize(value),
            Part.Extension => value switch { (byte)'\r' => Part.SizeEnd, (byte)'\t' or (>= 0x20 and not 0x7F) => Part.Extension, _ => throw Broken() },
            Part.SizeEnd => value != '\n' ? throw Broken() : BeginData(),
            Part.DataEnd => value != '\r' ? throw Broken() : Part.DataEndLine,
            Part.DataEndLine => value != '\n' ? throw Broken() : Part.Size,
            Part.TrailerStart => value switch { (byte)'\r' => Part.End, > 0x20 and not 0x7F and not (byte)':' => Part.Trailer, _ => throw Broken() },
            Part.Trailer => value switch { (byte)'\r' => Part.TrailerEnd, (byte)'\t' or (>= 0x20 and not 0x7F) => Part.Trailer, _ => throw Broken() },
            Part.TrailerEnd => value != '\n' ? throw Broken() : Part.TrailerStart,
            Part.End => value != '\n' ? throw Broken() : Part.Ended,
            _ => throw Broken(),
        };
    }

    private Part StepSize(byte value)
    {
        if (char.IsAsciiHexDigit((char)value))
        {
            _left = (_left << 4) | DigitOf(value);
            return ++_digits > SizeDigitsMax ? throw Broken() : Part.Size;
        }

        if (_digits == 0)
        {
            throw Broken();
        }

        _digits = 0;
        _lineBytes = 0;
        return value switch { (byte)'\r' => Part.SizeEnd, (byte)';' => Part.Extension, _ => throw Broken() };
    }

    private static uint DigitOf(byte value) => value <= '9' ? (uint)(value - '0') : (uint)((value | 0x20) - 'a' + 10);

    private Part BeginData()
    {
        _lineBytes = 0;
        return _left == 0 ? Part.TrailerStart : Part.Data;
    }

    private static InvalidDataException Broken() => new("The chunked body is malformed.");
}
