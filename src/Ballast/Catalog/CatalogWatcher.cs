using Ballast.Configuration;

namespace Ballast.Catalog;

/// <summary>What came of one reload.</summary>
public sealed record CatalogReload(bool IsApplied, int Revision, IReadOnlyList<ConfigurationFault> Faults);

/// <summary>
/// Watches the configuration file by looking at its time and length every second: that works on network and container mounts, where file events do not arrive.
/// A change is read once it has stood still for one look, so that a file caught half written is not taken for a short one.
/// </summary>
public sealed class CatalogWatcher(CatalogHolder holder, string fileName, Func<string, string?> environment, TimeProvider time)
{
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly (DateTime Written, long Length) _atStart = Look(fileName);

    /// <summary>Runs until cancelled; every reload, applied or refused, is reported.</summary>
    public async Task RunAsync(Action<CatalogReload> report, CancellationToken cancellation)
    {
        (DateTime, long) loaded = _atStart;
        (DateTime, long) seen = loaded;
        using PeriodicTimer timer = new(Interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellation).ConfigureAwait(false))
            {
                (DateTime, long) now = Look(fileName);
                if (now != loaded && now == seen)
                {
                    loaded = now;
                    bool isApplied = holder.TryReload(fileName, environment, out IReadOnlyList<ConfigurationFault> faults);
                    report(new CatalogReload(isApplied, holder.Current.Revision, faults));
                }

                seen = now;
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
        }
    }

    /// <summary>A file that is gone has length -1: that, too, is a change, and reading it is a fault.</summary>
    private static (DateTime Written, long Length) Look(string fileName)
    {
        FileInfo file = new(fileName);
        return file.Exists ? (file.LastWriteTimeUtc, file.Length) : (default, -1);
    }
}
