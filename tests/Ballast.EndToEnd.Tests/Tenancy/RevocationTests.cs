using System.Text.Json;

namespace Ballast.EndToEnd.Tests.Tenancy;

/// <summary>Keys are taken back under load.</summary>
public sealed class RevocationTests
{
    private const int Keys = 60;
    private const int Hammers = 12;
    private const string Body = """{"model":"priced","messages":[{"role":"user","content":"Hi"}]}""";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>No request that begins once the revocation is answered gets in; that is less than any second. Requests that had begun may end.</summary>
    [Fact]
    public async Task Revoke_KeysUnderLoad_CountsFromTheAnswerOn()
    {
        await using TenantGateway gateway = await TenantGateway.StartAsync("");
        string[] keys = new string[Keys];
        string[] ids = new string[Keys];
        for (int i = 0; i < Keys; i++)
        {
            (int status, JsonElement made) = await gateway.AdministerAsync("POST", "/admin/v1/keys", """{"app":"tests"}""");
            Assert.Equal(201, status);
            (keys[i], ids[i]) = (made.GetProperty("key").GetString()!, made.GetProperty("id").GetString()!);
        }

        bool[] isRevoked = new bool[Keys];
        int late = 0, served = 0;
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        Task[] hammers =
        [
            .. Enumerable.Range(0, Hammers).Select(number => Task.Run(async () =>
            {
                Random random = new(number);
                while (!stop.IsCancellationRequested)
                {
                    int key = random.Next(Keys);
                    bool wasRevoked = Volatile.Read(ref isRevoked[key]);
                    (int status, _, _) = await gateway.AskAsync("/v1/chat/completions", Body, keys[key]);
                    Assert.True(status is 200 or 401 or 429, $"{status}"); // wrong keys of one address are counted, too
                    Interlocked.Add(ref late, wasRevoked && status == 200 ? 1 : 0);
                    Interlocked.Add(ref served, status == 200 ? 1 : 0);
                }
            })),
        ];
        List<TimeSpan> latencies = [];
        for (int i = 0; i < Keys; i++)
        {
            long start = TimeProvider.System.GetTimestamp();
            (int status, _) = await gateway.AdministerAsync("POST", $"/admin/v1/keys/{ids[i]}/revoke", "{}");
            latencies.Add(TimeProvider.System.GetElapsedTime(start));
            Volatile.Write(ref isRevoked[i], true);
            Assert.Equal(200, status);
            Assert.True((await gateway.AskAsync("/v1/chat/completions", Body, keys[i])).Status is 401 or 429);
        }

        await stop.CancelAsync();
        await Task.WhenAll(hammers);

        Assert.Equal(0, late);
        Assert.True(served > 0, "there was no load");
        TestContext.Current.SendDiagnosticMessage($"revocation answered within {latencies.Order().ElementAt(Keys * 99 / 100).TotalMilliseconds:0} ms (99 %) under load of {served} answers");
    }
}
