using System.Buffers.Binary;
using System.IO.MemoryMappedFiles;
using System.Security.Cryptography;
using System.Text;
using Ballast.Tenancy;

namespace Ballast.Guards.Leases;

/// <summary>What a gateway has done with its part of a budget, in US dollars or tokens.</summary>
public readonly record struct LeaseRecord(decimal Spent, decimal Reserved, decimal Granted);

/// <summary>
/// What this gateway has used of its parts, and the name by which it has them: a file in memory that the operating system shares, so that a process that is killed leaves
/// all that it had written. One process has it at a time: whoever has the spool beside it.
/// </summary>
public sealed class LeaseFile : IDisposable
{
    /// <summary>Budgets' periods at once. Further ones get no part.</summary>
    public const int SlotsMax = 65_536;

    private const int HeaderBytes = 64;
    private const int SlotBytes = 128;
    private const int NameBytes = 16;
    private const long Magic = 0x3173657361656C62;

    /// <summary>How long a period is remembered after its end.</summary>
    private static readonly TimeSpan s_kept = TimeSpan.FromDays(7);

    private readonly Lock _gate = new();
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly Dictionary<UInt128, LeaseSlot> _slots = [];
    private readonly TimeProvider _time;
    private int _next;

    private LeaseFile(MemoryMappedFile file, TimeProvider time)
    {
        _file = file;
        _time = time;
        _view = file.CreateViewAccessor(0, HeaderBytes + ((long)SlotBytes * SlotsMax));
    }

    /// <summary>The gateway's name among those that share its limits, for as long as the file is there.</summary>
    public string Gateway { get; private set; } = "";

    /// <param name="path">Of the file, which is made when there is none.</param>
    /// <param name="database">Which database the parts are of: those of another one are forgotten.</param>
    /// <param name="time">By which old ones are.</param>
    /// <exception cref="TenancyStoreException">The file cannot be used.</exception>
    public static LeaseFile Open(string path, long database, TimeProvider time)
    {
        try
        {
            PrivateFile.Touch(path);
            LeaseFile file = new(MemoryMappedFile.CreateFromFile(path, FileMode.Open, mapName: null, HeaderBytes + ((long)SlotBytes * SlotsMax)), time);
            file.Begin(path, database);
            return file;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new TenancyStoreException($"The file of leases {path} cannot be used: {failure.Message}", failure);
        }
    }

    /// <summary>What is known of a budget's period; null where nothing is.</summary>
    public LeaseSlot? Find(string sheet)
    {
        lock (_gate)
        {
            return _slots.TryGetValue(NameOf(sheet), out LeaseSlot? known) ? _slots[NameOf(sheet)] = new LeaseSlot(known) : null;
        }
    }

    /// <summary>Begins with a budget's period; null where there is no room.</summary>
    public LeaseSlot? Open(string sheet, DateTimeOffset endsAt)
    {
        lock (_gate)
        {
            UInt128 name = NameOf(sheet);
            if (_slots.TryGetValue(name, out LeaseSlot? known))
            {
                return known;
            }

            for (int tried = 0; tried < SlotsMax; tried++)
            {
                int slot = _next++ % SlotsMax;
                long at = HeaderBytes + ((long)SlotBytes * slot);
                if (_view.ReadInt64(at + NameBytes) <= (_time.GetUtcNow() - s_kept).UtcTicks)
                {
                    Span<byte> bytes = stackalloc byte[NameBytes];
                    BinaryPrimitives.WriteUInt128LittleEndian(bytes, name);
                    LeaseSlot made = new(_view, at + NameBytes + sizeof(long));
                    made.Write(default);
                    _view.Write(at, BinaryPrimitives.ReadInt64LittleEndian(bytes));
                    _view.Write(at + sizeof(long), BinaryPrimitives.ReadInt64LittleEndian(bytes[sizeof(long)..]));
                    _view.Write(at + NameBytes, endsAt.UtcTicks); // from here on it counts
                    _slots[name] = made;
                    return made;
                }
            }

            return null;
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            foreach (LeaseSlot slot in _slots.Values)
            {
                slot.Close();
            }

            _view.Dispose();
            _file.Dispose();
        }
    }

