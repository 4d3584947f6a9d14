using System.Buffers;
using System.Buffers.Text;
using System.Net;
using System.Text;
using System.Text.Unicode;

namespace Ballast.Transport.Http1;

/// <summary>
/// A request's head, read as its bytes arrive: line by line, each once. Strict where the standard leaves a choice, so that no other server could see another request
/// in the same bytes. Nothing is copied: what was found is where it lies. Used again for the next request.
/// </summary>
public sealed class RequestHead
{
    /// <summary>Longest request line, in bytes.</summary>
    public const int LineBytesMax = 8 * 1024;

    /// <summary>All header lines together, in bytes.</summary>
    public const int HeadersBytesMax = 32 * 1024;

    public const int HeadersMax = 100;

    /// <summary>Empty lines before a request, in bytes: some clients send one behind a body.</summary>
    private const int EmptyBytesMax = 8;

    /// <summary>Longest head there can be.</summary>
    public const int BytesMax = LineBytesMax + HeadersBytesMax + 4;

    private static readonly SearchValues<byte> s_token =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    /// <summary>What a target may hold: everything that is to be seen.</summary>
    private static readonly SearchValues<byte> s_visible = SearchValues.Create([.. Enumerable.Range(0x21, 0x7E - 0x20).Select(value => (byte)value)]);

    private static readonly SearchValues<byte> s_value =
        SearchValues.Create([(byte)'\t', .. Enumerable.Range(0x20, 0x100 - 0x20).Where(value => value != 0x7F).Select(value => (byte)value)]);

