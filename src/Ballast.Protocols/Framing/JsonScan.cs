using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Text;
using System.Text.Json;

namespace Ballast.Protocols.Framing;

/// <summary>
/// Goes through one JSON text that lies in one piece, from front to back, every byte once: the first look at requests and the watching of answers, which every request
/// pays for. It accepts and refuses exactly what <see cref="Utf8JsonReader"/> does (RFC 8259, a bound on depth; tests compare the two), but has no state for text in
/// pieces and calls a handful of small methods. Whoever was told of a field or an item must take or skip its value before asking for the next.
/// All methods throw <see cref="JsonException"/> where the text is not JSON.
/// </summary>
internal ref struct JsonScan(ReadOnlySpan<byte> json, int depthMax)
{
    private static readonly SearchValues<byte> s_stops = SearchValues.Create(
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, (byte)'"', (byte)'\\']);

    private readonly ReadOnlySpan<byte> _json = json;
    private readonly int _depthMax = depthMax;
    private int _at;
    private int _depth;
    private bool _isFirst;

    /// <summary>The name of the field that <see cref="NextField"/> came to, as it is written.</summary>
    public readonly ReadOnlySpan<byte> Name => _json.Slice(NameSpan.Start, NameSpan.Length);

    /// <summary>Where <see cref="Name"/> lies.</summary>
    public JsonSpan NameSpan { get; private set; }

    /// <summary>The string or name read last holds an escape.</summary>
    public bool IsEscaped { get; private set; }

    /// <summary>No string so far holds a byte beyond ASCII: what is ASCII is UTF-8.</summary>
    public bool IsAscii { get; private set; } = true;

    /// <summary>A string so far begins with <see cref="ForeignThinking.Mark"/>.</summary>
    public bool HasForeignThinking { get; private set; }

    /// <summary>The text was refused because it is nested deeper than allowed.</summary>
    public bool IsTooDeep { get; private set; }

    /// <summary>The first byte of the value at hand, which tells what it is; 0 at the text's end.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public byte First()
    {
        int at = _at;
        if ((uint)at < (uint)_json.Length && _json[at] > (byte)' ')
        {
            return _json[at];
        }

        return FirstAfterSpace();
    }

    /// <summary>
    /// True where the value at hand begins so. Where it does not, a string, a word or a number is passed: what is no JSON is refused as such before it is as of the
    /// wrong type.
    /// </summary>
    public bool Demand(byte first)
    {
        byte found = First();
        if (found != first && found is not ((byte)'{' or (byte)'['))
        {
            Skip();
        }

        return found == first;
    }

    /// <summary>Where the value at hand begins.</summary>
    public int Start()
    {
        First();
        return _at;
    }

    /// <summary>The bytes from <paramref name="start"/> up to what was read last.</summary>
    public readonly JsonSpan Since(int start) => new(start, _at - start);

    /// <summary>The field that <see cref="NextField"/> came to has this name.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly bool Is(ReadOnlySpan<byte> name) => IsEscaped ? IsUnquoted(new JsonSpan(NameSpan.Start - 1, NameSpan.Length + 2), name) : Name.SequenceEqual(name);

    /// <summary><see cref="Name"/> as text, with what is broken in it replaced.</summary>
    public readonly string NameText() => Unquote(new JsonSpan(NameSpan.Start - 1, NameSpan.Length + 2));

    /// <summary>The bytes of a value that was passed.</summary>
    public readonly ReadOnlySpan<byte> Bytes(JsonSpan value) => _json.Slice(value.Start, value.Length);

    public void EnterObject() => Enter((byte)'{');

    public void EnterArray() => Enter((byte)'[');

    /// <summary>Goes to the value of the next field of the object entered last; false at its end, which is then left.</summary>
    public bool NextField()
    {
        byte next = First();
        if (next == (byte)'}')
        {
            return Leave();
        }

        if (!_isFirst)
        {
            Expect(next, (byte)',');
            _at++;
            next = First();
        }

        Expect(next, (byte)'"');
        NameSpan = new JsonSpan(_at + 1, Text().Length);
        Expect(First(), (byte)':');
        _at++;
        _isFirst = false;
        return true;
    }

    /// <summary>Goes to the next item of the array entered last; false at its end, which is then left.</summary>
    public bool NextItem()
    {
        byte next = First();
        if (next == (byte)']')
        {
            return Leave();
        }

        if (!_isFirst)
        {
            Expect(next, (byte)',');
            _at++;
        }

        _isFirst = false;
        return true;
    }

    /// <summary>Passes the value at hand, whatever it is.</summary>
    public void Skip()
    {
        switch (First())
        {
            case (byte)'"':
                Text();
                break;
            case (byte)'{':
                EnterObject();
                while (NextField())
                {
                    Skip();
                }

                break;
            case (byte)'[':
                EnterArray();
                while (NextItem())
                {
                    Skip();
                }

                break;
            case (byte)'t':
                Literal("true"u8);
                break;
            case (byte)'f':
                Literal("false"u8);
                break;
            case (byte)'n':
                Literal("null"u8);
                break;
            default:
                Number();
                break;
        }
    }

    /// <summary>Passes the value at hand and tells where it lies.</summary>
    public JsonSpan Take()
    {
        int start = Start();
        Skip();
        return Since(start);
    }

    /// <summary>Takes the string at hand, as it is written between its quotes.</summary>
    public ReadOnlySpan<byte> Text()
    {
        Expect(First(), (byte)'"');
        ReadOnlySpan<byte> json = _json;
        int start = _at + 1;
        int at = EndOfText(json, start, out bool isEscaped);
        IsEscaped = isEscaped;
        _at = at + 1;
        ReadOnlySpan<byte> text = json[start..at];
        if (!text.IsEmpty && text[0] == (byte)'b' && text.StartsWith(ForeignThinking.MarkUtf8))
        {
            HasForeignThinking = true;
        }

        return text;
    }

    /// <summary>Takes the string at hand as text, with what is broken in it replaced.</summary>
    public string String()
    {
        int start = Start();
        ReadOnlySpan<byte> text = Text();
        return IsEscaped ? Unquote(Since(start)) : Encoding.UTF8.GetString(text);
    }

    /// <summary>Takes the string at hand with its escapes undone.</summary>
    /// <exception cref="InvalidOperationException">It holds half a surrogate pair.</exception>
    public ReadOnlySpan<byte> Word()
    {
        int start = Start();
        ReadOnlySpan<byte> text = Text();
        if (!IsEscaped)
        {
            return text;
        }

        Utf8JsonReader reader = new(Bytes(Since(start)));
        reader.Read();
        return Encoding.UTF8.GetBytes(reader.GetString()!);
    }

    /// <summary>Takes the string at hand and compares what it says.</summary>
    public bool TextIs(ReadOnlySpan<byte> wanted)
    {
        int start = Start();
        ReadOnlySpan<byte> text = Text();
        return IsEscaped ? IsUnquoted(Since(start), wanted) : text.SequenceEqual(wanted);
    }

    /// <summary>Takes the whole number at hand; null, and it is passed all the same, where it is none that 64 bits hold, or no number.</summary>
    public long? Integer()
    {
        JsonSpan value = Take();
        return JsonText.TryInteger(Bytes(value), out long integer) ? integer : null;
    }

    /// <summary>Nothing but white space may follow.</summary>
    public void End()
    {
        if (First() != 0 || _at < _json.Length)
        {
            Fail();
        }
    }

    [DoesNotReturn]
    private static void Fail() => throw new JsonException();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Expect(byte found, byte wanted)
    {
        if (found != wanted)
        {
            Fail();
        }
    }

    private byte FirstAfterSpace()
    {
        while (_at < _json.Length)
        {
            byte next = _json[_at];
            if (next is not ((byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t'))
            {
                return next;
            }

            _at++;
        }

        return 0;
    }

    private void Enter(byte bracket)
    {
        Expect(First(), bracket);
        if (_depth == _depthMax)
        {
            IsTooDeep = true;
            Fail();
        }

        _depth++;
        _at++;
        _isFirst = true;
    }

    private bool Leave()
    {
        _depth--;
        _at++;
        _isFirst = false;
        return false;
    }

    /// <summary>Where the quote is that ends the string.</summary>
    private int EndOfText(ReadOnlySpan<byte> json, int at, out bool isEscaped)
    {
        isEscaped = false;
        while (Vector128.IsHardwareAccelerated && json.Length - at >= Vector128<byte>.Count)
        {
            // Nearly all names and words end within the first sixteen bytes.
            int next = at + Vector128<byte>.Count;
            uint stops = StopsIn(Vector128.Create(json.Slice(at, Vector128<byte>.Count))).ExtractMostSignificantBits();
            if (stops == 0)
            {
                at = AfterPlain(json, next);
                continue;
            }

            while (stops != 0)
            {
                int stop = at + BitOperations.TrailingZeroCount(stops);
                if (json[stop] == (byte)'"')
                {
                    return stop;
                }

                int after = AfterStop(json, stop, ref isEscaped);
                next = Math.Max(next, after);
                stops = after - at < Vector128<byte>.Count ? stops & (uint.MaxValue << (after - at)) : 0;
            }

            at = next;
        }

        while (at < json.Length && json[at] != (byte)'"')
        {
            at = json[at] is >= (byte)' ' and < 0x80 and not (byte)'\\' ? at + 1 : AfterStop(json, at, ref isEscaped);
        }

        if (at >= json.Length)
        {
            Fail();
        }

        return at;
    }

    /// <summary>Passes an escape, or bytes beyond ASCII and what follows them.</summary>
    private int AfterStop(ReadOnlySpan<byte> json, int at, ref bool isEscaped)
    {
        if (json[at] == (byte)'\\')
        {
            isEscaped = true;
            return AfterEscape(json, at);
        }

        IsAscii = false;
        int plain = json[at..].IndexOfAny(s_stops);
        if (plain < 0 || json[at + plain] < (byte)' ')
        {
            Fail();
        }

        return at + plain;
    }

    /// <summary>Passes blocks of 64 bytes without a stop.</summary>
    private static int AfterPlain(ReadOnlySpan<byte> json, int at)
    {
        while (json.Length - at >= 64)
        {
            ReadOnlySpan<byte> block = json.Slice(at, 64);
            Vector128<byte> stops = StopsIn(Vector128.Create(block)) | StopsIn(Vector128.Create(block[16..]))
                | StopsIn(Vector128.Create(block[32..])) | StopsIn(Vector128.Create(block[48..]));
            if (stops != Vector128<byte>.Zero)
            {
                break;
            }

            at += 64;
        }

        return at;
    }

    /// <summary>Quotes, backslashes, control characters, and bytes beyond ASCII: as signed numbers these lie below the control characters.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> StopsIn(Vector128<byte> text) =>
        Vector128.Equals(text, Vector128.Create((byte)'"')) | Vector128.Equals(text, Vector128.Create((byte)'\\'))
        | Vector128.LessThan(text.AsSByte(), Vector128.Create((sbyte)' ')).AsByte();

    private static int AfterEscape(ReadOnlySpan<byte> json, int at)
    {
        byte mark = at + 1 < json.Length ? json[at + 1] : (byte)0;
        if (mark is (byte)'n' or (byte)'"' or (byte)'\\' or (byte)'t' or (byte)'r' or (byte)'/' or (byte)'b' or (byte)'f')
        {
            return at + 2;
        }

        if (mark != (byte)'u' || json.Length - at < 6 || !IsHex(json.Slice(at + 2, 4)))
        {
            Fail();
        }

        return at + 6;
    }

    private static bool IsHex(ReadOnlySpan<byte> digits)
    {
        foreach (byte digit in digits)
        {
            if (!char.IsAsciiHexDigit((char)digit))
            {
                return false;
            }
        }

        return true;
    }

    private void Literal(ReadOnlySpan<byte> word)
    {
        if (!_json[_at..].StartsWith(word))
        {
            Fail();
        }

        _at += word.Length;
    }

    private void Number()
    {
        if (At() == (byte)'-')
        {
            _at++;
        }

        if (At() == (byte)'0')
        {
            _at++;
        }
        else
        {
            Digits();
        }

        if (At() == (byte)'.')
        {
            _at++;
            Digits();
        }

        if (At() is (byte)'e' or (byte)'E')
        {
            _at++;
            if (At() is (byte)'+' or (byte)'-')
            {
                _at++;
            }

            Digits();
        }
    }

    private void Digits()
    {
        int start = _at;
        while (At() is >= (byte)'0' and <= (byte)'9')
        {
            _at++;
        }

        if (_at == start)
        {
            Fail();
        }
    }

    private readonly byte At() => _at < _json.Length ? _json[_at] : (byte)0;

    private readonly string Unquote(JsonSpan value)
    {
        Utf8JsonReader reader = new(Bytes(value));
        reader.Read();
        return JsonText.Read(ref reader);
    }

    /// <summary>Throws <see cref="InvalidOperationException"/> where the string holds half a surrogate pair, as the framework's reader does.</summary>
    private readonly bool IsUnquoted(JsonSpan value, ReadOnlySpan<byte> wanted)
    {
        Utf8JsonReader reader = new(Bytes(value));
        reader.Read();
        return reader.ValueTextEquals(wanted);
    }
}
