namespace Ballast.Transport;

/// <summary>The program's loops, one for each processor it may use. A connection stays with the loop it was given to.</summary>
public sealed class EventLoops : IDisposable
{
    /// <summary>More would not serve more: a request's work is short.</summary>
    public const int LoopsMax = 64;

    private readonly EventLoop[] _loops;
    private uint _next;

    public EventLoops(TimeProvider time)
        : this(time, Math.Clamp(Environment.ProcessorCount, 1, LoopsMax))
    {
    }

    public EventLoops(TimeProvider time, int count)
    {
        _loops = new EventLoop[count];
        for (int i = 0; i < count; i++)
        {
            _loops[i] = new EventLoop(time, $"loop {i}");
        }
    }

    public IReadOnlyList<EventLoop> All => _loops;

    /// <summary>This thread's loop where it is one of these, else each in turn.</summary>
    public EventLoop Mine => EventLoop.Current is { } current && Array.IndexOf(_loops, current) >= 0 ? current : Next();

    /// <summary>Each in turn.</summary>
    public EventLoop Next() => _loops[Interlocked.Increment(ref _next) % (uint)_loops.Length];

    public void Dispose()
    {
        foreach (EventLoop loop in _loops)
        {
            loop.Dispose();
        }
    }
}
