using System.Text.Json;
using Ballast.Guards;
using Ballast.Ledger;
using Ballast.Sandbox;

namespace Ballast.EndToEnd.Tests.Files;

/// <summary>Batches of Anthropic's Messages: checked request by request, run where they were made, known by handles alone, booked when their results are read.</summary>
[Collection("Faults")]
public sealed class MessageBatchesTests : IAsyncLifetime
{
    private const string Path = "/v1/messages/batches";

    private FileHouse _house = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _house = await FileHouse.StartAsync();

    public ValueTask DisposeAsync() => _house.DisposeAsync();

    [Fact]
    public async Task Batch_OfTwoModels_IsBookedOnceAsThePlatformBillsIt()
    {
        string id = await BegunAsync(Request("a", "claude"), Request("b", "sonnet"), Request("c", "claude"), Request("d", "claude", "\"max_tokens\":-1"));
        Assert.Matches("^msgbatch_[0-9a-f]{32}$", id);

        JsonElement ended = await UntilEndedAsync(id);
        Assert.Equal($"{Path}/{id}/results", ended.GetProperty("results_url").GetString());
        Assert.Equal((3, 1), (ended.GetProperty("request_counts").GetProperty("succeeded").GetInt32(), ended.GetProperty("request_counts").GetProperty("errored").GetInt32()));

        using HttpResponseMessage results = await _house.SendAsync(HttpMethod.Get, $"{Path}/{id}/results");
        JsonElement[] lines = [.. (await results.Content.ReadAsStringAsync(Cancellation)).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line => JsonDocument.Parse(line).RootElement)];
        Assert.Equal(["a", "b", "c", "d"], lines.Select(static line => line.GetProperty("custom_id").GetString()));
        Assert.Equal(["succeeded", "succeeded", "succeeded", "errored"], lines.Select(static line => line.GetProperty("result").GetProperty("type").GetString()));
        LedgerEntry[] rows = await _house.RowsAsync(results);
        using HttpResponseMessage again = await _house.SendAsync(HttpMethod.Get, $"{Path}/{id}/results");
        Assert.Equal((0, 0m), (await _house.RowsAsync(again)).Select(static row => (row.InputTokens + row.OutputTokens, row.CostUsd)).Single());

