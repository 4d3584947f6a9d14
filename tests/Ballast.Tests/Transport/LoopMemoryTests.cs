using Ballast.Transport;

namespace Ballast.Tests.Transport;

public sealed class LoopMemoryTests : IDisposable
{
    private const int Pieces = 200;

    private readonly EventLoop _loop = new(TimeProvider.System);

    public void Dispose() => _loop.Dispose();

    [Fact]
    public async Task Pieces_OfManyRequests_AreTheSameOnesAgain()
    {
        byte[][] first = await _loop.DoAsync(RentAll);
        await _loop.DoAsync(() => Return(first));
        byte[][] second = await _loop.DoAsync(RentAll);

        Assert.Equal(Pieces, second.Intersect(first).Count());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(1024)]
    [InlineData(1025)]
    [InlineData(LoopMemory.PieceBytesMax)]
    [InlineData(LoopMemory.PieceBytesMax + 1)]
    public async Task Piece_OfAnySize_IsLargeEnough(int bytes)
    {
        // A smaller piece that came from elsewhere is never handed out for a larger one.
        await _loop.DoAsync(() => Return([new byte[1024], new byte[512], new byte[16]]));

        byte[] piece = await _loop.DoAsync(() => LoopMemory.Rent(bytes));

        Assert.InRange(piece.Length, bytes, Math.Max(1024, bytes * 2));
    }

    [Fact]
    public async Task Pieces_BeyondWhatIsKept_Go()
    {
        int most = LoopMemory.KeptBytesMax / LoopMemory.PieceBytesMax;
        byte[][] many = [.. Enumerable.Range(0, most * 2).Select(static _ => new byte[LoopMemory.PieceBytesMax])];

        await _loop.DoAsync(() => Return(many));

        Assert.Equal(most, _loop.Memory.Kept);
    }

    [Fact]
    public async Task Pieces_ThatNobodyWants_GoWithTime()
    {
        byte[][] pieces = await _loop.DoAsync(RentAll);
        await _loop.DoAsync(() => Return(pieces));

        await _loop.DoAsync(() =>
        {
            for (int second = 0; second < 20; second++)
            {
                _loop.Memory.Trim();
            }

            return true;
        });

        Assert.Equal(0, _loop.Memory.Kept);
    }

    private static byte[][] RentAll() => [.. Enumerable.Range(0, Pieces).Select(static _ => LoopMemory.Rent(4 * 1024))];

    private static bool Return(byte[][] pieces)
    {
        foreach (byte[] piece in pieces)
        {
            LoopMemory.Return(piece);
        }

        return true;
    }
}
