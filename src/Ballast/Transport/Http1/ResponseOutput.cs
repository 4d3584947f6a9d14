using System.Buffers;
using System.Globalization;
using System.Text;

namespace Ballast.Transport.Http1;

/// <summary>
/// What of an answer waits to be sent: the head, and the body in the form that the head told. It owns memory only while something waits. What is sent at once is one
/// piece: the size of a chunk is written before its bytes when they are known.
/// </summary>
internal sealed class ResponseOutput : IBufferWriter<byte>
{
    private const int FirstBytes = 4 * 1024;

    /// <summary>Room for a chunk's size before its bytes: eight digits, CR, LF.</summary>
    private const int SizeRoom = 10;

    private const int EndRoom = 2;

    private byte[] _bytes = [];
    private int _headLength;
    private int _bodyStart;
    private int _end;
    private long _bodyLeft;
    private BodyForm _form;

    /// <summary>How an answer's end is told.</summary>
    public enum BodyForm
    {
        /// <summary>No body, whatever is written: the answer to a HEAD.</summary>
        None,
        Length,
        Chunked,
        UntilClose,
    }

    /// <summary>The head has been written, and perhaps sent.</summary>
    public bool HasHead { get; private set; }

    /// <summary>The head has been written and not been sent.</summary>
    public bool IsHeadUnsent => _headLength > 0;

    /// <summary>The end of the connection is the end of the body.</summary>
    public bool IsUntilClose => HasHead && _form == BodyForm.UntilClose;

    /// <summary>As much was written as the head told.</summary>
    public bool IsWhole => HasHead && (_form != BodyForm.Length || _bodyLeft == 0);

    public void Clear()
    {
        HasHead = false;
        _form = BodyForm.None;
        _headLength = _bodyStart = _end = 0;
        _bodyLeft = 0;
        Release();
    }

    /// <summary>Begins with a head of about this many bytes.</summary>
    public Span<byte> BeginHead(int bytes)
    {
        Reserve(bytes + SizeRoom + FirstBytes - 512);
        return _bytes;
    }

    public void EndHead(int length, BodyForm form, long bodyLength)
    {
        HasHead = true;
        _headLength = length;
        _form = form;
        _bodyLeft = bodyLength;
        _bodyStart = _end = length + (form == BodyForm.Chunked ? SizeRoom : 0);
    }

    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, _bytes.Length - _end);
        if (_form == BodyForm.None)
        {
            return;
        }

        if (_form == BodyForm.Length)
        {
            if (count > _bodyLeft)
            {
                throw new InvalidOperationException("The answer is longer than its head told.");
            }

            _bodyLeft -= count;
        }

        _end += count;
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _bytes.AsMemory(_end, _bytes.Length - _end - EndRoom);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _bytes.AsSpan(_end, _bytes.Length - _end - EndRoom);
    }

    /// <summary>What is to be sent now; empty where there is nothing. <see cref="Sent"/> follows.</summary>
    /// <param name="isLast">The answer ends with it.</param>
    public ReadOnlyMemory<byte> Take(bool isLast)
    {
        if (_form != BodyForm.Chunked)
        {
            return _bytes.AsMemory(0, _end);
        }

        int body = _end - _bodyStart;
        int start = SizeRoom;
        if (body > 0)
        {
            Span<byte> size = stackalloc byte[SizeRoom];
            body.TryFormat(size, out int digits, "x", CultureInfo.InvariantCulture);
            "\r\n"u8.CopyTo(size[digits..]);
            start = SizeRoom - digits - 2;
            size[..(digits + 2)].CopyTo(_bytes.AsSpan(_bodyStart - digits - 2));
            "\r\n"u8.CopyTo(_bytes.AsSpan(_end));
            _end += 2;
        }

        // The head moves up to the size: once for each answer, and less than leaving digits out would cost readers.
        if (_headLength > 0)
        {
            _bytes.AsSpan(0, _headLength).CopyTo(_bytes.AsSpan(start));
        }

        if (isLast)
        {
            Reserve(5 + EndRoom);
            "0\r\n\r\n"u8.CopyTo(_bytes.AsSpan(_end));
            _end += 5;
        }

        return _end > _bodyStart || _headLength > 0 ? _bytes.AsMemory(start, _end - start) : default;
    }

    public void Sent()
    {
        _headLength = 0;
        _bodyStart = _end = _form == BodyForm.Chunked ? SizeRoom : 0;
        Release();
    }

    /// <summary>Writes one line of the head; a value that would be more than a line is refused.</summary>
    public static int WriteHeader(Span<byte> to, string name, string value)
    {
        Ascii.FromUtf16(name, to, out int at);
        to[at++] = (byte)':';
        to[at++] = (byte)' ';
        if (Ascii.FromUtf16(value, to[at..], out int written) != OperationStatus.Done || to.Slice(at, written).ContainsAny((byte)'\r', (byte)'\n', (byte)0))
        {
            throw new InvalidOperationException($"The header {name} holds what no header may.");
        }

        at += written;
        to[at++] = (byte)'\r';
        to[at++] = (byte)'\n';
        return at;
    }

    private void Release()
    {
        byte[] bytes = _bytes;
        _bytes = [];
        if (bytes.Length > 0)
        {
            LoopMemory.Return(bytes);
        }
    }

    private void Reserve(int wanted)
    {
        int needed = _end + Math.Max(wanted, 1) + EndRoom;
        if (_bytes.Length >= needed)
        {
            return;
        }

        byte[] larger = LoopMemory.Rent(Math.Max(Math.Max(needed, FirstBytes), Math.Min(_bytes.Length * 2, Array.MaxLength)));
        _bytes.AsSpan(0, Math.Min(_end, _bytes.Length)).CopyTo(larger);
        byte[] smaller = _bytes;
        _bytes = larger;
        if (smaller.Length > 0)
        {
            LoopMemory.Return(smaller);
        }
    }
}
