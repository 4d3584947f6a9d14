using System.Buffers;
using System.Text;

namespace Ballast.Transport.Http1;

/// <summary>How far the reading of a head has come.</summary>
public enum HeadState
{
    /// <summary>More bytes are needed.</summary>
    Incomplete,
    Whole,

    /// <summary>It breaks the rules of HTTP/1.1 or a limit: nothing that follows on the connection can be trusted.</summary>
    Malformed,
}

/// <summary>How an answer's body ends.</summary>
public enum BodyFraming
{
    None,
    Length,
    Chunked,

    /// <summary>With the connection.</summary>
    Close,
}

/// <summary>
/// The head of an HTTP/1.1 answer (RFC 9112), read as it arrives and never twice, however finely it is dripped. Headers stay bytes until somebody asks for one. Strict
/// where leniency would let two readers disagree on where the body ends. Used again for each answer of a connection.
/// </summary>
public sealed class ResponseHead
{
    /// <summary>Largest head, in bytes.</summary>
    public const int BytesMax = 64 * 1024;

    /// <summary>Most headers in a head.</summary>
    public const int LinesMax = 256;

    private const int FirstLines = 32;

    /// <summary>Longer texts are not remembered.</summary>
    private const int KnownCharactersMax = 256;

    private static readonly SearchValues<byte> s_token = SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);
    private static readonly SearchValues<byte> s_forbidden = SearchValues.Create([0, (byte)'\r', (byte)'\n']);

    private readonly record struct Line(int Name, int NameLength, int Value, int ValueLength);

    private Line[] _lines = new Line[FirstLines];

    /// <summary>Texts that were asked for, by line: the answers of one connection are much alike.</summary>
    private string?[] _texts = new string?[FirstLines];
    private byte[] _bytes = [];
    private int _count;

    /// <summary>Where the line begins that is not whole yet, and how far it was searched for its end.</summary>
    private int _lineAt;
    private int _searched;
    private bool _hasClose;
    private bool _isOld;
    private long _length;

    public int Status { get; private set; }

    public BodyFraming Framing { get; private set; }

    /// <summary>The body's length in bytes, where the head tells it and nothing overrides it.</summary>
    public long? ContentLength => Framing == BodyFraming.Length ? _length : Framing == BodyFraming.None ? 0 : null;

    /// <summary>The connection may carry another answer after this one.</summary>
    public bool KeepsConnection { get; private set; }

    /// <summary>Begins a new head.</summary>
    public void Begin()
    {
        _count = 0;
        _lineAt = 0;
        _searched = 0;
        _hasClose = false;
        Status = 0;
    }

    /// <summary>Reads on in the same bytes and those that have come since.</summary>
    /// <param name="bytes">From the head's first byte.</param>
    /// <param name="length">The whole head's length, once it is whole.</param>
    public HeadState Read(ReadOnlySpan<byte> bytes, out int length)
    {
        length = 0;
        while (true)
        {
            int end = bytes[_searched..].IndexOf((byte)'\n');
            if (end < 0)
            {
                _searched = bytes.Length;
                return bytes.Length > BytesMax ? HeadState.Malformed : HeadState.Incomplete;
            }

            end += _searched;
            ReadOnlySpan<byte> line = bytes[_lineAt..end];
            if (line is [.., (byte)'\r'])
            {
                line = line[..^1];
            }

            int at = _lineAt;
            _lineAt = _searched = end + 1;
            if (_lineAt > BytesMax)
            {
                return HeadState.Malformed;
            }

            if (Status == 0)
            {
                if (!TryReadStatus(line))
                {
                    return HeadState.Malformed;
                }
            }
            else if (line.IsEmpty)
            {
                length = _lineAt;
                return Finish(bytes[..length]);
            }
            else if (!TryReadHeader(line, at))
            {
                return HeadState.Malformed;
            }
        }
    }

    /// <summary>The first value of a header; null where there is none.</summary>
    public string? Find(ReadOnlySpan<char> name)
    {
        for (int i = 0; i < _count; i++)
        {
            if (IsNamed(_bytes, _lines[i], name))
            {
                return TextOf(i);
            }
        }

        return null;
    }

    /// <summary>All values of a header, joined by commas; null where there is none.</summary>
    public string? FindAll(ReadOnlySpan<char> name)
    {
        string? all = null;
        for (int i = 0; i < _count; i++)
        {
            if (IsNamed(_bytes, _lines[i], name))
            {
                string value = TextOf(i);
                all = all is null ? value : $"{all}, {value}";
            }
        }

        return all;
    }

    private string TextOf(int line)
    {
        ReadOnlySpan<byte> value = ValueOf(_bytes, _lines[line]);
        string? known = _texts[line];
        if (known is not null && Ascii.Equals(value, known))
        {
            return known;
        }

        string text = Encoding.Latin1.GetString(value);
        _texts[line] = text.Length <= KnownCharactersMax ? text : null;
        return text;
    }

    private bool TryReadStatus(ReadOnlySpan<byte> line)
    {
        // HTTP/1.1 200 and, after a blank, whatever words.
        if (line.Length < 12 || !line.StartsWith("HTTP/1."u8) || line[7] is not ((byte)'0' or (byte)'1') || line[8] != (byte)' '
            || line[9] is < (byte)'1' or > (byte)'9' || !char.IsAsciiDigit((char)line[10]) || !char.IsAsciiDigit((char)line[11])
            || (line.Length > 12 && line[12] != (byte)' ') || line.ContainsAny(s_forbidden))
        {
            return false;
        }

        _isOld = line[7] == (byte)'0';
        Status = ((line[9] - '0') * 100) + ((line[10] - '0') * 10) + line[11] - '0';
        return true;
    }

    /// <summary>Blanks before the colon, and lines that go on in the next, are what two readers read in two ways.</summary>
    private bool TryReadHeader(ReadOnlySpan<byte> line, int at)
    {
        int colon = line.IndexOf((byte)':');
        if (colon <= 0 || _count == LinesMax || line[..colon].ContainsAnyExcept(s_token))
        {
            return false;
        }

        int from = colon + 1;
        int to = line.Length;
        while (from < to && line[from] is (byte)' ' or (byte)'\t')
        {
            from++;
        }

        while (to > from && line[to - 1] is (byte)' ' or (byte)'\t')
        {
            to--;
        }

        if (line[from..to].ContainsAny(s_forbidden))
        {
            return false;
        }

        if (_count == _lines.Length)
        {
            Array.Resize(ref _lines, Math.Min(_count * 2, LinesMax));
            Array.Resize(ref _texts, _lines.Length);
        }

        _lines[_count++] = new Line(at, colon, at + from, to - from);
        return true;
    }

    private HeadState Finish(ReadOnlySpan<byte> head)
    {
        long length = -1;
        bool isChunked = false;
        for (int i = 0; i < _count; i++)
        {
            ref readonly Line line = ref _lines[i];
            switch (line.NameLength)
            {
                case 10 when IsNamed(head, line, "Connection"):
                    _hasClose |= HasClose(ValueOf(head, line));
                    break;
                case 14 when IsNamed(head, line, "Content-Length"):
                    if (!TryReadLength(ValueOf(head, line), out long told) || (length >= 0 && told != length))
                    {
                        return HeadState.Malformed;
                    }

                    length = told;
                    break;
                case 17 when IsNamed(head, line, "Transfer-Encoding"):
                    if (isChunked || _isOld || !Ascii.EqualsIgnoreCase(ValueOf(head, line), "chunked"))
                    {
                        return HeadState.Malformed;
                    }

                    isChunked = true;
                    break;
            }
        }

        _length = length;
        Framing = Status is < 200 or 204 or 304 ? BodyFraming.None
            : isChunked ? BodyFraming.Chunked
            : length >= 0 ? BodyFraming.Length
            : BodyFraming.Close;

        // Two framings at once: the chunks count, and whoever wrote that is not trusted with a second answer.
        KeepsConnection = !_isOld && !_hasClose && Framing != BodyFraming.Close && !(isChunked && length >= 0);
        if (_bytes.Length < head.Length)
        {
            _bytes = new byte[Math.Max(head.Length, 1024)];
        }

        head.CopyTo(_bytes);
        return HeadState.Whole;
    }

    private static bool TryReadLength(ReadOnlySpan<byte> value, out long length)
    {
        length = 0;
        if (value.IsEmpty || value.Length > 18)
        {
            return false;
        }

        foreach (byte digit in value)
        {
            if (!char.IsAsciiDigit((char)digit))
            {
                return false;
            }

            length = (length * 10) + digit - '0';
        }

        return true;
    }

    private static bool HasClose(ReadOnlySpan<byte> value)
    {
        foreach (Range option in value.Split((byte)','))
        {
            if (Ascii.EqualsIgnoreCase(value[option].Trim(" \t"u8), "close"))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsNamed(ReadOnlySpan<byte> head, in Line line, ReadOnlySpan<char> name) =>
        line.NameLength == name.Length && Ascii.EqualsIgnoreCase(head.Slice(line.Name, line.NameLength), name);

    private static ReadOnlySpan<byte> ValueOf(ReadOnlySpan<byte> head, in Line line) => head.Slice(line.Value, line.ValueLength);
}
