using System.Buffers;
using System.Net;
using System.Text;
using Ballast.Transport;
using Ballast.Transport.Http1;

namespace Ballast.Tests.Transport.Http1;

/// <summary>The engine towards its clients, byte by byte over real sockets.</summary>
public sealed class Http1ServerTests : IAsyncLifetime
{
    private const string Get = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly EventLoops _loops = new(TimeProvider.System, 2);
    private Http1Server _server = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync()
    {
        _server = Serve(EchoHandler.AnswerAsync, new Http1Limits());
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        _server.Dispose();
        _loops.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Requests_OnOneConnection_AreAnsweredInTurn()
    {
        using RawClient client = await ConnectAsync();
        for (int i = 0; i < 20; i++)
        {
            await client.SendAsync($"POST /p{i} HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nX-Echo: e{i}\r\n\r\nab{i % 10}");
            RawAnswer answer = await client.ReadAsync();
            Assert.Equal(200, answer.Status);
            Assert.Equal($"POST /p{i} [ab{i % 10}] e{i}", answer.Body);
            Assert.Null(answer.Header("Connection"));
            Assert.True(DateTimeOffset.TryParse(answer.Header("Date"), null, out _));
        }
    }

    [Fact]
    public async Task Requests_CutAtEveryByte_AreTheSame()
    {
        byte[] request = Encoding.ASCII.GetBytes(
            "POST /v1/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0a;x=y\r\n0123456789\r\n0\r\nTrailer: 1\r\n\r\nGET /next HTTP/1.1\r\nHost: h\r\n\r\n");
        using RawClient client = await ConnectAsync();
        for (int cut = 1; cut < request.Length; cut++)
        {
            await client.SendAsync(request.AsMemory(0, cut));
            await Task.Yield();
            await client.SendAsync(request.AsMemory(cut));
            Assert.Equal("POST /v1/x [abc0123456789] ", (await client.ReadAsync()).Body);
            Assert.Equal("GET /next [] ", (await client.ReadAsync()).Body);
        }
    }

    [Fact]
    public async Task Requests_ByteByByte_AreTheSame()
    {
        using RawClient client = await ConnectAsync();
        foreach (byte unit in "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"u8.ToArray())
        {
            await client.SendAsync(new[] { unit });
        }

        Assert.Equal("POST /x [hello] ", (await client.ReadAsync()).Body);
    }

    [Fact]
    public async Task Requests_Pipelined_AreAllAnsweredInOrder()
    {
        using RawClient client = await ConnectAsync();
        const int Count = 300;
        await client.SendAsync(string.Concat(Enumerable.Range(0, Count).Select(i => $"POST /{i} HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody")));
        for (int i = 0; i < Count; i++)
        {
            Assert.Equal($"POST /{i} [body] ", (await client.ReadAsync()).Body);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(8 * 1024)]
    [InlineData(300_000)]
    public async Task Bodies_OfAnySize_ArriveWholeAndTheNextRequestBehindThem(int length)
    {
        string body = string.Concat(Enumerable.Range(0, (length / 7) + 1).Select(i => $"{i:x7}"))[..length];
        using RawClient client = await ConnectAsync();
        await client.SendAsync($"POST /l HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\r\n{body}{Get}");
        Assert.Equal($"POST /l [{body}] ", (await client.ReadAsync()).Body);
        Assert.Equal("GET /a [] ", (await client.ReadAsync()).Body);
        string chunked = string.Concat(body.Chunk(999).Select(piece => $"{piece.Length:X}\r\n{new string(piece)}\r\n"));
        await client.SendAsync($"POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n{chunked}0\r\n\r\n{Get}");
        Assert.Equal($"POST /c [{body}] ", (await client.ReadAsync()).Body);
        Assert.Equal("GET /a [] ", (await client.ReadAsync()).Body);
    }

    [Fact]
    public async Task Head_OfManyHeaders_LeavesRoomForAChunkedBody()
    {
        using RawClient client = await ConnectAsync();
        // Up to every size around the first buffer's, so that head and body meet its end.
        for (int padding = 8000; padding < 8200; padding += 3)
        {
            await client.SendAsync($"POST /c HTTP/1.1\r\nHost: h\r\nX-Pad: {new string('p', padding)}\r\nTransfer-Encoding: chunked\r\nX-Echo: kept\r\n\r\n");
            await client.SendAsync("5\r\nhello\r\n0\r\n\r\n");
            Assert.Equal("POST /c [hello] kept", (await client.ReadAsync()).Body);
        }
    }

    [Theory]
    [InlineData("5 \r\nhello\r\n0\r\n\r\n")]
    [InlineData("5\nhello\r\n0\r\n\r\n")]
    [InlineData("5\r\nhelloX\r\n0\r\n\r\n")]
    [InlineData("5\r\nhello\n0\r\n\r\n")]
    [InlineData("+5\r\nhello\r\n0\r\n\r\n")]
    [InlineData("0x5\r\nhello\r\n0\r\n\r\n")]
    [InlineData("\r\n5\r\nhello\r\n0\r\n\r\n")]
    [InlineData("-1\r\n\r\n0\r\n\r\n")]
    [InlineData("fffffffffffffffff\r\nhello")]
    [InlineData("5;a\nb\r\nhello\r\n0\r\n\r\n")]
    [InlineData("5\r\nhello\r\n0\r\nX: 1\n\r\n")]
    [InlineData("0\r\nhello\r\n\r\n")]
    [InlineData("0\r\nX : 1\r\n\r\n")]
    [InlineData("0\r\nX: \u0001\r\n\r\n")]
    public async Task ChunkedBody_ThatIsNone_EndsTheConnectionWithoutAnotherAnswer(string body)
    {
        using RawClient client = await ConnectAsync();
        await client.SendAsync("POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + body + Get);
        RawAnswer answer = await client.ReadAsync();
        Assert.Equal((400, "broken body"), (answer.Status, answer.Body));
        await client.AssertClosedAsync();
    }

    [Fact]
    public async Task Body_ThatBreaksOff_IsNoBody()
    {
        using RawClient client = await ConnectAsync();
        await client.SendAsync("POST /c HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhalf");
        client.End();
        Assert.Equal("broken body", (await client.ReadAsync()).Body);
        await client.AssertClosedAsync();
    }

    [Fact]
    public async Task Stream_IsChunked_AndTheConnectionGoesOn()
    {
        using RawClient client = await ConnectAsync();
        for (int i = 0; i < 3; i++)
        {
            await client.SendAsync("GET /stream HTTP/1.1\r\nHost: h\r\n\r\n");
            RawAnswer answer = await client.ReadAsync();
            Assert.True(answer.IsWhole);
            Assert.Equal("chunked", answer.Header("Transfer-Encoding"));
            Assert.Equal($"one two {new string('x', 20_000)} three", answer.Body);
        }
    }

    [Fact]
    public async Task Stream_InHttp10_EndsWithTheConnection()
    {
        using RawClient client = await ConnectAsync();
        await client.SendAsync("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        RawAnswer answer = await client.ReadAsync();
        Assert.Null(answer.Header("Transfer-Encoding"));
        Assert.Equal("close", answer.Header("Connection"));
        Assert.EndsWith(" three", answer.Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1.0", "", "close")]
    [InlineData("1.0", "Connection: keep-alive\r\n", "keep-alive")]
    [InlineData("1.1", "Connection: close\r\n", "close")]
    [InlineData("1.1", "", null)]
    public async Task Connection_EndsOrGoesOnAsAsked(string version, string header, string? expected)
    {
        using RawClient client = await ConnectAsync();
        await client.SendAsync($"GET /a HTTP/{version}\r\nHost: h\r\n{header}\r\n");
        RawAnswer answer = await client.ReadAsync();
        Assert.Equal(expected, answer.Header("Connection"));
        if (expected == "close")
        {
            await client.AssertClosedAsync();
            return;
        }

        await client.SendAsync(Get);
        Assert.Equal("GET /a [] ", (await client.ReadAsync()).Body);
    }

    [Fact]
    public async Task Head_Request_IsToldTheLengthAndSentNoBody()
    {
        using RawClient client = await ConnectAsync();
        await client.SendAsync("HEAD /a HTTP/1.1\r\nHost: h\r\n\r\n" + Get);
        RawAnswer head = await client.ReadAsync(isHead: true);
        Assert.Equal("HEAD /a [] ".Length.ToString(null, null), head.Header("Content-Length"));
        Assert.Equal("GET /a [] ", (await client.ReadAsync()).Body);
    }

    [Fact]
    public async Task Handler_ThatWritesNothing_IsAnEmptyAnswer()
    {
        using RawClient client = await ConnectAsync();
        await client.SendAsync("GET /nothing HTTP/1.1\r\nHost: h\r\n\r\n" + Get);
        RawAnswer answer = await client.ReadAsync();
        Assert.Equal((200, "0"), (answer.Status, answer.Header("Content-Length")));
        Assert.Equal("GET /a [] ", (await client.ReadAsync()).Body);
    }

    [Theory]
    [InlineData("/cut")]
    [InlineData("/short")]
    [InlineData("/throw-late")]
    public async Task Answer_CutShort_IsSeenToBeCut(string path)
    {
        using RawClient client = await ConnectAsync();
        await client.SendAsync($"GET {path} HTTP/1.1\r\nHost: h\r\n\r\n");
        RawAnswer answer = await client.ReadAsync();
        Assert.Equal((200, "half", false), (answer.Status, answer.Body, answer.IsWhole));
        await client.AssertClosedAsync();
    }

    [Theory]
    [InlineData("/throw", "1.1")]
    [InlineData("/evil", "1.1")]
    [InlineData("/cut", "1.0")]
    public async Task Answer_ThatCannotShowItsCut_IsReset(string path, string version)
    {
        using RawClient client = await ConnectAsync();
        await client.SendAsync($"GET {path} HTTP/{version}\r\nHost: h\r\n\r\n");
        await Assert.ThrowsAsync<System.Net.Sockets.SocketException>(client.ReadToEndAsync);
    }

    [Fact]
    public async Task Refusal_BeforeALargeBody_ReachesTheClientAndTheConnectionGoesOn()
    {
        using RawClient client = await ConnectAsync();
        Task sending = client.SendAsync("POST /unread HTTP/1.1\r\nHost: h\r\nContent-Length: 4000000\r\n\r\n" + new string('b', 4_000_000) + Get);
        RawAnswer refused = await client.ReadAsync();
        Assert.Equal((401, "no"), (refused.Status, refused.Body));
        await sending;
        Assert.Equal("GET /a [] ", (await client.ReadAsync()).Body);
    }

    [Fact]
    public async Task Refusal_OfAHead_TellsWhyAndEndsTheConnection()
    {
        using RawClient client = await ConnectAsync();
        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\nBad Header: 1\r\n\r\n" + new string('x', 100_000));
        RawAnswer refused = await client.ReadAsync();
        Assert.Equal((400, "close"), (refused.Status, refused.Header("Connection")));
        Assert.Equal(HeadRefusal.Header.Reason + "\n", refused.Body);
        client.End();
        // An end, and no reset: that could overtake the answer.
        Assert.Equal("", await client.ReadToEndAsync());
    }

    [Fact]
    public async Task Expect_OfABodyThatIsRead_IsToldToContinue()
    {
        using RawClient client = await ConnectAsync();
        await client.SendAsync("POST /c HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
        Assert.Equal(100, (await client.ReadAsync()).Status);
        await client.SendAsync("body" + Get);
        Assert.Equal("POST /c [body] ", (await client.ReadAsync()).Body);
        Assert.Equal("GET /a [] ", (await client.ReadAsync()).Body);
    }

    /// <summary>Whether the body still comes nobody knows: what follows must not be taken for a request.</summary>
    [Fact]
    public async Task Expect_OfABodyThatNobodyReads_EndsTheConnection()
    {
        using RawClient client = await ConnectAsync();
        await client.SendAsync("POST /unread HTTP/1.1\r\nHost: h\r\nContent-Length: 28\r\nExpect: 100-continue\r\n\r\n");
        RawAnswer refused = await client.ReadAsync();
        Assert.Equal((401, "close"), (refused.Status, refused.Header("Connection")));
        await client.SendAsync(Get);
        await client.AssertClosedAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Client_ThatGoes_IsToldToTheHandlerAtOnce(bool isReset)
    {
        TaskCompletionSource<bool> told = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using Http1Server server = Serve(
            async call =>
            {
                using CancellationTokenRegistration gone = call.Aborted.UnsafeRegister(state => ((TaskCompletionSource<bool>)state!).TrySetResult(true), told);
                begun.SetResult();
                await told.Task;
            },
            new Http1Limits());
        RawClient client = await RawClient.ConnectAsync(server.LocalAddress);
        await client.SendAsync(Get);
        await begun.Task.WaitAsync(Patience, Cancellation);
        Assert.False(told.Task.IsCompleted);
        if (isReset)
        {
            client.Reset();
        }
        else
        {
            client.Dispose();
        }

        Assert.True(await told.Task.WaitAsync(Patience, Cancellation));
        await WaitForAsync(() => server.Connections == 0);
    }

    [Fact]
    public async Task Client_SlowToRead_HoldsTheHandlerAndNotTheMemory()
    {
        long written = 0;
        using Http1Server server = Serve(
            async call =>
            {
                for (int i = 0; i < 400; i++)
                {
                    call.Output.Write(new byte[100_000]);
                    if (!await call.FlushAsync(CancellationToken.None))
                    {
                        return;
                    }

                    Interlocked.Add(ref written, 100_000);
                }
            },
            new Http1Limits());
        using RawClient client = await RawClient.ConnectAsync(server.LocalAddress, receiveBytes: 16 * 1024);
        await client.SendAsync(Get);
        await Task.Delay(TimeSpan.FromMilliseconds(300), TimeProvider.System, Cancellation);
        long held = Volatile.Read(ref written);
        Assert.InRange(held, 0, 12_000_000);
        RawAnswer answer = await client.ReadAsync();
        Assert.True(answer.IsWhole);
        Assert.Equal(40_000_000, answer.Body.Length);
    }

    [Fact]
    public async Task Limits_OfTime_EndWhatIsTooSlow()
    {
        Http1Limits limits = new() { HeadSeconds = 1, KeepAliveSeconds = 1, SlowSeconds = 1, DiscardSeconds = 1, LingerSeconds = 1 };
        using Http1Server server = Serve(EchoHandler.AnswerAsync, limits);
        using RawClient idle = await RawClient.ConnectAsync(server.LocalAddress);
        using RawClient head = await RawClient.ConnectAsync(server.LocalAddress);
        using RawClient body = await RawClient.ConnectAsync(server.LocalAddress);
        using RawClient unread = await RawClient.ConnectAsync(server.LocalAddress);
        using RawClient lingering = await RawClient.ConnectAsync(server.LocalAddress);
        await head.SendAsync("GET / HTTP/1.1\r\nHost");
        await body.SendAsync("POST /c HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhalf");
        await unread.SendAsync("POST /unread HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhalf");
        await lingering.SendAsync("GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
        Assert.Equal(408, (await head.ReadAsync()).Status);
        await head.AssertClosedAsync();
        Assert.Equal("broken body", (await body.ReadAsync()).Body);
        await body.AssertClosedAsync();
        Assert.Equal(401, (await unread.ReadAsync()).Status);
        await unread.AssertClosedAsync();
        Assert.Equal("GET /a [] ", (await lingering.ReadAsync()).Body);
        await idle.AssertClosedAsync();
        await WaitForAsync(() => server.Connections == 0);
    }

    /// <summary>Head, headers, body, answer and flush: whatever a request costs in memory is its handler's.</summary>
    [Fact]
    public async Task Requests_OfAWarmConnection_AllocateNothing()
    {
        byte[] buffer = new byte[100];
        byte[] answer = "answer"u8.ToArray();
        using EventLoops loops = new(TimeProvider.System, 1);
        using Http1Server server = new(new IPEndPoint(IPAddress.Loopback, 0), loops, new Http1Limits(), TimeProvider.System, async call =>
        {
            bool isRead = call.Path == "/v1/x" && call.Header("authorization") is not null && call.Header("x-api-key") is null
                && await call.ReadBodyAsync(buffer) == 4;
            call.Status = isRead ? 200 : 500;
            call.SetHeader("x-one", "1");
            call.ResponseLength = answer.Length;
            call.Output.Write(answer);
            Assert.True(await call.FlushAsync(CancellationToken.None));
        });
        using RawClient client = await RawClient.ConnectAsync(server.LocalAddress);
        byte[] request = Encoding.ASCII.GetBytes("POST /v1/x HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer key\r\nContent-Length: 4\r\n\r\nbody");
        long best = long.MaxValue;
        for (int round = 0; round < 6 && best > 0; round++)
        {
            long before = await AllocatedAsync();
            for (int i = 0; i < 200; i++)
            {
                await client.SendAsync(request);
                RawAnswer read = await client.ReadAsync();
                Assert.Equal((200, "answer"), (read.Status, read.Body));
            }

            best = Math.Min(best, await AllocatedAsync() - before);
        }

        // Two posts to the loop and, once a second, the date.
        Assert.InRange(best, 0, 1024);

        async Task<long> AllocatedAsync()
        {
            TaskCompletionSource<long> seen = new(TaskCreationOptions.RunContinuationsAsynchronously);
            loops.All[0].Post(state => ((TaskCompletionSource<long>)state!).SetResult(GC.GetAllocatedBytesForCurrentThread()), seen);
            return await seen.Task.WaitAsync(Patience, Cancellation);
        }
    }

    [Fact]
    public async Task Limits_OfConnections_CloseWhoComesBeyond()
    {
        using Http1Server server = Serve(EchoHandler.AnswerAsync, new Http1Limits { ConnectionsMax = 1 });
        using RawClient first = await RawClient.ConnectAsync(server.LocalAddress);
        await first.SendAsync(Get);
        Assert.Equal(200, (await first.ReadAsync()).Status);
        using RawClient second = await RawClient.ConnectAsync(server.LocalAddress);
        await second.AssertClosedAsync();
        first.Dispose();
        await WaitForAsync(() => server.Connections == 0);
        using RawClient third = await RawClient.ConnectAsync(server.LocalAddress);
        await third.SendAsync(Get);
        Assert.Equal(200, (await third.ReadAsync()).Status);
    }

    [Fact]
    public async Task Stop_LetsAnswersEndAndIdleConnectionsGo()
    {
        TaskCompletionSource go = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using Http1Server server = Serve(
            async call =>
            {
                begun.TrySetResult();
                await go.Task;
                await EchoHandler.AnswerAsync(call);
            },
            new Http1Limits());
        using RawClient idle = await RawClient.ConnectAsync(server.LocalAddress);
        using RawClient busy = await RawClient.ConnectAsync(server.LocalAddress);
        await busy.SendAsync(Get);
        await begun.Task.WaitAsync(Patience, Cancellation);
        Task stopping = server.StopAsync(Cancellation);
        await idle.AssertClosedAsync();
        Assert.False(stopping.IsCompleted);
        go.SetResult();
        RawAnswer answer = await busy.ReadAsync();
        Assert.Equal(("GET /a [] ", "close"), (answer.Body, answer.Header("Connection")));
        busy.Dispose();
        await stopping.WaitAsync(Patience, Cancellation);
        Assert.Equal(0, server.Connections);
    }

    [Fact]
    public async Task Stop_ThatRunsOutOfTime_CutsWhatIsLeft()
    {
        TaskCompletionSource begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using Http1Server server = Serve(
            async call =>
            {
                begun.TrySetResult();
                try
                {
                    await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, call.Aborted);
                }
                finally
                {
                    ended.SetResult();
                }
            },
            new Http1Limits());
        using RawClient busy = await RawClient.ConnectAsync(server.LocalAddress);
        await busy.SendAsync(Get);
        await begun.Task.WaitAsync(Patience, Cancellation);
        using CancellationTokenSource drain = new(TimeSpan.FromMilliseconds(50));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => server.StopAsync(drain.Token));
        await ended.Task.WaitAsync(Patience, Cancellation);
        await busy.AssertClosedAsync();
    }

    private async Task<RawClient> ConnectAsync() => await RawClient.ConnectAsync(_server.LocalAddress);

    private Http1Server Serve(Func<HttpCall, Task> handle, Http1Limits limits) =>
        new(new IPEndPoint(IPAddress.Loopback, 0), _loops, limits, TimeProvider.System, handle);

    private static async Task WaitForAsync(Func<bool> isTrue)
    {
        for (int i = 0; i < 1000 && !isTrue(); i++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, Cancellation);
        }

        Assert.True(isTrue());
    }
}
