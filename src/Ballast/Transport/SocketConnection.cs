using System.Net;
using System.Net.Sockets;

namespace Ballast.Transport;

/// <summary>
/// A connected socket and the loop that watches it. Sending tries at once; receiving waits for the kernel's word first and does not ask again after a read that
/// left room, so that a request costs two calls and no refused ones. What is awaited goes on in the loop's thread. While the loop has other work at hand, a small send is
/// only taken, and goes out within the loop's round; nothing overtakes it.
/// </summary>
public sealed class SocketConnection : Connection
{
    /// <summary>Larger sends are not copied: they go at once.</summary>
    private const int HeldBytesMax = 16 * 1024;

    private readonly EventLoop _loop;
    private readonly SocketDirection _read = new();
    private readonly SocketDirection _write = new();
    private readonly Lock _closing = new();
    private readonly int _descriptor;
    private Memory<byte> _receiving;
    private ReadOnlyMemory<byte> _sending;
    private ReadOnlyMemory<byte> _sendingNext;
    private byte[]? _held;
    private int _heldStart;
    private int _heldEnd;
    private bool _isHeldWaiting;
    private bool _isSendAwaited;
    private bool _endsAfterHeld;
    private bool _isReceiving;
    private bool _isConnecting;
    private bool _isClosed;
    private volatile bool _isPeerClosed;
    private volatile bool _isAborted;
    private IPAddress? _remoteAddress;

    internal SocketConnection(EventLoop loop, int descriptor, bool isConnecting)
    {
        _loop = loop;
        _descriptor = descriptor;
        _isConnecting = isConnecting;
        _ = SystemCalls.SetNoDelay(descriptor);
    }

    public override EventLoop Loop => _loop;

    public override bool IsPeerClosed => _isPeerClosed;

    /// <summary>Asked of the system once, by whoever wants to know first.</summary>
    public override IPAddress? RemoteAddress => _remoteAddress ??= FindRemoteAddress();

    /// <summary>Where the loop keeps it.</summary>
    internal ulong Number { get; set; }

    internal int Descriptor => _descriptor;

    private IPAddress? FindRemoteAddress()
    {
        const int FourAt = 4, SixAt = 8;
        Span<byte> address = stackalloc byte[128];
        int length = _isClosed ? -1 : SystemCalls.PeerAddress(_descriptor, address);
        if (length < SixAt)
        {
            return null;
        }

        return (AddressFamily)System.Runtime.InteropServices.MemoryMarshal.Read<ushort>(address) == AddressFamily.InterNetwork
            ? new IPAddress(address.Slice(FourAt, 4))
            : length >= SixAt + 16 ? new IPAddress(address.Slice(SixAt, 16)) : null;
    }

    public override ValueTask WaitReadableAsync()
    {
        _read.Begin();
        _isReceiving = false;
        return _read.TryWait() ? new ValueTask(_read, _read.Version) : default;
    }

    public override ValueTask<int> ReceiveAsync(Memory<byte> buffer)
    {
        if (buffer.IsEmpty)
        {
            throw new ArgumentException("Nothing can be received into an empty buffer.", nameof(buffer));
        }

        while (true)
        {
            if (TryReceive(buffer.Span, out int received))
            {
                return new ValueTask<int>(received);
            }

            _read.Begin();
            _receiving = buffer;
            _isReceiving = true;
            if (_read.TryWait())
            {
                return new ValueTask<int>(_read, _read.Version);
            }
        }
    }

    public override ValueTask SendAsync(ReadOnlyMemory<byte> first, ReadOnlyMemory<byte> second)
    {
        bool isLoops = ReferenceEquals(EventLoop.Current, _loop);
        if (Volatile.Read(ref _held) is not null)
        {
            if (!isLoops)
            {
                return SendBehindAsync(first, second);
            }

            if (!TrySendHeld())
            {
                _sending = first;
                _sendingNext = second;
                _isSendAwaited = true;
                return new ValueTask(_write, _write.Version);
            }
        }
        else if (isLoops && _loop.MayHold && first.Length + second.Length is > 0 and <= HeldBytesMax)
        {
            Hold(first.Span, second.Span);
            return default;
        }

        while (!TrySend(ref first, ref second))
        {
            _write.Begin();
            _sending = first;
            _sendingNext = second;
            if (_write.TryWait())
            {
                return new ValueTask(_write, _write.Version);
            }
        }

        return default;
    }