        BillingRow[] bill = [.. _house.Sandbox.Billing.Rows.Where(static row => row.InputTokens > 0)];
        Assert.Equal(["claude-haiku-4-5-20251001", "claude-sonnet-4-5-20250929"], bill.Select(static row => row.Model).Order());
        foreach ((string deployment, string model, decimal input, decimal output) in (ReadOnlySpan<(string, string, decimal, decimal)>)
            [("anthropic/claude", "claude-haiku-4-5-20251001", 0.5m, 2.5m), ("anthropic/sonnet", "claude-sonnet-4-5-20250929", 1.5m, 7.5m)])
        {
            LedgerEntry row = Assert.Single(rows, row => row.Deployment == deployment);
            BillingRow billed = bill.Single(one => one.Model == model);
            Assert.Equal(("message_batch_results", false, AttemptOutcome.Completed, billed.InputTokens, billed.OutputTokens),
                (row.Operation, row.IsEstimated, row.Outcome, row.InputTokens, row.OutputTokens));
            Assert.Equal(((billed.InputTokens * input) + (billed.OutputTokens * output)) / 1_000_000m, row.CostUsd);
        }
    }

    [Fact]
    public async Task Batch_ItsMoneyIsHeldUntilItsResultsAreRead()
    {
        await _house.RestartAsync(_house.Yaml + "budgets: { one: { app: one, usd: 0.02 } }\n");
        string id = await BegunAsync(Request("a", "claude", "\"max_tokens\":4000"));
        BudgetMeter budget = _house.Server.Guard.Meters.Budget("one")!;

        // 4,000 tokens of output at the price of batches are a cent.
        Assert.InRange(budget.Standing.Reserved, 0.0100m, 0.0102m);
        using HttpResponseMessage more = await _house.SendAsync(HttpMethod.Post, Path, content: Body(Request("b", "claude", "\"max_tokens\":4000")));
        Assert.Equal("ballast_budget_exceeded", (await ErrorAsync(more, 402)).Code);

        await UntilEndedAsync(id);
        Assert.InRange(budget.Standing.Reserved, 0.0100m, 0.0102m);
        using HttpResponseMessage results = await _house.SendAsync(HttpMethod.Get, $"{Path}/{id}/results");
        decimal cost = (await _house.RowsAsync(results)).Single().CostUsd!.Value;
        Assert.True(cost > 0);
        Assert.Equal((cost, 0m), (budget.Standing.Spent, budget.Standing.Reserved));

        using HttpResponseMessage now = await _house.SendAsync(HttpMethod.Post, Path, content: Body(Request("b", "claude", "\"max_tokens\":4000")));
        Assert.Equal(200, (int)now.StatusCode);
    }

    [Fact]
    public async Task Batch_DeletedUnread_CountsAsTheMostThatItMayCost()
    {
        await _house.RestartAsync(_house.Yaml + "budgets: { one: { app: one, usd: 0.02 } }\n");
        string id = await BegunAsync(Request("a", "claude", "\"max_tokens\":4000"));
        BudgetMeter budget = _house.Server.Guard.Meters.Budget("one")!;
        using HttpResponseMessage early = await _house.SendAsync(HttpMethod.Delete, $"{Path}/{id}");
        Assert.Equal(400, (int)early.StatusCode);
        decimal held = budget.Standing.Reserved;
        Assert.InRange(held, 0.0100m, 0.0102m);
        await UntilEndedAsync(id);

        using HttpResponseMessage deleted = await _house.SendAsync(HttpMethod.Delete, $"{Path}/{id}");

        Assert.Equal((id, "message_batch_deleted"), Told(await FileHouse.JsonAsync(deleted)));
        LedgerEntry row = (await _house.RowsAsync(deleted)).Single();
        Assert.Equal((true, held), (row.IsEstimated, row.CostUsd));
        Assert.Equal((held, 0m), (budget.Standing.Spent, budget.Standing.Reserved));
        using HttpResponseMessage gone = await _house.SendAsync(HttpMethod.Get, $"{Path}/{id}");
        Assert.Equal("ballast_batch_not_found", (await ErrorAsync(gone, 404)).Code);

        static (string?, string?) Told(JsonElement told) => (told.GetProperty("id").GetString(), told.GetProperty("type").GetString());
    }

    /// <summary>Whatever becomes of the process, a batch that runs is held for, and what it cost takes the place of that, once.</summary>
    [Fact]
    public async Task Batch_OverRestarts_StaysHeldUntilItsResultsAreRead()
    {
        string yaml = _house.Yaml + "budgets: { one: { app: one, usd: 0.02 }, all: { app: one, tokens: 100000 } }\n";
        await _house.RestartAsync(yaml);
        string id = await BegunAsync(Request("a", "claude", "\"max_tokens\":4000"));
        (decimal dollars, decimal tokens) = (Standing("one").Reserved, Standing("all").Reserved);
        Assert.InRange(dollars, 0.0100m, 0.0102m);
        Assert.InRange(tokens, 4000, 4400);
        for (int start = 0; start < 2; start++)
        {
            await _house.RestartAsync(yaml);
            Assert.Equal((0m, dollars, 0m, tokens), (Standing("one").Spent, Standing("one").Reserved, Standing("all").Spent, Standing("all").Reserved));
            using HttpResponseMessage more = await _house.SendAsync(HttpMethod.Post, Path, content: Body(Request("b", "claude", "\"max_tokens\":4000")));
            Assert.Equal("ballast_budget_exceeded", (await ErrorAsync(more, 402)).Code);
        }

        await UntilEndedAsync(id);
        using HttpResponseMessage results = await _house.SendAsync(HttpMethod.Get, $"{Path}/{id}/results");
        LedgerEntry row = (await _house.RowsAsync(results)).Single();
        (decimal Spent, decimal Reserved) told = (row.CostUsd!.Value, 0m);
        Assert.True(told.Spent is > 0 and < 0.01m, $"{told.Spent}");
        Assert.Equal((told, (row.InputTokens + row.OutputTokens, 0m)), ((Standing("one").Spent, Standing("one").Reserved), (Standing("all").Spent, Standing("all").Reserved)));
        await _house.RestartAsync(yaml);
        Assert.Equal(told, (Standing("one").Spent, Standing("one").Reserved));

        (decimal Spent, decimal Reserved, BudgetPeriod Period) Standing(string budget) => _house.Server.Guard.Meters.Budget(budget)!.Standing;
    }

    [Fact]
    public async Task Batch_DeletedUnread_CountsAsThatAfterARestartToo()
    {
        string yaml = _house.Yaml + "budgets: { one: { app: one, usd: 0.02 } }\n";
        await _house.RestartAsync(yaml);
        string id = await BegunAsync(Request("a", "claude", "\"max_tokens\":4000"));
        decimal held = _house.Server.Guard.Meters.Budget("one")!.Standing.Reserved;
        await UntilEndedAsync(id);
        using HttpResponseMessage deleted = await _house.SendAsync(HttpMethod.Delete, $"{Path}/{id}");
        Assert.Equal(200, (int)deleted.StatusCode);
        await _house.RestartAsync(yaml);

        Assert.Equal((held, 0m), (_house.Server.Guard.Meters.Budget("one")!.Standing.Spent, _house.Server.Guard.Meters.Budget("one")!.Standing.Reserved));
    }

    [Fact]
    public async Task Batch_OfAnotherApp_DoesNotExist()
    {
        string id = await BegunAsync(Request("a", "claude"));
        await UntilEndedAsync(id);
        int calls = await _house.UpstreamCallsAsync();

        foreach ((HttpMethod method, string action) in ((HttpMethod, string)[])[(HttpMethod.Get, ""), (HttpMethod.Get, "/results"), (HttpMethod.Post, "/cancel"), (HttpMethod.Delete, "")])
        {
            using HttpResponseMessage answer = await _house.SendAsync(method, $"{Path}/{id}{action}", FileHouse.Two);
            Assert.Equal("ballast_batch_not_found", (await ErrorAsync(answer, 404)).Code);
        }

        using HttpResponseMessage list = await _house.SendAsync(HttpMethod.Get, Path, FileHouse.Two);
        Assert.Empty((await FileHouse.JsonAsync(list)).GetProperty("data").EnumerateArray());
        using HttpResponseMessage other = await _house.SendAsync(HttpMethod.Get, $"/v1/batches/{id}");
        Assert.Equal(404, (int)other.StatusCode);
        Assert.Equal(calls, await _house.UpstreamCallsAsync());
    }

    [Theory]
    [InlineData("small", 501, "ballast_operation_not_offered", "request 2")]
    [InlineData("nobody", 404, "ballast_model_not_found", "request 2")]
    [InlineData("anthropic/claude", 403, "ballast_model_not_allowed", "request 2")]
    [InlineData("shaky-claude\",\"model\":\"sonnet", 400, "ballast_invalid_request", "Request 2")]
    [InlineData("sonnet\"}},{\"params\":{\"messages\":[],\"x\":\"", 400, "ballast_invalid_request", "Request 3")]
    public async Task Request_NamesAnotherModel_IsRefusedWithItsNumber(string model, int status, string code, string place)
    {
        using HttpResponseMessage answer = await _house.SendAsync(HttpMethod.Post, Path, content: Body(Request("a", "claude"), Request("b", model)));

        (string? told, string message) = await ErrorAsync(answer, status);
        Assert.Equal(code, told);
        Assert.Contains(place, message, StringComparison.Ordinal);
        Assert.Equal(0, await _house.UpstreamCallsAsync());
    }

    [Fact]
    public async Task Request_OfAKeyThatMayUseLess_IsRefused()
    {
        using HttpResponseMessage answer = await _house.SendAsync(HttpMethod.Post, Path, FileHouse.OneRestricted, Body(Request("a", "claude"), Request("b", "sonnet")));

        Assert.Equal("ballast_model_not_allowed", (await ErrorAsync(answer, 403)).Code);
        Assert.Equal(0, await _house.UpstreamCallsAsync());
    }

    [Fact]
    public async Task Batch_FirstPlaceIsDown_LiesAtTheNextAndStaysThere()
    {
        string id = await BegunAsync(Request("a", "shaky-claude"));
        Assert.Contains(_house.Broken.Visits, static visit => visit.Head.StartsWith("POST /v1/messages/batches", StringComparison.Ordinal));
        await UntilEndedAsync(id);
        await _house.RestartAsync(_house.Yaml);
        await _house.Sandbox.DisappearAsync("anthropic");

        using HttpResponseMessage away = await _house.SendAsync(HttpMethod.Get, $"{Path}/{id}");

        Assert.Equal("ballast_provider_unavailable", (await ErrorAsync(away, 503)).Code);
        Assert.DoesNotContain(_house.Broken.Visits, static visit => visit.Head.StartsWith("GET", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Results_CutInTheirMiddle_AreNotBookedUntilTheyAreReadWhole()
    {
        string id = await BegunAsync(Request("a", "claude"));
        await UntilEndedAsync(id);
        _house.Sandbox.Faults.Add(new FaultRule { Platform = "anthropic", Kind = FaultKind.Cut });
        using (HttpResponseMessage cut = await _house.SendAsync(HttpMethod.Get, $"{Path}/{id}/results", headersOnly: true))
        {
            await Assert.ThrowsAnyAsync<Exception>(() => cut.Content.ReadAsByteArrayAsync(Cancellation));
            Assert.All(await _house.RowsAsync(cut), static row => Assert.Equal(0, row.InputTokens + row.OutputTokens));
        }

        _house.Sandbox.Faults.Clear();
        using HttpResponseMessage whole = await _house.SendAsync(HttpMethod.Get, $"{Path}/{id}/results");
        Assert.True((await _house.RowsAsync(whole)).Single().OutputTokens > 0);
    }

    [Fact]
    public async Task Cancel_BeforeItsEnd_CostsNothing()
    {
        string id = await BegunAsync(Request("a", "claude"));
        using HttpResponseMessage cancelled = await _house.SendAsync(HttpMethod.Post, $"{Path}/{id}/cancel");
        Assert.Equal(id, (await FileHouse.JsonAsync(cancelled)).GetProperty("id").GetString());
        await UntilEndedAsync(id);

        using HttpResponseMessage results = await _house.SendAsync(HttpMethod.Get, $"{Path}/{id}/results");

        Assert.Contains("\"canceled\"", await results.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
        Assert.Equal(0m, (await _house.RowsAsync(results)).Single().CostUsd);
    }

    private async Task<string> BegunAsync(params string[] requests)
    {
        using HttpResponseMessage answer = await _house.SendAsync(HttpMethod.Post, Path, content: Body(requests));
        JsonElement batch = await FileHouse.JsonAsync(answer);
        Assert.Equal("in_progress", batch.GetProperty("processing_status").GetString());
        LedgerEntry row = (await _house.RowsAsync(answer))[^1];
        Assert.Equal(("message_batch_create", 0L, 0m), (row.Operation, row.InputTokens + row.OutputTokens, row.CostUsd));
        return batch.GetProperty("id").GetString()!;
    }

    private async Task<JsonElement> UntilEndedAsync(string id)
    {
        for (int look = 0; look < 400; look++)
        {
            using HttpResponseMessage answer = await _house.SendAsync(HttpMethod.Get, $"{Path}/{id}");
            JsonElement batch = await FileHouse.JsonAsync(answer);
            if (batch.GetProperty("processing_status").GetString() == "ended")
            {
                return batch;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, Cancellation);
        }

        throw new InvalidOperationException("The batch never ends.");
    }

    private static async Task<(string? Code, string Message)> ErrorAsync(HttpResponseMessage answer, int status)
    {
        JsonElement body = await FileHouse.JsonAsync(answer, status);
        Assert.Equal("error", body.GetProperty("type").GetString());
        JsonElement error = body.GetProperty("error");
        Assert.Equal(answer.Headers.GetValues("x-ballast-request-id").Single(), body.GetProperty("request_id").GetString());
        return (error.TryGetProperty("code", out JsonElement code) ? code.GetString() : answer.Headers.GetValues("x-ballast-error").Single(), error.GetProperty("message").GetString()!);
    }

    private static StringContent Body(params string[] requests) => FileHouse.Json($$"""{ "requests" : [{{string.Join(" , ", requests)}}] }""");

    private static string Request(string customId, string model, string more = "\"max_tokens\":200") =>
        $$$"""{"custom_id":"{{{customId}}}","params":{"messages":[{"role":"user","content":"Say hello to {{{customId}}}."}],{{{more}}},"model":"{{{model}}}"}}""";
}
