using System.Collections.Concurrent;

namespace Ballast.Telemetry;

/// <summary>What waits to be exported: adding takes no lock and never waits; what finds no room is dropped and counted. One thread takes out.</summary>
/// <typeparam name="T">What is exported.</typeparam>
public sealed class BoundedQueue<T>(int countMax)
{
    private readonly ConcurrentQueue<T> _waiting = new();
    private int _count;
    private long _dropped;

    public int Count => Volatile.Read(ref _count);

    /// <summary>Since the start.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Returns how many wait now; 0 where it found no room.</summary>
    public int Add(T item)
    {
        int count = Interlocked.Increment(ref _count);
        if (count > countMax)
        {
            Interlocked.Decrement(ref _count);
            Drop(1);
            return 0;
        }

        _waiting.Enqueue(item);
        return count;
    }

    public bool TryTake(out T item)
    {
        if (!_waiting.TryDequeue(out item!))
        {
            return false;
        }

        Interlocked.Decrement(ref _count);
        return true;
    }

    /// <summary>Counts what was taken out and then lost.</summary>
    public void Drop(int count) => Interlocked.Add(ref _dropped, count);
}