    public override void EndSend()
    {
        if (Volatile.Read(ref _held) is null)
        {
            Shutdown(ShutdownSide.Send);
        }
        else if (!ReferenceEquals(EventLoop.Current, _loop))
        {
            _loop.Post(static connection => ((SocketConnection)connection!).EndSend(), this);
        }
        else if (TrySendHeld())
        {
            Shutdown(ShutdownSide.Send);
        }
        else
        {
            _endsAfterHeld = true;
        }
    }

    public override void EndReceive() => Shutdown(ShutdownSide.Receive);

    public override void Abort()
    {
        if (ReferenceEquals(EventLoop.Current, _loop))
        {
            SendHeld();
        }

        _isAborted = true;
        // The kernel reports it, and the loop ends what is awaited. Nothing is told to the other side before the close, which resets.
        Shutdown(ShutdownSide.Receive);
    }

    /// <summary>Returns when the connect is through.</summary>
    /// <exception cref="SocketException">It was refused, or there is no way to the other side.</exception>
    internal async ValueTask ConnectedAsync()
    {
        _write.Begin();
        if (_write.TryWait())
        {
            await new ValueTask(_write, _write.Version).ConfigureAwait(false);
        }

        _isConnecting = false;
        ThrowIfAborted();
        if (SystemCalls.PendingError(_descriptor) is not 0 and int error)
        {
            throw ErrorNumber.ToException(error);
        }
    }

    /// <summary>The loop's thread brings the kernel's report.</summary>
    internal void Report(PollEvents events)
    {
        bool isBroken = (events & (PollEvents.Error | PollEvents.HangUp)) != 0 || _isAborted;
        bool isPeerClosed = isBroken || (events & PollEvents.PeerClosed) != 0;
        bool isNews = isPeerClosed && !_isPeerClosed;
        if (isNews)
        {
            _isPeerClosed = true;
        }

        if ((isPeerClosed || (events & PollEvents.Readable) != 0) && _read.Report())
        {
            GoOnReceiving();
        }

        if ((isBroken || (events & PollEvents.Writable) != 0) && _write.Report())
        {
            GoOnSending();
        }

        if (isNews && !_isClosed)
        {
            Observer?.PeerClosed();
        }
    }

    /// <summary>On the loop's thread: sends what is held, unless that waits for the other side already.</summary>
    internal void SendHeld()
    {
        if (_held is not null)
        {
            TrySendHeld();
        }
    }

    /// <summary>On the loop's thread: closes the socket and ends what is awaited.</summary>
    internal void Close()
    {
        SendHeld();
        lock (_closing)
        {
            if (_isClosed)
            {
                return;
            }

            _isClosed = true;
            if (_isAborted)
            {
                _ = SystemCalls.SetResetOnClose(_descriptor);
            }

            _isAborted = true;
            SystemCalls.Close(_descriptor);
        }

        DropHeld();
        if (_read.Report())
        {
            _read.Fail(new ConnectionAbortedException());
        }

        if (_write.Report())
        {
            _write.Fail(new ConnectionAbortedException());
        }
    }

    protected override void Dispose(bool disposing) => _loop.Release(this);

    private void Shutdown(ShutdownSide side)
    {
        lock (_closing)
        {
            if (!_isClosed)
            {
                _ = SystemCalls.Shutdown(_descriptor, side);
            }
        }
    }

    private void GoOnReceiving()
    {
        try
        {
            if (!_isReceiving)
            {
                _read.Complete(0);
                return;
            }

            int received;
            while (!TryReceive(_receiving.Span, out received))
            {
                if (_read.TryWait())
                {
                    return;
                }
            }

            _receiving = default;
            _read.Complete(received);
        }
        catch (IOException exception)
        {
            _receiving = default;
            _read.Fail(exception);
        }
    }

    private void GoOnSending()
    {
        if (_isConnecting)
        {
            _write.Complete(0);
            return;
        }

        if (_held is not null && !IsHeldSent())
        {
            return;
        }

        try
        {
            while (!TrySend(ref _sending, ref _sendingNext))
            {
                if (_write.TryWait())
                {
                    return;
                }
            }

            _write.Complete(0);
        }
        catch (IOException exception)
        {
            _sending = _sendingNext = default;
            _write.Fail(exception);
        }
    }

