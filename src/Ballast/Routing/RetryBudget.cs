using Ballast.Configuration;

namespace Ballast.Routing;

/// <summary>
/// Bounds retries to a share of requests over a sliding ten seconds (after Finagle's retry budgets). What counts: a retry towards a deployment that is not proven healthy.
/// Moving to a proven one shifts load and does not multiply it, so it is free; when everything fails nothing is proven, and the bound holds.
/// </summary>
public sealed class RetryBudget(TimeProvider time)
{
    /// <summary>Length of the window, in seconds, one slot each.</summary>
    public const int WindowSeconds = 10;

    private readonly Lock _lock = new();
    private readonly long[] _requests = new long[WindowSeconds];
    private readonly long[] _retries = new long[WindowSeconds];
    private long _second = long.MinValue;

    public void CountRequest()
    {
        lock (_lock)
        {
            _requests[Advance()]++;
        }
    }

    /// <summary>A client's own retry arrived: it uses the same budget, so that layers do not multiply.</summary>
    public void CountClientRetry()
    {
        lock (_lock)
        {
            _retries[Advance()]++;
        }
    }

    public bool TryTake(LimitsOptions limits)
    {
        lock (_lock)
        {
            int slot = Advance();
            if (_retries.Sum() + 1 > limits.RetryFloor + (limits.RetryShareMax * _requests.Sum()))
            {
                return false;
            }

            _retries[slot]++;
            return true;
        }
    }

    private int Advance()
    {
        long second = time.GetTimestamp() / time.TimestampFrequency;
        if (_second == long.MinValue || second - _second >= WindowSeconds)
        {
            Array.Clear(_requests);
            Array.Clear(_retries);
            _second = second;
        }

        while (_second < second)
        {
            _second++;
            _requests[_second % WindowSeconds] = 0;
            _retries[_second % WindowSeconds] = 0;
        }

        return (int)(_second % WindowSeconds);
    }
}
