using Ballast.Configuration;
using Ballast.Exchanges;

namespace Ballast.Gateway;

/// <summary>The clocks of one attempt: first token, idle, total. <c>HttpClient.Timeout</c> does not cover a body, so the relay arms these itself.</summary>
public sealed class AttemptTimer : IDisposable
{
    /// <summary>The idle clock is wound up again at most this often: a timer call for each chunk would cost more than the chunk.</summary>
    private static readonly TimeSpan RewindEvery = TimeSpan.FromMilliseconds(500);

    private readonly CancellationTokenSource _source;
    private readonly CancellationTokenRegistration _client;
    private readonly TimeProvider _time;
    private readonly LimitsOptions _limits;
    private readonly long _exchangeStarted;
    private long _rewoundAt;
    private bool _isTotal;
    private bool _isIdle;

    public AttemptTimer(Exchange exchange, CancellationToken clientAborted)
    {
        _time = exchange.Time;
        _limits = exchange.Catalog.Limits;
        _exchangeStarted = exchange.StartedTimestamp;
        _source = new CancellationTokenSource(Bounded(_limits.FirstTokenTimeout), _time);
        _client = clientAborted.UnsafeRegister(static state => ((CancellationTokenSource)state!).Cancel(), _source);
    }

    public CancellationToken Token => _source.Token;

    /// <summary>What ran out, once the token is cancelled and the client is still there.</summary>
    public GatewayError Verdict => _isTotal ? GatewayError.TotalTimeout : _isIdle ? GatewayError.IdleTimeout : GatewayError.FirstTokenTimeout;

    /// <summary>Something arrived: the idle clock starts anew.</summary>
    public void Progress()
    {
        if (_isIdle && _time.GetElapsedTime(_rewoundAt) < RewindEvery)
        {
            return;
        }

        _isIdle = true;
        _rewoundAt = _time.GetTimestamp();
        _source.CancelAfter(Bounded(_limits.IdleTimeout));
    }

    public void Dispose()
    {
        _client.Dispose();
        _source.Dispose();
    }

    private TimeSpan Bounded(TimeSpan limit)
    {
        TimeSpan left = _limits.TotalTimeout - _time.GetElapsedTime(_exchangeStarted);
        _isTotal = left < limit;
        TimeSpan wait = _isTotal ? left : limit;
        return wait > TimeSpan.Zero ? wait : TimeSpan.FromMilliseconds(1);
    }
}
