using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Ballast.EndToEnd.Tests.Fixtures;
using Ballast.Ledger;

namespace Ballast.EndToEnd.Tests.Faults;

/// <summary>Nothing that a client or an upstream does makes the gateway hold more than its named limits.</summary>
[Collection("Faults")]
public sealed class BoundsTests
{
    private const long MiB = 1024 * 1024;

    [Fact]
    public async Task SlowReaders_FastUpstream_AreWaitedForAndNobodyIsBlamed()
    {
        const int readers = 10;
        long pushed = 0;
        string chunk = RawWire.Events(isAnthropic: false)[1];
        byte[] block = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(chunk, 400)));
        await using RawUpstream upstream = new(async visit =>
        {
            await visit.WriteAsync(RawWire.StreamHead);
            while (true)
            {
                await visit.WriteAsync(block);
                Interlocked.Add(ref pushed, block.Length);
            }
        });
        await using FaultGateway gateway = await StartAsync(upstream, "idle_timeout: 1s");
        long before = GC.GetTotalMemory(forceFullCollection: true);
        List<Socket> clients = [];
        for (int i = 0; i < readers; i++)
        {
            clients.Add(await SendAsync(gateway, Caller.OpenAI.Raw("o", stream: true), receiveBufferBytes: 4096));
        }

        byte[] part = new byte[1024];
        for (int tenth = 0; tenth < 30; tenth++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, TestContext.Current.CancellationToken);
            foreach (Socket client in clients)
            {
                await client.ReceiveAsync(part, TestContext.Current.CancellationToken);
            }
        }

        // Far past the idle limit, every stream still stands: it was the client who was waited for.
        Assert.Equal(readers, gateway.Server.Guard.Running);

        // What the upstream could push is what the kernel and the gateway hold: sockets' buffers, and no more than a megabyte of the gateway's own for a stream.
        Assert.InRange(Interlocked.Read(ref pushed) / readers, 0, 8 * MiB);
        // Others use this process' memory, too, and let go of it again.
        Assert.True(await GatewayHost.UntilAsync(() => Task.FromResult(GC.GetTotalMemory(forceFullCollection: true) - before <= readers * MiB), TimeSpan.FromSeconds(60)), "the gateway holds more than a megabyte for a stream");

        // Now they read on, past all that was buffered: no clock has run out meanwhile, and no stream has ended.
        byte[] large = new byte[256 * 1024];
        foreach (Socket client in clients)
        {
            for (long received = 0; received < 12 * MiB;)
            {
                int read = await client.ReceiveAsync(large, TestContext.Current.CancellationToken);
                Assert.True(read > 0 && !Encoding.ASCII.GetString(large, 0, read).Contains("upstream_timeout", StringComparison.Ordinal), "a stream has ended");
                received += read;
            }
        }

        Assert.Equal(readers, gateway.Server.Guard.Running);
        clients.ForEach(client => client.Dispose());
        IReadOnlyList<LedgerEntry> rows = await gateway.SettleAsync();
        Assert.All(rows, row => Assert.Equal(AttemptOutcome.Cancelled, row.Outcome));
        Assert.Equal(readers, rows.Count);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task EndlessLine_OfAnUpstream_IsCutAtTheFrameLimit(bool isCommitted)
    {
        const long gibibyte = 1024 * MiB;
        long sent = 0;
        byte[] block = new byte[256 * 1024];
        Array.Fill(block, (byte)'x');
        await using RawUpstream upstream = new(async visit =>
        {
            await visit.WriteAsync(RawWire.StreamHead + (isCommitted ? string.Concat(RawWire.Events(false)[..3]) : ""));
            for (; sent < gibibyte; sent += block.Length)
            {
                await visit.WriteAsync(block);
            }
        });
        await using FaultGateway gateway = await StartAsync(upstream);
        Process.GetCurrentProcess().Refresh();
        long before = Environment.WorkingSet;

        ClientAnswer answer = await gateway.AskAsync(Caller.OpenAI, "o", stream: true);

        Assert.True(answer is { IsError: true, IsComplete: false, ErrorCode: "upstream_malformed" } && answer.Status == (isCommitted ? 200 : 502), answer.ToString());
        Assert.InRange(sent, 8 * MiB, 24 * MiB);
        Assert.InRange(Environment.WorkingSet - before, long.MinValue, 160 * MiB);
    }

    [Fact]
    public async Task HeldStream_WithoutContent_IsCutAtItsLimit()
    {
        long sent = 0;
        string comments = string.Concat(Enumerable.Repeat(RawWire.Ping(false), 4000));
        await using RawUpstream upstream = new(async visit =>
        {
            await visit.WriteAsync(RawWire.StreamHead);
            while (true)
            {
                await visit.WriteAsync(comments);
                sent += comments.Length;
            }
        });
        await using FaultGateway gateway = await StartAsync(upstream, "held_max: 256KiB");

        ClientAnswer answer = await gateway.AskAsync(Caller.OpenAI, "o", stream: true);

        Assert.True(answer is { Status: 502, ErrorCode: "upstream_held_too_much" }, answer.ToString());
        Assert.InRange(sent, 0, 16 * MiB);
    }

    [Fact]
    public async Task WholeAnswer_LargerThanTheLimit_IsRefused()
    {
        await using RawUpstream upstream = new(async visit =>
        {
            await visit.WriteAsync(RawWire.JsonHead + "{");
            while (true)
            {
                await visit.WriteAsync(new byte[64 * 1024]);
            }
        });
        await using FaultGateway gateway = await StartAsync(upstream, "response_body_max: 1MiB");

        ClientAnswer answer = await gateway.AskAsync(Caller.Anthropic, "o", stream: false);

        Assert.True(answer is { Status: 502, ErrorCode: "upstream_held_too_much" }, answer.ToString());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task RequestBody_LargerThanTheLimit_Is413OfTheProtocol(bool isChunked)
    {
        await using RawUpstream upstream = new(visit => visit.WriteAsync(RawWire.Answer(visit, isAnthropic: false)));
        await using FaultGateway gateway = await StartAsync(upstream, isChunked ? "request_body_max: 1MiB" : "request_body_max: 32MiB");
        foreach (Caller caller in Caller.All)
        {
            using HttpRequestMessage request = caller.NewRequest("o", stream: false, prompt: new string('x', (int)((isChunked ? 2 : 32) * MiB)));
            request.Headers.TransferEncodingChunked = isChunked;
            request.Headers.ExpectContinue = true;

            ClientAnswer answer = await ClientAnswer.SendAsync(gateway.Http, caller, stream: false, request);

            Assert.True(answer is { Status: 413, ErrorCode: "ballast_body_too_large" } && answer.ErrorId == answer.Id, answer.ToString());
            Assert.Equal(caller.IsAnthropic ? "request_too_large" : "invalid_request_error", answer.ErrorType);
        }

        Assert.Equal(0, upstream.Connects);
    }

    [Fact]
    public async Task HeaderBombAndIdleConnections_OfClients_DisturbNobody()
    {
        await using RawUpstream upstream = new(visit => visit.WriteAsync(RawWire.Answer(visit, isAnthropic: false)));
        await using FaultGateway gateway = await StartAsync(upstream);
        List<Socket> idle = [];
        for (int i = 0; i < 1000; i++)
        {
            idle.Add(await SendAsync(gateway, i % 2 == 0 ? "" : "POST /v1/chat/completions HTTP/1.1\r\nhost: gateway\r\n"));
        }

        foreach (string bomb in (string[])[string.Concat(Enumerable.Range(0, 500).Select(i => $"x-{i}: y\r\n")), $"x: {new string('y', 100_000)}\r\n"])
        {
            using Socket bomber = await SendAsync(gateway, Caller.OpenAI.Raw("o", stream: false, headers: bomb));
            byte[] part = new byte[64];
            int read = await bomber.ReceiveAsync(part, TestContext.Current.CancellationToken);
            Assert.StartsWith("HTTP/1.1 431", Encoding.ASCII.GetString(part, 0, read), StringComparison.Ordinal);
        }

        long start = TimeProvider.System.GetTimestamp();
        for (int i = 0; i < 20; i++)
        {
            ClientAnswer answer = await gateway.AskAsync(Caller.OpenAI, "o", stream: i % 2 == 0);
            Assert.True(answer is { IsComplete: true, Attempts: "1" }, answer.ToString());
        }

        Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(20), "requests are disturbed");
        idle.ForEach(client => client.Dispose());
    }

    private static Task<FaultGateway> StartAsync(RawUpstream upstream, params string[] limits) => FaultGateway.StartAsync(new FaultSetup
    {
        Raw = [("rawo", "openai-compatible", upstream)], Models = [("o", ["rawo/m=m"])], Limits = limits,
    });

    private static async Task<Socket> SendAsync(FaultGateway gateway, string text, int? receiveBufferBytes = null)
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        if (receiveBufferBytes is { } bytes)
        {
            socket.ReceiveBufferSize = bytes;
        }

        await socket.ConnectAsync(IPAddress.Loopback, gateway.Server.Address.Port, TestContext.Current.CancellationToken);
        await socket.SendAsync(Encoding.UTF8.GetBytes(text), TestContext.Current.CancellationToken);
        return socket;
    }
}
