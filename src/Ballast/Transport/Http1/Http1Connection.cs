using System.Net;
using System.Runtime.CompilerServices;

namespace Ballast.Transport.Http1;

/// <summary>
/// One client's connection: takes a request's head, has it answered, and goes on with the next. One flow of work; the loop tells it beside that of the client's end
/// and of time.
/// </summary>
internal sealed class Http1Connection : IConnectionObserver
{
    private readonly Http1Server _server;
    private readonly Connection _connection;
    private readonly RequestHead _head = new();
    private readonly Http1Call _call;
    private volatile Phase _phase;
    private volatile bool _isTooSlow;
    private int _since;
    private int _bodySince;
    private long _bodyBytes;
    private int _sendBytes;

    public Http1Connection(Http1Server server, Connection connection)
    {
        _server = server;
        _connection = connection;
        Body = new RequestBody(this);
        _call = new Http1Call(this, _head);
        connection.Observer = this;
    }

    private enum Phase
    {
        Idle,
        Head,
        Work,
        Body,
        Send,
        Discard,
        Linger,

        /// <summary>Another protocol's.</summary>
        Other,
    }

    public Http1Limits Limits => _server.Limits;

    public ReceiveBuffer Received { get; } = new();

    public RequestBody Body { get; }

    public bool IsPeerClosed => _connection.IsPeerClosed;

    public IPAddress? RemoteAddress => _connection.RemoteAddress;

    /// <summary>The client took too long over its request, and nothing more is read of it.</summary>
    public bool IsTooSlow => _isTooSlow;

    /// <summary>No request is taken after the one that is being answered.</summary>
    public bool IsStopping => _server.IsStopping;

    public ReadOnlySpan<byte> Date => _server.Date(Seconds);

    public EventLoop? Loop => _connection.Loop;

    private int Seconds => Loop?.Seconds ?? 0;

    public async Task RunAsync()
    {
        try
        {
            if (!await IsOtherAsync().ConfigureAwait(false))
            {
                await ServeAsync().ConfigureAwait(false);
            }
        }
        catch (IOException)
        {
            // The client is gone or was broken off with.
            _connection.Abort();
        }
        finally
        {
            await SendHeldAsync().ConfigureAwait(false);
            _call.Forget();
            Received.Use(Received.End - Received.Start);
            Received.BeginRequest();
            _connection.Dispose();
            _server.Closed(this);
        }
    }

    /// <summary>In the loop's thread: ends the connection if it waits for a request; else the answer under way is its last.</summary>
    public void Stop()
    {
        if (_phase == Phase.Idle)
        {
            _connection.EndReceive();
        }
    }

    /// <summary>From any thread: breaks off whatever is under way.</summary>
    public void Abort()
    {
        _connection.Abort();
        _call.Cancel();
    }

    public void PeerClosed()
    {
        switch (_phase)
        {
            case Phase.Work or Phase.Body:
                _call.Cancel();
                break;
            case Phase.Send:
                // Who has ended its side does not wait for the rest.
                Abort();
                break;
            default:
                break;
        }
    }

    public void Tick()
    {
        Phase phase = _phase;
        int seconds = Seconds - Volatile.Read(ref _since);
        switch (phase)
        {
            case Phase.Idle when seconds > Limits.KeepAliveSeconds:
            case Phase.Linger when seconds > Limits.LingerSeconds:
                _connection.EndReceive();
                break;
            case Phase.Head when seconds > Limits.HeadSeconds:
            case Phase.Body when IsBodySlow:
                _isTooSlow = true;
                _connection.EndReceive();
                break;
            case Phase.Discard when seconds > Limits.DiscardSeconds:
            case Phase.Send when seconds > Limits.SlowSeconds + (_sendBytes / Limits.BytesPerSecondMin):
                Abort();
                break;
            default:
                break;
        }
    }

    /// <summary>Receives a part of a body; the end of the connection is a failure.</summary>
    public ValueTask<int> ReceiveBodyAsync(Memory<byte> room)
    {
        if (_phase == Phase.Work)
        {
            _phase = Phase.Body;
        }

        return ReceivedAsync(_connection.ReceiveAsync(room));
    }

    /// <summary>Sends; false where the client is no longer there.</summary>
    public ValueTask<bool> SendAsync(ReadOnlyMemory<byte> bytes)
    {
        ValueTask sending;
        try
        {
            sending = _connection.SendAsync(bytes);
        }
        catch (IOException)
        {
            return new ValueTask<bool>(false);
        }

        return sending.IsCompletedSuccessfully ? new ValueTask<bool>(true) : SentAsync(sending, bytes.Length);
    }

