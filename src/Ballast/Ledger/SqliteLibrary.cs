using System.Runtime.InteropServices;
using Ballast.Ledger.Spool;
using Microsoft.Win32.SafeHandles;
using SQLitePCL;

namespace Ballast.Ledger;

/// <summary>
/// SQLite's own library, which a program that was published for Linux carries within itself: it is one file, and the SQLite that tests run with is the one that is delivered. Elsewhere, and
/// where the system allows no such loading, the library is looked for beside the program, as always.
/// </summary>
internal static class SqliteLibrary
{
    private const string Resource = "libe_sqlite3.so";

    private static readonly Lazy<nint> s_loaded = new(Load);

    /// <summary>Before anything asks for SQLite.</summary>
    public static void Provide()
    {
        if (OperatingSystem.IsLinux() && typeof(SqliteLibrary).Assembly.GetManifestResourceInfo(Resource) is not null)
        {
            NativeLibrary.SetDllImportResolver(typeof(SQLite3Provider_e_sqlite3).Assembly, static (_, _, _) => s_loaded.Value);
        }
    }

    /// <summary>Zero, so that the system looks for it, where it cannot be loaded.</summary>
    private static nint Load()
    {
        using Stream carried = typeof(SqliteLibrary).Assembly.GetManifestResourceStream(Resource)!;
        return LoadFromMemory(carried) is not 0 and nint inMemory ? inMemory : LoadFromDisk(carried);
    }

    /// <summary>A file without a name needs no folder that can be written, which a container may not have.</summary>
    private static nint LoadFromMemory(Stream carried)
    {
        int descriptor = DiskCalls.NewMemoryFile(Resource);
        if (descriptor < 0)
        {
            return 0;
        }

        using FileStream file = new(new SafeFileHandle(descriptor, ownsHandle: true), FileAccess.Write, bufferSize: 0);
        carried.CopyTo(file);
        return NativeLibrary.TryLoad($"/proc/self/fd/{descriptor}", out nint library) ? library : 0;
    }

    private static nint LoadFromDisk(Stream carried)
    {
        DirectoryInfo folder;
        try
        {
            folder = Directory.CreateTempSubdirectory("ballast-");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return 0;
        }

        try
        {
            carried.Position = 0;
            string path = Path.Combine(folder.FullName, Resource);
            using (FileStream file = File.Create(path))
            {
                carried.CopyTo(file);
            }

            return NativeLibrary.TryLoad(path, out nint library) ? library : 0;
        }
        finally
        {
            // What is loaded stays without its name.
            folder.Delete(recursive: true);
        }
    }
}
