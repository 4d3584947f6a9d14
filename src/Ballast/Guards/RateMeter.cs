using Ballast.Configuration;
using Ballast.Guards.Leases;
using Ballast.Protocols.Conversation;
using Ballast.Tenancy.Leases;

namespace Ballast.Guards;

/// <summary>
/// Counts what one key, app, team, organisation or model asks for: at once, and in a window that slides over the last 60 seconds in steps of one. The second that is only
/// partly over counts whole, so that no 60 seconds ever hold more than the limit. A lock for some nanoseconds and no memory for a request.
/// </summary>
public sealed class RateMeter(RateLimitOptions limits)
{
    private const int WindowSeconds = 60;
    private const int Slots = WindowSeconds + 1;
    private const int Dimensions = 3;

    /// <summary>Number of the limit of requests at once, behind the three of the window.</summary>
    private const int AtOnce = 3;

    private readonly Lock _gate = new();
    private readonly long[] _slots = new long[Slots * Dimensions];
    private readonly long[] _sums = new long[Dimensions];
    private long _second;
    private int _running;
    private RateParts? _parts;

    /// <summary>In place of seconds to wait: this gateway's part is used up, and the whole may not be.</summary>
    public const int ShortOfLease = -1;

    /// <summary>May be changed while it counts.</summary>
    public RateLimitOptions Limits { get; set; } = limits;

    /// <summary>Requests taken and not yet ended.</summary>
    public int Running => Volatile.Read(ref _running);

    /// <summary>Takes one request; false where a limit is reached.</summary>
    /// <param name="second">Of a clock that only goes forward.</param>
    /// <param name="wait">Seconds until there is room again; 0 where it depends on running requests.</param>
    public bool TryBegin(long second, out int wait)
    {
        lock (_gate)
        {
            Advance(second);
            wait = 0;
            _parts?.Ask(0, 1);
            _parts?.Ask(AtOnce, 1);
            if (Limits.ConcurrentRequests is { } atOnce && _running >= Most(AtOnce, atOnce))
            {
                wait = _parts?.MayHave(AtOnce, atOnce, _running, 1) == true ? ShortOfLease : 0;
                return false;
            }

            if (!Fits(0, Limits.RequestsPerMinute, 1, ref wait))
            {
                return false;
            }

            _running++;
            Add(0, _second, 1);
            return true;
        }
    }

    /// <summary>Takes tokens for a request that has begun; false where a limit is reached. What exceeds a limit by itself never has room.</summary>
    public bool TryTake(long second, long input, long output, out int wait)
    {
        lock (_gate)
        {
            Advance(second);
            wait = 0;
            _parts?.Ask(1, input);
            _parts?.Ask(2, output);
            if (!Fits(1, Limits.InputTokensPerMinute, input, ref wait) || !Fits(2, Limits.OutputTokensPerMinute, output, ref wait))
            {
                return false;
            }

            Add(1, _second, input);
            Add(2, _second, output);
            return true;
        }
    }

    /// <summary>Puts right what was taken in a second that may be over; takes nothing that has left the window.</summary>
    public void Correct(long taken, long now, long input, long output)
    {
        lock (_gate)
        {
            Advance(now);
            if (_second - taken < Slots)
            {
                Add(1, Math.Min(taken, _second), input);
                Add(2, Math.Min(taken, _second), output);
            }
        }
    }

    /// <summary>A request has ended.</summary>
    public void End()
    {
        lock (_gate)
        {
            _running--;
        }
    }

    /// <summary>A request that was taken here was refused elsewhere: it never was.</summary>
    public void Undo(long taken, long now)
    {
        lock (_gate)
        {
            Advance(now);
            _running--;
            if (_second - taken < Slots)
            {
                Add(0, Math.Min(taken, _second), -1);
            }
        }
    }

    public RateLimit Requests(long second) => Read(second, 0, Limits.RequestsPerMinute);

    public RateLimit InputTokens(long second) => Read(second, 1, Limits.InputTokensPerMinute);

    public RateLimit OutputTokens(long second) => Read(second, 2, Limits.OutputTokensPerMinute);

    /// <summary>From now on only this gateway's parts of the limits count here.</summary>
    internal void Share(string name, LeaseShare share)
    {
        lock (_gate)
        {
            _parts ??= new RateParts(name, share, this);
        }
    }

    /// <summary>Adds what is to be said of this gateway's parts; nothing where they are at rest.</summary>
    internal void Report(List<RateReport> reports, long second, bool isEnd)
    {
        lock (_gate)
        {
            Advance(second);
            if (_parts is null || (!isEnd && _parts.TryRest([_sums[0], _sums[1], _sums[2], _running])))
            {
                return;
            }

            _parts.Count();
            _parts.Report(reports, 0, Limits.RequestsPerMinute, _sums[0], isEnd);
            _parts.Report(reports, 1, Limits.InputTokensPerMinute, _sums[1], isEnd);
            _parts.Report(reports, 2, Limits.OutputTokensPerMinute, _sums[2], isEnd);
            _parts.Report(reports, AtOnce, Limits.ConcurrentRequests, _running, isEnd);
        }
    }

    internal void Apply(RateGrant grant)
    {
        lock (_gate)
        {
            _parts?.Apply(grant);
        }
    }

    private long Most(int dimension, long limit) => _parts is null ? limit : Math.Min(limit, _parts.Most(dimension, limit));

    private RateLimit Read(long second, int dimension, int? limit)
    {
        if (limit is not { } most)
        {
            return default;
        }

        lock (_gate)
        {
            Advance(second);
            long left = most - _sums[dimension] - (_parts?.OthersUsed(dimension) ?? 0);
            return new RateLimit(most, Math.Max(0, left), TimeSpan.FromSeconds(WaitFor(dimension, _sums[dimension])));
        }
    }

    private bool Fits(int dimension, int? limit, long wanted, ref int wait)
    {
        if (limit is not { } whole)
        {
            return true;
        }

        long most = Most(dimension, whole);
        if (_sums[dimension] + wanted <= most)
        {
            return true;
        }

        wait = _parts?.MayHave(dimension, whole, _sums[dimension], wanted) == true ? ShortOfLease : WaitFor(dimension, _sums[dimension] + wanted - most);
        return false;
    }

    /// <summary>Seconds until so much of a dimension has left the window.</summary>
    private int WaitFor(int dimension, long amount)
    {
        long left = amount;
        for (int age = WindowSeconds; age >= 0 && left > 0; age--)
        {
            left -= _second - age >= 0 ? _slots[Slot(dimension, _second - age)] : 0;
            if (left <= 0)
            {
                return Slots - age;
            }
        }

        return amount <= 0 ? 0 : Slots;
    }

    private void Advance(long second)
    {
        long gone = second - _second;
        if (gone <= 0)
        {
            return;
        }

        for (long next = gone >= Slots ? second - WindowSeconds : _second + 1; next <= second; next++)
        {
            for (int dimension = 0; dimension < Dimensions; dimension++)
            {
                ref long slot = ref _slots[Slot(dimension, next)];
                _sums[dimension] -= slot;
                slot = 0;
            }
        }

        _second = second;
    }

    private void Add(int dimension, long second, long amount)
    {
        _slots[Slot(dimension, second)] += amount;
        _sums[dimension] += amount;
    }

    private static int Slot(int dimension, long second) => (dimension * Slots) + (int)(second % Slots);
}
