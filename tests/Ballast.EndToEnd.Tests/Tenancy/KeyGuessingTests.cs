using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.RegularExpressions;
using Ballast.Tenancy;

namespace Ballast.EndToEnd.Tests.Tenancy;

/// <summary>Somebody tries keys at the real gateway, over real connections.</summary>
public sealed partial class KeyGuessingTests
{
    private const string Path = "/v1/chat/completions";
    private const string Body = """{"model":"priced","messages":[{"role":"user","content":"Hi"}]}""";
    private const int TriesPerMinute = 20;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public Task Try_WrongKeysFromOneAddress_AreThrottledAndNobodyElseIs() => TryAsync(2_000);

    [LongFact]
    public Task Try_AMillionWrongKeysFromOneAddress_AreThrottledAndNobodyElseIs() => TryAsync(1_000_000);

    /// <summary>Every sort of wrong key gets the same answer, from addresses that are not throttled yet.</summary>
    [Fact]
    public async Task Try_UnknownRevokedExpiredMistyped_GetTheSameAnswer()
    {
        await using TenantGateway gateway = await TenantGateway.StartAsync("");
        string revoked = await MakeKeyAsync(gateway, """{"id":"revoked","app":"tests"}""");
        string expired = await MakeKeyAsync(gateway, $$"""{"app":"tests","expires_at":"{{TimeProvider.System.GetUtcNow().AddSeconds(1):yyyy-MM-dd'T'HH:mm:ss.fff'Z'}}"}""");
        Assert.Equal(200, (await gateway.AdministerAsync("POST", "/admin/v1/keys/revoked/revoke", "{}")).Status);
        string mistyped = revoked[..^1] + (revoked[^1] == '0' ? '1' : '0');
        await Task.Delay(TimeSpan.FromSeconds(1.5), TimeProvider.System, Cancellation);

        HashSet<string> answers = [];
        foreach (string key in new[] { KeyText.MakeKey(), revoked, expired, mistyped, "short" })
        {
            using HttpClient http = From("127.0.0.3", gateway.Server.Address);
            using HttpResponseMessage response = await http.SendAsync(TenantGateway.NewRequest(Path, Body, key), Cancellation);
            string headers = string.Join('\n', response.Headers.Where(static header => header.Key != "Date").Select(static header => $"{header.Key}: {string.Join(',', header.Value)}"));
            answers.Add(ExchangeIds().Replace($"{(int)response.StatusCode}\n{headers}\n{await response.Content.ReadAsStringAsync(Cancellation)}", "ID"));
        }

        string answer = Assert.Single(answers);
        Assert.StartsWith("401\n", answer, StringComparison.Ordinal);
        Assert.Contains("ID", answer, StringComparison.Ordinal);
    }

    private static async Task TryAsync(int count)
    {
        await using TenantGateway gateway = await TenantGateway.StartAsync("");
        string made = await MakeKeyAsync(gateway, """{"app":"tests"}""");
        Random random = new(11);
        string[] wrong =
        [
            .. Enumerable.Range(0, 400).Select(i => (i % 4) switch
            {
                0 => KeyText.MakeKey(),
                1 => made[..^1] + "x",
                2 => "wrong-" + random.GetHexString(12),
                _ => random.GetHexString(1 + random.Next(200)),
            }),
        ];
        int tried = 0, throttled = 0, next = -1;
        long start = TimeProvider.System.GetTimestamp();
        using HttpClient guesser = From("127.0.0.2", gateway.Server.Address);
        await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(async () =>
        {
            while (Interlocked.Increment(ref next) is var number && number < count)
            {
                using HttpResponseMessage response = await guesser.SendAsync(TenantGateway.NewRequest(Path, Body, wrong[number % wrong.Length]), Cancellation);
                if (response.StatusCode == HttpStatusCode.TooManyRequests)
                {
                    Assert.InRange(response.Headers.RetryAfter?.Delta ?? default, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(70));
                    Interlocked.Increment(ref throttled);
                }
                else
                {
                    Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
                    Interlocked.Increment(ref tried);
                }
            }
        })));
        TimeSpan took = TimeProvider.System.GetElapsedTime(start);
        using HttpResponseMessage shared = await guesser.SendAsync(TenantGateway.NewRequest(Path, Body, made), Cancellation);
        using HttpResponseMessage guessable = await guesser.SendAsync(TenantGateway.NewRequest(Path, Body, TenantGateway.Key), Cancellation);
        (int others, _, _) = await gateway.AskAsync(Path, Body);

        Assert.InRange(tried, 1, TriesPerMinute * (1 + (int)took.TotalMinutes));
        Assert.Equal(count, tried + throttled);
        Assert.Equal(HttpStatusCode.OK, shared.StatusCode); // behind the same address, with a key that nobody can guess
        Assert.True(took > TimeSpan.FromSeconds(50) || guessable.StatusCode == HttpStatusCode.TooManyRequests, "a key that can be guessed was looked at");
        Assert.Equal(200, others);
        Assert.DoesNotContain(gateway.Log.All.Take(20_000), line => wrong.Any(key => key.Length > 12 && line.Contains(key, StringComparison.Ordinal)));
        TestContext.Current.SendDiagnosticMessage($"{tried} of {count} wrong keys looked at within {took.TotalSeconds:0.0} s");
    }

    private static async Task<string> MakeKeyAsync(TenantGateway gateway, string body)
    {
        (int status, JsonElement made) = await gateway.AdministerAsync("POST", "/admin/v1/keys", body);
        Assert.Equal(201, status);
        return made.GetProperty("key").GetString()!;
    }

    /// <summary>A client of its own address.</summary>
    private static HttpClient From(string address, Uri to) => new(new SocketsHttpHandler
    {
        UseProxy = false,
        ConnectCallback = async (context, cancellation) =>
        {
            Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            socket.Bind(new IPEndPoint(IPAddress.Parse(address).MapToIPv6(), 0));
            await socket.ConnectAsync(IPAddress.Parse(context.DnsEndPoint.Host).MapToIPv6(), context.DnsEndPoint.Port, cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        },
    }) { BaseAddress = to, Timeout = TimeSpan.FromSeconds(120) };

    [GeneratedRegex("[a-z]*_?[0-9a-hjkmnp-tv-zA-HJKMNP-TV-Z]{24,}")]
    private static partial Regex ExchangeIds();
}
