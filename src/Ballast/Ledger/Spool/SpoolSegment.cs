using System.Buffers.Binary;
using System.Globalization;
using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;

namespace Ballast.Ledger.Spool;

/// <summary>One file of the spool: a head, then records one behind the other, then zeros. Written by one thread; read by another up to <see cref="End"/>.</summary>
internal sealed class SpoolSegment : IDisposable
{
    public const string Suffix = ".spool";
    public const int HeadBytes = 32;

    /// <summary>The head's first bytes, with the form's version as their last.</summary>
    private static ReadOnlySpan<byte> Magic => "BLSTSP\0\u0001"u8;

    private readonly SpoolDisk _disk;
    private readonly SafeFileHandle _file;
    private MemoryMappedViewAccessor? _map;
    private long _end = HeadBytes;
    private int _open;

    private SpoolSegment(SpoolDisk disk, SafeFileHandle file, string path, ulong number, int size)
    {
        _disk = disk;
        _file = file;
        Path = path;
        Number = number;
        Size = size;
    }

    public string Path { get; }
    public ulong Number { get; }
    public int Size { get; }

    /// <summary>Where the next record goes: what lies before it is kept.</summary>
    public long End => Volatile.Read(ref _end);

    /// <summary>Nothing more is written to it.</summary>
    public bool IsClosed { get; set; }

    /// <summary>Intents in it that are not settled yet: it stays until there are none.</summary>
    public int OpenIntents => Volatile.Read(ref _open);

    public static SpoolSegment Create(SpoolDisk disk, string folder, ulong number, int size)
    {
        string path = PathOf(folder, number);
        SafeFileHandle file = disk.Create(path, size);
        SpoolSegment segment = new(disk, file, path, number, size);
        try
        {
            Span<byte> head = stackalloc byte[HeadBytes];
            head.Clear();
            Magic.CopyTo(head);
            BinaryPrimitives.WriteUInt64LittleEndian(head[8..], number);
            disk.Write(file, head, 0);
            return segment;
        }
        catch
        {
            segment.Dispose();
            disk.Delete(path);
            throw;
        }
    }

    /// <summary>A file of an earlier run; null where it never got its head.</summary>
    public static SpoolSegment? Open(SpoolDisk disk, string path)
    {
        SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
        Span<byte> head = stackalloc byte[HeadBytes];
        if (RandomAccess.Read(file, head, 0) != HeadBytes || !head.StartsWith(Magic))
        {
            file.Dispose();
            return null;
        }

        return new SpoolSegment(disk, file, path, BinaryPrimitives.ReadUInt64LittleEndian(head[8..]), (int)RandomAccess.GetLength(file)) { IsClosed = true };
    }

    public static string PathOf(string folder, ulong number) => System.IO.Path.Combine(folder, number.ToString("D16", CultureInfo.InvariantCulture) + Suffix);

    public void Write(ReadOnlySpan<byte> bytes) => _disk.Write(_file, bytes, _end);

    /// <summary>Writes into the system's memory of the file, without asking the system: enough for what a killed process must leave behind. False where that is not offered.</summary>
    public bool TryWriteMapped(ReadOnlySpan<byte> bytes)
    {
        _map ??= _disk.Map(_file, Size);
        if (_map is not { } map)
        {
            return false;
        }

        map.SafeMemoryMappedViewHandle.WriteSpan((ulong)_end, bytes);
        return true;
    }

    public void Flush() => _disk.Flush(_file);

    /// <summary>So many bytes more are kept.</summary>
    public void Advance(long bytes) => Volatile.Write(ref _end, _end + bytes);

    public void AddIntent() => Interlocked.Increment(ref _open);

    public void SettleIntent() => Interlocked.Decrement(ref _open);

    public int Read(Span<byte> buffer, long at) => RandomAccess.Read(_file, buffer, at);

    public void Delete()
    {
        Dispose();
        _disk.Delete(Path);
    }

    public void Dispose()
    {
        _map?.Dispose();
        _file.Dispose();
    }
}