    private void Hold(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second)
    {
        ThrowIfAborted();
        byte[] held = LoopMemory.Rent(first.Length + second.Length);
        first.CopyTo(held);
        second.CopyTo(held.AsSpan(first.Length));
        (_heldStart, _heldEnd) = (0, first.Length + second.Length);
        Volatile.Write(ref _held, held);
        _loop.Hold(this);
    }

    /// <summary>In the loop's thread nothing else can come between the held bytes and these.</summary>
    private async ValueTask SendBehindAsync(ReadOnlyMemory<byte> first, ReadOnlyMemory<byte> second)
    {
        TaskCompletionSource turn = new();
        _loop.Post(static turn => ((TaskCompletionSource)turn!).SetResult(), turn);
        await turn.Task.ConfigureAwait(false);
        await SendAsync(first, second).ConfigureAwait(false);
    }

    /// <summary>False where the other side has to take something first; the loop then goes on with it. A connection that breaks tells its reader, and whoever sends next.</summary>
    private bool TrySendHeld() => !_isHeldWaiting && TrySendHeld(isBegun: false);

    private bool TrySendHeld(bool isBegun)
    {
        try
        {
            ReadOnlyMemory<byte> left = _held.AsMemory(_heldStart, _heldEnd - _heldStart);
            ReadOnlyMemory<byte> none = default;
            while (!TrySend(ref left, ref none))
            {
                _heldStart = _heldEnd - left.Length;
                if (!isBegun)
                {
                    _write.Begin();
                    isBegun = true;
                }

                if (_write.TryWait())
                {
                    _isHeldWaiting = true;
                    return false;
                }
            }
        }
        catch (IOException)
        {
            // As with bytes that the system had taken before it broke.
        }

        DropHeld();
        return true;
    }

    /// <summary>The other side takes bytes again. True where what was held is sent and somebody waits to send more.</summary>
    private bool IsHeldSent()
    {
        if (!TrySendHeld(isBegun: true))
        {
            return false;
        }

        _isHeldWaiting = false;
        if (_endsAfterHeld)
        {
            Shutdown(ShutdownSide.Send);
        }

        bool isAwaited = _isSendAwaited;
        _isSendAwaited = false;
        return isAwaited;
    }

    private void DropHeld()
    {
        if (_held is { } held)
        {
            Volatile.Write(ref _held, null);
            LoopMemory.Return(held);
        }
    }

    /// <summary>False where the kernel's word has to be waited for.</summary>
    private bool TryReceive(Span<byte> buffer, out int received)
    {
        received = 0;
        while (_read.IsReady)
        {
            ThrowIfAborted();
            _read.Take();
            int result = SystemCalls.Receive(_descriptor, buffer);
            if (result >= 0)
            {
                // A read that left room took all there was. The end was reported before and is not reported again.
                if (result == buffer.Length || result == 0 || _isPeerClosed)
                {
                    _read.Keep();
                }

                received = result;
                return true;
            }

            if (result is not (-ErrorNumber.WouldBlock or -ErrorNumber.Interrupted))
            {
                _read.Keep();
                throw Failure(-result);
            }

            if (result == -ErrorNumber.Interrupted)
            {
                _read.Keep();
            }
        }

        return false;
    }

    /// <summary>False where the other side has to take something first; what is left then stands in the two pieces.</summary>
    private bool TrySend(ref ReadOnlyMemory<byte> first, ref ReadOnlyMemory<byte> second)
    {
        while (!first.IsEmpty || !second.IsEmpty)
        {
            ThrowIfAborted();
            _write.Take();
            int result = second.IsEmpty ? SystemCalls.Send(_descriptor, first.Span)
                : first.IsEmpty ? SystemCalls.Send(_descriptor, second.Span)
                : SystemCalls.Send(_descriptor, first.Span, second.Span);
            if (result >= 0)
            {
                int ofFirst = Math.Min(result, first.Length);
                first = first[ofFirst..];
                second = second[(result - ofFirst)..];
                continue;
            }

            if (result == -ErrorNumber.WouldBlock)
            {
                return false;
            }

            if (result != -ErrorNumber.Interrupted)
            {
                throw Failure(-result);
            }
        }

        first = second = default;
        return true;
    }

    private void ThrowIfAborted()
    {
        if (_isAborted)
        {
            throw new ConnectionAbortedException();
        }
    }

    private static IOException Failure(int error) => new("The connection broke.", ErrorNumber.ToException(error));
}