    private static readonly SearchValues<byte> s_hostName = SearchValues.Create("-._0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    private static readonly SearchValues<byte> s_hostAddress = SearchValues.Create(":.0123456789ABCDEFabcdef"u8);

    private HeaderField[] _fields = new HeaderField[16];
    private byte[] _bytes = [];
    private int _lineStart;
    private int _scanned;
    private int _headersStart;
    private int _hosts;
    private int _host;
    private int _authorityStart;
    private int _authorityLength;
    private ulong _nameLengths;
    private bool _hasLine;
    private bool _isClose;

    /// <summary>The head is complete.</summary>
    public bool IsComplete { get; private set; }

    /// <summary>Bytes of the head, its empty line included, once it is complete.</summary>
    public int Length => _lineStart;

    public bool IsHttp11 { get; private set; }

    /// <summary>The connection may serve another request after this one.</summary>
    public bool IsKeepAlive { get; private set; }

    public bool IsChunked { get; private set; }

    public long? ContentLength { get; private set; }

    /// <summary>The client sends its body only when it is told to.</summary>
    public bool ExpectsContinue { get; private set; }

    public int Count { get; private set; }

    public ReadOnlySpan<byte> Method => _bytes.AsSpan(MethodStart, MethodLength);

    /// <summary>Path and query as they were sent, without a scheme and a host.</summary>
    public ReadOnlySpan<byte> Target => _bytes.AsSpan(TargetStart, TargetLength);

    private int MethodStart { get; set; }
    private int MethodLength { get; set; }
    private int TargetStart { get; set; }
    private int TargetLength { get; set; }

    public void Clear()
    {
        _lineStart = _scanned = _headersStart = _hosts = _host = _authorityStart = _authorityLength = 0;
        MethodStart = MethodLength = TargetStart = TargetLength = Count = 0;
        _hasLine = _isClose = IsComplete = IsHttp11 = IsKeepAlive = IsChunked = ExpectsContinue = false;
        ContentLength = null;
        _nameLengths = 0;
        _bytes = [];
    }

    /// <summary>
    /// Reads on. The bytes are those of the request from its first, and those that were there before; the memory may be another. Returns null while all is well:
    /// see <see cref="IsComplete"/>.
    /// </summary>
    public HeadRefusal? Read(byte[] bytes, int length)
    {
        _bytes = bytes;
        while (!IsComplete)
        {
            int end = bytes.AsSpan(_scanned, length - _scanned).IndexOf((byte)'\n');
            if (end < 0)
            {
                _scanned = length;
                return TooLong(length);
            }

            end += _scanned;
            _scanned = end + 1;
            if (end == _lineStart || bytes[end - 1] != '\r')
            {
                return HeadRefusal.LineEnd;
            }

            if (TooLong(end) is { } tooLong)
            {
                return tooLong;
            }

            if (ReadLine(_lineStart, end - 1) is { } refusal)
            {
                return refusal;
            }

            _lineStart = end + 1;
            if (_headersStart == 0 && _hasLine)
            {
                _headersStart = _lineStart;
            }
        }

        return Judge();
    }

    public ReadOnlySpan<byte> Name(int index) => _bytes.AsSpan(_fields[index].NameStart, _fields[index].NameLength);

    public ReadOnlySpan<byte> Value(int index) => _bytes.AsSpan(_fields[index].ValueStart, _fields[index].ValueLength);

    /// <summary>The next header of this name from <paramref name="index"/> on; -1 where there is none.</summary>
    public int Find(ReadOnlySpan<char> name, int index)
    {
        // Most headers that are asked for are not there, and none is as long as they are.
        if ((_nameLengths & (1UL << (name.Length & 63))) == 0)
        {
            return -1;
        }

        for (; index < Count; index++)
        {
            if (_fields[index].NameLength == name.Length && Ascii.EqualsIgnoreCase(Name(index), name))
            {
                return index;
            }
        }

        return -1;
    }

    private HeadRefusal? TooLong(int end) =>
        !_hasLine ? end - _lineStart > LineBytesMax ? HeadRefusal.TargetTooLong : null
        : end - _headersStart > HeadersBytesMax ? HeadRefusal.HeadersTooLarge : null;

    private HeadRefusal? ReadLine(int start, int end)
    {
        if (!_hasLine)
        {
            if (start == end && start < EmptyBytesMax)
            {
                MethodStart = end + 2;
                return null;
            }

            _hasLine = true;
            return ReadRequestLine(_bytes.AsSpan(start, end - start), start);
        }

        if (start == end)
        {
            IsComplete = true;
            return null;
        }

        return ReadHeader(_bytes.AsSpan(start, end - start), start);
    }

    private HeadRefusal? ReadRequestLine(ReadOnlySpan<byte> line, int start)
    {
        int space = line.IndexOf((byte)' ');
        int last = line.LastIndexOf((byte)' ');
        if (space <= 0 || last <= space + 1 || line[..space].ContainsAnyExcept(s_token))
        {
            return HeadRefusal.RequestLine;
        }

        ReadOnlySpan<byte> target = line[(space + 1)..last];
        ReadOnlySpan<byte> version = line[(last + 1)..];
        if (target.ContainsAnyExcept(s_visible) || target.IndexOf("%00"u8) >= 0)
        {
            return HeadRefusal.Target;
        }

        if (!version.SequenceEqual("HTTP/1.1"u8) && !version.SequenceEqual("HTTP/1.0"u8))
        {
            return version.Length == 8 && version.StartsWith("HTTP/"u8) && char.IsAsciiDigit((char)version[5]) && version[6] == '.'
                && char.IsAsciiDigit((char)version[7]) ? HeadRefusal.Version : HeadRefusal.RequestLine;
        }

        IsHttp11 = IsKeepAlive = version[7] == '1';
        MethodLength = space;
        TargetStart = start + space + 1;
        TargetLength = target.Length;
        return target[0] == '/' || target.SequenceEqual("*"u8) ? null : ReadAuthority(target);
    }

    /// <summary>Proxies are sent the whole address.</summary>
    private HeadRefusal? ReadAuthority(ReadOnlySpan<byte> target)
    {
        int scheme = Ascii.EqualsIgnoreCase(target[..Math.Min(7, target.Length)], "http://"u8) ? 7
            : Ascii.EqualsIgnoreCase(target[..Math.Min(8, target.Length)], "https://"u8) ? 8 : 0;
        int length = target[scheme..].IndexOf((byte)'/');
        if (scheme == 0 || length <= 0)
        {
            return HeadRefusal.Target;
        }

        _authorityStart = TargetStart + scheme;
        _authorityLength = length;
        TargetStart += scheme + length;
        TargetLength -= scheme + length;
        return null;
    }

    private HeadRefusal? ReadHeader(ReadOnlySpan<byte> line, int start)
    {
        if (line[0] is (byte)' ' or (byte)'\t')
        {
            return HeadRefusal.Folded;
        }

        int colon = line.IndexOf((byte)':');
        if (colon <= 0 || line[..colon].ContainsAnyExcept(s_token))
        {
            return HeadRefusal.Header;
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

        ReadOnlySpan<byte> value = line[from..to];
        if (value.ContainsAnyExcept(s_value) || (!Ascii.IsValid(value) && !Utf8.IsValid(value)))
        {
            return HeadRefusal.Header;
        }

        if (Count == HeadersMax)
        {
            return HeadRefusal.HeadersTooLarge;
        }

        if (Count == _fields.Length)
        {
            Array.Resize(ref _fields, Math.Min(HeadersMax, Count * 2));
        }

        _nameLengths |= 1UL << (colon & 63);
        _fields[Count++] = new HeaderField(start, colon, start + from, value.Length);
        return Note(line[..colon], value);
    }

    /// <summary>What the connection itself has to know.</summary>
    private HeadRefusal? Note(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        switch (name.Length)
        {
            case 4 when Ascii.EqualsIgnoreCase(name, "host"u8):
                _hosts++;
                _host = Count - 1;
                return IsHost(value) ? null : HeadRefusal.Host;
            case 6 when Ascii.EqualsIgnoreCase(name, "expect"u8):
                ExpectsContinue = IsHttp11 && Ascii.EqualsIgnoreCase(value, "100-continue"u8);
                return null;
            case 10 when Ascii.EqualsIgnoreCase(name, "connection"u8):
                NoteConnection(value);
                return null;
            case 14 when Ascii.EqualsIgnoreCase(name, "content-length"u8):
                if (ContentLength is not null || value.IsEmpty || value.ContainsAnyExceptInRange((byte)'0', (byte)'9')
                    || !Utf8Parser.TryParse(value, out long length, out int consumed) || consumed != value.Length)
                {
                    return HeadRefusal.ContentLength;
                }

                ContentLength = length;
                return null;
            case 17 when Ascii.EqualsIgnoreCase(name, "transfer-encoding"u8):
                if (IsChunked || !IsHttp11 || !Ascii.EqualsIgnoreCase(value, "chunked"u8))
                {
                    return HeadRefusal.TransferEncoding;
                }

                IsChunked = true;
                return null;
            default:
                return null;
        }
    }

    /// <summary>A name or an address in brackets, and perhaps a port; nothing is a host, too.</summary>
    private static bool IsHost(ReadOnlySpan<byte> host)
    {
        int end = host.IndexOf((byte)']') + 1;
        bool isAddress = end > 0 && host[0] == '[' && !host[1..(end - 1)].ContainsAnyExcept(s_hostAddress)
            && IPAddress.TryParse(Encoding.ASCII.GetString(host[1..(end - 1)]), out _);
        if (!isAddress)
        {
            end = host.IndexOf((byte)':') is >= 0 and int colon ? colon : host.Length;
            if (host[..end].ContainsAnyExcept(s_hostName))
            {
                return false;
            }
        }

        ReadOnlySpan<byte> port = host[end..];
        return port.IsEmpty || (port[0] == ':' && end > 0 && port.Length is > 1 and <= 6 && !port[1..].ContainsAnyExceptInRange((byte)'0', (byte)'9'));
    }

    private void NoteConnection(ReadOnlySpan<byte> value)
    {
        foreach (Range range in value.Split((byte)','))
        {
            ReadOnlySpan<byte> option = value[range].Trim(" \t"u8);
            _isClose |= Ascii.EqualsIgnoreCase(option, "close"u8);
            IsKeepAlive = !_isClose && (IsKeepAlive || Ascii.EqualsIgnoreCase(option, "keep-alive"u8));
        }
    }

    /// <summary>What only the whole head tells.</summary>
    private HeadRefusal? Judge()
    {
        if (_hosts > 1 || (_hosts == 0 && IsHttp11))
        {
            return HeadRefusal.Host;
        }

        if (_authorityLength > 0 && (_hosts == 0 || !Ascii.EqualsIgnoreCase(_bytes.AsSpan(_authorityStart, _authorityLength), Value(_host))))
        {
            return HeadRefusal.Target;
        }

        if (IsChunked && ContentLength is not null)
        {
            return HeadRefusal.TwoLengths;
        }

        return !IsHttp11 && ContentLength is null && (Method.SequenceEqual("POST"u8) || Method.SequenceEqual("PUT"u8)) ? HeadRefusal.LengthMissing : null;
    }
}