    /// <summary>What the connection has taken may lie there still; it must not be lost with the connection.</summary>
    private ValueTask<bool> SendHeldAsync() => SendAsync(default);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> ReceivedAsync(ValueTask<int> receiving)
    {
        int read = await receiving.ConfigureAwait(false);
        if (_phase == Phase.Body)
        {
            _bodyBytes += read;
            _phase = Phase.Work;
        }

        return read > 0 ? read : throw (_isTooSlow ? new BodyTooSlowException() : new IOException("The request's body broke off."));
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> SentAsync(ValueTask sending, int bytes)
    {
        Phase before = _phase;
        _sendBytes = bytes;
        Enter(Phase.Send);
        try
        {
            await sending.ConfigureAwait(false);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
        finally
        {
            _phase = before;
        }
    }

    private bool IsBodySlow
    {
        get
        {
            long seconds = Seconds - _bodySince;
            return seconds > Limits.SlowSeconds && _bodyBytes < seconds * Limits.BytesPerSecondMin;
        }
    }

    private void Enter(Phase phase)
    {
        Volatile.Write(ref _since, Seconds);
        _phase = phase;
    }

    /// <summary>True where the client began in another protocol, which has served it to its end.</summary>
    private async ValueTask<bool> IsOtherAsync()
    {
        if (_server.Other is not { } other)
        {
            return false;
        }

        Enter(Phase.Idle);
        await _connection.WaitReadableAsync().ConfigureAwait(false);
        while (true)
        {
            int read = await _connection.ReceiveAsync(Received.Room(RequestHead.BytesMax)).ConfigureAwait(false);
            Received.Filled(read);
            int known = Math.Min(Received.Unused.Length, other.Preface.Length);
            if (!Received.Unused[..known].SequenceEqual(other.Preface.Span[..known]) || read == 0)
            {
                return false;
            }

            if (known == other.Preface.Length)
            {
                break;
            }

            Enter(Phase.Head);
        }

        byte[] received = Received.Unused.ToArray();
        Received.Use(received.Length);
        Enter(Phase.Other);
        await other.Serve(_connection, received).ConfigureAwait(false);
        return true;
    }

    /// <summary>Request after request, in one piece: what is called for each is no flow of its own, and costs no memory.</summary>
    private async Task ServeAsync()
    {
        while (BeginHead())
        {
            if (Received.IsEmpty)
            {
                await _connection.WaitReadableAsync().ConfigureAwait(false);
            }

            HeadRefusal? refusal;
            while ((refusal = ReadHead()) is null && !_head.IsComplete)
            {
                int read = await _connection.ReceiveAsync(Received.Room(RequestHead.BytesMax)).ConfigureAwait(false);
                if (read == 0)
                {
                    refusal = HeadRefusal.TooSlow;
                    break;
                }

                Received.Filled(read);
            }

            if (refusal is not null)
            {
                await RefuseAsync(refusal).ConfigureAwait(false);
                return;
            }

            bool isAnswered = false;
            try
            {
                BeginAnswer();
                await _server.Handle(_call).ConfigureAwait(false);
                isAnswered = await _call.EndAsync().ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is not IOException)
            {
                // The handler answers its own failures; what it could not answer must not look like an answer.
            }

            if (!isAnswered || !_call.IsKeepAlive)
            {
                await CloseAsync(isAnswered).ConfigureAwait(false);
                return;
            }

            if (!Body.IsComplete)
            {
                Enter(Phase.Discard);
                await Body.DiscardAsync().ConfigureAwait(false);
            }
        }
    }

    /// <summary>False where no further request is taken.</summary>
    private bool BeginHead()
    {
        _head.Clear();
        Received.BeginRequest();
        Enter(Received.IsEmpty ? Phase.Idle : Phase.Head);
        return !IsStopping || !Received.IsEmpty;
    }

    private HeadRefusal? ReadHead()
    {
        if (Received.IsEmpty)
        {
            return null;
        }

        if (_phase == Phase.Idle)
        {
            Enter(Phase.Head);
        }

        HeadRefusal? refusal = _head.Read(Received.Bytes, Received.End);
        if (refusal is null && _head.IsComplete)
        {
            Received.Use(_head.Length);
        }

        return refusal;
    }

    private void BeginAnswer()
    {
        Body.Begin(_head);
        _call.Begin();
        _bodySince = Seconds;
        _bodyBytes = 0;
        Enter(Phase.Work);
    }

    private async ValueTask CloseAsync(bool isAnswered)
    {
        if (isAnswered || _call.IsCutByEnd)
        {
            await LingerAsync().ConfigureAwait(false);
        }
        else
        {
            _connection.Abort();
        }
    }

    private async ValueTask RefuseAsync(HeadRefusal refusal)
    {
        if (refusal == HeadRefusal.TooSlow && !_isTooSlow)
        {
            // The client has ended its side, between two requests or in the middle of one: there is nobody to tell.
            return;
        }

        Enter(Phase.Work);
        _call.Begin();
        if (await _call.RefuseAsync(refusal.Status, _server.Tell(refusal)).ConfigureAwait(false))
        {
            await LingerAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Ends this side and reads on until the client ends its own: closed on unread bytes the connection would be reset, and the answer lost with it.</summary>
    private async ValueTask LingerAsync()
    {
        await SendHeldAsync().ConfigureAwait(false);
        Enter(Phase.Linger);
        _connection.EndSend();
        byte[] waste = LoopMemory.Rent(16 * 1024);
        try
        {
            while (await _connection.ReceiveAsync(waste).ConfigureAwait(false) > 0)
            {
            }
        }
        finally
        {
            LoopMemory.Return(waste);
        }
    }
}
