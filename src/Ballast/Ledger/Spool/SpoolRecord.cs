using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace Ballast.Ledger.Spool;

/// <summary>What a record is about.</summary>
internal enum SpoolRecordKind : byte
{
    /// <summary>An attempt is about to be sent; what it holds is the row that stands where no other follows.</summary>
    Intent = 1,

    /// <summary>An attempt has ended: its row.</summary>
    Settle = 2,
}

/// <summary>
/// The form of a record: length and checksum (four bytes each, little-endian), then kind, figures and texts. The checksum begins with the segment's number, so that
/// bytes of another file never pass. A record is self-contained: a row can be made of a settle alone.
/// </summary>
internal static class SpoolRecord
{
    public const int HeadBytes = 8;

    /// <summary>Characters kept of a text, as in the store.</summary>
    public const int TextLengthMax = SqliteLedgerStore.TextLengthMax;

    /// <summary>Losses kept of a row; a request that loses more is named by the first of them.</summary>
    public const int LossesMax = 64;

    /// <summary>What the longest record takes: nineteen texts and all losses, three bytes a character.</summary>
    public const int BytesMax = HeadBytes + 256 + ((19 + LossesMax) * (2 + (3 * TextLengthMax)));

    private const ushort NoText = ushort.MaxValue;
    private const long NoNumber = long.MinValue;

    [ThreadStatic]
    private static byte[]? t_scratch;

    /// <summary>The record of a row, checksum left out; stands until this thread makes the next one.</summary>
    public static Span<byte> Write(SpoolRecordKind kind, LedgerEntry entry)
    {
        byte[] scratch = t_scratch ??= new byte[BytesMax];
        Writer to = new(scratch);
        to.Byte((byte)kind);
        to.Long(entry.StartedAt.UtcTicks);
        to.Int(entry.AttemptNumber);
        to.Byte((byte)((entry.Stream ? 1 : 0) | (entry.IsEstimated ? 2 : 0) | (entry.Reached ? 4 : 0)));
        to.Byte((byte)entry.Outcome);
        to.Long(entry.InputTokens);
        to.Long(entry.CacheReadTokens);
        to.Long(entry.CacheWriteTokens);
        to.Long(entry.CacheWriteLongTokens);
        to.Long(entry.OutputTokens);
        to.Long(entry.ReasoningTokens ?? NoNumber);
        to.Long(Money(entry.CostUsd));
        to.Long(Money(entry.InputCostUsd));
        to.Long(Money(entry.Reserved));
        to.Long(entry.TimeToFirstToken?.Ticks ?? NoNumber);
        to.Long(entry.Duration.Ticks);
        to.Long(entry.UpstreamStatus ?? NoNumber);
        to.Text(entry.AttemptId);
        to.Text(entry.ExchangeId);
        to.Text(entry.KeyId);
        to.Text(entry.App);
        to.Text(entry.Team);
        to.Text(entry.Organisation);
        to.Text(entry.Protocol);
        to.Text(entry.Operation);
        to.Text(entry.RequestedModel);
        to.Text(entry.SentModel);
        to.Text(entry.ServedModel);
        to.Text(entry.Deployment);
        to.Text(entry.Vendor);
        to.Text(entry.Platform);
        to.Text(entry.Region);
        to.Text(entry.Reason);
        to.Text(entry.Finish);
        to.Text(entry.UpstreamRequestId);
        to.Text(entry.ReservedCurrency);
        int losses = Math.Min(entry.Losses.Count, LossesMax);
        to.Byte((byte)losses);
        for (int i = 0; i < losses; i++)
        {
            to.Text(entry.Losses[i]);
        }

        if (MediaText.Write(entry.Media) is { } media)
        {
            to.Text(media); // behind all that earlier versions wrote and read
        }

        BinaryPrimitives.WriteInt32LittleEndian(scratch, to.At - HeadBytes);
        return scratch.AsSpan(0, to.At);
    }

    /// <summary>Binds a record to the file that it goes to.</summary>
    public static void Seal(Span<byte> record, ulong segment) => BinaryPrimitives.WriteUInt32LittleEndian(record[4..], Checksum(record[HeadBytes..], segment));

