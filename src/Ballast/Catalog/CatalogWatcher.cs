using Ballast.Configuration;

namespace Ballast.Catalog;

/// <summary>What came of one reload.</summary>
public sealed record CatalogReload(bool IsApplied, int Revision, IReadOnlyList<ConfigurationFault> Faults);

/// <summary>
/// Watches the configuration file, and the files of certificates that it names, by looking at their times and lengths every second: that works on network and container mounts, where file events do not arrive.
/// A change is read once it has stood still for one look, so that a file caught half written is not taken for a short one.
/// </summary>
public sealed class CatalogWatcher(CatalogHolder holder, string fileName, Func<string, string?> environment, TimeProvider time)
{
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly (string File, string Beside) _atStart = (Look([fileName]), Look(holder.Watched));

    /// <summary>Runs until cancelled; every reload, applied or refused, is reported.</summary>
    public async Task RunAsync(Action<CatalogReload> report, CancellationToken cancellation)
    {
        (string File, string Beside) loaded = _atStart;
        (string File, string Beside) seen = loaded;
        using PeriodicTimer timer = new(Interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellation).ConfigureAwait(false))
            {
                (string File, string Beside) now = (Look([fileName]), Look(holder.Watched));
                if (now != loaded && now == seen)
                {
                    loaded = now;
                    bool isApplied = holder.TryReload(fileName, environment, out IReadOnlyList<ConfigurationFault> faults);
                    report(new CatalogReload(isApplied, holder.Current.Revision, faults));

                    // The new configuration may name other files than those that were looked at.
                    now = loaded = (now.File, Look(holder.Watched));
                }

                seen = now;
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
        }
    }

    /// <summary>A file that is gone has length -1: that, too, is a change, and reading it is a fault.</summary>
    private static string Look(IReadOnlyList<string> files) =>
        string.Join('|', files.Select(static name => new FileInfo(name) is { Exists: true } file ? $"{file.LastWriteTimeUtc.Ticks},{file.Length}" : "-1"));
}
