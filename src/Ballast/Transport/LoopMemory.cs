using System.Buffers;
using System.Numerics;

namespace Ballast.Transport;

/// <summary>
/// Pieces of memory that an event loop keeps for the requests it works on, without a lock. The framework's pool keeps a few dozen of a size for a processor: a loop with
/// more requests under way than that would have most of its memory made anew for each. On other threads the framework's pool serves.
/// </summary>
public sealed class LoopMemory
{
    /// <summary>Larger pieces are the framework's pool's, in bytes.</summary>
    public const int PieceBytesMax = 64 * 1024;

    /// <summary>Kept of each size, in bytes.</summary>
    public const int KeptBytesMax = 2 * 1024 * 1024;

    private const int SmallestBits = 10;

    private readonly Shelf[] _shelves = [.. Enumerable.Range(SmallestBits, BitOperations.Log2(PieceBytesMax) - SmallestBits + 1).Select(static bits => new Shelf(1 << bits))];

    internal LoopMemory()
    {
    }

    /// <summary>Pieces kept at the moment.</summary>
    public int Kept => _shelves.Sum(static shelf => shelf.Pieces.Count);

    /// <summary>At least this many bytes, holding anything.</summary>
    public static byte[] Rent(int bytes)
    {
        if (EventLoop.Current is not { } loop || loop.Memory.ShelfFor(bytes) is not { } shelf)
        {
            return ArrayPool<byte>.Shared.Rent(bytes);
        }

        return shelf.TryTake(out byte[]? piece) ? piece : ArrayPool<byte>.Shared.Rent(shelf.PieceBytes);
    }

    /// <summary>Gives back what was rented, on whatever thread; it is not used after that.</summary>
    public static void Return(byte[] piece)
    {
        if (EventLoop.Current is not { } loop || loop.Memory.ShelfFor(piece.Length) is not { } shelf || !shelf.TryKeep(piece))
        {
            ArrayPool<byte>.Shared.Return(piece);
        }
    }

    /// <summary>About once a second: half of what nobody wanted meanwhile goes.</summary>
    internal void Trim()
    {
        foreach (Shelf shelf in _shelves)
        {
            shelf.Trim();
        }
    }

    /// <summary>Whose pieces are large enough; null where such large ones are not kept.</summary>
    private Shelf? ShelfFor(int bytes)
    {
        int place = BitOperations.Log2((uint)Math.Max(bytes - 1, 1)) + 1 - SmallestBits;
        return place < _shelves.Length ? _shelves[Math.Max(place, 0)] : null;
    }

    private sealed class Shelf(int pieceBytes)
    {
        private readonly int _piecesMax = KeptBytesMax / pieceBytes;

        /// <summary>Fewest pieces since the last trim: so many were not wanted.</summary>
        private int _least;

        public int PieceBytes => pieceBytes;

        public Stack<byte[]> Pieces { get; } = new();

        public bool TryTake([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out byte[]? piece)
        {
            bool isThere = Pieces.TryPop(out piece);
            _least = Math.Min(_least, Pieces.Count);
            return isThere;
        }

        public bool TryKeep(byte[] piece)
        {
            if (piece.Length != pieceBytes || Pieces.Count >= _piecesMax)
            {
                return false;
            }

            Pieces.Push(piece);
            return true;
        }

        public void Trim()
        {
            for (int left = (_least + 1) / 2; left > 0; left--)
            {
                Pieces.Pop();
            }

            _least = Pieces.Count;
        }
    }
}
