using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Ballast.Exchanges;
using Ballast.Transport;
using Ballast.Transport.Http1;

namespace Ballast.Upstream.Http1;

/// <summary>
/// The body of one answer, decoded where it was received: what a reader has not consumed lies in one piece. While nothing lies here it holds no memory. How much it may
/// hold is its reader's to judge: it grows as long as it is read without being consumed.
/// </summary>
public sealed class Http1Body(UpstreamConnection connection, CancellationTokenRegistration registration, CancellationToken cancellation) : PipeReader
{
    /// <summary>First room for what is received, in bytes.</summary>
    private const int FirstBytes = 16 * 1024;

    /// <summary>Largest room taken on an announced length alone, in bytes.</summary>
    private const int AnnouncedBytesMax = 256 * 1024;

    private readonly ResponseHead _head = connection.Head;
    private CancellationTokenRegistration _registration = registration;
    private byte[] _buffer = [];

    /// <summary>Decoded bytes lie from here …</summary>
    private int _start;

    /// <summary>… to here; up to the third mark they were looked at without being consumed.</summary>
    private int _decoded;
    private int _examined;

    /// <summary>Received and not decoded yet: from here …</summary>
    private int _coded;

    /// <summary>… to here.</summary>
    private int _end;

    /// <summary>Left of a body of announced length.</summary>
    private long _left;
    private bool _isEnded;
    private bool _isReleased;
    private int _interimBytes;

    /// <summary>It was read to its end, and the connection may carry the next answer.</summary>
    internal bool IsReusable => _isEnded && _head.KeepsConnection && _coded == _end;

    /// <summary>Room for a part of the answer's head.</summary>
    internal Memory<byte> HeadRoom()
    {
        Reserve();
        return _buffer.AsMemory(_end);
    }

