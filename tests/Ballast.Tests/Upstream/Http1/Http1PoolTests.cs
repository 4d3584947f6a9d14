using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Ballast.Catalog;
using Ballast.Exchanges;
using Ballast.Transport;
using Ballast.Upstream;
using Ballast.Upstream.Framework;
using Ballast.Upstream.Http1;
using Microsoft.Extensions.Time.Testing;

namespace Ballast.Tests.Upstream.Http1;

public sealed class Http1PoolTests : IDisposable
{
    private const string Hello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

    /// <summary>More than the two sides' socket buffers hold.</summary>
    private const int LargeBytes = 32 * 1024 * 1024;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly EventLoops _loops = new(TimeProvider.System, 1);
    private readonly FakeTimeProvider _time = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _loops.Dispose();

    [Fact]
    public async Task Send_OneAfterTheOther_UsesOneConnection()
    {
        using ScriptedUpstream upstream = new(turn => turn.SendAsync(Hello));
        using Http1Pool pool = NewPool(upstream);
        for (int i = 0; i < 5; i++)
        {
            Assert.Equal("200 hello", await AskAsync(pool));
        }

        Assert.Equal(1, upstream.Connects);
        Assert.Equal(1, pool.Idle);
        Assert.Equal(
            $"POST /v1/chat?x=1 HTTP/1.1\r\nHost: {upstream.Address.Authority}\r\nContent-Type: application/json\r\nx-test: a b\r\nContent-Length: 2\r\n\r\n{{}}",
            upstream.Requests.First());
    }

