using Ballast.Configuration;
using Ballast.Exchanges;

namespace Ballast.Gateway;

/// <summary>
/// The clocks of one attempt: first token, idle, total. <c>HttpClient.Timeout</c> does not cover a body, so the relay keeps these itself. Progress only notes the time;
/// the one timer looks at it when it fires and winds itself up again, so that a chunk costs no timer call and no limit is off by more than the timer's own grain.
/// Used again for other attempts, and its timer runs on between them: one that fires too early costs less than one that is set for each attempt.
/// </summary>
public sealed class AttemptTimer : IDisposable
{
    private static readonly TimeSpan ShortestWait = TimeSpan.FromMilliseconds(1);

    private readonly CancellationTokenSource _source = new();
    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly AttemptTimers _home;
    private readonly ITimer _timer;
    private CancellationTokenRegistration _client;
    private long _idleTicks;
    private long _totalAt;
    private long _limitAt;

    /// <summary>When the timer fires; never, where it is not wound up.</summary>
    private long _firesAt = long.MaxValue;
    private bool _isRunning;
    private bool _hasRunOut;
    private volatile bool _hasContent;
    private volatile bool _isPaused;
    private volatile GatewayError _verdict = GatewayError.FirstTokenTimeout;

    internal AttemptTimer(AttemptTimers home, TimeProvider time)
    {
        _home = home;
        _time = time;
        _timer = time.CreateTimer(static state => ((AttemptTimer)state!).Look(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public CancellationToken Token => _source.Token;

    /// <summary>What ran out, once the token is cancelled and the client is still there.</summary>
    public GatewayError Verdict => _verdict;

    /// <summary>Content arrived, or the head of a whole answer: the limit for the first token is met, the idle limit begins.</summary>
    public void Begin()
    {
        if (!_hasContent)
        {
            _hasContent = true;
            Alive();
            Wind();
        }
    }

    /// <summary>Anything arrived. It keeps an answer alive that has begun; it does not begin one: pings are no progress.</summary>
    public void Alive()
    {
        if (_hasContent)
        {
            Volatile.Write(ref _limitAt, _time.GetTimestamp() + _idleTicks);
        }
    }

    /// <summary>The client is being waited for: its slowness is not the upstream's silence.</summary>
    public void Pause() => _isPaused = _hasContent;

    public void Resume()
    {
        if (_isPaused)
        {
            Alive();
            _isPaused = false;
            Wind();
        }
    }

    /// <summary>The attempt is over.</summary>
    public void Dispose()
    {
        // Returns when the client's going is not being told any more.
        _client.Dispose();
        _client = default;
        bool isGood;
        lock (_gate)
        {
            _isRunning = false;
            isGood = !_hasRunOut;
        }

        // What may be told an end yet tells it to nobody else.
        if (isGood && _source.TryReset() && _home.TryReturn(this))
        {
            return;
        }

        _timer.Dispose();
        _source.Dispose();
    }

    internal void Start(Exchange exchange, CancellationToken clientAborted)
    {
        LimitsOptions limits = exchange.Catalog.Limits;
        lock (_gate)
        {
            _idleTicks = Ticks(limits.IdleTimeout);
            _totalAt = exchange.StartedTimestamp + Ticks(limits.TotalTimeout);
            _limitAt = _time.GetTimestamp() + Ticks(limits.FirstTokenTimeout);
            _hasContent = false;
            _isPaused = false;
            _verdict = GatewayError.FirstTokenTimeout;
            _isRunning = true;
        }

        Wind();
        _client = clientAborted.UnsafeRegister(static state => ((CancellationTokenSource)state!).Cancel(), _source);
    }

    private void Look()
    {
        lock (_gate)
        {
            _firesAt = long.MaxValue;
            if (!_isRunning)
            {
                return;
            }

            long now = _time.GetTimestamp();
            bool isTotal = now >= _totalAt;
            if (!isTotal && (_isPaused || now < Volatile.Read(ref _limitAt)))
            {
                WindUp();
                return;
            }

            _hasRunOut = true;
            _verdict = isTotal ? GatewayError.TotalTimeout : _hasContent ? GatewayError.IdleTimeout : GatewayError.FirstTokenTimeout;
        }

        try
        {
            _source.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The attempt ended in the same moment.
        }
    }

    private void Wind()
    {
        lock (_gate)
        {
            WindUp();
        }
    }

    /// <summary>Sets the timer to the nearer limit, unless it fires before that anyway.</summary>
    private void WindUp()
    {
        long due = Math.Min(_isPaused ? long.MaxValue : Volatile.Read(ref _limitAt), _totalAt);
        if (_firesAt <= due || !_isRunning)
        {
            return;
        }

        _firesAt = due;
        TimeSpan wait = _time.GetElapsedTime(_time.GetTimestamp(), due);
        _timer.Change(wait > ShortestWait ? wait : ShortestWait, Timeout.InfiniteTimeSpan);
    }

    private long Ticks(TimeSpan length) => (long)(length.TotalSeconds * _time.TimestampFrequency);
}

/// <summary>Clocks that wait for their next attempt.</summary>
public sealed class AttemptTimers
{
    /// <summary>Most that are kept.</summary>
    private const int KeptMax = 1024;

    private readonly Lock _lock = new();
    private readonly Stack<AttemptTimer> _kept = new();

    /// <summary>Starts the clocks of an attempt; disposing of them ends it.</summary>
    /// <param name="exchange">Whose limits count. Its clock is the same for all exchanges.</param>
    /// <param name="clientAborted">Cancels the attempt, too.</param>
    public AttemptTimer Start(Exchange exchange, CancellationToken clientAborted)
    {
        AttemptTimer? timer;
        lock (_lock)
        {
            _kept.TryPop(out timer);
        }

        timer ??= new AttemptTimer(this, exchange.Time);
        timer.Start(exchange, clientAborted);
        return timer;
    }

    internal bool TryReturn(AttemptTimer timer)
    {
        lock (_lock)
        {
            if (_kept.Count >= KeptMax)
            {
                return false;
            }

            _kept.Push(timer);
            return true;
        }
    }
}
