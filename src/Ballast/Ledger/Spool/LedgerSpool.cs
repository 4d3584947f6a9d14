namespace Ballast.Ledger.Spool;

/// <summary>
/// The first stop of every row: files on the local disk that records are only ever added to. Many attempts share one write and one flush; each waits for its group
/// without a thread. One thread writes; nothing is held while it does. Where the system's memory is enough (<see cref="SpoolOptions.WaitsForDisk"/> is off) and nobody is
/// ahead, who brings a record writes it: that takes less time than waking the thread. Thread-safe.
/// <code>
///   intent ──▶ group ──write, flush──▶ segment ──▶ (sent upstream)          segments are read in their order by <see cref="SpoolReader"/>,
///   settle ──▶ group ──write, flush──▶ segment ──▶ (last byte to the client)    and deleted from the front once the store has what they hold
/// </code>
/// </summary>
public sealed class LedgerSpool : IDisposable
{
    /// <summary>Tickets kept for further attempts.</summary>
    private const int SpareTicketsMax = 16_384;

    /// <summary>What a settle may have beyond its intent: a served model, a reason, a finish, an id, losses.</summary>
    private const int SettleBytesBeyondIntent = 1024;

    /// <summary>For each so many records of a group the next one waits a millisecond for company.</summary>
    private const int RecordsPerLingerMillisecond = 8;

    /// <summary>How long records that nobody waits for stay without a flush.</summary>
    private const int FlushAfterMilliseconds = 100;

    private readonly object _gate = new();
    private readonly SpoolOptions _options;
    private readonly TimeProvider _time;
    private readonly SpoolFiles _files;
    private readonly Action<Exception>? _onFault;
    private readonly Stack<SpoolTicket> _tickets = new();
    private readonly Thread _thread;
    private SpoolGroup _open = new();
    private SpoolGroup _other = new();
    private int _linger;
    private long _reserved;
    private long _committing;
    private long _settles;
    private bool _isIdle;
    private bool _isClosing;
    private bool _isStopped;
    private bool _isUnflushed;

    private LedgerSpool(SpoolOptions options, TimeProvider time, SpoolFiles files, Action<Exception>? onFault)
    {
        _options = options;
        _time = time;
        _files = files;
        _onFault = onFault;
        _thread = new Thread(Run) { IsBackground = true, Name = "ledger spool" };
    }

    /// <summary>Opens the folder, settles what an earlier run left open, and begins a new file.</summary>
    /// <param name="options">Bounds.</param>
    /// <param name="time">Real time: waits here are the disk's.</param>
    /// <param name="disk">What files are kept with.</param>
    /// <param name="onFault">Told of what the disk refuses.</param>
    /// <exception cref="LedgerException">Another process has the folder, or it cannot be used.</exception>
    public static LedgerSpool Open(SpoolOptions options, TimeProvider time, SpoolDisk? disk = null, Action<Exception>? onFault = null)
    {
        try
        {
            SpoolFiles files = SpoolFiles.Open(options, disk ?? new SpoolDisk { FlushesNewFiles = options.WaitsForDisk }, time, onFault);
            LedgerSpool spool = new(options, time, files, onFault);
            spool._thread.UnsafeStart();
            spool.SettleOrphans();
            return spool;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new LedgerException($"The ledger's spool {options.Folder} cannot be used: {fault.Message}", fault);
        }
    }

    /// <summary>Attempts of an earlier run that never were settled, and now are.</summary>
    public int Orphans { get; private set; }

    /// <summary>The disk has no room or takes nothing: no intent is taken.</summary>
    public bool IsFull => _files.IsFull;

    /// <summary>All files together, in bytes.</summary>
    public long Bytes => _files.Bytes;

    /// <summary>Rows settled, those of an earlier run among them that the store had perhaps not got.</summary>
    public long Settles => Interlocked.Read(ref _settles) + _files.SettlesFound;

    /// <summary>Settles that were given up because the disk took nothing until the very end.</summary>
    public long Lost { get; private set; }

    /// <summary>Groups written so far.</summary>
    public long Groups { get; private set; }

    internal SpoolFiles Files => _files;

    /// <summary>Called whenever records have been kept that a reader can take.</summary>
    internal Action? Kept { get; set; }