    [Fact]
    public async Task Send_ManyAtOnce_EachOnItsOwn()
    {
        using ScriptedUpstream upstream = new(turn => turn.SendAsync(Hello));
        using Http1Pool pool = NewPool(upstream);

        string[] answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => AskAsync(pool)));

        Assert.All(answers, answer => Assert.Equal("200 hello", answer));
        Assert.Equal(upstream.Connects, pool.Idle);
    }

    [Fact]
    public async Task Send_LargeBody_ArrivesWhole()
    {
        using ScriptedUpstream upstream = new(turn => turn.SendAsync(Hello));
        using Http1Pool pool = NewPool(upstream);
        string body = string.Concat(Enumerable.Range(0, 400_000).Select(i => (char)('a' + (i % 26))));

        Assert.Equal("200 hello", await AskAsync(pool, body));
        Assert.EndsWith("\r\n\r\n" + body, upstream.Requests.Single(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + Hello, "200 hello")]
    [InlineData("HTTP/1.1 204 No Content\r\n\r\n", "204 ")]
    [InlineData("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "304 ")]
    [InlineData("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", "500 ")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1;x\r\n!\r\n0\r\nTrailer: x\r\n\r\n", "200 hello!")]
    public async Task Send_EachFraming_IsReadHoweverDrippedAndTheConnectionKept(string answer, string read)
    {
        using ScriptedUpstream upstream = new(turn => turn.Number == 1 ? turn.DripAsync(answer) : turn.SendAsync(answer));
        using Http1Pool pool = NewPool(upstream);

        Assert.Equal(read, await AskAsync(pool));
        Assert.Equal(read, await AskAsync(pool));
        Assert.Equal(1, upstream.Connects);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\n\r\nhello", "200 hello", true)]
    [InlineData("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", "200 hello", false)]
    [InlineData("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello", "200 hello", false)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "200 hello", false)]
    [InlineData(Hello + "and more", "200 hello", false)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", "200 hello", false)]
    [InlineData("HTTP/1.1 204 No Content\r\n\r\nhello", "204 ", false)]
    public async Task Send_AnswerThatEndsTheConnection_IsReadAndNothingAfterIt(string answer, string read, bool ends)
    {
        using ScriptedUpstream upstream = new(turn =>
        {
            turn.EndsConnection = ends;
            return turn.SendAsync(answer);
        });
        using Http1Pool pool = NewPool(upstream);

        Assert.Equal(read, await AskAsync(pool));
        Assert.Equal(0, pool.Idle);
        Assert.Equal(read, await AskAsync(pool));
        Assert.Equal(2, upstream.Connects);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nhello")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n0\r\n\r\n")]
    public async Task Read_BodyThatIsCut_NeverLooksWhole(string answer)
    {
        using ScriptedUpstream upstream = new(turn =>
        {
            turn.EndsConnection = true;
            return turn.SendAsync(answer);
        });
        using Http1Pool pool = NewPool(upstream);

        UpstreamException cut = await Assert.ThrowsAsync<UpstreamException>(() => AskAsync(pool));
        Assert.Equal(GatewayError.StreamCut, cut.Error);
        Assert.Equal(0, pool.Idle);
    }

    [Theory]
    [InlineData("")]
    [InlineData("HTTP/1.1 200 O")]
    [InlineData("HTTP/1.1 100 Continue\r\n\r\n")]
    [InlineData("HTTP/1.1 101 Switching Protocols\r\n\r\n")]
    [InlineData("SSH-2.0-OpenSSH\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nA : b\r\n\r\n")]
    public async Task Send_NoAnswer_IsLostAndNotAskedAgain(string answer)
    {
        using ScriptedUpstream upstream = new(turn =>
        {
            turn.EndsConnection = true;
            return turn.SendAsync(answer);
        });
        using Http1Pool pool = NewPool(upstream);

        UpstreamException lost = await Assert.ThrowsAsync<UpstreamException>(() => AskAsync(pool));
        Assert.Equal(GatewayError.ConnectionLost, lost.Error);
        Assert.Equal(1, upstream.Connects);
    }

    [Fact]
    public async Task Send_HeadWithoutEnd_IsLostAtTheLimit()
    {
        using ScriptedUpstream upstream = new(async turn =>
        {
            await turn.SendAsync("HTTP/1.1 200 OK\r\n");
            while (true)
            {
                await turn.SendAsync("A: " + new string('x', 1000) + "\r\n");
            }
        });
        using Http1Pool pool = NewPool(upstream);

        Assert.Equal(GatewayError.ConnectionLost, (await Assert.ThrowsAsync<UpstreamException>(() => AskAsync(pool))).Error);
    }

    /// <summary>The platform has read the second request: it may have worked and billed for it.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Send_ClosedAfterTheRequestWasRead_IsNotAskedAgain(bool isReset)
    {
        using ScriptedUpstream upstream = new(turn =>
        {
            if (turn.Number == 1)
            {
                return turn.SendAsync(Hello);
            }

            turn.EndsConnection = !isReset;
            if (isReset)
            {
                turn.Reset();
            }

            return Task.CompletedTask;
        });
        using Http1Pool pool = NewPool(upstream);
        await AskAsync(pool);

        Assert.Equal(GatewayError.ConnectionLost, (await Assert.ThrowsAsync<UpstreamException>(() => AskAsync(pool))).Error);
        Assert.Equal(2, upstream.Requests.Count);
        Assert.Equal(1, upstream.Connects);
    }

    /// <summary>The platform cannot have had the whole request: asking again asks it once.</summary>
    [Fact]
    public async Task Send_StandingConnectionBreaksUnderTheRequest_IsSentOnAFreshOne()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        Task<(int First, int Second)> serving = Task.Run(async () =>
        {
            byte[] part = new byte[16 * 1024];
            using Socket first = await listener.AcceptSocketAsync(Cancellation);
            await first.ReceiveAsync(part, Cancellation);
            await first.SendAsync(Encoding.ASCII.GetBytes(Hello), Cancellation);
            int ofFirst = await first.ReceiveAsync(part, Cancellation);
            first.LingerState = new LingerOption(true, 0);
            first.Close();
            using Socket second = await listener.AcceptSocketAsync(Cancellation);
            int ofSecond = 0;
            while (ofSecond < LargeBytes)
            {
                ofSecond += await second.ReceiveAsync(part, Cancellation);
            }

            await second.SendAsync(Encoding.ASCII.GetBytes(Hello), Cancellation);
            return (ofFirst, ofSecond);
        }, Cancellation);
        using Http1Pool pool = NewPool(new Uri($"http://{listener.LocalEndpoint}"));
        await AskAsync(pool);

        Assert.Equal("200 hello", await AskAsync(pool, new string('x', LargeBytes)));
        Assert.InRange((await serving.WaitAsync(Patience, Cancellation)).First, 1, LargeBytes - 1);
    }

    [Theory]
    [InlineData("close")]
    [InlineData("reset")]
    [InlineData("say something")]
    public async Task Idle_DisturbedByTheUpstream_IsNotUsedAgain(string how)
    {
        TaskCompletionSource isRead = new();
        using ScriptedUpstream upstream = new(async turn =>
        {
            await turn.SendAsync(Hello);
            if (turn.Connection == 1)
            {
                await isRead.Task;
                switch (how)
                {
                    case "close":
                        turn.EndsConnection = true;
                        break;
                    case "reset":
                        turn.Reset();
                        break;
                    default:
                        await turn.SendAsync("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n");
                        break;
                }
            }
        });
        using Http1Pool pool = NewPool(upstream);
        await AskAsync(pool);
        isRead.SetResult();
        if (how == "say something")
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, Cancellation);
        }
        else
        {
            // It is noticed while nobody asks.
            await WaitForAsync(() => pool.Idle == 0);
        }

        Assert.Equal("200 hello", await AskAsync(pool));
        Assert.Equal(2, upstream.Connects);
    }

    [Fact]
    public async Task Idle_TooLong_IsClosedUnasked()
    {
        using ScriptedUpstream upstream = new(turn => turn.SendAsync(Hello));
        using Http1Pool pool = NewPool(upstream);
        await AskAsync(pool);
        _time.Advance(Http1Pool.IdleMax - TimeSpan.FromSeconds(1));
        await AskAsync(pool);
        Assert.Equal(1, upstream.Connects);

        _time.Advance(Http1Pool.IdleMax);
        await WaitForAsync(() => pool.Idle == 0);
        await AskAsync(pool);
        Assert.Equal(2, upstream.Connects);
    }

    [Fact]
    public async Task Connection_TooOld_IsReplaced()
    {
        using ScriptedUpstream upstream = new(turn => turn.SendAsync(Hello));
        using Http1Pool pool = NewPool(upstream);
        await AskAsync(pool);
        for (TimeSpan age = TimeSpan.Zero; age < Http1Pool.AgeMax; age += Http1Pool.IdleMax / 2)
        {
            Assert.Equal(1, upstream.Connects);
            _time.Advance(Http1Pool.IdleMax / 2);
            await AskAsync(pool);
        }

        Assert.Equal(2, upstream.Connects);
    }

    [Theory]
    [InlineData("")]
    [InlineData("HTTP/1.1 200 OK\r\nTransf")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")]
    public async Task Cancel_WhereverItStands_EndsTheConnectionAtOnce(string sent)
    {
        TaskCompletionSource isSent = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource isGone = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using ScriptedUpstream upstream = new(async turn =>
        {
            await turn.SendAsync(sent);
            isSent.SetResult();
            try
            {
                await turn.WaitForEndAsync();
            }
            finally
            {
                isGone.SetResult();
            }
        });
        using Http1Pool pool = NewPool(upstream);
        using CancellationTokenSource cancel = new();
        Task<string> asking = AskAsync(pool, cancel: cancel);
        await isSent.Task.WaitAsync(Patience, Cancellation);
        await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Cancellation);

        await cancel.CancelAsync();

        OperationCanceledException cancelled = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking.WaitAsync(Patience, Cancellation));
        Assert.Equal(cancel.Token, cancelled.CancellationToken);
        await isGone.Task.WaitAsync(TimeSpan.FromSeconds(1), Cancellation);
        Assert.Equal(0, pool.Idle);
    }

    [Fact]
    public async Task Dispose_OfAnAnswerBeforeItsEnd_EndsTheConnectionAtOnce()
    {
        TaskCompletionSource isGone = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using ScriptedUpstream upstream = new(async turn =>
        {
            await turn.SendAsync("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
            try
            {
                await turn.WaitForEndAsync();
            }
            finally
            {
                isGone.SetResult();
            }
        });
        using Http1Pool pool = NewPool(upstream);
        using UpstreamMessage message = NewMessage("{}");
        using (await pool.SendAsync(message, Cancellation))
        {
        }

        await isGone.Task.WaitAsync(TimeSpan.FromSeconds(1), Cancellation);
    }

    [Fact]
    public async Task Cancel_AfterTheEnd_DoesNotHitTheNextExchange()
    {
        using ScriptedUpstream upstream = new(turn => turn.SendAsync(Hello));
        using Http1Pool pool = NewPool(upstream);
        for (int i = 0; i < 200; i++)
        {
            using CancellationTokenSource cancel = new();
            Task<string> asking = AskAsync(pool, cancel: cancel);
            Task cancelling = i % 2 == 0 ? asking.ContinueWith(_ => cancel.Cancel(), Cancellation, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default) : Task.CompletedTask;
            Assert.Equal("200 hello", await asking);
            Assert.Equal("200 hello", await AskAsync(pool));
            await cancelling;
        }
    }

    [Fact]
    public async Task Connect_Refused_SaysSo()
    {
        using Socket unused = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        unused.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        using Http1Pool pool = NewPool(new Uri($"http://{unused.LocalEndPoint}"));
        using UpstreamMessage message = NewMessage("{}");

        UpstreamException failed = await Assert.ThrowsAsync<UpstreamException>(async () => await pool.SendAsync(message, Cancellation));
        Assert.Equal(GatewayError.ConnectFailed, failed.Error);
        Assert.False(message.WasSent);
    }

    [Fact]
    public async Task Connect_AddressThatIsNotAllowed_DialsNobody()
    {
        using ScriptedUpstream upstream = new(turn => turn.SendAsync(Hello));
        using Http1Pool pool = new(_loops, _time, upstream.Address, address => AddressPolicy.IsAllowed(address, allowPrivate: false), null, TimeSpan.FromSeconds(5));

        Assert.Equal(GatewayError.AddressRefused, (await Assert.ThrowsAsync<UpstreamException>(() => AskAsync(pool))).Error);
        Assert.Equal(0, upstream.Connects);
    }

    [Fact]
    public async Task Connect_PastItsLimit_Fails()
    {
        using Socket full = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        full.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        full.Listen(0);
        List<Socket> waiting = [];
        for (int i = 0; i < 4; i++)
        {
            Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
            waiting.Add(socket);
            try
            {
                socket.Connect(full.LocalEndPoint!);
            }
            catch (SocketException)
            {
                // Under way, or waiting for good.
            }
        }

        using Http1Pool pool = NewPool(new Uri($"http://{full.LocalEndPoint}"));
        Task<string> asking = AskAsync(pool);
        await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, Cancellation);
        Assert.False(asking.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(6));

        UpstreamException failed = await Assert.ThrowsAsync<UpstreamException>(() => asking.WaitAsync(Patience, Cancellation));
        Assert.Equal(GatewayError.ConnectFailed, failed.Error);
        waiting.ForEach(socket => socket.Dispose());
    }

    /// <summary>Odd answers through this client and through the framework's: the same, or refused.</summary>
    [Fact]
    public async Task Send_OddAnswers_AgreesWithTheFrameworkOrIsStricter()
    {
        string[] answers =
        [
            Hello, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
            "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello", "HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", "HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\n0\n\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nA: b\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a\nb\r\nhello\r\n0\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\nhello", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 5\r\n\r\nhello",
            "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n" + Hello, "HTTP/1.1 2000 OK\r\n\r\nhello", "HTTP/1.1 200OK\r\n\r\nhello", "\r\n" + Hello,
            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nhello", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nhello", "HTTP/9.9 200 OK\r\nContent-Length: 5\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\n: x\r\nContent-Length: 5\r\n\r\nhello", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF1\r\nhello\r\n0\r\n\r\n",
        ];
        foreach (string answer in answers)
        {
            using ScriptedUpstream upstream = new(turn =>
            {
                turn.EndsConnection = true;
                return turn.SendAsync(answer);
            });
            using Http1Pool lean = NewPool(upstream);
            using FrameworkPool framework = new(_ => true, null, HttpUse.Http11, TimeSpan.FromSeconds(5));
            string own = await VerdictAsync(lean, upstream.Address);
            string theirs = await VerdictAsync(framework, upstream.Address);
            Assert.True(own == theirs || own is "refused" or "cut", $"{answer.ReplaceLineEndings("|")}: {own}, by the framework {theirs}");
        }
    }

    private static async Task<string> VerdictAsync(UpstreamPool pool, Uri address)
    {
        try
        {
            return await AskAsync(pool, at: address);
        }
        catch (UpstreamException exception)
        {
            return exception.Error == GatewayError.ConnectionLost ? "refused" : "cut";
        }
        catch (IOException)
        {
            return "cut";
        }
    }

    private static async Task<string> AskAsync(UpstreamPool pool, string body = "{}", Uri? at = null, CancellationTokenSource? cancel = null)
    {
        CancellationToken cancellation = cancel?.Token ?? Cancellation;
        using UpstreamMessage message = NewMessage(body, at);
        using UpstreamAnswer answer = await pool.SendAsync(message, cancellation).AsTask().WaitAsync(Patience, Cancellation);
        while (true)
        {
            ReadResult result = await answer.Body.ReadAsync(cancellation).AsTask().WaitAsync(Patience, Cancellation);
            if (result.IsCompleted)
            {
                return $"{answer.Status} {Encoding.Latin1.GetString(result.Buffer.ToArray())}";
            }

            answer.Body.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        }
    }

    private static UpstreamMessage NewMessage(string body, Uri? at = null)
    {
        PooledBuffer buffer = new();
        buffer.Write(Encoding.Latin1.GetBytes(body));
        UpstreamMessage message = new(new Uri(at ?? new Uri("http://upstream"), "/v1/chat?x=1"), buffer);
        HeaderWriter.Add(message.Headers, "x-test", "a b");
        return message;
    }

    private static async Task WaitForAsync(Func<bool> isSo)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (!isSo())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < Patience);
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, Cancellation);
        }
    }

    private Http1Pool NewPool(ScriptedUpstream upstream) => NewPool(upstream.Address);

    private Http1Pool NewPool(Uri address) => new(_loops, _time, address, _ => true, null, TimeSpan.FromSeconds(5));
}
