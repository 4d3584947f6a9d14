using Ballast.Catalog;

namespace Ballast.Routing.Metering;

/// <summary>
/// Keeps one account or deployment below what it may be asked for in any sixty seconds, by the vendor's clock as well as by ours: a request counts from the moment it is
/// taken until a minute after its vendor has answered, since nobody knows when between the two it was counted; its tokens count as the most that they may be until its end,
/// and for a minute after it as what they were. The second that is only partly over counts whole. Thread-safe: a look takes no lock but at the turn of a second, and what is
/// taken, one for some nanoseconds. Makes no memory.
/// </summary>
public sealed class QuotaMeter(HardQuota limits)
{
    public const int WindowSeconds = 60;

    /// <summary>What runs gives back what it was taken for too much when it ends: nobody knows when, and this is soon.</summary>
    private const int RunningWaitSeconds = 2;
    private const int Slots = WindowSeconds + 1;

    private readonly Lock _gate = new();
    private readonly long[] _requestSlots = new long[Slots];
    private readonly long[] _tokenSlots = new long[Slots];
    private volatile HardQuota _limits = limits;
    private long _second;

    /// <summary>In the window, and of attempts that run.</summary>
    private long _requests;
    private long _tokens;
    private long _turnedAway;

    /// <summary>May be changed while it counts.</summary>
    public HardQuota Limits
    {
        get => _limits;
        set => _limits = value;
    }

    /// <summary>Requests for which it was passed over, since the start.</summary>
    public long TurnedAway => Interlocked.Read(ref _turnedAway);

    public void NoteTurnedAway() => Interlocked.Increment(ref _turnedAway);

    /// <summary>What counts now.</summary>
    /// <param name="second">Of a clock that only goes forward.</param>
    public (long Requests, long Tokens) Used(long second)
    {
        Turn(second);
        return (Interlocked.Read(ref _requests), Interlocked.Read(ref _tokens));
    }

    /// <summary>One more request of so many tokens would be within it.</summary>
    public bool HasRoom(long second, long tokens)
    {
        Turn(second);
        return Fits(Interlocked.Read(ref _requests), Interlocked.Read(ref _tokens), tokens);
    }

    /// <summary>Takes one request and the most tokens that it may need; false where there is no room.</summary>
    public bool TryTake(long second, long tokens)
    {
        lock (_gate)
        {
            Advance(second);
            if (!Fits(_requests, _tokens, tokens))
            {
                return false;
            }

            _requests++;
            _tokens += tokens;
            return true;
        }
    }

    /// <summary>Takes them whether there is room or not.</summary>
    public void Take(long tokens)
    {
        lock (_gate)
        {
            _requests++;
            _tokens += tokens;
        }
    }

    /// <summary>The vendor has counted a request that was taken.</summary>
    public void Arrive(long second)
    {
        lock (_gate)
        {
            Advance(second);
            _requestSlots[_second % Slots]++;
        }
    }

    /// <summary>It is known what a request that has arrived took.</summary>
    public void Settle(long second, long taken, long used)
    {
        lock (_gate)
        {
            Advance(second);
            _tokens += used - taken;
            _tokenSlots[_second % Slots] += used;
        }
    }

    /// <summary>It was never sent.</summary>
    public void Undo(long taken)
    {
        lock (_gate)
        {
            _requests--;
            _tokens -= taken;
        }
    }

    /// <summary>Seconds after which there may be room for so many tokens more. What exceeds the quota by itself never has room: then the whole window.</summary>
    public int WaitFor(long second, long tokens)
    {
        lock (_gate)
        {
            Advance(second);
            HardQuota now = _limits;
            return Math.Max(
                now.RequestsPerMinute is { } requests ? WaitFor(_requestSlots, _requests + 1 - requests, WindowSeconds) : 0,
                now.TokensPerMinute is { } most ? WaitFor(_tokenSlots, _tokens + tokens - most, tokens > most ? WindowSeconds : RunningWaitSeconds) : 0);
        }
    }

    private bool Fits(long requests, long used, long tokens)
    {
        HardQuota now = _limits;
        return (now.RequestsPerMinute is not { } most || requests < most) && (now.TokensPerMinute is not { } limit || used + tokens <= limit);
    }

    /// <summary>Seconds until so much has left the window; the last figure where what is too much still runs.</summary>
    private int WaitFor(long[] slots, long excess, int running)
    {
        long left = excess;
        for (int age = WindowSeconds; age >= 0 && left > 0; age--)
        {
            left -= _second - age >= 0 ? slots[(_second - age) % Slots] : 0;
            if (left <= 0)
            {
                return Slots - age;
            }
        }

        return excess <= 0 ? 0 : running;
    }

    private void Turn(long second)
    {
        if (Volatile.Read(ref _second) < second)
        {
            lock (_gate)
            {
                Advance(second);
            }
        }
    }

    private void Advance(long second)
    {
        if (second <= _second)
        {
            return;
        }

        for (long next = second - _second >= Slots ? second - WindowSeconds : _second + 1; next <= second; next++)
        {
            int slot = (int)(next % Slots);
            _requests -= _requestSlots[slot];
            _tokens -= _tokenSlots[slot];
            _requestSlots[slot] = _tokenSlots[slot] = 0;
        }

        Volatile.Write(ref _second, second);
    }
}
