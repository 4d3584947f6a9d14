using System.Diagnostics;
using System.Globalization;

namespace Ballast.EndToEnd.Tests.Crashes;

/// <summary>
/// A file system of a few MiB in memory, laid over a folder for those alone who enter through <see cref="Entrance"/>: when it is full the system itself says so. It lies in a mount
/// namespace of its own, which a sleeping process holds, and outlives every program that is killed on it.
/// </summary>
internal sealed class SmallDisk : IAsyncDisposable
{
    private readonly Process _holder;
    private readonly string _inside;
    private readonly string _folder;

    private SmallDisk(Process holder, string folder)
    {
        (_holder, _folder) = (holder, folder);
        _inside = $"/proc/{Id}/root{folder}";
    }

    /// <summary>What a program is started by to have it.</summary>
    public IReadOnlyList<string> Entrance => ["nsenter", "--target", Id, "--mount", "--user", "--preserve-credentials", $"--wd={Path.GetDirectoryName(_folder)}", "--"];

    private string Id => _holder.Id.ToString(CultureInfo.InvariantCulture);

    /// <summary>Null where this machine lets nobody mount, root or not.</summary>
    public static async Task<SmallDisk?> TryMountAsync(string folder, int kibibytes)
    {
        Directory.CreateDirectory(folder);
        ProcessStartInfo start = new("unshare", ["--map-root-user", "--mount", "sh", "-c", $"mount -t tmpfs -o size={kibibytes}k tmpfs '{folder}' && echo there && exec sleep 3600"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        try
        {
            Process holder = Process.Start(start)!;
            SmallDisk disk = new(holder, folder);
            if (await holder.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) == "there" && Directory.Exists(disk._inside) && await EntersAsync(disk))
            {
                return disk;
            }

            await disk.DisposeAsync();
            return null;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null; // there is no such program
        }
    }

    /// <summary>Takes all the room that is left, and any that becomes free, until it is cancelled.</summary>
    public async Task FillAsync(CancellationToken until)
    {
        byte[] block = new byte[4096];
        await using FileStream file = new(Path.Combine(_inside, "filling"), FileMode.Append, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        while (!until.IsCancellationRequested)
        {
            try
            {
                file.Write(block);
                file.Flush();
            }
            catch (IOException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, CancellationToken.None);
            }
        }
    }

    public void Free() => File.Delete(Path.Combine(_inside, "filling"));

    /// <summary>What lies on it.</summary>
    public override string ToString() => string.Join(", ", new DirectoryInfo(_inside).EnumerateFiles("*", SearchOption.AllDirectories).Select(static file => $"{file.Name} {file.Length}"));

    public async ValueTask DisposeAsync()
    {
        if (!_holder.HasExited)
        {
            _holder.Kill();
            await _holder.WaitForExitAsync(CancellationToken.None);
        }

        _holder.Dispose();
    }

    private static async Task<bool> EntersAsync(SmallDisk disk)
    {
        using Process entering = Process.Start(new ProcessStartInfo(disk.Entrance[0], [.. disk.Entrance.Skip(1), "true"]) { RedirectStandardError = true })!;
        await entering.WaitForExitAsync(TestContext.Current.CancellationToken);
        return entering.ExitCode == 0;
    }
}
