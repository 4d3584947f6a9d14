using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Ballast.Transport;

/// <summary>
/// One thread that sleeps in the kernel until any of its sockets reports, and then does the work that waited for it, there and at once. What runs on it must not
/// block. Linux only: see <see cref="IsSupported"/>.
/// </summary>
public sealed class EventLoop : IDisposable
{
    /// <summary>Reports taken from the kernel at once.</summary>
    private const int EventsMax = 256;

    private const int FirstConnections = 64;

    /// <summary>
    /// Sends that lie here at most, and reports that are worked off at most before they go. A send wakes whoever reads at the other end, and to wake a process costs as much
    /// as all the rest of a send: those that go out one right after the other find it awake.
    /// </summary>
    private const int HeldMax = 16;

    /// <summary>In a round of fewer reports nothing is held: such a loop is not at its limit, and each send is the sooner there.</summary>
    private const int HeldRoundMin = 8;

    /// <summary>The number that is no connection's.</summary>
    private const ulong WakeNumber = ulong.MaxValue;

    private static readonly TimeSpan TickEvery = TimeSpan.FromSeconds(1);

    [ThreadStatic]
    private static EventLoop? t_current;

    private readonly TimeProvider _time;
    private readonly Thread _thread;
    private readonly int _poll;
    private readonly int _wake;
    private readonly ConcurrentQueue<(Action<object?> Work, object? State)> _posted = new();
    private readonly Lock _gate = new();
    private readonly Stack<int> _free = new();
    private readonly SocketConnection?[] _held = new SocketConnection?[HeldMax];
    private Entry[] _entries = new Entry[FirstConnections];
    private int _heldCount;
    private int _used;
    private int _isWoken;
    private volatile bool _isStopping;

    public EventLoop(TimeProvider time, string name = "loop")
    {
        _time = time;
        _poll = Checked(SystemCalls.NewPoll());
        _wake = Checked(SystemCalls.NewWake());
        Checked(SystemCalls.Watch(_poll, _wake, PollEvents.Readable | PollEvents.Edge, WakeNumber));
        _thread = new Thread(Run) { IsBackground = true, Name = name };
        _thread.UnsafeStart();
    }

    /// <summary>Where this kind of loop can run at all.</summary>
    public static bool IsSupported { get; } = Probe();

    /// <summary>The loop whose thread this is; null on any other thread.</summary>
    public static EventLoop? Current => t_current;

    /// <summary>Connections it watches.</summary>
    public int Connections { get { lock (_gate) { return _used - _free.Count; } } }

    /// <summary>Seconds since the loop began, as of its last tick: for limits of time that may be a second off.</summary>
    public int Seconds { get; private set; }

    /// <summary>What requests on this loop's thread rent their memory from.</summary>
    internal LoopMemory Memory { get; } = new();

    /// <summary>More work waits for this thread, so that what it sends now may wait for what it sends then.</summary>
    internal bool MayHold { get; private set; }

    /// <summary>Does this on the loop's thread, after what is running there.</summary>
    public void Post(Action<object?> work, object? state)
    {
        _posted.Enqueue((work, state));
        if (!ReferenceEquals(t_current, this) && Interlocked.Exchange(ref _isWoken, 1) == 0)
        {
            SystemCalls.Wake(_wake);
        }
    }

