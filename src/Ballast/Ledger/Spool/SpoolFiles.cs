namespace Ballast.Ledger.Spool;

/// <summary>
/// The spool's files: the one that is written, those behind it that wait for the store, and those made ahead, so that room which was promised is there. Only the
/// spool's thread writes and turns to the next; files ahead are made beside it. Thread-safe.
/// </summary>
internal sealed class SpoolFiles : IDisposable
{
    /// <summary>Where a file ends a record may not fit any more.</summary>
    private const int SlackBytesMax = 32 * 1024;

    /// <summary>On a disk that is nearly full, files get shorter down to this.</summary>
    private const int SegmentBytesMin = 128 * 1024;

    /// <summary>Files made ahead at most, however quickly they are filled.</summary>
    private const int SparesAheadMax = 6;

    /// <summary>How long whoever makes files may be kept from it, by a processor or a disk that is busy, before requests are refused for want of room.</summary>
    private static readonly TimeSpan s_ahead = TimeSpan.FromSeconds(1);

    private readonly object _gate = new();
    private readonly SpoolOptions _options;
    private readonly SpoolDisk _disk;
    private readonly TimeProvider _time;
    private readonly Action<Exception>? _onFault;
    private readonly FileStream _lock;
    private readonly List<SpoolSegment> _segments = [];
    private readonly Queue<SpoolSegment> _spares = new();
    private readonly CancellationTokenSource _closing = new();
    private SpoolSegment _current = null!;
    private Task _making = Task.CompletedTask;
    private ulong _next = 1;
    private long _bytes;
    private long _wanted;
    private long _rotated;
    private int _sparesWanted = 1;
    private bool _isMaking;
    private bool _isDisposed;

    private SpoolFiles(SpoolOptions options, SpoolDisk disk, TimeProvider time, Action<Exception>? onFault, FileStream held)
    {
        _options = options;
        _disk = disk;
        _time = time;
        _onFault = onFault;
        _lock = held;
    }

    /// <summary>The file that records are added to.</summary>
    public SpoolSegment Current => Volatile.Read(ref _current);

    /// <summary>No further file can be made.</summary>
    public bool IsFull { get; private set; }

    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Bytes of records that surely fit.</summary>
    public long Room { get { lock (_gate) { return (_current.IsClosed ? 0 : _current.Size - _current.End - Slack(_current)) + SpareBytes(); } } }

    /// <summary>Rows of attempts that an earlier run left open, and where their intents lie.</summary>
    public List<(LedgerEntry Row, SpoolSegment Segment)> Orphans { get; } = [];

    /// <summary>Settles that an earlier run left behind.</summary>
    public long SettlesFound { get; private set; }

    /// <summary>Files whose end was torn when an earlier run ended.</summary>
    public int Torn { get; private set; }