    /// <summary>The length of the whole record at the beginning of these bytes; 0 where there is none, or none that is whole and undamaged.</summary>
    public static int LengthAt(ReadOnlySpan<byte> bytes, ulong segment)
    {
        if (bytes.Length < HeadBytes)
        {
            return 0;
        }

        int payload = BinaryPrimitives.ReadInt32LittleEndian(bytes);
        if (payload <= 0 || payload > bytes.Length - HeadBytes || payload > BytesMax)
        {
            return 0;
        }

        uint told = BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]);
        return told == Checksum(bytes.Slice(HeadBytes, payload), segment) ? HeadBytes + payload : 0;
    }

    public static SpoolRecordKind KindOf(ReadOnlySpan<byte> record) => (SpoolRecordKind)record[HeadBytes];

    /// <summary>The row of an undamaged record.</summary>
    public static LedgerEntry Read(ReadOnlySpan<byte> record, SpoolWords words)
    {
        Reader from = new(record[(HeadBytes + 1)..], words);
        long started = from.Long();
        int number = from.Int();
        byte flags = from.Byte();
        AttemptOutcome outcome = (AttemptOutcome)from.Byte();
        LedgerEntry entry = new()
        {
            StartedAt = new DateTimeOffset(started, TimeSpan.Zero),
            AttemptNumber = number,
            Stream = (flags & 1) != 0,
            IsEstimated = (flags & 2) != 0,
            Reached = (flags & 4) != 0,
            Outcome = outcome,
            InputTokens = from.Long(),
            CacheReadTokens = from.Long(),
            CacheWriteTokens = from.Long(),
            CacheWriteLongTokens = from.Long(),
            OutputTokens = from.Long(),
            ReasoningTokens = from.Optional(),
            CostUsd = from.Dollars(),
            InputCostUsd = from.Dollars(),
            Reserved = from.Dollars(),
            TimeToFirstToken = from.Optional() is long ttft ? new TimeSpan(ttft) : null,
            Duration = new TimeSpan(from.Long()),
            UpstreamStatus = (int?)from.Optional(),
            AttemptId = from.Own() ?? "",
            ExchangeId = from.Own() ?? "",
            KeyId = from.Word() ?? "",
            App = from.Word() ?? "",
            Team = from.Word(),
            Organisation = from.Word(),
            Protocol = from.Word() ?? "",
            Operation = from.Word() ?? "",
            RequestedModel = from.Word() ?? "",
            SentModel = from.Word() ?? "",
            ServedModel = from.Word(),
            Deployment = from.Word() ?? "",
            Vendor = from.Word() ?? "",
            Platform = from.Word() ?? "",
            Region = from.Word() ?? "",
            Reason = from.Word(),
            Finish = from.Word(),
            UpstreamRequestId = from.Own(),
            ReservedCurrency = from.Word(),
            Losses = from.Losses(),
        };
        return from.IsAtEnd ? entry : entry with { Media = MediaText.Read(from.Own()) };
    }

    private static long Money(decimal? dollars) => dollars is { } amount ? Picodollars.FromDollars(amount) : NoNumber;

    private static uint Checksum(ReadOnlySpan<byte> bytes, ulong segment)
    {
        uint sum = BitOperations.Crc32C(uint.MaxValue, segment);
        while (bytes.Length >= sizeof(ulong))
        {
            sum = BitOperations.Crc32C(sum, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[sizeof(ulong)..];
        }

        foreach (byte one in bytes)
        {
            sum = BitOperations.Crc32C(sum, one);
        }

        return ~sum;
    }

    private ref struct Writer(Span<byte> bytes)
    {
        private readonly Span<byte> _bytes = bytes;

        public int At { get; private set; } = HeadBytes;

        public void Byte(byte value) => _bytes[At++] = value;

        public void Int(int value)
        {
            BinaryPrimitives.WriteInt32LittleEndian(_bytes[At..], value);
            At += sizeof(int);
        }

        public void Long(long value)
        {
            BinaryPrimitives.WriteInt64LittleEndian(_bytes[At..], value);
            At += sizeof(long);
        }

        public void Text(string? text)
        {
            Span<byte> length = _bytes.Slice(At, sizeof(ushort));
            At += sizeof(ushort);
            if (text is null)
            {
                BinaryPrimitives.WriteUInt16LittleEndian(length, NoText);
                return;
            }

            int written = Encoding.UTF8.GetBytes(text.Length > TextLengthMax ? text.AsSpan(0, TextLengthMax) : text, _bytes[At..]);
            BinaryPrimitives.WriteUInt16LittleEndian(length, (ushort)written);
            At += written;
        }
    }

    private ref struct Reader(ReadOnlySpan<byte> bytes, SpoolWords words)
    {
        private ReadOnlySpan<byte> _rest = bytes;

        public readonly bool IsAtEnd => _rest.IsEmpty;

        public byte Byte() => Take(1)[0];

        public int Int() => BinaryPrimitives.ReadInt32LittleEndian(Take(sizeof(int)));

        public long Long() => BinaryPrimitives.ReadInt64LittleEndian(Take(sizeof(long)));

        public long? Optional() => Long() is var value && value == NoNumber ? null : value;

        public decimal? Dollars() => Optional() is long pico ? Picodollars.ToDollars(pico) : null;

        /// <summary>A text that no other row has.</summary>
        public string? Own() => TryBytes(out ReadOnlySpan<byte> text) ? Encoding.UTF8.GetString(text) : null;

        /// <summary>A text that many rows have.</summary>
        public string? Word() => TryBytes(out ReadOnlySpan<byte> text) ? words.Find(text) : null;

        public string[] Losses()
        {
            int count = Byte();
            if (count == 0)
            {
                return [];
            }

            string[] losses = new string[count];
            for (int i = 0; i < count; i++)
            {
                losses[i] = Own() ?? "";
            }

            return losses;
        }

        private bool TryBytes(out ReadOnlySpan<byte> text)
        {
            int length = BinaryPrimitives.ReadUInt16LittleEndian(Take(sizeof(ushort)));
            text = length == NoText ? default : Take(length);
            return length != NoText;
        }

        private ReadOnlySpan<byte> Take(int count)
        {
            ReadOnlySpan<byte> taken = _rest[..count];
            _rest = _rest[count..];
            return taken;
        }
    }
}
