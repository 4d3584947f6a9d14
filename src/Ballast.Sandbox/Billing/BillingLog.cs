using Ballast.Sandbox.Billing;

namespace Ballast.Sandbox;

/// <summary>
/// The truth about what was used: one row for every request that reached a platform, appended to a file of JSON lines when the
/// request ends.
/// </summary>
public sealed class BillingLog : IDisposable
{
    /// <summary>Rows kept in memory; older ones remain in the file only.</summary>
    public const int MaxRowsInMemory = 1_000_000;

    /// <summary>How long <see cref="FlushAsync"/> waits for requests that still run.</summary>
    public static readonly TimeSpan FlushWait = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly List<BillingRow> _rows = [];
    private readonly HashSet<BillingEntry> _open = [];
    private readonly FileStream? _file;

    internal BillingLog(string? path)
    {
        if (path is not null)
        {
            _file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read);
        }
    }

    /// <summary>The rows of ended requests, in the order in which they ended.</summary>
    public IReadOnlyList<BillingRow> Rows
    {
        get
        {
            lock (_gate)
            {
                return [.. _rows];
            }
        }
    }

    /// <summary>Requests that have reached a platform and have not ended.</summary>
    public int OpenCount
    {
        get
        {
            lock (_gate)
            {
                return _open.Count;
            }
        }
    }

    /// <summary>Reads a log written by any sandbox; a last line that was cut is left out.</summary>
    public static IReadOnlyList<BillingRow> Read(string path)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using StreamReader reader = new(file);
        string text = reader.ReadToEnd();
        List<BillingRow> rows = [];
        int start = 0;
        for (int end = text.IndexOf('\n'); end >= 0; end = text.IndexOf('\n', start))
        {
            rows.Add(BillingRowJson.Read(text[start..end]));
            start = end + 1;
        }

        return rows;
    }

    /// <summary>Waits until the requests that run now have ended (at most <see cref="FlushWait"/>) and the file holds their rows.</summary>
    public async Task FlushAsync()
    {
        Task[] running;
        lock (_gate)
        {
            running = [.. _open.Select(entry => entry.Ended)];
        }

        await Task.WhenAny(Task.WhenAll(running), Task.Delay(FlushWait, TimeProvider.System)).ConfigureAwait(false);
        if (_file is not null)
        {
            lock (_gate)
            {
                _file.Flush(flushToDisk: true);
            }
        }
    }

    public void Dispose() => _file?.Dispose();

    internal void Begin(BillingEntry entry)
    {
        lock (_gate)
        {
            _open.Add(entry);
        }
    }

    internal void End(BillingEntry entry, BillingRow row)
    {
        byte[] line = _file is null ? [] : BillingRowJson.Write(row);
        lock (_gate)
        {
            if (!_open.Remove(entry))
            {
                return;
            }

            if (_rows.Count < MaxRowsInMemory)
            {
                _rows.Add(row);
            }

            if (_file is { CanWrite: true })
            {
                _file.Write(line);
                _file.WriteByte((byte)'\n');
                _file.Flush();
            }
        }
    }

    internal void Clear()
    {
        lock (_gate)
        {
            _rows.Clear();
        }
    }
}
