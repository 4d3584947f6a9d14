using Ballast.Configuration;

namespace Ballast.Routing;

/// <summary>Whether a deployment can be tried now.</summary>
public enum Availability
{
    Ready,

    /// <summary>Recovered a short while ago: takes part of its share.</summary>
    Ramping,

    /// <summary>Its breaker is half open: exactly one probe may go.</summary>
    Probe,

    /// <summary>Its breaker is open, or it asked to be left alone (Retry-After).</summary>
    Resting,
}

/// <summary>
/// What is known of one deployment's health. Lives outside the catalog, so that a reload does not forget it. Breaker: closed → open after failures in a row →
/// half open (one probe) → slow-start ramp → closed. Thread-safe; the lock is never held over I/O.
/// </summary>
public sealed class DeploymentHealth(TimeProvider time)
{
    /// <summary>A success this recent proves a deployment healthy.</summary>
    public static readonly TimeSpan ProofAge = TimeSpan.FromSeconds(30);

    /// <summary>Share that a deployment takes right after it recovered.</summary>
    public const double RampStart = 0.1;

    /// <summary>The shortest way back, unless the configuration wants a shorter one.</summary>
    public static readonly TimeSpan RampMin = TimeSpan.FromMinutes(1);

    /// <summary>How often a vendor's headers are read for what it allows.</summary>
    public static readonly TimeSpan QuotaEvery = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();

    /// <summary>False while nothing speaks against the deployment, so that most requests need neither lock nor clock to see it.</summary>
    private volatile bool _isMarked;
    private int _failuresInRow;
    private bool _isOpen;
    private bool _probing;
    private long _openedAt;
    private long _restUntil;
    private long _rampFrom;

    /// <summary>Since when it has been away: a failed probe does not change it.</summary>
    private long _awayFrom;
    private TimeSpan _away;
    private bool _isRamping;
    private long _succeededAt;
    private bool _hasSucceeded;
    private long _quotaLookedAt = long.MinValue;

    /// <summary>A success within <see cref="ProofAge"/> and no failure since.</summary>
    public bool IsProven
    {
        get
        {
            lock (_lock)
            {
                return _failuresInRow == 0 && _hasSucceeded && time.GetElapsedTime(_succeededAt) < ProofAge;
            }
        }
    }

    /// <summary>What the vendor's headers said last that it may be asked for; null where they said nothing.</summary>
    public ObservedQuota? Quota { get; private set; }

    /// <summary>True once in <see cref="QuotaEvery"/>: headers are not read at every answer.</summary>
    public bool WantsQuota()
    {
        long now = time.GetTimestamp();
        long before = Volatile.Read(ref _quotaLookedAt);
        return (before == long.MinValue || time.GetElapsedTime(before, now) >= QuotaEvery) && Interlocked.CompareExchange(ref _quotaLookedAt, now, before) == before;
    }

    public void NoteQuota(ObservedQuota? quota) => Quota = quota ?? Quota;

    public bool IsOpen
    {
        get
        {
            lock (_lock)
            {
                return _isOpen;
            }
        }
    }

    /// <summary>What may be done now; <paramref name="readyIn"/> is the wait of a resting one, <paramref name="share"/> the part of its share that a ramping one takes.</summary>
    public Availability Check(LimitsOptions limits, out TimeSpan readyIn, out double share)
    {
        readyIn = TimeSpan.Zero;
        share = 1;
        if (!_isMarked)
        {
            return Availability.Ready;
        }

        lock (_lock)
        {
            long now = time.GetTimestamp();
            if (_restUntil > now)
            {
                readyIn = time.GetElapsedTime(now, _restUntil);
                return Availability.Resting;
            }

            if (_isOpen)
            {
                TimeSpan open = time.GetElapsedTime(_openedAt, now);
                if (open < limits.BreakerOpen || _probing)
                {
                    readyIn = open < limits.BreakerOpen ? limits.BreakerOpen - open : TimeSpan.FromSeconds(1);
                    return Availability.Resting;
                }

                return Availability.Probe;
            }

            if (_isRamping)
            {
                double progress = time.GetElapsedTime(_rampFrom, now) / RampOf(limits);
                if (progress < 1)
                {
                    share = RampStart + ((1 - RampStart) * Math.Max(progress, 0));
                    return Availability.Ramping;
                }

                _isRamping = false;
            }

            _isMarked = false;
            return Availability.Ready;
        }
    }

    /// <summary>Claims the one probe of a half-open breaker; false where another request has it.</summary>
    public bool TryBeginProbe(LimitsOptions limits)
    {
        lock (_lock)
        {
            if (!_isOpen || _probing || time.GetElapsedTime(_openedAt) < limits.BreakerOpen)
            {
                return false;
            }

            _probing = true;
            return true;
        }
    }

    public void ReportSuccess()
    {
        lock (_lock)
        {
            _failuresInRow = 0;
            _hasSucceeded = true;
            _succeededAt = time.GetTimestamp();
            if (_isOpen)
            {
                _isOpen = false;
                _probing = false;
                _isRamping = true;
                _rampFrom = _succeededAt;
                _away = time.GetElapsedTime(_awayFrom, _succeededAt);
            }
        }
    }

    public void ReportFailure(LimitsOptions limits)
    {
        lock (_lock)
        {
            _failuresInRow++;
            _probing = false;
            if (_isOpen || _failuresInRow >= limits.BreakerFailures || _isRamping)
            {
                // Who fails on the way back was away all the while.
                _awayFrom = _isOpen || _isRamping ? _awayFrom : time.GetTimestamp();
                _isMarked = _isOpen = true;
                _isRamping = false;
                _openedAt = time.GetTimestamp();
            }
        }
    }

    /// <summary>Neither success nor failure (the client went away, the request was wrong): a probe is given back.</summary>
    public void ReportNothing()
    {
        lock (_lock)
        {
            _probing = false;
        }
    }

    /// <summary>The deployment asked to be left alone for a while.</summary>
    public void Rest(TimeSpan duration, LimitsOptions limits)
    {
        TimeSpan bounded = duration < limits.CoolDownMax ? duration : limits.CoolDownMax;
        lock (_lock)
        {
            _probing = false;
            long until = time.GetTimestamp() + (long)(bounded.TotalSeconds * time.TimestampFrequency);
            _restUntil = Math.Max(_restUntil, until);
            _isMarked = true;
        }
    }

    /// <summary>
    /// At most five points of its share a minute after a long absence, so that caches become warm again and nobody is overrun. Who was away for a moment is back as soon.
    /// </summary>
    private TimeSpan RampOf(LimitsOptions limits)
    {
        TimeSpan least = limits.RampUp < RampMin ? limits.RampUp : RampMin;
        return _away > limits.RampUp ? limits.RampUp : _away > least ? _away : least;
    }

    /// <summary>Forgets everything.</summary>
    public void Reset()
    {
        lock (_lock)
        {
            _failuresInRow = 0;
            _isMarked = _isOpen = _probing = _isRamping = _hasSucceeded = false;
            _restUntil = 0;
        }
    }
}
