namespace Ballast.EndToEnd.Tests.Fixtures;

/// <summary>A clock that runs so many times as fast as the system's: what takes a minute is over in seconds, between real processes over real connections.</summary>
internal sealed class FastTime(int factor) : TimeProvider
{
    private readonly DateTimeOffset _start = System.GetUtcNow();
    private readonly long _startTimestamp = System.GetTimestamp();

    public override long TimestampFrequency => System.TimestampFrequency;

    public override long GetTimestamp() => _startTimestamp + ((System.GetTimestamp() - _startTimestamp) * factor);

    public override DateTimeOffset GetUtcNow() => _start + GetElapsedTime(_startTimestamp);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        new FastTimer(System.CreateTimer(callback, state, Slow(dueTime), Slow(period)), Slow);

    private TimeSpan Slow(TimeSpan time) => time == Timeout.InfiniteTimeSpan || time == TimeSpan.Zero ? time : time / factor;

    private sealed class FastTimer(ITimer timer, Func<TimeSpan, TimeSpan> slow) : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => timer.Change(slow(dueTime), slow(period));

        public void Dispose() => timer.Dispose();

        public ValueTask DisposeAsync() => timer.DisposeAsync();
    }
}
