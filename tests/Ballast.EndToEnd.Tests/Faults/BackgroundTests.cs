using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Ballast.Ledger;

namespace Ballast.EndToEnd.Tests.Faults;

/// <summary>
/// Answers that nobody waits for: worked on where they were asked for, seen by their key alone, and in the ledger once: as the platform bills them, or, where nobody sees the
/// end, as the most that they may cost.
/// </summary>
[Collection("Faults")]
public sealed class BackgroundTests
{
    private const string Queued =
        """{"id":"resp_raw1","object":"response","created_at":1,"status":"queued","background":true,"error":null,"incomplete_details":null,"model":"m","output":[],"usage":null}""";

    private const string Done =
        """
        {"id":"resp_raw1","object":"response","created_at":1,"status":"completed","background":true,"error":null,"incomplete_details":null,"model":"m","output":[{"id":"msg_1","type":"message",
        "status":"completed","role":"assistant","content":[{"type":"output_text","text":"Hello","annotations":[]}]}],"usage":{"input_tokens":3,"input_tokens_details":{"cached_tokens":0},
        "output_tokens":2,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":5}}
        """;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("openai")]
    [InlineData("azure")]
    public async Task Whole_LookedAtUntilItsEnd_IsBilledOnceAndGoesOnAnywhere(string platform)
    {
        await using FaultGateway gateway = await AtSandboxAsync(platform);
        (JsonElement begun, string exchange) = await JsonAsync(gateway, HttpMethod.Post, "/v1/responses", """{"model":"b","background":true,"input":"My name is Ada."}""");
        string path = "/v1/responses/" + begun.GetProperty("id").GetString();
        Assert.Equal("queued", begun.GetProperty("status").GetString());
        Assert.True(begun.GetProperty("store").GetBoolean());
        JsonElement done = await UntilDoneAsync(gateway, path);
        Assert.Equal("completed", done.GetProperty("status").GetString());

        // From here on it is read at the gateway, however often.
        int looks = (await gateway.SettleAsync()).Count;
        Assert.Equal(done.GetRawText(), (await JsonAsync(gateway, HttpMethod.Get, path)).Body.GetRawText());
        Assert.Equal(looks, (await gateway.SettleAsync()).Count);

        (JsonElement next, _) = await JsonAsync(
            gateway, HttpMethod.Post, "/v1/responses", $$"""{"model":"c","previous_response_id":"{{done.GetProperty("id").GetString()}}","input":"What is my name?"}""");
        Assert.Contains("Ada", next.GetRawText(), StringComparison.Ordinal);
        await gateway.ReconcileAsync();
        LedgerEntry[] rows = [.. (await gateway.SettleAsync()).Where(row => row.Operation is "chat" or "state" && row.Deployment.StartsWith(platform, StringComparison.Ordinal))];
        LedgerEntry billed = Assert.Single(rows, static row => row.OutputTokens > 0);
        Assert.Equal((exchange, AttemptOutcome.Completed, false), (billed.ExchangeId, billed.Outcome, billed.IsEstimated));
        Assert.Equal(done.GetProperty("usage").GetProperty("output_tokens").GetInt64(), billed.OutputTokens);
        Assert.All(rows.Where(row => row != billed), static row => Assert.Equal((0L, 0L, 0m), (row.InputTokens, row.OutputTokens, row.CostUsd)));
    }

    [Fact]
    public async Task Stream_ClientHangsUp_IsTakenUpWhereItStoodAndBilledOnce()
    {
        await using FaultGateway gateway = await AtSandboxAsync("openai", latency: 0.2);
        string id;
        int last = -1;
        using (HttpResponseMessage stream = await SendAsync(
            gateway, HttpMethod.Post, "/v1/responses", """{"model":"b","background":true,"stream":true,"input":"Count from 1 to 60."}""", HttpCompletionOption.ResponseHeadersRead))
        {
            using StreamReader reader = new(await stream.Content.ReadAsStreamAsync(Cancellation));
            id = "";
            while (last < 6 && await reader.ReadLineAsync(Cancellation) is { } line)
            {
                if (line.StartsWith("data: ", StringComparison.Ordinal))
                {
                    using JsonDocument data = JsonDocument.Parse(line[6..]);
                    last = data.RootElement.GetProperty("sequence_number").GetInt32();
                    id = data.RootElement.TryGetProperty("response", out JsonElement response) ? response.GetProperty("id").GetString()! : id;
                }
            }
        }

        using HttpResponseMessage resumed = await SendAsync(gateway, HttpMethod.Get, $"/v1/responses/{id}?stream=true&starting_after={last}", null);
        string rest = await resumed.Content.ReadAsStringAsync(Cancellation);
        Assert.Equal("text/event-stream", resumed.Content.Headers.ContentType?.MediaType);
        Assert.Contains($"\"sequence_number\":{last + 1}", rest.Split("\n\n")[0], StringComparison.Ordinal);
        Assert.Contains("event: response.completed", rest, StringComparison.Ordinal);
        await gateway.ReconcileAsync();
        LedgerEntry billed = Assert.Single(await gateway.SettleAsync(), static row => row.OutputTokens > 0);
        Assert.Equal(("chat", false, AttemptOutcome.Completed), (billed.Operation, billed.IsEstimated, billed.Outcome));
    }

    [Fact]
    public async Task Other_KeysAndDeletedOnes_AreNotThere()
    {
        await using FaultGateway gateway = await AtSandboxAsync("openai");
        (JsonElement begun, _) = await JsonAsync(gateway, HttpMethod.Post, "/v1/responses", """{"model":"b","background":true,"input":"Hello"}""");
        string path = "/v1/responses/" + begun.GetProperty("id").GetString();
        await UntilDoneAsync(gateway, path);
        (JsonElement deleted, _) = await JsonAsync(gateway, HttpMethod.Delete, path);
        Assert.True(deleted.GetProperty("deleted").GetBoolean());
        using HttpResponseMessage gone = await SendAsync(gateway, HttpMethod.Get, path, null);
        Assert.Equal(HttpStatusCode.NotFound, gone.StatusCode);

        // It is gone at the platform, too: its own answer to the gateway's deletion is on the bill.
        await gateway.SettleAsync();
        Assert.Contains(gateway.Sandbox.Billing.Rows, row => row.Path == path && row.Status == 200);
    }

    [Fact]
    public async Task End_NobodySees_IsBookedAsTheMostItMayCostAndNeverAgain()
    {
        bool isDone = false;
        await using RawUpstream upstream = new(visit => visit.RespondAsync("200 OK", "Content-Type: application/json\r\n", isDone ? Done : Queued));
        await using FaultGateway gateway = await AtRawAsync(upstream, "background_wait: 50ms");
        string body = """{"model":"b","background":true,"max_output_tokens":700,"input":"Hello"}""";
        await JsonAsync(gateway, HttpMethod.Post, "/v1/responses", body);
        IReadOnlyList<LedgerEntry> rows = await gateway.SettleAsync();
        while (rows.Count == 0)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Cancellation);
            rows = await gateway.SettleAsync();
        }

        LedgerEntry row = Assert.Single(rows);
        Assert.Equal(("background_unseen", AttemptOutcome.Interrupted, true), (row.Reason, row.Outcome, row.IsEstimated));
        Assert.Equal((700L, (long)body.Length), (row.OutputTokens, row.InputTokens));

        isDone = true;
        Assert.Equal("completed", (await JsonAsync(gateway, HttpMethod.Get, "/v1/responses/resp_raw1")).Body.GetProperty("status").GetString());
        Assert.Equal(700, (await gateway.SettleAsync()).Sum(static one => one.OutputTokens));
    }

    [Fact]
    public async Task Look_PlatformIsAway_IsToldAndBillsNothing()
    {
        string status = "200 OK";
        await using RawUpstream upstream = new(visit => visit.RespondAsync(status, "Content-Type: application/json\r\n", status == "200 OK" ? Queued : "{}"));
        await using FaultGateway gateway = await AtRawAsync(upstream, "background_wait: 1h");
        await JsonAsync(gateway, HttpMethod.Post, "/v1/responses", """{"model":"b","background":true,"input":"Hello"}""");
        status = "503 Service Unavailable";
        using HttpResponseMessage refused = await SendAsync(gateway, HttpMethod.Get, "/v1/responses/resp_raw1", null);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.Contains("ballast_provider_unavailable", await refused.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
        LedgerEntry look = Assert.Single(await gateway.SettleAsync());
        Assert.Equal(("state", 0L, 0m), (look.Operation, look.OutputTokens, look.CostUsd));
        Assert.Contains("GET /v1/responses/resp_raw1 ", upstream.Visits.Last().Head, StringComparison.Ordinal);
    }

    private static Task<FaultGateway> AtSandboxAsync(string platform, double latency = 0) => FaultGateway.StartAsync(new FaultSetup
    {
        Models = [("b", [$"{platform}/b=gpt-5-mini"]), ("c", ["anthropic/c=claude-haiku-4-5"])],
        LatencyScale = latency,
    });

    private static Task<FaultGateway> AtRawAsync(RawUpstream upstream, string limit) => FaultGateway.StartAsync(new FaultSetup
    {
        Raw = [("rawo", "openai", upstream)],
        Models = [("b", ["rawo/b=gpt-5-mini"])],
        Limits = [limit],
    });

    private static async Task<JsonElement> UntilDoneAsync(FaultGateway gateway, string path)
    {
        while (true)
        {
            (JsonElement now, _) = await JsonAsync(gateway, HttpMethod.Get, path);
            if (now.GetProperty("status").GetString() is not ("queued" or "in_progress"))
            {
                return now;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Cancellation);
        }
    }

    private static async Task<(JsonElement Body, string Id)> JsonAsync(FaultGateway gateway, HttpMethod method, string path, string? body = null)
    {
        using HttpResponseMessage answer = await SendAsync(gateway, method, path, body);
        string text = await answer.Content.ReadAsStringAsync(Cancellation);
        Assert.True(answer.IsSuccessStatusCode, text);
        using JsonDocument document = JsonDocument.Parse(text);
        return (document.RootElement.Clone(), answer.Headers.GetValues("x-ballast-request-id").Single());
    }

    private static async Task<HttpResponseMessage> SendAsync(
        FaultGateway gateway, HttpMethod method, string path, string? body, HttpCompletionOption until = HttpCompletionOption.ResponseContentRead)
    {
        using HttpRequestMessage request = new(method, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", FaultSetup.Key);
        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
        return await gateway.Http.SendAsync(request, until, Cancellation);
    }
}
