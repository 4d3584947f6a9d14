using System.Buffers;
using System.Net;
using System.Net.Sockets;
using Ballast.Transport;
using Ballast.Transport.Http1;

namespace Ballast.Tests.Transport;

/// <summary>Small sends that lie here while the loop has other work at hand: they go out together, in order, and are lost with nothing but a broken connection.</summary>
public sealed class HeldSendTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Send_OtherWorkIsAtHand_GoesOutAfterIt()
    {
        using Pair pair = await Pair.OpenAsync();
        int waiting = -1;
        await InOneRoundAsync(pair.Near.Loop,
            () => Assert.True(pair.Near.SendAsync("held"u8.ToArray()).AsTask().IsCompletedSuccessfully),
            () => waiting = pair.Far.Available);
        Assert.Equal(0, waiting);
        Assert.Equal("held"u8.ToArray(), await pair.ReadAsync(4));
    }

    [Fact]
    public async Task Send_AgainInTheSameRound_KeepsTheOrder()
    {
        using Pair pair = await Pair.OpenAsync();
        await InOneRoundAsync(pair.Near.Loop,
            () => Assert.True(pair.Near.SendAsync("on"u8.ToArray(), "e "u8.ToArray()).AsTask().IsCompletedSuccessfully),
            () => Assert.True(pair.Near.SendAsync("two "u8.ToArray()).AsTask().IsCompletedSuccessfully),
            () => Assert.True(pair.Near.SendAsync(new byte[20_000]).AsTask().IsCompletedSuccessfully),
            () => Assert.True(pair.Near.SendAsync("three"u8.ToArray()).AsTask().IsCompletedSuccessfully));
        byte[] expected = [.. "one two "u8, .. new byte[20_000], .. "three"u8];
        Assert.Equal(expected, await pair.ReadAsync(expected.Length));
    }

    [Fact]
    public async Task Send_OfNothing_SendsWhatIsHeld()
    {
        using Pair pair = await Pair.OpenAsync();
        int waiting = -1;
        await InOneRoundAsync(pair.Near.Loop,
            () => Assert.True(pair.Near.SendAsync("held"u8.ToArray()).AsTask().IsCompletedSuccessfully),
            () => Assert.True(pair.Near.SendAsync(default).AsTask().IsCompletedSuccessfully),
            () => waiting = pair.Far.Available);
        Assert.Equal(4, waiting);
    }

    /// <summary>The first word of a stream is what somebody waits for; a whole answer goes out with others'.</summary>
    [Theory]
    [InlineData(null, true)]
    [InlineData(8L, false)]
    public async Task Flush_FirstPieceOfAStream_GoesOutAtOnce(long? length, bool isAtOnce)
    {
        using EventLoops loops = new(TimeProvider.System, 1);
        TaskCompletionSource begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource first = new();
        TaskCompletionSource last = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using Http1Server server = new(new IPEndPoint(IPAddress.Loopback, 0), loops, new Http1Limits(), TimeProvider.System, async call =>
        {
            call.ResponseLength = length;
            begun.SetResult();
            await first.Task.ConfigureAwait(false);
            call.Output.Write("data"u8);
            await call.FlushAsync(Cancellation).ConfigureAwait(false);
            await last.Task.ConfigureAwait(false);
            call.Output.Write("last"u8);
        });
        using Socket client = new(SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(server.LocalAddress, Cancellation);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n"u8.ToArray(), Cancellation);
        await begun.Task.WaitAsync(Pair.Patience, Cancellation);
        int arrived = -1;
        await InOneRoundAsync(loops.All[0], first.SetResult, () => arrived = client.Available);
        last.SetResult();

        Assert.Equal(isAtOnce, arrived > 0);
        Assert.NotEmpty(await Pair.ReadAsync(client, 80));
    }

    [Fact]
    public async Task Send_LittleElseIsAtHand_GoesOutAtOnce()
    {
        using Pair pair = await Pair.OpenAsync();
        TaskCompletionSource<int> arrived = new(TaskCreationOptions.RunContinuationsAsynchronously);
        pair.Near.Loop.Post(
            _ =>
            {
                pair.Near.Loop.Post(_ => Assert.True(pair.Near.SendAsync("now"u8.ToArray()).AsTask().IsCompletedSuccessfully), null);
                pair.Near.Loop.Post(_ => arrived.SetResult(pair.Far.Available), null);
            },
            null);
        Assert.Equal(3, await arrived.Task.WaitAsync(Pair.Patience, Cancellation));
    }

    /// <summary>More connections than may hold at once, and all of them have their bytes.</summary>
    [Fact]
    public async Task Send_OfManyConnectionsInOneRound_AllArrive()
    {
        using EventLoop loop = new(TimeProvider.System);
        List<Pair> pairs = [];
        try
        {
            for (int i = 0; i < 40; i++)
            {
                pairs.Add(await Pair.OpenAsync(loop));
            }

            await InOneRoundAsync(loop, [.. pairs.Select((pair, i) => (Action)(() => Assert.True(pair.Near.SendAsync(new byte[] { (byte)i }).AsTask().IsCompletedSuccessfully)))]);
            for (int i = 0; i < pairs.Count; i++)
            {
                Assert.Equal([(byte)i], await pairs[i].ReadAsync(1));
            }
        }
        finally
        {
            pairs.ForEach(pair => pair.Dispose());
        }
    }

    [Fact]
    public async Task Dispose_InTheSameRound_SendsFirst()
    {
        using Pair pair = await Pair.OpenAsync();
        await InOneRoundAsync(pair.Near.Loop,
            () =>
            {
                Assert.True(pair.Near.SendAsync("last"u8.ToArray()).AsTask().IsCompletedSuccessfully);
                pair.Near.Dispose();
            },
            () => { });
        Assert.Equal("last"u8.ToArray(), await pair.ReadAsync(4));
        Assert.Equal(0, await pair.Far.ReceiveAsync(new byte[1], Cancellation));
    }

    [Fact]
    public async Task Abort_InTheSameRound_SendsFirstAndResets()
    {
        using Pair pair = await Pair.OpenAsync();
        await InOneRoundAsync(pair.Near.Loop,
            () =>
            {
                Assert.True(pair.Near.SendAsync("part"u8.ToArray()).AsTask().IsCompletedSuccessfully);
                pair.Near.Abort();
            },
            () => { });
        Assert.Equal("part"u8.ToArray(), await pair.ReadAsync(4));
        pair.Near.Dispose();
        await Assert.ThrowsAsync<SocketException>(async () => await pair.Far.ReceiveAsync(new byte[1], Cancellation).AsTask().WaitAsync(Pair.Patience, Cancellation));
    }

    /// <summary>The other side takes nothing: what was held waits for it, what is sent next waits behind, on the loop's thread or another, and the end comes last.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Send_OtherSideIsSlow_WaitsBehindWhatIsHeld(bool fromTheLoop)
    {
        using Pair pair = await Pair.OpenAsync();
        int filled = await FillAsync(pair);
        byte[] held = [.. Enumerable.Repeat((byte)1, 16_000)];
        byte[] behind = [.. Enumerable.Repeat((byte)2, 50_000)];
        await InOneRoundAsync(pair.Near.Loop, () => Assert.True(pair.Near.SendAsync(held).AsTask().IsCompletedSuccessfully), () => { });
        Task sending = fromTheLoop ? await pair.Near.Loop.DoAsync(() => pair.Near.SendAsync(behind).AsTask()) : pair.Near.SendAsync(behind).AsTask();
        Assert.False(sending.IsCompleted);
        byte[] read = await pair.ReadAsync(filled + held.Length + behind.Length);
        await sending.WaitAsync(Pair.Patience, Cancellation);
        Assert.True(read.AsSpan(filled).SequenceEqual((byte[])[.. held, .. behind]));
        await pair.Near.SendAsync(new byte[] { 3 });
        Assert.Equal([3], await pair.ReadAsync(1));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task EndSend_OtherSideIsSlow_ComesAfterWhatIsHeld(bool fromTheLoop)
    {
        using Pair pair = await Pair.OpenAsync();
        int filled = await FillAsync(pair);
        await InOneRoundAsync(pair.Near.Loop, () => Assert.True(pair.Near.SendAsync(new byte[16_000]).AsTask().IsCompletedSuccessfully), () => { });
        if (fromTheLoop)
        {
            await InOneRoundAsync(pair.Near.Loop, pair.Near.EndSend);
        }
        else
        {
            pair.Near.EndSend();
        }

        await pair.ReadAsync(filled + 16_000);
        Assert.Equal(0, await pair.Far.ReceiveAsync(new byte[1], Cancellation).AsTask().WaitAsync(Pair.Patience, Cancellation));
    }

    [Fact]
    public async Task Abort_OtherSideIsSlow_EndsWhoWaitsBehind()
    {
        using Pair pair = await Pair.OpenAsync();
        await FillAsync(pair);
        await InOneRoundAsync(pair.Near.Loop, () => Assert.True(pair.Near.SendAsync(new byte[16_000]).AsTask().IsCompletedSuccessfully), () => { });
        Task sending = pair.Near.SendAsync(new byte[1000]).AsTask();
        pair.Near.Abort();
        await Assert.ThrowsAnyAsync<IOException>(() => sending.WaitAsync(Pair.Patience, Cancellation));
    }

    [Fact]
    public async Task Send_WhenWarmAndHeld_AllocatesNothing()
    {
        using Pair pair = await Pair.OpenAsync();
        byte[] bytes = new byte[700];
        long best = long.MaxValue;
        for (int round = 0; round < 20 && best > 0; round++)
        {
            long before = 0, after = 0;
            await InOneRoundAsync(pair.Near.Loop,
                () =>
                {
                    before = GC.GetAllocatedBytesForCurrentThread();
                    Assert.True(pair.Near.SendAsync(bytes).AsTask().IsCompletedSuccessfully);
                    after = GC.GetAllocatedBytesForCurrentThread();
                },
                () => { });
            best = Math.Min(best, after - before);
            await pair.ReadAsync(bytes.Length);
        }

        Assert.Equal(0, best);
    }

    /// <summary>Does all of this in one round of the loop, one after the other.</summary>
    private static async Task InOneRoundAsync(EventLoop loop, params Action[] works)
    {
        TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        List<Exception> failures = [];
        loop.Post(
            _ =>
            {
                // Posted from the loop's own thread, they are all there when the next round begins; it has many more, or nothing would be held.
                foreach (Action work in works)
                {
                    loop.Post(_ => Do(work), null);
                }

                for (int i = 0; i < 8; i++)
                {
                    loop.Post(_ => { }, null);
                }
            },
            null);
        await Task.Yield();
        TaskCompletionSource after = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await done.Task.WaitAsync(Pair.Patience, Cancellation);
        loop.Post(_ => after.SetResult(), null);
        await after.Task.WaitAsync(Pair.Patience, Cancellation);
        Assert.Empty(failures);

        void Do(Action work)
        {
            try
            {
                work();
            }
#pragma warning disable CA1031 // The test sees it.
            catch (Exception failure)
#pragma warning restore CA1031
            {
                failures.Add(failure);
            }

            if (work == works[^1])
            {
                done.SetResult();
            }
        }
    }

    /// <summary>Sends until the system takes no more, and says how much that was.</summary>
    private static async Task<int> FillAsync(Pair pair)
    {
        // A size that is set does not grow; and what the other side has taken makes room only when it has said so, which it may put off.
        pair.Far.ReceiveBufferSize = 256 * 1024;
        int sent = 0;
        for (int before = -1; sent > before;)
        {
            before = sent;
            sent += await pair.Near.Loop.DoAsync(() =>
            {
                int filled = 0;
                byte[] piece = new byte[4096];
                while (SystemCalls.Send(pair.Near.Descriptor, piece) is > 0 and int taken)
                {
                    filled += taken;
                }

                return filled;
            });
            await Task.Delay(TimeSpan.FromMilliseconds(300), TimeProvider.System, Cancellation);
        }

        return sent;
    }
}
