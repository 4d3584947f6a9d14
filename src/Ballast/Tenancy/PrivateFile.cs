namespace Ballast.Tenancy;

/// <summary>Files that only their owner may read.</summary>
internal static class PrivateFile
{
    /// <summary>Makes an empty file where there is none.</summary>
    public static void Touch(string path)
    {
        using FileStream file = new(path, Options(FileMode.OpenOrCreate));
    }

    /// <summary>Writes a new file; false where there is one already.</summary>
    public static bool TryCreate(string path, ReadOnlySpan<byte> content)
    {
        try
        {
            using FileStream file = new(path, Options(FileMode.CreateNew));
            file.Write(content);
            file.Flush(flushToDisk: true);
            return true;
        }
        catch (IOException) when (File.Exists(path))
        {
            return false;
        }
    }

    /// <summary>Puts a content in the place of a file's, whole or not at all, on the disk when this returns.</summary>
    public static void Replace(string path, ReadOnlySpan<byte> content)
    {
        string beside = path + ".new";
        File.Delete(beside); // one that is there keeps its rights
        using (FileStream file = new(beside, Options(FileMode.CreateNew)))
        {
            file.Write(content);
            file.Flush(flushToDisk: true);
        }

        File.Move(beside, path, overwrite: true);
    }

    private static FileStreamOptions Options(FileMode mode)
    {
        FileStreamOptions options = new() { Mode = mode, Access = FileAccess.ReadWrite, Share = FileShare.ReadWrite };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        return options;
    }
}
