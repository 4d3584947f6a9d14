using System.Threading.Tasks.Sources;

namespace Ballast.Transport;

/// <summary>
/// Reading or writing of one socket: whether the kernel has reported it ready since it last refused, and who waits for that. The owner asks on any thread, the loop
/// reports on its own; one word decides between them.
/// </summary>
internal sealed class SocketDirection : IValueTaskSource<int>, IValueTaskSource
{
    private const int Idle = 0;
    private const int Ready = 1;
    private const int Waiting = 2;

    private ManualResetValueTaskSourceCore<int> _source;
    private int _state;

    public bool IsReady => Volatile.Read(ref _state) == Ready;

    public short Version => _source.Version;

    /// <summary>Before the kernel is asked: what it reports from here on counts anew.</summary>
    public void Take() => Interlocked.CompareExchange(ref _state, Idle, Ready);

    /// <summary>There may be more: the kernel need not be waited for.</summary>
    public void Keep() => Interlocked.CompareExchange(ref _state, Ready, Idle);

    /// <summary>Begins an operation that will be awaited.</summary>
    public void Begin() => _source.Reset();

    /// <summary>False where the kernel has reported meanwhile: it can be asked at once.</summary>
    public bool TryWait() => Interlocked.CompareExchange(ref _state, Waiting, Idle) == Idle;

    /// <summary>The kernel has reported; true where somebody waits for it.</summary>
    public bool Report() => Interlocked.Exchange(ref _state, Ready) == Waiting;

    public void Complete(int result) => _source.SetResult(result);

    public void Fail(Exception exception) => _source.SetException(exception);

    int IValueTaskSource<int>.GetResult(short token) => _source.GetResult(token);

    void IValueTaskSource.GetResult(short token) => _source.GetResult(token);

    public ValueTaskSourceStatus GetStatus(short token) => _source.GetStatus(token);

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);
}
