using System.Security.Cryptography;
using System.Text;

namespace Ballast.Upstream;

/// <summary>
/// Alerts that wait, and the names of those that were told, as files of their owner: one that a process was killed over is told by the next, and none is told twice.
/// </summary>
internal sealed class AlertFolder(string path, TimeProvider time)
{
    /// <summary>Longer than the longest period of a budget: after it a name may come again.</summary>
    private static readonly TimeSpan s_namesKept = TimeSpan.FromDays(70);

    private const string Waiting = ".json";
    private const string Told = ".told";

    /// <summary>Keeps an alert; false where one of that name waits or was told, and where too many wait.</summary>
    public bool TryKeep(string name, byte[] body)
    {
        Directory.CreateDirectory(path);
        string file = FileOf(name);
        if (File.Exists(file + Waiting) || File.Exists(file + Told) || Directory.GetFiles(path, "*" + Waiting).Length >= AlertPoster.QueueMax)
        {
            return false;
        }

        FileStreamOptions options = new() { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using (FileStream stream = new(file + ".new", options))
        {
            stream.Write(body);
            stream.Flush(flushToDisk: true);
        }

        File.Move(file + ".new", file + Waiting, overwrite: true);
        return true;
    }

    /// <summary>Bodies that wait, the oldest first, with the names of their files.</summary>
    public IReadOnlyList<(string File, byte[] Body)> Read(int countMax)
    {
        if (!Directory.Exists(path))
        {
            return [];
        }

        return [.. new DirectoryInfo(path).GetFiles("*" + Waiting).OrderBy(static file => file.LastWriteTimeUtc).ThenBy(static file => file.Name, StringComparer.Ordinal).Take(countMax)
            .Select(static file => (file.FullName, File.ReadAllBytes(file.FullName)))];
    }

    /// <summary>It was told, or given up: its name stays, so that it does not come again.</summary>
    public void Finish(string file)
    {
        string told = file[..^Waiting.Length] + Told;
        File.Move(file, told, overwrite: true);
        File.WriteAllBytes(told, []);
        foreach (FileInfo old in new DirectoryInfo(path).GetFiles("*" + Told).Where(old => time.GetUtcNow().UtcDateTime - old.LastWriteTimeUtc > s_namesKept))
        {
            old.Delete();
        }
    }

    private string FileOf(string name) => Path.Combine(path, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)).AsSpan(0, 16)));
}