    private void Begin(string path, long database)
    {
        if (_view.ReadInt64(0) == 0)
        {
            Span<byte> name = stackalloc byte[NameBytes];
            RandomNumberGenerator.Fill(name);
            _view.Write(8, BinaryPrimitives.ReadInt64LittleEndian(name));
            _view.Write(16, BinaryPrimitives.ReadInt64LittleEndian(name[8..]));
            _view.Write(0, Magic);
            _view.Flush();
        }
        else if (_view.ReadInt64(0) != Magic)
        {
            throw new TenancyStoreException($"The file of leases {path} was not written by this version of Ballast.");
        }

        Gateway = _view.ReadInt64(8).ToString("x16", System.Globalization.CultureInfo.InvariantCulture) + _view.ReadInt64(16).ToString("x16", System.Globalization.CultureInfo.InvariantCulture);
        bool isOfAnother = _view.ReadInt64(24) != database;
        long old = isOfAnother ? long.MaxValue : (_time.GetUtcNow() - s_kept).UtcTicks;
        Span<byte> bytes = stackalloc byte[NameBytes];
        for (int slot = 0; slot < SlotsMax; slot++)
        {
            long at = HeaderBytes + ((long)SlotBytes * slot);
            long ends = _view.ReadInt64(at + NameBytes);
            if (ends > old)
            {
                BinaryPrimitives.WriteInt64LittleEndian(bytes, _view.ReadInt64(at));
                BinaryPrimitives.WriteInt64LittleEndian(bytes[sizeof(long)..], _view.ReadInt64(at + sizeof(long)));
                _slots[BinaryPrimitives.ReadUInt128LittleEndian(bytes)] = new LeaseSlot(_view, at + NameBytes + sizeof(long));
            }
            else if (ends > 0)
            {
                _view.Write(at + NameBytes, 0L);
            }
        }

        _view.Write(24, database);
    }

    private static UInt128 NameOf(string sheet) => BinaryPrimitives.ReadUInt128LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(sheet)));
}

/// <summary>The place of one budget's period in the file: two records, of which one counts, so that none is ever half written.</summary>
public sealed class LeaseSlot
{
    private const int RecordBytes = 48;

    private readonly MemoryMappedViewAccessor _view;
    private readonly long _at;
    private readonly Lock _gate = new();
    private LeaseSlot? _successor;
    private bool _isClosed;

    internal LeaseSlot(MemoryMappedViewAccessor view, long at)
    {
        (_view, _at) = (view, at);
    }

    /// <summary>Takes a place over: who had it writes no more.</summary>
    internal LeaseSlot(LeaseSlot known)
        : this(known._view, known._at)
    {
        lock (known._gate)
        {
            known._successor = this;
        }
    }

    public LeaseRecord Read()
    {
        lock (_gate)
        {
            long at = Place(_view.ReadByte(_at));
            return _isClosed ? default : new LeaseRecord(_view.ReadDecimal(at), _view.ReadDecimal(at + 16), _view.ReadDecimal(at + 32));
        }
    }

    public void Write(LeaseRecord record)
    {
        lock (_gate)
        {
            if (_isClosed || _successor is not null)
            {
                return;
            }

            byte other = (byte)(1 - (_view.ReadByte(_at) & 1));
            long at = Place(other);
            _view.Write(at, record.Spent);
            _view.Write(at + 16, record.Reserved);
            _view.Write(at + 32, record.Granted);
            _view.Write(_at, other);
        }
    }

    internal void Close()
    {
        lock (_gate)
        {
            _isClosed = true;
        }
    }

    private long Place(byte which) => _at + 8 + ((which & 1) * RecordBytes);
}
