namespace Ballast.Ledger.Spool;

/// <summary>Reads the rows that have settled, in their order, and lets go of files once the store has what they hold. One reader; not thread-safe.</summary>
internal sealed class SpoolReader(SpoolFiles files)
{
    private const int BufferBytes = 512 * 1024;

    private readonly SpoolWords _words = new();
    private readonly byte[] _buffer = new byte[Math.Max(BufferBytes, SpoolRecord.BytesMax)];
    private SpoolSegment? _segment;
    private long _at = SpoolSegment.HeadBytes;
    private SpoolSegment? _nextSegment;
    private long _nextAt = SpoolSegment.HeadBytes;

    /// <summary>Adds rows until there are so many, or none is left. The same rows come again until <see cref="Confirm"/>.</summary>
    public void Read(List<LedgerEntry> rows, int countMax)
    {
        _segment ??= files.After(null);
        if (_segment is null)
        {
            return;
        }

        _nextSegment = _segment;
        _nextAt = _at;
        while (rows.Count < countMax)
        {
            // Asked for in this order: what is closed does not grow.
            bool isClosed = _nextSegment.IsClosed;
            long end = _nextSegment.End;
            if (_nextAt >= end)
            {
                if (!isClosed || files.After(_nextSegment) is not { } next)
                {
                    return;
                }

                _nextSegment = next;
                _nextAt = SpoolSegment.HeadBytes;
                continue;
            }

            if (!TryReadPiece(rows, countMax, end))
            {
                throw new LedgerException($"{_nextSegment.Path} is damaged at {_nextAt}.");
            }
        }
    }

    /// <summary>The store has what was read.</summary>
    public void Confirm()
    {
        if (_nextSegment is not null)
        {
            _segment = _nextSegment;
            _at = _nextAt;
            files.DeleteRead(_segment, _at);
        }
    }

    private bool TryReadPiece(List<LedgerEntry> rows, int countMax, long end)
    {
        int length = _nextSegment!.Read(_buffer.AsSpan(0, (int)Math.Min(_buffer.Length, end - _nextAt)), _nextAt);
        ReadOnlySpan<byte> rest = _buffer.AsSpan(0, length);
        bool isAny = false;
        while (rows.Count < countMax && SpoolRecord.LengthAt(rest, _nextSegment.Number) is var record && record > 0)
        {
            if (SpoolRecord.KindOf(rest) == SpoolRecordKind.Settle)
            {
                rows.Add(SpoolRecord.Read(rest[..record], _words));
            }

            rest = rest[record..];
            _nextAt += record;
            isAny = true;
        }

        return isAny;
    }
}
