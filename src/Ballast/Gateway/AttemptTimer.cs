using Ballast.Configuration;
using Ballast.Exchanges;

namespace Ballast.Gateway;

/// <summary>
/// The clocks of one attempt: first token, idle, total. <c>HttpClient.Timeout</c> does not cover a body, so the relay keeps these itself. Progress only notes the time;
/// the one timer looks at it when it fires and winds itself up again, so that a chunk costs no timer call and no limit is off by more than the timer's own grain.
/// </summary>
public sealed class AttemptTimer : IDisposable
{
    private static readonly TimeSpan ShortestWait = TimeSpan.FromMilliseconds(1);

    private readonly CancellationTokenSource _source = new();
    private readonly CancellationTokenRegistration _client;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly long _idleTicks;
    private readonly long _totalAt;
    private long _limitAt;
    private volatile bool _hasContent;
    private volatile bool _isPaused;
    private volatile GatewayError _verdict = GatewayError.FirstTokenTimeout;

    public AttemptTimer(Exchange exchange, CancellationToken clientAborted)
    {
        _time = exchange.Time;
        LimitsOptions limits = exchange.Catalog.Limits;
        _idleTicks = Ticks(limits.IdleTimeout);
        _totalAt = exchange.StartedTimestamp + Ticks(limits.TotalTimeout);
        _limitAt = _time.GetTimestamp() + Ticks(limits.FirstTokenTimeout);
        _client = clientAborted.UnsafeRegister(static state => ((CancellationTokenSource)state!).Cancel(), _source);
        _timer = _time.CreateTimer(static state => ((AttemptTimer)state!).Look(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        Wind();
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

    public void Dispose()
    {
        _client.Dispose();
        _timer.Dispose();
        _source.Dispose();
    }

    private void Look()
    {
        long now = _time.GetTimestamp();
        bool isTotal = now >= _totalAt;
        if (!isTotal && (_isPaused || now < Volatile.Read(ref _limitAt)))
        {
            Wind();
            return;
        }

        _verdict = isTotal ? GatewayError.TotalTimeout : _hasContent ? GatewayError.IdleTimeout : GatewayError.FirstTokenTimeout;
        try
        {
            _source.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The attempt ended in the same moment.
        }
    }

    /// <summary>Sets the timer to the nearer limit.</summary>
    private void Wind()
    {
        long limitAt = _isPaused ? long.MaxValue : Volatile.Read(ref _limitAt);
        TimeSpan wait = _time.GetElapsedTime(_time.GetTimestamp(), Math.Min(limitAt, _totalAt));
        try
        {
            _timer.Change(wait > ShortestWait ? wait : ShortestWait, Timeout.InfiniteTimeSpan);
        }
        catch (ObjectDisposedException)
        {
            // As above.
        }
    }

    private long Ticks(TimeSpan length) => (long)(length.TotalSeconds * _time.TimestampFrequency);
}