    /// <summary>
    /// Keeps that an attempt is about to be sent, with the row that stands where nothing else follows; room for its settle is held from here on. Completes once it is
    /// kept; false where the disk gave up meanwhile, and then the ticket is not to be used.
    /// </summary>
    /// <exception cref="SpoolFullException">There is no room.</exception>
    public ValueTask<bool> IntendAsync(LedgerEntry row, out SpoolTicket ticket)
    {
        Span<byte> record = SpoolRecord.Write(SpoolRecordKind.Intent, row);
        int settle = record.Length + SettleBytesBeyondIntent;
        ValueTask<bool> kept;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isClosing, this);
            if (_files.Room - _open.Length - _committing - _reserved < record.Length + settle)
            {
                _files.WantRoom(_reserved + settle);
                throw new SpoolFullException();
            }

            ticket = _tickets.Count > 0 ? _tickets.Pop() : new SpoolTicket(this);
            ticket.Reserved = settle;
            _reserved += settle;
            if (TryKeepNow(record, SpoolRecordKind.Intent, ticket))
            {
                kept = new ValueTask<bool>(true);
            }
            else
            {
                kept = ticket.Begin(isLast: false);
                Add(record, new SpoolPending(SpoolRecordKind.Intent, record.Length, ticket, IsAwaited: true));
            }
        }

        CrashPoint.Reach("intent.appended");
        return kept;
    }

    /// <summary>Keeps how an attempt ended. The ticket is not to be used after this; null where it had no intent.</summary>
    /// <returns>Completes once it is kept; false where the disk does not take it for now: it is kept as soon as it does.</returns>
    public ValueTask<bool> SettleAsync(LedgerEntry row, SpoolTicket? ticket)
    {
        Span<byte> record = SpoolRecord.Write(SpoolRecordKind.Settle, row);
        ValueTask<bool> kept;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isStopped, this);
            if (TryKeepNow(record, SpoolRecordKind.Settle, ticket))
            {
                kept = new ValueTask<bool>(true);
            }
            else
            {
                ticket ??= _tickets.Count > 0 ? _tickets.Pop() : new SpoolTicket(this);
                kept = ticket.Begin(isLast: true);
                AddSettle(record, ticket, isAwaited: true);
            }
        }

        CrashPoint.Reach("settle.appended");
        return kept;
    }

    /// <summary>The same where nobody waits for it: the answer has ended already.</summary>
    public void Settle(LedgerEntry row, SpoolTicket? ticket)
    {
        Span<byte> record = SpoolRecord.Write(SpoolRecordKind.Settle, row);
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isStopped, this);
            if (!TryKeepNow(record, SpoolRecordKind.Settle, ticket))
            {
                AddSettle(record, ticket, isAwaited: false);
            }
        }

        CrashPoint.Reach("settle.appended");
    }

    /// <summary>Keeps all that was added; nothing more is taken. What was kept can still be read.</summary>
    public void Stop()
    {
        lock (_gate)
        {
            if (_isClosing)
            {
                return;
            }

            _isClosing = true;
            Monitor.PulseAll(_gate);
        }

        _thread.Join();
        _files.Current.IsClosed = true;
    }

    /// <summary>What the store has not got yet stays for the next run.</summary>
    public void Dispose()
    {
        Stop();
        _files.Dispose();
    }

    internal void Return(SpoolTicket ticket)
    {
        ticket.Segment = null;
        lock (_gate)
        {
            if (_tickets.Count < SpareTicketsMax)
            {
                _tickets.Push(ticket);
            }
        }
    }

    /// <summary>Under the gate. False where the disk is waited for, somebody is ahead, or the file does not take it: then it goes the thread's way.</summary>
    private bool TryKeepNow(Span<byte> record, SpoolRecordKind kind, SpoolTicket? ticket)
    {
        if (_options.WaitsForDisk || _isStopped || _open.Records.Count > 0 || Volatile.Read(ref _committing) != 0)
        {
            return false;
        }

        SpoolSegment segment = _files.Current;
        if (segment.IsClosed || segment.End + record.Length > segment.Size)
        {
            if (!_files.TryRotate())
            {
                return false;
            }

            segment = _files.Current;
        }

        SpoolRecord.Seal(record, segment.Number);
        try
        {
            if (!segment.TryWriteMapped(record))
            {
                segment.Write(record);
            }
        }
        catch (IOException fault)
        {
            segment.IsClosed = true;
            _onFault?.Invoke(fault);
            return false;
        }

        CrashPoint.Reach("commit.written");
        Place(kind, ticket, segment);
        segment.Advance(record.Length);
        if (kind == SpoolRecordKind.Settle)
        {
            _settles++;
            if (ticket is not null)
            {
                Unreserve(ticket);
                Return(ticket);
            }
        }

        // Flushed at the end of the run, or when the thread next has nothing to do; until then the system writes it out in its own time.
        _isUnflushed = true;
        _files.WantRoom(_reserved);
        Kept?.Invoke();
        return true;
    }

    /// <summary>Notes where an intent lies, and that it is settled.</summary>
    private static void Place(SpoolRecordKind kind, SpoolTicket? ticket, SpoolSegment segment)
    {
        if (kind == SpoolRecordKind.Intent)
        {
            segment.AddIntent();
            ticket!.Segment = segment;
        }
        else if (ticket?.Segment is { } intended)
        {
            ticket.Segment = null;
            intended.SettleIntent();
        }
    }

    private void Add(ReadOnlySpan<byte> record, SpoolPending pending)
    {
        _open.Add(record, pending);
        if (_isIdle)
        {
            _isIdle = false;
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>Under the gate.</summary>
    private void AddSettle(ReadOnlySpan<byte> record, SpoolTicket? ticket, bool isAwaited)
    {
        if (ticket is not null)
        {
            Unreserve(ticket);
        }

        _settles++;
        Add(record, new SpoolPending(SpoolRecordKind.Settle, record.Length, ticket, isAwaited));
    }

    private void SettleOrphans()
    {
        foreach ((LedgerEntry row, SpoolSegment segment) in _files.Orphans)
        {
            Settle(row, new SpoolTicket(this) { Segment = segment });
        }

        Orphans = _files.Orphans.Count;
        _files.Orphans.Clear();

        CrashPoint.Reach("recovery.orphans");
    }

    private void Run()
    {
        while (TryTake(out SpoolGroup group))
        {
            Commit(group);
            // More records in a group mean that more come: a little patience then saves a flush for each of them.
            _linger = (int)Math.Min(group.Records.Count / RecordsPerLingerMillisecond, _options.LingerMax.TotalMilliseconds);
            _files.WantRoom(Interlocked.Read(ref _reserved));
            group.Clear();
            Volatile.Write(ref _committing, 0);
            Groups++;
        }

        if (_isUnflushed)
        {
            TryFlush();
        }
    }

    /// <summary>Waits for records, and for some company; false where nothing follows.</summary>
    private bool TryTake(out SpoolGroup group)
    {
        lock (_gate)
        {
            while (_open.Records.Count == 0 && !_isClosing)
            {
                _isIdle = true;
                bool isWoken = Monitor.Wait(_gate, _isUnflushed ? FlushAfterMilliseconds : Timeout.Infinite);
                _isIdle = false;
                if (!isWoken && _isUnflushed)
                {
                    FlushOutside();
                }
            }

            if (_linger > 0 && !_isClosing)
            {
                Monitor.Wait(_gate, _linger);
            }

            group = _open;
            if (group.Records.Count == 0)
            {
                _isStopped = true;
                return false;
            }

            (_open, _other) = (_other, group);
            _committing = group.Length;
            return true;
        }
    }

    /// <summary>Writes a group, over several files where one has not the room. Who waits goes on piece by piece.</summary>
    private void Commit(SpoolGroup group)
    {
        int record = 0;
        int at = 0;
        long? failing = null;
        while (record < group.Records.Count)
        {
            SpoolSegment segment = _files.Current;
            int end = record;
            int length = 0;
            while (end < group.Records.Count && segment.End + length + group.Records[end].Length <= segment.Size)
            {
                length += group.Records[end++].Length;
            }

            if (end == record || segment.IsClosed)
            {
                if (!_files.TryRotate())
                {
                    failing ??= _time.GetTimestamp();
                    (record, at) = GiveUp(group, record, at, failing.Value);
                    if (_isClosing && _time.GetElapsedTime(failing.Value) >= _options.FaultWaitMax)
                    {
                        Lost += group.Records.Count;
                        return;
                    }

                    _files.WaitForRoom();
                }

                continue;
            }

            if (TryWrite(segment, group, record, end, group.Bytes.Slice(at, length)))
            {
                failing = null;
                LetGo(group, record, end, segment);
                record = end;
                at += length;
            }
        }
    }

    private bool TryWrite(SpoolSegment segment, SpoolGroup group, int from, int to, Span<byte> bytes)
    {
        Span<byte> rest = bytes;
        for (int i = from; i < to; i++)
        {
            SpoolRecord.Seal(rest[..group.Records[i].Length], segment.Number);
            rest = rest[group.Records[i].Length..];
        }

        try
        {
            segment.Write(bytes);
            CrashPoint.Reach("commit.written");
            if (_options.WaitsForDisk)
            {
                segment.Flush();
            }
            else
            {
                _isUnflushed = true;
            }

            CrashPoint.Reach("commit.flushed");
            return true;
        }
        catch (IOException fault)
        {
            // After a flush that failed nobody knows what the disk has: the file is closed, and the group goes to the next one. Ids tell a row that lies in both.
            segment.IsClosed = true;
            _onFault?.Invoke(fault);
            return false;
        }
    }

    private void LetGo(SpoolGroup group, int from, int to, SpoolSegment segment)
    {
        long length = 0;
        for (int i = from; i < to; i++)
        {
            SpoolPending record = group.Records[i];
            length += record.Length;
            Place(record.Kind, record.Ticket, segment);
        }

        segment.Advance(length);
        for (int i = from; i < to; i++)
        {
            SpoolPending record = group.Records[i];
            if (record.IsAwaited)
            {
                record.Ticket!.End(isKept: true);
            }
            else if (record.Ticket is { } ticket)
            {
                Return(ticket);
            }
        }

        Kept?.Invoke();
    }

    /// <summary>
    /// The disk takes nothing for too long: intents end in a refusal and are forgotten, since nothing was sent for them; who waits for a settle goes on, and the settle
    /// stays.
    /// </summary>
    private (int Record, int At) GiveUp(SpoolGroup group, int record, int at, long since)
    {
        if (_time.GetElapsedTime(since) < _options.FaultWaitMax)
        {
            return (record, at);
        }

        SpoolGroup kept = new();
        for (int i = record; i < group.Records.Count; i++)
        {
            SpoolPending pending = group.Records[i];
            if (pending.Kind == SpoolRecordKind.Settle)
            {
                kept.Add(group.Bytes.Slice(at, pending.Length), pending with { IsAwaited = false, Ticket = pending.IsAwaited ? Detach(pending.Ticket!) : pending.Ticket });
            }

            if (pending.IsAwaited)
            {
                if (pending.Kind == SpoolRecordKind.Intent)
                {
                    lock (_gate)
                    {
                        Unreserve(pending.Ticket!);
                    }
                }

                pending.Ticket!.End(isKept: false);
            }

            at += pending.Length;
        }

        group.Clear();
        at = 0;
        foreach (SpoolPending pending in kept.Records)
        {
            group.Add(kept.Bytes.Slice(at, pending.Length), pending);
            at += pending.Length;
        }

        return (0, 0);
    }

    /// <summary>Who waited takes the ticket away: what is to be told of its intent's place goes on with another.</summary>
    private SpoolTicket Detach(SpoolTicket ticket) => new(this) { Segment = ticket.Segment };

    /// <summary>Under the gate. The room that was held for its settle is not needed any more.</summary>
    private void Unreserve(SpoolTicket ticket)
    {
        _reserved -= ticket.Reserved;
        ticket.Reserved = 0;
    }

    /// <summary>Called under the gate, which is open meanwhile.</summary>
    private void FlushOutside()
    {
        Monitor.Exit(_gate);
        try
        {
            TryFlush();
        }
        finally
        {
            Monitor.Enter(_gate);
        }
    }

    private void TryFlush()
    {
        _isUnflushed = false;
        SpoolSegment segment = _files.Current;
        if (segment.IsClosed)
        {
            return; // it has refused once and is not asked again; its reader may have deleted it
        }

        try
        {
            segment.Flush();
        }
        catch (IOException fault)
        {
            segment.IsClosed = true;
            _onFault?.Invoke(fault);
        }
        catch (ObjectDisposedException)
        {
            // It was closed, read and deleted this very moment.
        }
    }
}
