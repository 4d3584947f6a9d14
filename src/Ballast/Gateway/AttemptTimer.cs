using Ballast.Configuration;
using Ballast.Exchanges;
using Ballast.Transport;

namespace Ballast.Gateway;

/// <summary>
/// The clocks of one attempt: first token, idle, total. <c>HttpClient.Timeout</c> does not cover a body, so the relay keeps these itself. Progress only notes the time;
/// the one timer looks at it when it fires and winds itself up again, so that a chunk costs no timer call and no limit is off by more than the timer's own grain.
/// On an event loop's thread it is used again for a later attempt, its timer still wound: an attempt that ends in time costs no timer call either.
/// </summary>
public sealed class AttemptTimer : IDisposable
{
    /// <summary>Kept for later attempts, for each event loop.</summary>
    private const int SparesMax = 256;

    /// <summary>In the place of an attempt's number: a limit has run out, and it is used no more.</summary>
    private const long Spent = -1;

    private static readonly TimeSpan ShortestWait = TimeSpan.FromMilliseconds(1);

    [ThreadStatic]
    private static Stack<AttemptTimer>? t_spares;

    private readonly CancellationTokenSource _source = new();
    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private CancellationTokenRegistration _client;
    private long _idleTicks;
    private long _totalAt;
    private long _limitAt;

    /// <summary>When the timer fires next; it may be earlier than any limit.</summary>
    private long _firesAt = long.MaxValue;

    /// <summary>The attempt's number among those that this has served, doubled; odd while it runs.</summary>
    private long _use;
    private volatile bool _hasContent;
    private volatile bool _isPaused;
    private volatile GatewayError _verdict = GatewayError.FirstTokenTimeout;

    private AttemptTimer(TimeProvider time)
    {
        _time = time;
        _timer = time.CreateTimer(static state => ((AttemptTimer)state!).Look(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public CancellationToken Token => _source.Token;

    /// <summary>What ran out, once the token is cancelled and the client is still there.</summary>
    public GatewayError Verdict => _verdict;

    /// <summary>Starts the clocks of an attempt that begins now.</summary>
    public static AttemptTimer Start(Exchange exchange, CancellationToken clientAborted)
    {
        AttemptTimer? timer = null;
        if (t_spares?.TryPop(out timer) == true && !ReferenceEquals(timer._time, exchange.Time))
        {
            // Another gateway's of the same process.
            timer.End();
            timer = null;
        }

        timer ??= new AttemptTimer(exchange.Time);
        timer.Begin(exchange, clientAborted);
        return timer;
    }

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

    /// <summary>The attempt is over, and nobody uses its token any more.</summary>
    public void Dispose()
    {
        _client.Dispose();
        long use = Volatile.Read(ref _use);
        bool isInTime = use != Spent && Interlocked.CompareExchange(ref _use, use + 1, use) == use;
        if (isInTime && EventLoop.Current is not null && (t_spares ??= new Stack<AttemptTimer>()).Count < SparesMax && _source.TryReset())
        {
            t_spares.Push(this);
        }
        else
        {
            End();
        }
    }

    private void End()
    {
        _timer.Dispose();
        _source.Dispose();
    }

    private void Begin(Exchange exchange, CancellationToken clientAborted)
    {
        LimitsOptions limits = exchange.Catalog.Limits;
        _hasContent = _isPaused = false;
        _idleTicks = Ticks(limits.IdleTimeout);
        Volatile.Write(ref _totalAt, exchange.StartedTimestamp + Ticks(limits.TotalTimeout));
        Volatile.Write(ref _limitAt, _time.GetTimestamp() + Ticks(limits.FirstTokenTimeout));
        Interlocked.Increment(ref _use);
        _client = clientAborted.UnsafeRegister(static state => ((CancellationTokenSource)state!).Cancel(), _source);
        Wind();
    }

    private void Look()
    {
        lock (_gate)
        {
            _firesAt = long.MaxValue;
        }

        long use = Volatile.Read(ref _use);
        if (use % 2 == 0 || use == Spent)
        {
            // Between two attempts; the next one winds it up.
            return;
        }

        long now = _time.GetTimestamp();
        bool isTotal = now >= Volatile.Read(ref _totalAt);
        if (!isTotal && (_isPaused || now < Volatile.Read(ref _limitAt)))
        {
            Wind();
            return;
        }

        GatewayError verdict = isTotal ? GatewayError.TotalTimeout : _hasContent ? GatewayError.IdleTimeout : GatewayError.FirstTokenTimeout;
        if (Interlocked.CompareExchange(ref _use, Spent, use) != use)
        {
            // The attempt ended in the same moment, and what was read here may be another's.
            return;
        }

        _verdict = verdict;
        try
        {
            _source.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It was given up in the same moment.
        }
    }

    /// <summary>Sets the timer to the nearer limit, unless it fires before that anyway.</summary>
    private void Wind()
    {
        lock (_gate)
        {
            long limitAt = Math.Min(_isPaused ? long.MaxValue : Volatile.Read(ref _limitAt), Volatile.Read(ref _totalAt));
            if (_firesAt <= limitAt)
            {
                return;
            }

            _firesAt = limitAt;
            TimeSpan wait = _time.GetElapsedTime(_time.GetTimestamp(), limitAt);
            try
            {
                _timer.Change(wait > ShortestWait ? wait : ShortestWait, Timeout.InfiniteTimeSpan);
            }
            catch (ObjectDisposedException)
            {
                // The attempt ended in the same moment.
            }
        }
    }

    private long Ticks(TimeSpan length) => (long)(length.TotalSeconds * _time.TimestampFrequency);
}
