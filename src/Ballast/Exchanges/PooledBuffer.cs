using System.Buffers;
using Ballast.Transport;

namespace Ballast.Exchanges;

/// <summary>
/// Grows while it is written and gives its memory back when it is disposed of; what was read out of it must not be used after that. Disposed of twice it gives
/// back once, and written after that it begins anew. Not thread-safe.
/// </summary>
public sealed class PooledBuffer(int firstBytes = PooledBuffer.FirstBytes) : IBufferWriter<byte>, IDisposable
{
    private const int FirstBytes = 4 * 1024;

    private byte[] _bytes = [];

    public int WrittenCount { get; private set; }

    public ReadOnlyMemory<byte> WrittenMemory => _bytes.AsMemory(0, WrittenCount);

    public ReadOnlySpan<byte> WrittenSpan => _bytes.AsSpan(0, WrittenCount);

    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, _bytes.Length - WrittenCount);
        WrittenCount += count;
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _bytes.AsMemory(WrittenCount);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _bytes.AsSpan(WrittenCount);
    }

    /// <summary>Forgets what was written and keeps the memory.</summary>
    public void Clear() => WrittenCount = 0;

    public void Dispose()
    {
        byte[] bytes = _bytes;
        _bytes = [];
        WrittenCount = 0;
        if (bytes.Length > 0)
        {
            LoopMemory.Return(bytes);
        }
    }

    private void Reserve(int sizeHint)
    {
        int wanted = Math.Max(sizeHint, 1);
        if (_bytes.Length - WrittenCount >= wanted)
        {
            return;
        }

        long doubled = Math.Min(Math.Max(firstBytes, _bytes.Length * 2L), Array.MaxLength);
        byte[] larger = LoopMemory.Rent((int)Math.Max(doubled, checked(WrittenCount + wanted)));
        WrittenSpan.CopyTo(larger);
        byte[] smaller = _bytes;
        _bytes = larger;
        if (smaller.Length > 0)
        {
            LoopMemory.Return(smaller);
        }
    }
}
