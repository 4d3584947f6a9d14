using System.Net;
using System.Text;
using Ballast.Server;
using Ballast.Tests.Transport.Http1;
using Ballast.Transport;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ballast.Tests.Server;

/// <summary>
/// The program's engine beside Kestrel: what it takes, Kestrel takes too, and both see the same request in it. It may refuse more, never less: a request that only one
/// of two servers sees is how requests are smuggled.
/// </summary>
public sealed class EngineDifferenceTests : IAsyncLifetime
{
    private readonly EventLoops _loops = new(TimeProvider.System, 1);
    private ClientPort _engine = null!;
    private ClientPort _kestrel = null!;
    private IPEndPoint _engineAddress = null!;
    private IPEndPoint _kestrelAddress = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _engine = ClientPort.Open(new Uri("http://127.0.0.1:0"), _loops, NullLoggerFactory.Instance);
        _kestrel = ClientPort.Open(new Uri("http://127.0.0.1:0"), null, NullLoggerFactory.Instance);
        _engineAddress = AddressOf(await _engine.StartAsync(EchoHandler.AnswerAsync, Cancellation));
        _kestrelAddress = AddressOf(await _kestrel.StartAsync(EchoHandler.AnswerAsync, Cancellation));
    }

    public async ValueTask DisposeAsync()
    {
        await _engine.DisposeAsync();
        await _kestrel.DisposeAsync();
        _loops.Dispose();
    }

    public static TheoryData<string> Requests() =>
    [
        "GET /a HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /a?b=c&d HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /a%20b/%C3%A9/x%2Fy/%2f/%41 HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /v1/models/%2561 HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /bad%zz%4 HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET http://h/a HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /a HTTP/1.0\r\n\r\n",
        "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody",
        "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nbo\r\n2;x=\"y\"\r\ndy\r\n0\r\n\r\n",
        "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\nTrailer: 1\r\nOther: 2\r\n\r\n",
        "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n000004\r\nbody\r\n00\r\n\r\n",
        "POST /a HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /a HTTP/1.1\r\nHost: h\r\nX-Echo: \t one \t \r\n\r\n",
        "GET /a HTTP/1.1\r\nHost: h\r\nX-Echo: one\r\nx-echo: two\r\n\r\n",
        "GET /a HTTP/1.1\r\nHost: h\r\nX-Echo: caf\u00e9\r\n\r\n",
        "GET /a HTTP/1.1\r\nHost: h\r\nX-Echo:\r\n\r\n",
        "DELETE /a HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
        "OPTIONS /a HTTP/1.1\r\nHost: h:80\r\n\r\n",
    ];

    [Theory]
    [MemberData(nameof(Requests))]
    public async Task Request_ThatIsGood_IsTheSameToBoth(string request)
    {
        string kestrel = await AskAsync(_kestrelAddress, request);
        Assert.StartsWith("200 ", kestrel, StringComparison.Ordinal);
        Assert.Equal(kestrel, await AskAsync(_engineAddress, request));
    }

    [Theory]
    [MemberData(nameof(RequestHeadTests.Refused), MemberType = typeof(RequestHeadTests))]
    [MemberData(nameof(RequestHeadTests.Ambiguous), MemberType = typeof(RequestHeadTests))]
    public async Task Head_ThatIsOdd_IsTakenByTheEngineOnlyIfKestrelDoes(string head, int status)
    {
        Assert.InRange(status, 400, 505);
        Assert.False(await CompareAsync(head));
    }

    /// <summary>Bent requests: whatever the engine answers with 200, Kestrel answers with the same.</summary>
    [Fact]
    public async Task Requests_Bent_AreTakenByTheEngineOnlyIfKestrelDoes()
    {
        byte[][] seeds = [.. Requests().Select(row => Encoding.UTF8.GetBytes(row.Data))];
        byte[] alphabet = [.. "\r\n :,;\t\0aZ0/?%"u8, 0x7F, 0x80, 0xFF];
        Random random = new(int.TryParse(Environment.GetEnvironmentVariable("BALLAST_SEED"), out int seed) ? seed : 3);
        List<string> requests = [];
        for (int round = 0; round < 400; round++)
        {
            List<byte> bent = [.. seeds[random.Next(seeds.Length)]];
            int at = random.Next(bent.Count);
            switch (random.Next(3))
            {
                case 0:
                    bent[at] = alphabet[random.Next(alphabet.Length)];
                    break;
                case 1:
                    bent.Insert(at, alphabet[random.Next(alphabet.Length)]);
                    break;
                default:
                    bent.RemoveAt(at);
                    break;
            }

            requests.Add(Encoding.Latin1.GetString([.. bent]));
        }

        // Side by side: some leave both servers waiting for more of a body, each until its patience ends.
        int taken = 0;
        await Parallel.ForEachAsync(requests, new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = Cancellation }, async (request, _) =>
        {
            if (await CompareAsync(request, Encoding.Latin1))
            {
                Interlocked.Increment(ref taken);
            }
        });
        Assert.InRange(taken, 40, 360);
    }

    private async Task<bool> CompareAsync(string request, Encoding? encoding = null)
    {
        string engine = await AskAsync(_engineAddress, request, encoding);
        if (!engine.StartsWith("200 ", StringComparison.Ordinal))
        {
            return false;
        }

        string kestrel = await AskAsync(_kestrelAddress, request, encoding);
        string agreed = engine.Split("refused")[0];
        Assert.True(agreed.Length == engine.Length ? kestrel == engine : kestrel.StartsWith(agreed, StringComparison.Ordinal), $"{request}\nengine: {engine}\nKestrel: {kestrel}");
        return true;
    }

    /// <summary>Everything that comes back for these bytes, without what each server says of itself: refusals may differ in their reasons.</summary>
    private static async Task<string> AskAsync(IPEndPoint address, string request, Encoding? encoding = null)
    {
        using RawClient client = await RawClient.ConnectAsync(address);
        // A second request tells where the first one ended.
        await client.SendAsync((encoding ?? Encoding.UTF8).GetBytes(request + "GET /second HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
        string all;
        try
        {
            all = await client.ReadToEndAsync();
        }
        catch (System.Net.Sockets.SocketException)
        {
            return "reset";
        }

        string[] answers = all.Split("HTTP/1.1 ", StringSplitOptions.RemoveEmptyEntries);
        return string.Join(" | ", answers.Select(answer =>
            answer.StartsWith("200", StringComparison.Ordinal) ? "200 " + answer[(answer.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..] : "refused"));
    }

    private static IPEndPoint AddressOf(Uri address) => IPEndPoint.Parse(address.Authority);
}