    public static SpoolFiles Open(SpoolOptions options, SpoolDisk disk, TimeProvider time, Action<Exception>? onFault)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(options.Folder);
        }
        else
        {
            Directory.CreateDirectory(options.Folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        SpoolFiles files = new(options, disk, time, onFault, Lock(options, time));
        try
        {
            files.Recover();
            CrashPoint.Reach("recovery.scanned");
            files.Begin();
            files._rotated = time.GetTimestamp();
            files.EnsureSpares();
            return files;
        }
        catch
        {
            files.Dispose();
            throw;
        }
    }

    /// <summary>Turns to the next file; false where there is none.</summary>
    public bool TryRotate()
    {
        lock (_gate)
        {
            if (!_spares.TryDequeue(out SpoolSegment? next))
            {
                EnsureSpares();
                return false;
            }

            _current.IsClosed = true;
            _segments.Add(next);
            Volatile.Write(ref _current, next);
            _sparesWanted = SparesFor(_time.GetElapsedTime(_rotated));
            _rotated = _time.GetTimestamp();
            EnsureSpares();
        }

        CrashPoint.Reach("rotated");
        return true;
    }

    /// <summary>So much is promised to attempts that run: files ahead are to hold it.</summary>
    public void WantRoom(long reserved)
    {
        if (reserved * 2 > Volatile.Read(ref _wanted))
        {
            lock (_gate)
            {
                _wanted = reserved * 2;
                EnsureSpares();
            }
        }
    }

    /// <summary>Waits until a file is there, but not long.</summary>
    public void WaitForRoom()
    {
        lock (_gate)
        {
            if (_spares.Count == 0)
            {
                Monitor.Wait(_gate, _options.RoomRetry);
            }
        }
    }

    /// <summary>The first file, or the one behind another; null where there is none.</summary>
    public SpoolSegment? After(SpoolSegment? segment)
    {
        lock (_gate)
        {
            return segment is null ? _segments.FirstOrDefault() : _segments.Find(other => other.Number > segment.Number);
        }
    }

    /// <summary>Deletes files from the front that lie before this one, and itself where it was read to its end; none that an attempt which runs still needs.</summary>
    public void DeleteRead(SpoolSegment reading, long readTo)
    {
        while (true)
        {
            SpoolSegment first;
            lock (_gate)
            {
                if (_segments.Count == 0)
                {
                    return;
                }

                first = _segments[0];
                bool isRead = first.Number < reading.Number || (first.Number == reading.Number && readTo >= first.End);
                if (!isRead || !first.IsClosed || first.OpenIntents > 0)
                {
                    return;
                }

                _segments.RemoveAt(0);
            }

            CrashPoint.Reach("segment.delete");
            first.Delete();
            Interlocked.Add(ref _bytes, -first.Size);
        }
    }

    /// <summary>Closes everything; what holds nothing, or nothing that the store has not got, is deleted.</summary>
    public void Dispose()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        _closing.Cancel();
        try
        {
            _making.Wait();
        }
        catch (AggregateException)
        {
            // It was told to end.
        }

        foreach (SpoolSegment spare in _spares)
        {
            spare.Delete();
        }

        foreach (SpoolSegment segment in _segments)
        {
            if (segment.End == SpoolSegment.HeadBytes)
            {
                segment.Delete();
            }
            else
            {
                segment.Dispose();
            }
        }

        _lock.Dispose();
        _closing.Dispose();
    }

    private static FileStream Lock(SpoolOptions options, TimeProvider time)
    {
        long start = time.GetTimestamp();
        while (true)
        {
            try
            {
                return new FileStream(Path.Combine(options.Folder, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (time.GetElapsedTime(start) < options.LockWaitMax && Directory.Exists(options.Folder))
            {
                // The process before this one is about to end.
                Task.Delay(TimeSpan.FromMilliseconds(50), time).Wait();
            }
        }
    }

    private void Recover()
    {
        Dictionary<string, (LedgerEntry Row, SpoolSegment Segment)> open = new(StringComparer.Ordinal);
        SpoolWords words = new();
        foreach (string path in Directory.GetFiles(_options.Folder, "*" + SpoolSegment.Suffix).Order(StringComparer.Ordinal))
        {
            if (SpoolSegment.Open(_disk, path) is not { } segment)
            {
                _disk.Delete(path);
                continue;
            }

            _next = Math.Max(_next, segment.Number + 1);
            Scan(segment, open, words);
            if (segment.End == SpoolSegment.HeadBytes)
            {
                segment.Delete();
                continue;
            }

            _segments.Add(segment);
            _bytes += segment.Size;
        }

        foreach ((LedgerEntry row, SpoolSegment segment) in open.Values)
        {
            segment.AddIntent();
            Orphans.Add((row, segment));
        }
    }

    private void Scan(SpoolSegment segment, Dictionary<string, (LedgerEntry Row, SpoolSegment Segment)> open, SpoolWords words)
    {
        byte[] bytes = new byte[segment.Size];
        int length = segment.Read(bytes, 0);
        ReadOnlySpan<byte> rest = bytes.AsSpan(SpoolSegment.HeadBytes, length - SpoolSegment.HeadBytes);
        while (SpoolRecord.LengthAt(rest, segment.Number) is var record && record > 0)
        {
            LedgerEntry row = SpoolRecord.Read(rest[..record], words);
            if (SpoolRecord.KindOf(rest) == SpoolRecordKind.Intent)
            {
                open[row.AttemptId] = (row, segment);
            }
            else
            {
                open.Remove(row.AttemptId);
                SettlesFound++;
            }

            segment.Advance(record);
            rest = rest[record..];
        }

        Torn += rest.ContainsAnyExcept((byte)0) ? 1 : 0;
    }

    /// <summary>
    /// Where there is no room for a first file but there are files of an earlier run, it begins full, behind the last of them: the store gets what they hold, and that makes room.
    /// </summary>
    private void Begin()
    {
        SpoolSegment? first = null;
        try
        {
            first = MakeFirst();
        }
        catch (IOException fault) when (_segments.Count > 0)
        {
            _onFault?.Invoke(fault);
        }

        IsFull = first is null;
        _current = first ?? _segments[^1];
        if (first is not null)
        {
            _segments.Add(first);
        }
    }

    /// <summary>
    /// As long as there is room for: a start on a disk that is nearly full must be able to settle what an earlier run left open. Room for a second one is left where
    /// there is any, since a file is let go of only once there is another.
    /// </summary>
    private SpoolSegment? MakeFirst()
    {
        for (int size = _options.FirstSegmentBytes; ; size /= 2)
        {
            bool isLeast = size / 2 < SegmentBytesMin;
            try
            {
                SpoolSegment? made = Make(size);
                if (made is null || isLeast || _disk.FreeBytes(_options.Folder) >= SegmentBytesMin)
                {
                    return made;
                }

                made.Delete();
                _bytes -= size;
            }
            catch (IOException) when (!isLeast)
            {
                // Half of it, then.
            }
        }
    }

    private SpoolSegment? Make(int size)
    {
        ulong number;
        lock (_gate)
        {
            if (_bytes + size > _options.BytesMax)
            {
                return null;
            }

            number = _next++;
        }

        SpoolSegment made = SpoolSegment.Create(_disk, _options.Folder, number, size);
        Interlocked.Add(ref _bytes, size);
        return made;
    }

    private static int Slack(SpoolSegment segment) => Math.Min(SlackBytesMax, segment.Size / 8);

    private long SpareBytes()
    {
        long bytes = 0;
        foreach (SpoolSegment spare in _spares)
        {
            bytes += spare.Size - SpoolSegment.HeadBytes - Slack(spare);
        }

        return bytes;
    }

    /// <summary>Files that are filled in so long a time each: so many are to lie ahead.</summary>
    private static int SparesFor(TimeSpan filled) => (int)Math.Clamp(s_ahead / filled, 1, SparesAheadMax);

    private bool NeedsSpare() => _spares.Count < _sparesWanted || SpareBytes() < _wanted;

    /// <summary>Under the gate.</summary>
    private void EnsureSpares()
    {
        if (!_isMaking && NeedsSpare() && !_closing.IsCancellationRequested)
        {
            _isMaking = true;
            _making = Task.Run(MakeSparesAsync);
        }
    }

    private async Task MakeSparesAsync()
    {
        int size = _options.SegmentBytes;
        while (true)
        {
            bool isMade = TryMakeSpare(size);
            size = isMade ? _options.SegmentBytes : Math.Max(size / 2, Math.Min(SegmentBytesMin, _options.SegmentBytes));
            lock (_gate)
            {
                // Where the room is short, what would only be convenient is not insisted on.
                _sparesWanted = isMade ? _sparesWanted : 1;
                if (_closing.IsCancellationRequested || !NeedsSpare())
                {
                    _isMaking = false;
                    return;
                }
            }

            if (!isMade)
            {
                await Task.Delay(_options.RoomRetry, _time, _closing.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private bool TryMakeSpare(int size)
    {
        SpoolSegment? made = null;
        try
        {
            made = Make(size);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            if (!IsFull && _spares.Count == 0)
            {
                _onFault?.Invoke(fault);
            }
        }

        lock (_gate)
        {
            IsFull = made is null && _spares.Count == 0;
            if (made is not null)
            {
                _spares.Enqueue(made);
                Monitor.PulseAll(_gate);
            }
        }

        return made is not null;
    }
}
