using System.Net;
using System.Net.Sockets;
using Ballast.Transport;

namespace Ballast.Tests.Transport;

/// <summary>Against real sockets: there is nothing else to be right about.</summary>
public sealed class SocketConnectionTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Bytes_BothWays_Arrive()
    {
        using Pair pair = await Pair.OpenAsync();
        byte[] buffer = new byte[16];
        for (int round = 0; round < 50; round++)
        {
            await pair.Near.SendAsync("hel"u8.ToArray(), "lo"u8.ToArray());
            Assert.Equal("hello"u8.ToArray(), await pair.ReadAsync(5));
            await pair.Far.SendAsync(new byte[] { 1, 2, 3 }, Cancellation);
            Assert.Equal(3, await pair.Near.ReceiveAsync(buffer).AsTask().WaitAsync(Pair.Patience, Cancellation));
            Assert.Equal([1, 2, 3], buffer[..3]);
        }
    }

    [Fact]
    public async Task Receive_IntoLessThanThereIs_BringsTheRestWithoutNewBytes()
    {
        using Pair pair = await Pair.OpenAsync();
        await pair.Far.SendAsync(new byte[10], Cancellation);
        int received = 0;
        while (received < 10)
        {
            received += await pair.Near.ReceiveAsync(new byte[3]).AsTask().WaitAsync(Pair.Patience, Cancellation);
        }

        Assert.Equal(10, received);
    }

    [Fact]
    public async Task WaitReadable_OfAnIdleConnection_EndsWithTheFirstByte()
    {
        using Pair pair = await Pair.OpenAsync();
        Task waiting = pair.Near.WaitReadableAsync().AsTask();
        Assert.False(waiting.IsCompleted);
        await pair.Far.SendAsync(new byte[1], Cancellation);
        await waiting.WaitAsync(Pair.Patience, Cancellation);
        Assert.Equal(1, await pair.Near.ReceiveAsync(new byte[8]).AsTask().WaitAsync(Pair.Patience, Cancellation));
    }

    [Fact]
    public async Task End_OfTheOtherSide_ComesAfterItsBytesAndIsToldToTheObserver()
    {
        using Pair pair = await Pair.OpenAsync();
        Observer observer = new();
        pair.Near.Observer = observer;
        await pair.Far.SendAsync(new byte[2], Cancellation);
        pair.Far.Shutdown(SocketShutdown.Send);
        await observer.Closed.Task.WaitAsync(Pair.Patience, Cancellation);
        Assert.True(pair.Near.IsPeerClosed);
        Assert.Equal(2, await pair.Near.ReceiveAsync(new byte[8]).AsTask().WaitAsync(Pair.Patience, Cancellation));
        Assert.Equal(0, await pair.Near.ReceiveAsync(new byte[8]).AsTask().WaitAsync(Pair.Patience, Cancellation));
        Assert.Equal(0, await pair.Near.ReceiveAsync(new byte[8]).AsTask().WaitAsync(Pair.Patience, Cancellation));
        await pair.Near.SendAsync(new byte[3]);
        Assert.Equal(new byte[3], await pair.ReadAsync(3));
    }

    [Fact]
    public async Task Reset_ByTheOtherSide_FailsWhatIsAwaited()
    {
        using Pair pair = await Pair.OpenAsync();
        Task<int> receiving = pair.Near.ReceiveAsync(new byte[8]).AsTask();
        pair.Far.Close(0);
        await Assert.ThrowsAnyAsync<IOException>(() => receiving.WaitAsync(Pair.Patience, Cancellation));
        await Assert.ThrowsAnyAsync<IOException>(() => pair.Near.SendAsync(new byte[8]).AsTask().WaitAsync(Pair.Patience, Cancellation));
    }

    [Fact]
    public async Task Abort_FromAnotherThread_EndsReceivingAndSendingAndResets()
    {
        using Pair pair = await Pair.OpenAsync();
        Task<int> receiving = pair.Near.ReceiveAsync(new byte[8]).AsTask();
        Task sending = pair.Near.SendAsync(new byte[64 * 1024 * 1024]).AsTask();
        Assert.False(sending.IsCompleted);
        await Task.Run(pair.Near.Abort, Cancellation);
        await Assert.ThrowsAsync<ConnectionAbortedException>(() => receiving.WaitAsync(Pair.Patience, Cancellation));
        await Assert.ThrowsAsync<ConnectionAbortedException>(() => sending.WaitAsync(Pair.Patience, Cancellation));
        await Assert.ThrowsAsync<ConnectionAbortedException>(async () => await pair.Near.ReceiveAsync(new byte[1]));
        await Assert.ThrowsAsync<ConnectionAbortedException>(async () => await pair.Near.SendAsync(new byte[1]));
        pair.Near.Dispose();
        SocketException reset = await Assert.ThrowsAsync<SocketException>(async () => await DrainAsync(pair.Far));
        Assert.Equal(SocketError.ConnectionReset, reset.SocketErrorCode);
    }

    [Fact]
    public async Task Send_ToASlowReader_WaitsAndLosesNothing()
    {
        using Pair pair = await Pair.OpenAsync();
        byte[] sent = new byte[24 * 1024 * 1024];
        new Random(5).NextBytes(sent);
        Task sending = pair.Near.SendAsync(sent.AsMemory(0, 1000), sent.AsMemory(1000)).AsTask();
        await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, Cancellation);
        Assert.False(sending.IsCompleted);
        byte[] read = await pair.ReadAsync(sent.Length);
        await sending.WaitAsync(Pair.Patience, Cancellation);
        Assert.True(sent.AsSpan().SequenceEqual(read));
    }

    [Fact]
    public async Task EndSend_ShowsTheOtherSideAnEndAndStillReceives()
    {
        using Pair pair = await Pair.OpenAsync();
        pair.Near.EndSend();
        Assert.Equal(0, await pair.Far.ReceiveAsync(new byte[1], Cancellation));
        await pair.Far.SendAsync(new byte[1], Cancellation);
        Assert.Equal(1, await pair.Near.ReceiveAsync(new byte[4]).AsTask().WaitAsync(Pair.Patience, Cancellation));
    }

    [Fact]
    public async Task Exchange_WhenWarm_AllocatesNothing()
    {
        using EventLoop loop = new(TimeProvider.System);
        using Pair one = await Pair.OpenAsync(loop);
        byte[] buffer = new byte[64];
        byte[] far = new byte[64];
        await Task.Run(() => PingPong(one, buffer, far, 500), Cancellation);
        long best = long.MaxValue;
        for (int round = 0; round < 5 && best > 0; round++)
        {
            best = Math.Min(best, await Task.Run(() => PingPong(one, buffer, far, 500), Cancellation));
        }

        // The loop itself allocates nothing; what is counted is this side's tasks, one for each round that had to wait.
        Assert.InRange(best, 0, 4096);
    }

    /// <summary>Bytes allocated in the loop's thread while it answered.</summary>
    private static long PingPong(Pair pair, byte[] buffer, byte[] far, int rounds)
    {
        TaskCompletionSource<long> allocated = new(TaskCreationOptions.RunContinuationsAsynchronously);
        pair.Near.Loop.Post(state => _ = EchoAsync((TaskCompletionSource<long>)state!), allocated);
        for (int i = 0; i < rounds; i++)
        {
            pair.Far.Send(far.AsSpan(0, 10));
            int read = 0;
            while (read < 10)
            {
                read += pair.Far.Receive(far.AsSpan(read));
            }
        }

        return allocated.Task.GetAwaiter().GetResult();

        async Task EchoAsync(TaskCompletionSource<long> done)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            int echoed = 0;
            while (echoed < rounds * 10)
            {
                int read = await pair.Near.ReceiveAsync(buffer);
                await pair.Near.SendAsync(buffer.AsMemory(0, read));
                echoed += read;
            }

            done.SetResult(GC.GetAllocatedBytesForCurrentThread() - before);
        }
    }

    [Fact]
    public async Task Traffic_OfManyConnectionsFromManyThreads_IsWhole()
    {
        using EventLoops loops = new(TimeProvider.System, 3);
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(512);
        Task[] talks = [.. Enumerable.Range(0, 60).Select(seed => Task.Run(async () =>
        {
            using SocketConnection near = await loops.Next().ConnectAsync((IPEndPoint)listener.LocalEndPoint!);
            using Socket far = await listener.AcceptAsync(Cancellation);
            Random random = new(seed);
            Task pump = PumpAsync(far);
            for (int i = 0; i < 40; i++)
            {
                byte[] sent = new byte[random.Next(1, 200_000)];
                random.NextBytes(sent);
                sent[0] = 7;
                ValueTask sending = near.SendAsync(sent);
                byte[] got = new byte[sent.Length];
                int read = 0;
                while (read < got.Length)
                {
                    read += await near.ReceiveAsync(got.AsMemory(read));
                    if (random.Next(4) == 0)
                    {
                        // Goes on in another thread, as after a fetched credential.
                        await Task.Yield();
                    }
                }

                await sending;
                Assert.True(sent.AsSpan().SequenceEqual(got));
            }

            near.EndSend();
            await pump;
        }, Cancellation))];
        await Task.WhenAll(talks).WaitAsync(TimeSpan.FromSeconds(60), Cancellation);
    }

    private static async Task PumpAsync(Socket far)
    {
        byte[] buffer = new byte[100_000];
        while (await far.ReceiveAsync(buffer, Cancellation) is > 0 and int read)
        {
            for (int sent = 0; sent < read;)
            {
                sent += await far.SendAsync(buffer.AsMemory(sent, read - sent), Cancellation);
            }
        }
    }

    private static async Task DrainAsync(Socket socket)
    {
        byte[] buffer = new byte[1024 * 1024];
        while (await socket.ReceiveAsync(buffer, Cancellation) > 0)
        {
        }
    }

    private sealed class Observer : IConnectionObserver
    {
        public TaskCompletionSource Closed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void PeerClosed() => Closed.SetResult();

        public void Tick()
        {
        }
    }
}
