namespace Ballast.Ledger.Spool;

/// <summary>Records that are kept together, and who waits for them. Not thread-safe.</summary>
internal sealed class SpoolGroup
{
    private const int FirstBytes = 64 * 1024;

    /// <summary>A buffer beyond this is not kept for the next group.</summary>
    private const int KeptBytesMax = 4 * 1024 * 1024;

    private byte[] _bytes = new byte[FirstBytes];

    public List<SpoolPending> Records { get; } = [];

    public int Length { get; private set; }

    public Span<byte> Bytes => _bytes.AsSpan(0, Length);

    public void Add(ReadOnlySpan<byte> record, SpoolPending pending)
    {
        if (_bytes.Length - Length < record.Length)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, Length + record.Length));
        }

        record.CopyTo(_bytes.AsSpan(Length));
        Length += record.Length;
        Records.Add(pending);
    }

    public void Clear()
    {
        Records.Clear();
        Length = 0;
        if (_bytes.Length > KeptBytesMax)
        {
            _bytes = new byte[FirstBytes];
        }
    }
}

/// <summary>A record of a group.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Length">Its bytes.</param>
/// <param name="Ticket">The attempt's place; null where it has none.</param>
/// <param name="IsAwaited">Somebody waits for it.</param>
internal readonly record struct SpoolPending(SpoolRecordKind Kind, int Length, SpoolTicket? Ticket, bool IsAwaited);