    /// <summary>Takes a part of the head; true once it is whole. Heads of the kind 1xx, which say nothing yet, are passed over.</summary>
    /// <exception cref="IOException">None came, or one that breaks the rules.</exception>
    internal bool TakeHead(int received)
    {
        if (received == 0)
        {
            throw new EndOfStreamException("The upstream closed the connection before its answer.");
        }

        _end += received;
        while (_start < _end)
        {
            HeadState state = _head.Read(_buffer.AsSpan(_start, _end - _start), out int length);
            if (state == HeadState.Malformed || _head.Status == 101 || _interimBytes + length > ResponseHead.BytesMax)
            {
                throw new IOException("The head of the upstream's answer breaks the rules of HTTP/1.1.");
            }

            if (state == HeadState.Incomplete)
            {
                break;
            }

            _start += length;
            if (_head.Status >= 200)
            {
                BeginBody();
                return true;
            }

            _interimBytes += length;
            _head.Begin();
        }

        return false;
    }

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_isReleased, this);
        return TryRead(out ReadResult result) ? new ValueTask<ReadResult>(result) : ReceiveAsync();
    }

    public override bool TryRead(out ReadResult result)
    {
        if (_coded < _end && !_isEnded)
        {
            // What came with the head. A fault in it is the body's, and takes nothing from the head.
            Take(_end - _coded);
        }

        bool hasNews = _decoded > _examined || _isEnded;
        result = hasNews ? Lying() : default;
        return hasNews;
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        ReadOnlySequence<byte> lying = new(_buffer, _start, _decoded - _start);
        _examined = _decoded - (int)lying.Slice(examined).Length;
        _start = _decoded - (int)lying.Slice(consumed).Length;
    }

    /// <summary>What has not arrived by now is not waited for: the connection is given up.</summary>
    public override void CancelPendingRead()
    {
        if (!_isReleased)
        {
            connection.Abort();
        }
    }

    public override void Complete(Exception? exception = null)
    {
        // The answer that this body belongs to ends it.
    }

    /// <summary>Gives back the memory and the connection, or ends it.</summary>
    internal void Release(bool isWhole)
    {
        if (_isReleased)
        {
            return;
        }

        _isReleased = true;
        // Returns when no cancellation is breaking the connection off any more: none can hit the connection's next exchange.
        _registration.Dispose();
        _registration = default;
        connection.End(isWhole && !cancellation.IsCancellationRequested);
        Free();
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ReadResult> ReceiveAsync()
    {
        try
        {
            do
            {
                if (_start == _decoded && _coded == _end)
                {
                    Free();
                    await connection.WaitReadableAsync().ConfigureAwait(false);
                }

                Reserve();
                int received = await connection.ReceiveAsync(_buffer.AsMemory(_end)).ConfigureAwait(false);
                _end += received;
                Take(received);
            }
            while (_decoded == _examined && !_isEnded);

            return Lying();
        }
        catch (IOException exception)
        {
            cancellation.ThrowIfCancellationRequested();
            throw exception as UpstreamException ?? new UpstreamException(GatewayError.StreamCut, exception);
        }
    }

    private ReadResult Lying() => new(new ReadOnlySequence<byte>(_buffer, _start, _decoded - _start), isCanceled: false, _isEnded);

    private void BeginBody()
    {
        _decoded = _coded = _examined = _start;
        _left = _head.ContentLength ?? 0;
        connection.Chunks.Begin();
        if (_head.Framing == BodyFraming.None || (_head.Framing == BodyFraming.Length && _left == 0))
        {
            _isEnded = true;
        }
    }

    /// <summary>Decodes what was received last.</summary>
    private void Take(int received)
    {
        switch (_head.Framing)
        {
            case BodyFraming.Close:
                _decoded = _coded = _end;
                _isEnded = received == 0;
                return;
            case BodyFraming.Length when received > 0:
                int count = (int)Math.Min(_left, received);
                _left -= count;
                _decoded = _coded += count;
                _isEnded = _left == 0;
                return;
            case BodyFraming.Chunked when received > 0:
                // Where nothing lies undecoded or unconsumed, the decoder begins at the first byte of the first chunk.
                if (!connection.Chunks.TryDecode(_buffer.AsSpan(0, _end), ref _start, ref _decoded, ref _coded))
                {
                    throw new UpstreamException(GatewayError.StreamCut, new IOException("The chunks of the upstream's answer break the rules of HTTP/1.1."));
                }

                _examined = Math.Max(_examined, _start);
                _isEnded = connection.Chunks.IsEnded;
                return;
            default:
                throw new EndOfStreamException("The upstream's answer broke off.");
        }
    }

    /// <summary>Makes room behind what was received: by moving it to the front, else by more memory.</summary>
    private void Reserve()
    {
        if (_end < _buffer.Length)
        {
            return;
        }

        if (_start > 0 && _buffer.Length - (_end - _start) >= _buffer.Length / 2)
        {
            Move(_buffer);
            return;
        }

        long wanted = Math.Max(FirstBytes, _buffer.Length * 2L);
        if (_head.Framing == BodyFraming.Length && _left > 0)
        {
            wanted = Math.Max(wanted, Math.Min(_end - _start + _left, AnnouncedBytesMax));
        }

        byte[] larger = LoopMemory.Rent((int)Math.Min(wanted, Array.MaxLength));
        byte[] smaller = _buffer;
        Move(larger);
        _buffer = larger;
        if (smaller.Length > 0)
        {
            LoopMemory.Return(smaller);
        }
    }

    private void Move(byte[] target)
    {
        _buffer.AsSpan(_start, _end - _start).CopyTo(target);
        _decoded -= _start;
        _examined -= _start;
        _coded -= _start;
        _end -= _start;
        _start = 0;
    }

    private void Free()
    {
        byte[] buffer = _buffer;
        _buffer = [];
        _start = _decoded = _examined = _coded = _end = 0;
        if (buffer.Length > 0)
        {
            LoopMemory.Return(buffer);
        }
    }
}
