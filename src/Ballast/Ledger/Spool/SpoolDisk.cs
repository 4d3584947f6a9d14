using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;

namespace Ballast.Ledger.Spool;

/// <summary>What the spool asks of a file system. A test takes its place to lose what was not flushed, and to refuse. Throws <see cref="IOException"/>.</summary>
public class SpoolDisk
{
    private static readonly byte[] s_zeros = new byte[256 * 1024];

    /// <summary>A new file's zeros are flushed: needed where records in it are to outlive a loss of power.</summary>
    public bool FlushesNewFiles { get; init; } = true;

    /// <summary>A new file, full of zeros that the disk has.</summary>
    public virtual SafeFileHandle Create(string path, int length)
    {
        SafeFileHandle file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete);
        try
        {
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            }

            for (int written = 0; written < length; written += s_zeros.Length)
            {
                RandomAccess.Write(file, s_zeros.AsSpan(0, Math.Min(s_zeros.Length, length - written)), written);
            }

            if (!FlushesNewFiles)
            {
                return file;
            }

            RandomAccess.FlushToDisk(file);
            if (OperatingSystem.IsLinux())
            {
                DiskCalls.FlushFolder(Path.GetDirectoryName(path)!);
            }

            return file;
        }
        catch
        {
            file.Dispose();
            File.Delete(path);
            throw;
        }
    }

    /// <summary>The file's bytes as memory that the process shares with the system, so that they outlive it; null where only <see cref="Write"/> is offered.</summary>
    public virtual MemoryMappedViewAccessor? Map(SafeFileHandle file, int size)
    {
        using MemoryMappedFile mapped = MemoryMappedFile.CreateFromFile(file, null, size, MemoryMappedFileAccess.ReadWrite, HandleInheritability.None, leaveOpen: true);
        return mapped.CreateViewAccessor(0, size);
    }

    public virtual void Write(SafeFileHandle file, ReadOnlySpan<byte> bytes, long at) => RandomAccess.Write(file, bytes, at);

    /// <summary>Returns once the disk has what was written. What it refuses once must not be asked again: the system may have forgotten the bytes.</summary>
    public virtual void Flush(SafeFileHandle file)
    {
        if (!OperatingSystem.IsLinux())
        {
            RandomAccess.FlushToDisk(file);
        }
        else
        {
            DiskCalls.FlushBytes(file);
        }
    }

    /// <summary>What is left of the disk that a folder lies on; a great deal where the system does not say.</summary>
    public virtual long FreeBytes(string folder)
    {
        try
        {
            return new DriveInfo(Path.GetFullPath(folder)).AvailableFreeSpace;
        }
        catch (Exception unknown) when (unknown is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return long.MaxValue;
        }
    }

    public virtual void Delete(string path) => File.Delete(path);
}
