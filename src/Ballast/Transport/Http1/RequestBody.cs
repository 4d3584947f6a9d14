using System.Runtime.CompilerServices;

namespace Ballast.Transport.Http1;

/// <summary>The body of the request that a connection is working on: out of what was received with the head, then straight from the connection.</summary>
internal sealed class RequestBody(Http1Connection owner)
{
    private static readonly byte[] s_continue = "HTTP/1.1 100 Continue\r\n\r\n"u8.ToArray();

    private readonly ReceiveBuffer _received = owner.Received;
    private readonly ChunkedCoding _chunks = new(takesPadding: false);
    private int _decodedStart;
    private int _decodedEnd;
    private bool _isChunked;
    private bool _isAsked;
    private long _left;
    private long _taken;
    private int _headLength;

    /// <summary>All of it was read.</summary>
    public bool IsComplete => _isChunked ? _chunks.IsEnded && _decodedStart == _decodedEnd : _left == 0;

    /// <summary>The client waits for a word before it sends the body, and was given none: nobody knows whether it will send it.</summary>
    public bool IsUnasked { get; private set; }

    public void Begin(RequestHead head)
    {
        _headLength = head.Length;
        _isChunked = head.IsChunked;
        _chunks.Begin();
        _decodedStart = _decodedEnd = _received.Start;
        _left = head.ContentLength ?? 0;
        _taken = 0;
        _isAsked = false;
        IsUnasked = head.ExpectsContinue && !IsComplete;
    }

    public ValueTask<int> ReadAsync(Memory<byte> buffer)
    {
        if (TryRead(buffer, out int read))
        {
            return new ValueTask<int>(read);
        }

        return ReceiveAsync(buffer);
    }

    /// <summary>Reads what is left and forgets it, so that the next request can be found behind it.</summary>
    public async ValueTask DiscardAsync()
    {
        byte[] waste = LoopMemory.Rent(16 * 1024);
        try
        {
            while (await ReadAsync(waste).ConfigureAwait(false) > 0)
            {
            }
        }
        finally
        {
            LoopMemory.Return(waste);
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> ReceiveAsync(Memory<byte> buffer)
    {
        if (IsUnasked && !_isAsked)
        {
            _isAsked = true;
            IsUnasked = false;
            await owner.SendAsync(s_continue).ConfigureAwait(false);
        }

        while (true)
        {
            int read = _isChunked
                ? await owner.ReceiveBodyAsync(_received.Room(int.MaxValue)).ConfigureAwait(false)
                : await owner.ReceiveBodyAsync(Straight(buffer)).ConfigureAwait(false);
            if (_isChunked)
            {
                _received.Filled(read);
                if (TryRead(buffer, out int decoded))
                {
                    return decoded;
                }

                continue;
            }

            if (read > _left)
            {
                // The next request came right behind.
                Memory<byte> room = _received.Room(int.MaxValue);
                buffer.Span[(int)_left..read].CopyTo(room.Span);
                _received.Filled((int)(read - _left));
                read = (int)_left;
            }

            _left -= read;
            return read;
        }
    }

    /// <summary>One byte more than is left where there is room: the kernel's word that there is no more saves asking it.</summary>
    private Memory<byte> Straight(Memory<byte> buffer) => buffer.Length > _left + 1 ? buffer[..(int)(_left + 1)] : buffer;

    private bool TryRead(Memory<byte> buffer, out int read)
    {
        read = 0;
        if (!_isChunked)
        {
            if (_left > 0 && _received.IsEmpty)
            {
                return false;
            }

            read = (int)Math.Min(_left, Math.Min(buffer.Length, _received.End - _received.Start));
            _received.Unused[..read].CopyTo(buffer.Span);
            _received.Use(read);
            _received.Rewind(_headLength);
            _left -= read;
            return true;
        }

        Decode();
        read = Math.Min(buffer.Length, _decodedEnd - _decodedStart);
        _received.Bytes.AsSpan(_decodedStart, read).CopyTo(buffer.Span);
        _decodedStart += read;
        _taken += read;
        if (_decodedStart == _decodedEnd)
        {
            _received.Rewind(_headLength);
            _decodedStart = _decodedEnd = _received.Start;
        }

        return _taken > owner.Limits.BodyBytesMax ? throw new BodyTooLargeException() : read > 0 || _chunks.IsEnded;
    }

    /// <summary>Takes the coding off all that came, where it lies.</summary>
    private void Decode()
    {
        int coded = _received.Start;
        if (!_chunks.TryDecode(_received.Bytes.AsSpan(0, _received.End), ref _decodedStart, ref _decodedEnd, ref coded))
        {
            throw new IOException("The request's body is not chunked as its head told.");
        }

        _received.Use(coded - _received.Start);
    }
}
