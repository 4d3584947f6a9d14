using System.Buffers;
using Ballast.Exchanges;

namespace Ballast.Tests.Exchanges;

public class PooledBufferTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(16, 5_000)]
    [InlineData(4_096, 300_000)]
    public void Write_MoreThanTheFirstMemory_KeepsEveryByteInOrder(int firstBytes, int length)
    {
        byte[] expected = new byte[length];
        new Random(7).NextBytes(expected);
        using PooledBuffer buffer = new(firstBytes);

        for (int at = 0; at < length; at += 777)
        {
            buffer.Write(expected.AsSpan(at, Math.Min(777, length - at)));
        }

        Assert.Equal(length, buffer.WrittenCount);
        Assert.True(buffer.WrittenSpan.SequenceEqual(expected));
        Assert.True(buffer.WrittenMemory.Span.SequenceEqual(expected));
    }

    [Fact]
    public void Clear_AfterAWrite_ForgetsIt()
    {
        using PooledBuffer buffer = new();
        buffer.Write("one"u8);
        buffer.Clear();
        buffer.Write("2"u8);

        Assert.True(buffer.WrittenSpan.SequenceEqual("2"u8));
    }

    [Fact]
    public void Dispose_Twice_GivesTheMemoryBackOnce()
    {
        PooledBuffer buffer = new(1_000_000);
        buffer.Write("one"u8);
        buffer.Dispose();
        buffer.Dispose();

        byte[] one = ArrayPool<byte>.Shared.Rent(1_000_000);
        byte[] other = ArrayPool<byte>.Shared.Rent(1_000_000);
        Assert.NotSame(one, other);
        Assert.Equal(0, buffer.WrittenCount);
    }

    [Fact]
    public void Advance_BeyondTheMemory_IsRefused()
    {
        using PooledBuffer buffer = new(16);
        int room = buffer.GetSpan(1).Length;

        Assert.Throws<ArgumentOutOfRangeException>(() => buffer.Advance(room + 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => buffer.Advance(-1));
    }
}
