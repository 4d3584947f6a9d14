namespace Ballast.Routing.Shares;

/// <summary>
/// The policy in force on the path of requests: one lock around its book, held for a decision and never over I/O. Without a policy it costs one look at a field.
/// </summary>
public sealed class ShareControl(TimeProvider time)
{
    /// <summary>A suspension without requests for so long is over.</summary>
    public static readonly TimeSpan RelaxationQuiet = TimeSpan.FromSeconds(30);

    /// <summary>Ended suspensions that are remembered to be shown; all of them are in the file.</summary>
    public const int EndedMax = 20;

    private readonly Lock _lock = new();
    private volatile SharePolicy? _current;
    private RelaxationState[] _relaxations = [];
    private readonly List<Relaxation> _changes = [];
    private readonly Queue<Relaxation> _ended = [];

    /// <summary>Null while no policy is in force.</summary>
    public SharePolicy? Current => _current;

    internal TimeProvider Time => time;

    /// <summary>Puts a policy in force; null lifts it. Rules that keep their id, scope and component go on with their credit; others take up what was saved, if it was.</summary>
    public void Activate(SharePolicy? next, ShareSnapshot? saved = null)
    {
        lock (_lock)
        {
            CloseAll();
            if (next is not null)
            {
                for (int rule = 0; rule < next.Book.Rules.Count; rule++)
                {
                    Carry(next.Book, rule, saved);
                }
            }

            _relaxations = next is null ? [] : [.. next.Book.Rules.Select(static _ => new RelaxationState())];
            _current = next;
        }
    }

    /// <summary>Credits as they are now; null without a policy.</summary>
    public ShareSnapshot? Save()
    {
        lock (_lock)
        {
            return _current is not { } policy ? null : new ShareSnapshot(
                policy.Options.Name, policy.Options.Version, time.GetUtcNow(),
                [
                    .. policy.Book.Rules.Select((rule, index) => new ShareSnapshot.Bucket(
                        rule.Id, rule.Scope, rule.Target.ToString(), policy.Book.Credit(index), policy.Book.Charged(index).Group, policy.Book.Charged(index).Total,
                        rule, _relaxations[index].RequestsEver, _relaxations[index].VolumeEver, _relaxations[index].IsOpen,
                        _relaxations[index].RequestsEver == 0 ? null : Describe(index, isOver: !_relaxations[index].IsOpen), _relaxations[index].RefusedEver)),
                ]);
        }
    }

    /// <summary>The last suspensions that ended, then those that go on, as they stand now.</summary>
    public IReadOnlyList<Relaxation> Suspensions()
    {
        lock (_lock)
        {
            return [.. _ended, .. Enumerable.Range(0, _relaxations.Length).Where(rule => _relaxations[rule].IsOpen).Select(rule => Describe(rule, isOver: false))];
        }
    }

    /// <summary>Suspensions that began or ended since the last call, in order; ended ones are those that were quiet for <see cref="RelaxationQuiet"/>.</summary>
    public IReadOnlyList<Relaxation> TakeChanges()
    {
        lock (_lock)
        {
            for (int rule = 0; rule < _relaxations.Length; rule++)
            {
                if (_relaxations[rule].IsOpen && time.GetElapsedTime(_relaxations[rule].LastTimestamp) >= RelaxationQuiet)
                {
                    Close(rule);
                }
            }

            if (_changes.Count == 0)
            {
                return [];
            }

            Relaxation[] changes = [.. _changes];
            _changes.Clear();
            return changes;
        }
    }

    /// <summary>Ends all suspensions: the gateway stops.</summary>
    public void CloseAll()
    {
        lock (_lock)
        {
            for (int rule = 0; rule < _relaxations.Length; rule++)
            {
                if (_relaxations[rule].IsOpen)
                {
                    Close(rule);
                }
            }
        }
    }

    internal Lock.Scope Enter() => _lock.EnterScope();

    /// <summary>To be called within the lock.</summary>
    internal void Note(SharePolicy policy, in ShareDecision decision, double units, RelaxationCause cause)
    {
        if (decision.Relaxed == 0 || policy != _current)
        {
            return;
        }

        for (int rule = 0; rule < _relaxations.Length; rule++)
        {
            if ((decision.Relaxed & (1UL << rule)) == 0)
            {
                continue;
            }

            RelaxationState state = _relaxations[rule];
            bool isNew = !state.IsOpen;
            if (isNew)
            {
                state.Open(time.GetUtcNow(), cause);
            }

            state.Count(units, time.GetUtcNow(), time.GetTimestamp());
            if (isNew)
            {
                _changes.Add(Describe(rule, isOver: false));
            }
        }
    }

    /// <summary>A request was refused for these rules. To be called within the lock.</summary>
    internal void NoteRefused(SharePolicy policy, in ShareDecision decision)
    {
        for (int rule = 0; rule < _relaxations.Length && policy == _current; rule++)
        {
            _relaxations[rule].RefusedEver += (decision.Relaxed & (1UL << rule)) != 0 ? 1 : 0;
        }
    }

    private void Close(int rule)
    {
        Relaxation ended = Describe(rule, isOver: true);
        _changes.Add(ended);
        _ended.Enqueue(ended);
        if (_ended.Count > EndedMax)
        {
            _ended.Dequeue();
        }

        _relaxations[rule].IsOpen = false;
    }

    private Relaxation Describe(int rule, bool isOver)
    {
        RelaxationState state = _relaxations[rule];
        SharePolicy policy = _current!;
        return new Relaxation
        {
            PolicyName = policy.Options.Name,
            PolicyVersion = policy.Options.Version,
            Rule = policy.Book.Rules[rule].Id,
            Cause = state.Cause,
            StartedAt = state.StartedAt,
            LastAt = state.LastAt,
            Requests = state.Requests,
            Volume = state.Volume,
            IsOver = isOver,
        };
    }

    private void Carry(ShareBook book, int rule, ShareSnapshot? saved)
    {
        ShareRule wanted = book.Rules[rule];
        if (_current is { } before)
        {
            for (int old = 0; old < before.Book.Rules.Count; old++)
            {
                ShareRule known = before.Book.Rules[old];
                if (known.Id == wanted.Id && known.Scope == wanted.Scope && known.Target == wanted.Target)
                {
                    (double group, double total) = before.Book.Charged(old);
                    book.Adopt(rule, before.Book.Credit(old), group, total, onlyDebt: false);
                    return;
                }
            }
        }

        if (saved?.Buckets.FirstOrDefault(bucket => bucket.Id == wanted.Id && bucket.Scope == wanted.Scope && bucket.Target == wanted.Target.ToString()) is { } found)
        {
            book.Adopt(rule, found.Credit, found.Group, found.Total, onlyDebt: true);
        }
    }

    private sealed class RelaxationState
    {
        public bool IsOpen { get; set; }
        public RelaxationCause Cause { get; private set; }
        public DateTimeOffset StartedAt { get; private set; }
        public DateTimeOffset LastAt { get; private set; }
        public long LastTimestamp { get; private set; }
        public long Requests { get; private set; }
        public double Volume { get; private set; }
        public long RequestsEver { get; private set; }
        public double VolumeEver { get; private set; }
        public long RefusedEver { get; set; }

        public void Open(DateTimeOffset now, RelaxationCause cause) =>
            (IsOpen, StartedAt, Cause, Requests, Volume) = (true, now, cause, 0, 0);

        public void Count(double units, DateTimeOffset now, long timestamp)
        {
            (LastAt, LastTimestamp) = (now, timestamp);
            Requests++;
            RequestsEver++;
            Volume += units;
            VolumeEver += units;
        }
    }
}