    /// <summary>Connects a new socket; what is awaited of it later goes on in this loop's thread.</summary>
    /// <param name="address">Where to.</param>
    /// <param name="started">Told of the connection before it is through, so that it can be aborted meanwhile.</param>
    /// <exception cref="SocketException">It was refused, or there is no way to the other side.</exception>
    /// <exception cref="ConnectionAbortedException">It was aborted meanwhile.</exception>
    public async ValueTask<SocketConnection> ConnectAsync(IPEndPoint address, Action<SocketConnection>? started = null)
    {
        SocketAddress bytes = address.Serialize();
        ReadOnlyMemory<byte> native = bytes.Buffer[..bytes.Size];
        int descriptor = SystemCalls.NewStreamSocket(native.Span[0] | (native.Span[1] << 8));
        if (descriptor < 0)
        {
            throw ErrorNumber.ToException(-descriptor);
        }

        int result = SystemCalls.Connect(descriptor, native.Span);
        if (result is not (0 or -ErrorNumber.InProgress or -ErrorNumber.Interrupted))
        {
            SystemCalls.Close(descriptor);
            throw ErrorNumber.ToException(-result);
        }

        SocketConnection connection = Adopt(descriptor, isConnecting: true);
        try
        {
            started?.Invoke(connection);
            await connection.ConnectedAsync().ConfigureAwait(false);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Ends the thread; connections that are still open are broken off.</summary>
    public void Dispose()
    {
        if (_isStopping)
        {
            return;
        }

        _isStopping = true;
        SystemCalls.Wake(_wake);
        if (!ReferenceEquals(t_current, this))
        {
            _thread.Join();
        }
    }

    /// <summary>On the loop's thread: sends what the connection holds with what others hold, within the round.</summary>
    internal void Hold(SocketConnection connection)
    {
        _held[_heldCount++] = connection;
        if (_heldCount == HeldMax)
        {
            SendHeld();
        }
    }

    /// <summary>Watches a connected socket from now on.</summary>
    internal SocketConnection Adopt(int descriptor, bool isConnecting = false)
    {
        SocketConnection connection = new(this, descriptor, isConnecting);
        lock (_gate)
        {
            int place = _free.Count > 0 ? _free.Pop() : _used++;
            if (place == _entries.Length)
            {
                Array.Resize(ref _entries, place * 2);
            }

            ref Entry entry = ref _entries[place];
            entry.Connection = connection;
            connection.Number = ((ulong)entry.Generation << 32) | (uint)place;
        }

        int result = SystemCalls.Watch(
            _poll, descriptor, PollEvents.Readable | PollEvents.Writable | PollEvents.PeerClosed | PollEvents.Edge, connection.Number);
        if (result < 0)
        {
            Release(connection);
            throw ErrorNumber.ToException(-result);
        }

        return connection;
    }

    /// <summary>Reports a listening socket's callers to the work given, in this loop's thread.</summary>
    internal void Watch(int descriptor, IListening listening)
    {
        lock (_gate)
        {
            int place = _free.Count > 0 ? _free.Pop() : _used++;
            if (place == _entries.Length)
            {
                Array.Resize(ref _entries, place * 2);
            }

            ref Entry entry = ref _entries[place];
            entry.Listening = listening;
            listening.Number = ((ulong)entry.Generation << 32) | (uint)place;
        }

        Checked(SystemCalls.Watch(_poll, descriptor, PollEvents.Readable | PollEvents.Edge, listening.Number));
    }

    /// <summary>Forgets a listening socket; it must be closed after that.</summary>
    internal void Forget(IListening listening) => Free(listening.Number);

    /// <summary>Closes the connection in the loop's thread, so that no report can meet a socket that has become another's.</summary>
    internal void Release(SocketConnection connection)
    {
        if (ReferenceEquals(t_current, this) || !_thread.IsAlive)
        {
            CloseNow(connection);
        }
        else
        {
            Post(static state => ((SocketConnection)state!).Loop.CloseNow((SocketConnection)state!), connection);
        }
    }

    private void CloseNow(SocketConnection connection)
    {
        Free(connection.Number);
        connection.Close();
    }

    private void Free(ulong number)
    {
        lock (_gate)
        {
            ref Entry entry = ref _entries[(uint)number];
            if (entry.Generation == (uint)(number >> 32) && (entry.Connection is not null || entry.Listening is not null))
            {
                entry.Connection = null;
                entry.Listening = null;
                entry.Generation++;
                _free.Push((int)(uint)number);
            }
        }
    }

    private void Run()
    {
        t_current = this;
        // Nothing here has a context that would have to follow it from wait to wait.
        ExecutionContext.SuppressFlow();
        byte[] events = new byte[EventsMax * SystemCalls.EventBytes];
        long start = _time.GetTimestamp();
        long ticked = start;
        while (!_isStopping)
        {
            int count = SystemCalls.Wait(_poll, events, (int)TickEvery.TotalMilliseconds);
            for (int i = 0; i < count; i++)
            {
                (PollEvents happened, ulong number) = SystemCalls.EventAt(events, i);
                if (number != WakeNumber)
                {
                    BeginStep(i, count);
                    Dispatch(happened, number);
                }
            }

            EndSteps();
            DoPosted();
            long now = _time.GetTimestamp();
            if (_time.GetElapsedTime(ticked, now) >= TickEvery)
            {
                ticked = now;
                Seconds = (int)_time.GetElapsedTime(start, now).TotalSeconds;
                Tick();
            }
        }

        DoPosted();
        CloseAll();
        DoPosted();
        SystemCalls.Close(_poll);
        SystemCalls.Close(_wake);
    }

    /// <summary>Before the work at this place of so many.</summary>
    private void BeginStep(int place, int count)
    {
        MayHold = count >= HeldRoundMin && place + 1 < count;
        if (place % HeldMax == 0)
        {
            SendHeld();
        }
    }

    private void EndSteps()
    {
        MayHold = false;
        SendHeld();
    }

    private void SendHeld()
    {
        for (int i = 0; i < _heldCount; i++)
        {
            SocketConnection connection = _held[i]!;
            _held[i] = null;
            connection.SendHeld();
        }

        _heldCount = 0;
    }

    private void Dispatch(PollEvents happened, ulong number)
    {
        // Only this thread frees what it watches, and the array only ever grows: a stale one has the same entries.
        ref Entry entry = ref Volatile.Read(ref _entries)[(uint)number];
        if (entry.Generation != (uint)(number >> 32))
        {
            return;
        }

        if (entry.Connection is { } connection)
        {
            connection.Report(happened);
        }
        else
        {
            entry.Listening?.Report();
        }
    }

    private void DoPosted()
    {
        Volatile.Write(ref _isWoken, 0);
        // What is posted meanwhile waits for the next round: work that posts itself again must not keep the sockets waiting.
        int count = _posted.Count;
        for (int i = 0; i < count && _posted.TryDequeue(out (Action<object?> Work, object? State) posted); i++)
        {
            BeginStep(i, count);
            posted.Work(posted.State);
        }

        EndSteps();

        if (!_posted.IsEmpty && Interlocked.Exchange(ref _isWoken, 1) == 0)
        {
            SystemCalls.Wake(_wake);
        }
    }

    private void Tick()
    {
        Memory.Trim();
        int used;
        lock (_gate)
        {
            used = _used;
        }

        for (int place = 0; place < used; place++)
        {
            Volatile.Read(ref _entries)[place].Connection?.Observer?.Tick();
            Volatile.Read(ref _entries)[place].Listening?.Tick();
        }
    }

    private void CloseAll()
    {
        for (int place = 0; place < _entries.Length; place++)
        {
            _entries[place].Connection?.Abort();
            if (_entries[place].Connection is { } connection)
            {
                CloseNow(connection);
            }
        }
    }

    private static int Checked(int result) => result >= 0 ? result : throw ErrorNumber.ToException(-result);

    private static bool Probe()
    {
        if (!OperatingSystem.IsLinux())
        {
            return false;
        }

        try
        {
            int poll = SystemCalls.NewPoll();
            if (poll < 0)
            {
                return false;
            }

            SystemCalls.Close(poll);
            return true;
        }
        catch (Exception exception) when (exception is DllNotFoundException or EntryPointNotFoundException)
        {
            return false;
        }
    }

    private struct Entry
    {
        public SocketConnection? Connection;
        public IListening? Listening;
        public uint Generation;
    }
}

/// <summary>A listening socket, as the loop that watches it sees it.</summary>
internal interface IListening
{
    ulong Number { get; set; }

    void Report();

    void Tick();
}
