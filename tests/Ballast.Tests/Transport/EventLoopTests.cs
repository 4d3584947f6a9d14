using System.Net;
using System.Net.Sockets;
using Ballast.Transport;

namespace Ballast.Tests.Transport;

public sealed class EventLoopTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Post_FromOutside_RunsOnTheLoopsThread()
    {
        using EventLoop loop = new(TimeProvider.System);
        TaskCompletionSource<EventLoop?> seen = new(TaskCreationOptions.RunContinuationsAsynchronously);
        loop.Post(state => ((TaskCompletionSource<EventLoop?>)state!).SetResult(EventLoop.Current), seen);
        Assert.Same(loop, await seen.Task.WaitAsync(Patience, Cancellation));
        Assert.Null(await Task.Run(static () => EventLoop.Current, Cancellation)); // elsewhere: the wait above may end on the loop itself
    }

    [Fact]
    public async Task Post_FromManyThreads_LosesNothing()
    {
        using EventLoop loop = new(TimeProvider.System);
        int done = 0;
        TaskCompletionSource all = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
        {
            for (int i = 0; i < 5000; i++)
            {
                loop.Post(_ =>
                {
                    if (++done == 40_000)
                    {
                        all.SetResult();
                    }
                }, null);
            }
        }, Cancellation)));
        await all.Task.WaitAsync(Patience, Cancellation);
    }

    [Fact]
    public async Task Connect_WhereNobodyListens_IsRefused()
    {
        using Socket unused = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        unused.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        using EventLoop loop = new(TimeProvider.System);
        SocketException refused = await Assert.ThrowsAsync<SocketException>(
            () => loop.ConnectAsync((IPEndPoint)unused.LocalEndPoint!).AsTask().WaitAsync(Patience, Cancellation));
        Assert.Equal(SocketError.ConnectionRefused, refused.SocketErrorCode);
        await WaitForAsync(() => loop.Connections == 0);
    }

    [Fact]
    public async Task Connect_ThatHangs_IsEndedByAbort()
    {
        // A full backlog: the kernel leaves further callers unanswered.
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(0);
        using EventLoop loop = new(TimeProvider.System);
        List<SocketConnection> open = [];
        SocketConnection? hanging = null;
        for (int i = 0; i < 8 && hanging is null; i++)
        {
            SocketConnection? begun = null;
            Task<SocketConnection> connecting = loop.ConnectAsync((IPEndPoint)listener.LocalEndPoint!, connection => begun = connection).AsTask();
            if (await Task.WhenAny(connecting, Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, Cancellation)) == connecting)
            {
                open.Add(await connecting);
                continue;
            }

            hanging = begun;
            hanging!.Abort();
            await Assert.ThrowsAnyAsync<IOException>(() => connecting.WaitAsync(Patience, Cancellation));
        }

        Assert.NotNull(hanging);
        open.ForEach(connection => connection.Dispose());
    }

    [Fact]
    public async Task Tick_OfAWatchedConnection_ComesEachSecond()
    {
        using Pair pair = await Pair.OpenAsync();
        TickCounter counter = new();
        pair.Near.Observer = counter;
        await counter.Twice.Task.WaitAsync(Patience, Cancellation);
    }

    [Fact]
    public async Task Dispose_OfALoop_FailsWhatItsConnectionsAwait()
    {
        EventLoop loop = new(TimeProvider.System);
        using Pair pair = await Pair.OpenAsync(loop);
        Task<int> receiving = pair.Near.ReceiveAsync(new byte[1]).AsTask();
        loop.Dispose();
        await Assert.ThrowsAsync<ConnectionAbortedException>(() => receiving.WaitAsync(Patience, Cancellation));
    }

    [Fact]
    public async Task Listener_BeyondItsLimit_ClosesTheCaller()
    {
        using EventLoops loops = new(TimeProvider.System, 2);
        using Listener listener = new(new IPEndPoint(IPAddress.Loopback, 0), loops, connectionsMax: 2, _ => { });
        listener.Start();
        using TcpClient first = await CallAsync(listener);
        using TcpClient second = await CallAsync(listener);
        await WaitForAsync(() => listener.Open == 2);
        using TcpClient third = await CallAsync(listener);
        Assert.Equal(0, await third.GetStream().ReadAsync(new byte[1], Cancellation).AsTask().WaitAsync(Patience, Cancellation));
        listener.Closed();
        using TcpClient fourth = await CallAsync(listener);
        await WaitForAsync(() => listener.Open == 2);
    }

    [Fact]
    public async Task Listener_OfATakenPort_SaysSo()
    {
        using EventLoops loops = new(TimeProvider.System, 1);
        using Listener listener = new(new IPEndPoint(IPAddress.Loopback, 0), loops, connectionsMax: 2, _ => { });
        listener.Start();
        SocketException taken = Assert.Throws<SocketException>(() => new Listener(listener.LocalAddress, loops, connectionsMax: 2, _ => { }));
        Assert.Equal(SocketError.AddressAlreadyInUse, taken.SocketErrorCode);
        listener.Dispose();
        using TcpClient late = new();
        await Assert.ThrowsAsync<SocketException>(async () => await late.ConnectAsync(listener.LocalAddress, Cancellation));
    }

    private static async Task<TcpClient> CallAsync(Listener listener)
    {
        TcpClient client = new();
        await client.ConnectAsync(listener.LocalAddress, Cancellation);
        return client;
    }

    private static async Task WaitForAsync(Func<bool> isTrue)
    {
        for (int i = 0; i < 500 && !isTrue(); i++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, Cancellation);
        }

        Assert.True(isTrue());
    }

    private sealed class TickCounter : IConnectionObserver
    {
        private int _ticks;

        public TaskCompletionSource Twice { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void PeerClosed()
        {
        }

        public void Tick()
        {
            if (++_ticks == 2)
            {
                Twice.SetResult();
            }
        }
    }
}
