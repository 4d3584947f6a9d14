using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Ballast.EndToEnd.Tests.Faults;

/// <summary>Raw bytes on both sides: no value of a caller or an upstream puts a line of its own on the other side's wire, and nothing crosses that is not on the list.</summary>
[Collection("Faults")]
public sealed class HeaderSafetyTests : IAsyncLifetime
{
    private static readonly string[] Hostile =
    [
        "a\r\nx-evil: 1", "a\nx-evil: 1", "a\rx-evil: 1", "a\0x-evil", "a\u00e9\u00ff", "a\tb", "a\u2028x-evil: 1", "a%0d%0ax-evil:%201", "\u560a\u560dx-evil: 1",
        new('a', 64 * 1024),
    ];

    private static readonly string[] UpstreamHeaders = ["host", "accept", "user-agent", "x-client-request-id", "authorization", "x-api-key", "anthropic-version", "anthropic-beta", "content-type", "content-length"];

    private string _extra = "";
    private RawUpstream _openai = null!;
    private RawUpstream _anthropic = null!;
    private FaultGateway _gateway = null!;

    public async ValueTask InitializeAsync()
    {
        _openai = new RawUpstream(visit => AnswerAsync(visit, false));
        _anthropic = new RawUpstream(visit => AnswerAsync(visit, true));
        _gateway = await FaultGateway.StartAsync(new FaultSetup
        {
            Raw = [("rawo", "openai-compatible", _openai), ("rawa", "anthropic", _anthropic)],
            Models = [("o", ["rawo/m=m"]), ("a", ["rawa/m=m"])],
            Limits = ["breaker_failures: 1000"],
        });
    }

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _openai.DisposeAsync();
        await _anthropic.DisposeAsync();
    }

    [Fact]
    public async Task CallerValues_Hostile_PutNoLineOnTheUpstreamsWireOrTheAnswers()
    {
        foreach (string value in Hostile)
        {
            foreach (string header in (string[])["anthropic-version", "anthropic-beta", "x-stainless-retry-count", "x-request-id", "authorization"])
            {
                CheckHead(await ExchangeAsync(Caller.Anthropic.Raw("a", stream: true, headers: $"{header}: {value}\r\n")));
            }

            foreach (string model in (string[])[value, "a/" + value, "rawa/" + value])
            {
                CheckHead(await ExchangeAsync(Caller.Anthropic.Raw(model, stream: false)));
                CheckHead(await ExchangeAsync(Caller.OpenAI.Raw(model, stream: true)));
            }
        }

        CheckUpstream();
    }

    [Fact]
    public async Task CallerHeaders_OffTheList_DoNotGoUpstream()
    {
        string headers = "connection: keep-alive, x-hop\r\nx-hop: 1\r\nkeep-alive: 5\r\nte: trailers\r\nupgrade: h2c\r\nproxy-authorization: Basic eA==\r\ncookie: a=b\r\n"
            + "x-forwarded-for: 10.0.0.1\r\nopenai-organization: org-evil\r\nx-custom-host: evil\r\naccept-encoding: gzip\r\nreferer: http://evil/\r\ntraceparent: 00-1-1-00\r\n"
            + "expect-ct: 1\r\norigin: http://evil\r\nuser-agent: evil/1\r\nx-client-request-id: evil\r\nanthropic-beta: tools-2024\r\n";
        foreach (string model in (string[])["o", "a"])
        {
            foreach (Caller caller in Caller.All)
            {
                CheckHead(await ExchangeAsync(caller.Raw(model, stream: true, headers: headers)));
            }
        }

        CheckUpstream();
        Assert.Equal(4, _openai.Visits.Count + _anthropic.Visits.Count);
        Assert.All([.. _openai.Visits, .. _anthropic.Visits], visit => Assert.DoesNotContain("evil", visit.Head, StringComparison.OrdinalIgnoreCase));
        Assert.All(_openai.Visits, visit => Assert.DoesNotContain("anthropic-", visit.Head, StringComparison.OrdinalIgnoreCase));
        Assert.Single(_anthropic.Visits, visit => visit.Head.Contains("anthropic-beta: tools-2024", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task UpstreamHeaders_HostileOrOffTheList_DoNotReachTheClient()
    {
        string[] named = ["x-request-id", "request-id", "x-ratelimit-limit-requests", "x-ratelimit-reset-requests", "anthropic-ratelimit-requests-reset", "anthropic-ratelimit-requests-limit", "retry-after"];
        string offTheList = "set-cookie: session=secret\r\nserver: secret/1\r\nx-evil: secret\r\nconnection: x-evil, close\r\nopenai-organization: org-secret\r\nvia: secret\r\nalt-svc: secret\r\n";
        foreach (string value in (string[])["ok", "a\rx-evil: 1", "a\0b", "\u00e9\u00ff", new string('1', 20_000), "9e99999", "-1", "99999999999999999999"])
        {
            _extra = offTheList + string.Concat(named.Select(name => $"{name}: {value}\r\n"));
            foreach (string model in (string[])["o", "a"])
            {
                foreach (Caller caller in Caller.All)
                {
                    string answer = await ExchangeAsync(caller.Raw(model, stream: true));
                    CheckHead(answer);
                    Assert.DoesNotContain("secret", answer, StringComparison.OrdinalIgnoreCase);
                }
            }
        }
    }

    private static void CheckHead(string answer)
    {
        Assert.True(answer.StartsWith("HTTP/1.1 ", StringComparison.Ordinal), answer);
        Assert.False(answer.StartsWith("HTTP/1.1 500", StringComparison.Ordinal), answer);
        string head = answer[..answer.IndexOf("\r\n\r\n", StringComparison.Ordinal)];
        foreach (string line in head.Split("\r\n"))
        {
            Assert.DoesNotContain('\r', line);
            Assert.DoesNotContain('\n', line);
            Assert.False(line.StartsWith("x-evil", StringComparison.OrdinalIgnoreCase), head);
            Assert.True(line.All(c => c is >= ' ' and <= '~'), head);
            Assert.True(line.Length < 8300, line);
        }
    }

    private void CheckUpstream()
    {
        foreach (RawVisit visit in (RawVisit[])[.. _openai.Visits, .. _anthropic.Visits])
        {
            string[] lines = visit.Head.Split("\r\n");
            Assert.Matches("^POST /v1/(messages|chat/completions) HTTP/1.1$", lines[0]);
            foreach (string line in lines[1..])
            {
                Assert.True(line.IndexOfAny(['\r', '\n', '\0']) < 0, visit.Head);
                Assert.Contains(line[..Math.Max(line.IndexOf(':'), 0)].ToLowerInvariant(), UpstreamHeaders);
            }
        }
    }

    private Task AnswerAsync(RawVisit visit, bool isAnthropic)
    {
        string answer = RawWire.Answer(visit, isAnthropic);
        int lineEnd = answer.IndexOf("\r\n", StringComparison.Ordinal) + 2;
        return visit.WriteAsync(answer[..lineEnd] + _extra + answer[lineEnd..]);
    }

    private async Task<string> ExchangeAsync(string request)
    {
        using Socket socket = new(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, _gateway.Server.Address.Port, TestContext.Current.CancellationToken);
        int bodyAt = request.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        await socket.SendAsync((byte[])[.. Encoding.Latin1.GetBytes(request[..bodyAt]), .. Encoding.UTF8.GetBytes(request[bodyAt..])], TestContext.Current.CancellationToken);
        using MemoryStream received = new();
        byte[] part = new byte[32 * 1024];
        string text = "";
        while (!IsWhole(text))
        {
            int read = await socket.ReceiveAsync(part, TestContext.Current.CancellationToken);
            if (read == 0)
            {
                break;
            }

            received.Write(part, 0, read);
            text = Encoding.Latin1.GetString(received.GetBuffer(), 0, (int)received.Length);
        }

        return text;
    }

    private static bool IsWhole(string text)
    {
        int head = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        if (head < 0)
        {
            return false;
        }

        string? length = text[..head].Split("\r\n").FirstOrDefault(line => line.StartsWith("content-length:", StringComparison.OrdinalIgnoreCase));
        return length is null
            ? text.EndsWith("0\r\n\r\n", StringComparison.Ordinal)
            : text.Length >= head + 4 + int.Parse(length["content-length:".Length..], null);
    }
}
