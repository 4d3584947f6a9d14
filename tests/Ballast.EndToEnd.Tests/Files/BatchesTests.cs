using System.ClientModel;
using System.ClientModel.Primitives;
using System.Text.Json;
using Ballast.Ledger;
using OpenAI;
using OpenAI.Batch;
using OpenAI.Files;

namespace Ballast.EndToEnd.Tests.Files;

/// <summary>Batches run where their input lies, under the names that models have there.</summary>
[Collection("Faults")]
public sealed class BatchesTests : IAsyncLifetime
{
    private FileHouse _house = null!;

    public async ValueTask InitializeAsync() => _house = await FileHouse.StartAsync();

    public ValueTask DisposeAsync() => _house.DisposeAsync();

    [Fact]
    public async Task Batch_FromInputToOutput_IsKnownByHandlesAlone()
    {
        string input = await _house.UploadedAsync(Line("a", "small") + "\n" + Line("b", "small") + "\n\n", "batch");
        using HttpResponseMessage begun = await _house.BeginBatchAsync(input);
        JsonElement batch = await FileHouse.JsonAsync(begun);
        string id = batch.GetProperty("id").GetString()!;

        Assert.Matches("^batch_[0-9a-f]{32}$", id);
        Assert.Equal((input, input), (batch.GetProperty("input_file_id").GetString(), batch.GetProperty("metadata").GetProperty("a").GetString()));
        LedgerEntry row = (await _house.RowsAsync(begun)).Single();
        Assert.Equal(("batch_create", "openai/small", "small", true, null), (row.Operation, row.Deployment, row.RequestedModel, row.IsEstimated, row.CostUsd));

        JsonElement ended = await _house.UntilAsync(id, "completed");
        string output = ended.GetProperty("output_file_id").GetString()!;
        Assert.Matches("^file-[0-9a-f]{32}$", output);
        Assert.Equal(JsonValueKind.Null, ended.GetProperty("error_file_id").ValueKind);
        Assert.Equal(input, ended.GetProperty("input_file_id").GetString());

        using HttpResponseMessage content = await _house.SendAsync(HttpMethod.Get, $"/v1/files/{output}/content");
        string[] lines = (await content.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(["a", "b"], lines.Select(line => JsonDocument.Parse(line).RootElement.GetProperty("custom_id").GetString()));
        Assert.All(lines, line => Assert.Equal("gpt-5-mini-2025-08-07", JsonDocument.Parse(line).RootElement.GetProperty("response").GetProperty("body").GetProperty("model").GetString()));

        JsonElement again = await _house.UntilAsync(id, "completed");
        Assert.Equal(ended.GetRawText(), again.GetRawText());
        using HttpResponseMessage list = await _house.SendAsync(HttpMethod.Get, "/v1/batches?limit=5");
        Assert.Equal(ended.GetRawText(), (await FileHouse.JsonAsync(list)).GetProperty("data")[0].GetRawText());
        Assert.Empty(await _house.RowsAsync(list));
        using HttpResponseMessage files = await _house.SendAsync(HttpMethod.Get, "/v1/files");
        Assert.Equal([output, input], (await FileHouse.JsonAsync(files)).GetProperty("data").EnumerateArray().Select(one => one.GetProperty("id").GetString()));
    }

    [Fact]
    public async Task Batch_AtItsEnd_IsCountedOnce()
    {
        string input = await _house.UploadedAsync(Line("a", "small"), "batch");
        using HttpResponseMessage begun = await _house.BeginBatchAsync(input);
        string id = (await FileHouse.JsonAsync(begun)).GetProperty("id").GetString()!;
        JsonElement ended = await _house.UntilAsync(id, "completed");
        await _house.UntilAsync(id, "completed");
        using HttpResponseMessage last = await _house.SendAsync(HttpMethod.Get, $"/v1/batches/{id}");

        await _house.RowsAsync(last);
        IReadOnlyList<LedgerEntry> all = await new LedgerReader(_house.HandlesPath.Replace(".handles", "", StringComparison.Ordinal)).EntriesAsync(
            LedgerFilter.Everything, 1000, TestContext.Current.CancellationToken);
        LedgerEntry counted = Assert.Single(all, row => row.InputTokens > 0);
        JsonElement usage = ended.GetProperty("usage");
        Assert.Equal((usage.GetProperty("input_tokens").GetInt64(), usage.GetProperty("output_tokens").GetInt64(), "batch_retrieve", false, null),
            (counted.InputTokens, counted.OutputTokens, counted.Operation, counted.IsEstimated, counted.CostUsd));
    }

    [Fact]
    public async Task Input_LinesNamePublicModels_TheyLieUnderThePlatformsNames()
    {
        string content = Line("a", "eu-small") + "\n" + """{ "custom_id":"b", "method":"POST","url":"/chat/completions", "body":{"messages":[{"role":"user","content":"\u0041 \"model\":\"small\""}],"\u006dodel" : "eu-other" } }""" + "\r\n";
        string id = await _house.UploadedAsync(content, "batch");

        using HttpResponseMessage stored = await _house.SendAsync(HttpMethod.Get, $"/v1/files/{id}/content");

        Assert.Equal("azure/small", stored.Headers.GetValues("x-ballast-deployment").Single());
        Assert.Equal(
            content.Replace("\"eu-small\"", "\"gpt-5-mini\"", StringComparison.Ordinal).Replace("\"eu-other\"", "\"gpt-5.2\"", StringComparison.Ordinal),
            await stored.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("eu-small", 400, "ballast_batch_model_elsewhere", "line 2")]
    [InlineData("claude", 501, "ballast_operation_not_offered", "line 2")]
    [InlineData("nobody", 404, "ballast_model_not_found", "line 2")]
    [InlineData("openai/small", 403, "ballast_model_not_allowed", "line 2")]
    [InlineData("\",\"model\":\"big", 400, "ballast_invalid_request", "Line 2")]
    [InlineData("x\"}},{\"body\":{\"model\":\"small", 400, "ballast_invalid_request", "Line 2")]
    public async Task Input_ALineNamesAnotherModel_IsRefusedWithItsNumber(string model, int status, string? code, string line)
    {
        using HttpResponseMessage answer = await _house.UploadAsync(Line("a", "small") + "\n" + Line("b", model), "batch");

        (string? told, string message) = await FileHouse.ErrorAsync(answer, status);
        Assert.Equal(code, told);
        Assert.Contains(line, message, StringComparison.Ordinal);
        Assert.Equal(0, await _house.UpstreamCallsAsync());
    }

    /// <summary>What a batch of a file costs nobody tells: its budget takes it for the amount that it names, and so it is known after a restart.</summary>
    [Fact]
    public async Task Batch_WithoutAPrice_CountsAsItsAmountAfterARestartToo()
    {
        string yaml = _house.Yaml + "budgets: { one: { app: one, usd: 1, unpriced_batch_usd: 0.3, unpriced_request_usd: 0.01 } }\n";
        await _house.RestartAsync(yaml);
        string input = await _house.UploadedAsync(Line("a", "small"), "batch");
        using HttpResponseMessage begun = await _house.BeginBatchAsync(input);
        await _house.RowsAsync(begun);
        Ballast.Guards.BudgetMeter budget = _house.Server.Guard.Meters.Budget("one")!;
        Assert.Equal((0.3m, 0m), (budget.Standing.Spent, budget.Standing.Reserved));
        await _house.RestartAsync(yaml);

        Assert.Equal((0.3m, 0m), (_house.Server.Guard.Meters.Budget("one")!.Standing.Spent, _house.Server.Guard.Meters.Budget("one")!.Standing.Reserved));
    }

    [Fact]
    public async Task Batch_OfAFileForSomethingElse_IsRefused()
    {
        string id = await _house.UploadedAsync(Line("a", "gpt-5.2-that-the-key-may-not-use"));
        int calls = await _house.UpstreamCallsAsync();

        using HttpResponseMessage answer = await _house.BeginBatchAsync(id);

        Assert.Equal("ballast_not_batch_input", (await FileHouse.ErrorAsync(answer, 400)).Code);
        Assert.Equal(calls, await _house.UpstreamCallsAsync());
    }

    [Fact]
    public async Task Batch_ByAKeyThatMayUseLess_IsRefused()
    {
        string big = await _house.UploadedAsync(Line("a", "big"), "batch");
        string small = await _house.UploadedAsync(Line("a", "small"), "batch");

        using HttpResponseMessage refused = await _house.BeginBatchAsync(big, FileHouse.OneRestricted);
        using HttpResponseMessage allowed = await _house.BeginBatchAsync(small, FileHouse.OneRestricted);

        Assert.Equal("ballast_model_not_allowed", (await FileHouse.ErrorAsync(refused, 403)).Code);
        Assert.Equal(200, (int)allowed.StatusCode);
    }

    [Fact]
    public async Task Batch_Cancelled_IsSoAtItsProvider()
    {
        string input = await _house.UploadedAsync(Line("a", "eu-small"), "batch");
        using HttpResponseMessage begun = await _house.BeginBatchAsync(input, path: "/openai/batches?api-version=2025-04-01-preview");
        string id = (await FileHouse.JsonAsync(begun)).GetProperty("id").GetString()!;

        using HttpResponseMessage cancelled = await _house.SendAsync(HttpMethod.Post, $"/openai/batches/{id}/cancel?api-version=2025-04-01-preview");

        Assert.Equal((id, "cancelled"), ((await FileHouse.JsonAsync(cancelled)).GetProperty("id").GetString(), (await _house.UntilAsync(id, "cancelled")).GetProperty("status").GetString()));
        using HttpResponseMessage other = await _house.SendAsync(HttpMethod.Post, $"/v1/batches/{id}/cancel", FileHouse.Two);
        Assert.Equal("ballast_batch_not_found", (await FileHouse.ErrorAsync(other, 404)).Code);
    }

    [Fact]
    public async Task Batches_ProviderIsAway_AreListedAsLastSeen()
    {
        string input = await _house.UploadedAsync(Line("a", "small"), "batch");
        using HttpResponseMessage begun = await _house.BeginBatchAsync(input);
        JsonElement batch = await FileHouse.JsonAsync(begun);
        await _house.Sandbox.DisappearAsync("openai");

        using HttpResponseMessage list = await _house.SendAsync(HttpMethod.Get, "/v1/batches");

        Assert.Equal(batch.GetRawText(), (await FileHouse.JsonAsync(list)).GetProperty("data")[0].GetRawText());
        Assert.Equal(("batch_list", AttemptOutcome.Failed), (await _house.RowsAsync(list)).Select(row => (row.Operation, row.Outcome)).Single());
        using HttpResponseMessage one = await _house.SendAsync(HttpMethod.Get, $"/v1/batches/{batch.GetProperty("id").GetString()}");
        Assert.Equal("ballast_provider_unavailable", (await FileHouse.ErrorAsync(one, 503)).Code);
    }

    [Fact]
    public async Task NuGetOpenAI_FilesAndBatches_IsContent()
    {
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        Uri address = new(_house.Server.Address, "/v1");
        OpenAIFileClient files = new(new ApiKeyCredential(FileHouse.One), new OpenAIClientOptions { Endpoint = address, RetryPolicy = new ClientRetryPolicy(0) });
#pragma warning disable OPENAI001 // the SDK calls its batches experimental
        BatchClient batches = new(new ApiKeyCredential(FileHouse.One), new BatchClientOptions { Endpoint = address, RetryPolicy = new ClientRetryPolicy(0) });

        OpenAIFile input = await files.UploadFileAsync(BinaryData.FromString(Line("a", "small")), "input.jsonl", FileUploadPurpose.Batch);
        Assert.Equal("input.jsonl", ((OpenAIFile)await files.GetFileAsync(input.Id, cancellation)).Filename);
        Assert.Equal(input.Id, Assert.Single((OpenAIFileCollection)await files.GetFilesAsync(cancellation)).Id);
        CreateBatchOperation operation = await batches.CreateBatchAsync(
            BinaryContent.Create(BinaryData.FromString($$"""{"input_file_id":"{{input.Id}}","endpoint":"/v1/chat/completions","completion_window":"24h"}""")), waitUntilCompleted: false);
#pragma warning restore OPENAI001
        JsonElement ended = await _house.UntilAsync(operation.BatchId, "completed");
        BinaryData output = await files.DownloadFileAsync(ended.GetProperty("output_file_id").GetString(), cancellation);
        Assert.Contains("\"custom_id\":\"a\"", output.ToString(), StringComparison.Ordinal);
        Assert.True(((FileDeletionResult)await files.DeleteFileAsync(input.Id, cancellation)).Deleted);
        ClientResultException gone = await Assert.ThrowsAsync<ClientResultException>(() => files.GetFileAsync(input.Id, cancellation));
        Assert.Equal(404, gone.Status);
    }

    private static string Line(string customId, string model) =>
        $$$"""{"custom_id":"{{{customId}}}","method":"POST","url":"/v1/chat/completions","body":{"model":"{{{model}}}","messages":[{"role":"user","content":"Say hello to {{{customId}}}."}]}}""";
}
