using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Ballast.Ledger.Spool;

/// <summary>The calls of Linux that the ledger makes itself, because the framework has none or a dearer one.</summary>
internal static partial class DiskCalls
{
    private const int FolderClosedInChildren = 0x10000 | 0x80000;
    private const uint FileClosedInChildren = 1;
    private const uint MayHoldCode = 16;

    /// <summary>Flushes a file's bytes, and of what is known about it only what is needed to find them. Throws <see cref="IOException"/>.</summary>
    public static void FlushBytes(SafeFileHandle file)
    {
        if (fdatasync(file) != 0)
        {
            throw new IOException($"The disk refused a flush (error {Marshal.GetLastPInvokeError()}).");
        }
    }

    /// <summary>Flushes the names in a folder.</summary>
    public static void FlushFolder(string path)
    {
        int folder = open(path, FolderClosedInChildren);
        if (folder >= 0)
        {
            _ = fsync(folder);
            _ = close(folder);
        }
    }

    /// <summary>The descriptor of a new file in memory that may be loaded as a library; below zero where the system makes none.</summary>
    public static int NewMemoryFile(string name)
    {
        int descriptor = memfd_create(name, FileClosedInChildren | MayHoldCode);
        // Linux before 6.3 does not know the second word, and allows it unasked.
        return descriptor >= 0 ? descriptor : memfd_create(name, FileClosedInChildren);
    }

    /// <summary>Ends this process as the system ends one: nothing is written, nothing is said.</summary>
    public static void KillSelf() => _ = kill(Environment.ProcessId, 9);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fdatasync(SafeFileHandle file);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fsync(int descriptor);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int memfd_create(string name, uint flags);

    [LibraryImport("libc")]
    private static partial int close(int descriptor);

    [LibraryImport("libc")]
    private static partial int kill(int process, int signal);
}
