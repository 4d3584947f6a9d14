using System.Threading.Tasks.Sources;
using Ballast.Transport;

namespace Ballast.Ledger.Spool;

/// <summary>
/// One attempt's place in the spool: waits until its intent is kept, then until its settle is. Used again for other attempts. Who waits on an event loop goes on
/// there, in the same round as all others of its group.
/// </summary>
public sealed class SpoolTicket : IValueTaskSource<bool>, IThreadPoolWorkItem
{
    private static readonly Action<object?> s_go = static state => ((IThreadPoolWorkItem)state!).Execute();

    private readonly LedgerSpool _spool;
    private ManualResetValueTaskSourceCore<bool> _core;
    private EventLoop? _loop;
    private bool _isKept;
    private bool _isLast;

    internal SpoolTicket(LedgerSpool spool) => _spool = spool;

    /// <summary>Where the intent lies; null before that.</summary>
    internal SpoolSegment? Segment { get; set; }

    /// <summary>Room held for the settle, in bytes.</summary>
    internal int Reserved { get; set; }

    void IThreadPoolWorkItem.Execute() => _core.SetResult(_isKept);

    bool IValueTaskSource<bool>.GetResult(short token)
    {
        bool isKept = _core.GetResult(token);
        _core.Reset();
        if (_isLast || !isKept)
        {
            _spool.Return(this);
        }

        return isKept;
    }

    ValueTaskSourceStatus IValueTaskSource<bool>.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource<bool>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);

    internal ValueTask<bool> Begin(bool isLast)
    {
        _isLast = isLast;
        _loop = EventLoop.Current;
        return new ValueTask<bool>(this, _core.Version);
    }

    /// <summary>Lets the waiter go on: the record is kept, or was given up.</summary>
    internal void End(bool isKept)
    {
        _isKept = isKept;
        if (_loop is { } loop)
        {
            loop.Post(s_go, this);
        }
        else
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }
}
