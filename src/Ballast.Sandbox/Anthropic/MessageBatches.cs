using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ballast.Sandbox.Billing;
using Ballast.Sandbox.Generation;
using Ballast.Sandbox.Server;

namespace Ballast.Sandbox.Anthropic;

/// <summary>
/// Batches of Messages (https://docs.claude.com/en/api/creating-message-batches): taken, worked on, ended after a moment, with a line of results for each request. The bill
/// has a row for each model, under the path of the results, from the moment in which it was worked on.
/// </summary>
internal sealed class MessageBatches(MessagesDesk desk, BillingLog bill)
{
    /// <summary>Before these paths of a batch.</summary>
    public const string Path = "/v1/messages/batches";

    private const int RequestsMax = 100_000;
    private const int CustomIdLengthMax = 64;

    private static readonly TimeSpan WorkTime = TimeSpan.FromMilliseconds(300);

    private readonly ConcurrentDictionary<string, MessageBatch> _batches = new(StringComparer.Ordinal);
    private int _made;

    public Task AnswerAsync(Visit visit) => (visit.Http.Request.Method, visit.Path[Path.Length..].Split('/', StringSplitOptions.RemoveEmptyEntries)) switch
    {
        ("POST", []) => CreateAsync(visit),
        ("GET", []) => ListAsync(visit),
        ("GET", [var id]) => AnswerPlayer.SendAsync(visit, 200, Describe(visit, Find(id))),
        ("DELETE", [var id]) => DeleteAsync(visit, Find(id)),
        ("POST", [var id, "cancel"]) => CancelAsync(visit, Find(id)),
        ("GET", [var id, "results"]) => ResultsAsync(visit, Find(id)),
        _ => throw NotFound("Not Found"),
    };

    private Task CreateAsync(Visit visit)
    {
        using JsonDocument document = visit.ParseBody() ?? throw MessagesErrors.Malformed();
        if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("requests", out JsonElement requests) || requests.ValueKind != JsonValueKind.Array)
        {
            throw MessagesErrors.Missing("requests");
        }

        if (requests.GetArrayLength() is 0 or > RequestsMax)
        {
            throw MessagesErrors.Invalid("requests", $"List should have at least 1 item and at most {RequestsMax} items after validation");
        }

        HashSet<string> ids = new(StringComparer.Ordinal);
        foreach (JsonElement request in requests.EnumerateArray())
        {
            string id = MessagesFields.RequiredText(request, "custom_id", "requests.custom_id");
            if (id.Length is 0 or > CustomIdLengthMax || !ids.Add(id))
            {
                throw MessagesErrors.Invalid($"requests: custom_id '{id}' is too long or not unique");
            }
        }

        Dice dice = visit.Dice;
        MessageBatch batch = new("msgbatch_01" + dice.NextId(22), Interlocked.Increment(ref _made), visit.Time.GetUtcNow(), requests.Clone());
        visit.Dice = dice;
        _batches[batch.Id] = batch;
        return AnswerPlayer.SendAsync(visit, 200, Describe(visit, batch));
    }

    private Task ListAsync(Visit visit)
    {
        int limit = int.TryParse(visit.Http.Request.Query["limit"].FirstOrDefault(), NumberStyles.None, CultureInfo.InvariantCulture, out int asked) ? Math.Clamp(asked, 1, 1000) : 20;
        int before = visit.Http.Request.Query["after_id"].FirstOrDefault() is { } after ? Find(after).Number : int.MaxValue;
        MessageBatch[] older = [.. _batches.Values.Where(batch => batch.Number < before).OrderByDescending(static batch => batch.Number)];
        MessageBatch[] page = [.. older.Take(limit)];
        return AnswerPlayer.SendAsync(visit, 200, new JsonObject
        {
            ["data"] = new JsonArray([.. page.Select(batch => (JsonNode)Describe(visit, batch))]),
            ["has_more"] = older.Length > page.Length,
            ["first_id"] = page.FirstOrDefault()?.Id,
            ["last_id"] = page.LastOrDefault()?.Id,
        });
    }

    private Task CancelAsync(Visit visit, MessageBatch batch)
    {
        lock (batch.Turn)
        {
            batch.CancelledAt ??= batch.EndedAt is null ? visit.Time.GetUtcNow() : null;
        }

        return AnswerPlayer.SendAsync(visit, 200, Describe(visit, batch));
    }

    private Task DeleteAsync(Visit visit, MessageBatch batch)
    {
        _ = Describe(visit, batch);
        if (batch.EndedAt is null)
        {
            throw MessagesErrors.Invalid("Cannot delete a batch that is in progress; cancel it first");
        }

        _batches.TryRemove(batch.Id, out _);
        return AnswerPlayer.SendAsync(visit, 200, new JsonObject { ["id"] = batch.Id, ["type"] = "message_batch_deleted" });
    }

    private async Task ResultsAsync(Visit visit, MessageBatch batch)
    {
        _ = Describe(visit, batch);
        if (batch.Results is not { } results)
        {
            throw NotFound($"{batch.Id} has no available results.");
        }

        visit.Http.Response.ContentType = "application/x-jsonl";
        visit.Billing.Status = 200;
        byte[] lines = Encoding.UTF8.GetBytes(results);
        bool isCut = visit.HasFault(FaultKind.Cut);
        visit.Http.Response.ContentLength = lines.Length;
        await visit.Http.Response.Body.WriteAsync(lines.AsMemory(0, isCut ? lines.Length / 2 : lines.Length), visit.Http.RequestAborted).ConfigureAwait(false);
        await visit.Http.Response.Body.FlushAsync(visit.Http.RequestAborted).ConfigureAwait(false);
        if (isCut)
        {
            await visit.ResetAsync().ConfigureAwait(false);
        }
    }

    /// <summary>How it stands now; runs it where its time has come.</summary>
    private JsonObject Describe(Visit visit, MessageBatch batch)
    {
        lock (batch.Turn)
        {
            if (batch.EndedAt is null && visit.Time.GetUtcNow() - batch.CreatedAt >= WorkTime)
            {
                Run(visit, batch);
            }

            int count = batch.Requests.GetArrayLength();
            bool isOver = batch.EndedAt is not null;
            return new JsonObject
            {
                ["id"] = batch.Id,
                ["type"] = "message_batch",
                ["processing_status"] = isOver ? "ended" : batch.CancelledAt is null ? "in_progress" : "canceling",
                ["request_counts"] = new JsonObject
                {
                    ["processing"] = isOver ? 0 : count, ["succeeded"] = batch.Succeeded, ["errored"] = batch.Errored,
                    ["canceled"] = isOver ? count - batch.Succeeded - batch.Errored : 0, ["expired"] = 0,
                },
                ["ended_at"] = Instant(batch.EndedAt),
                ["created_at"] = Instant(batch.CreatedAt),
                ["expires_at"] = Instant(batch.CreatedAt.AddDays(1)),
                ["archived_at"] = null,
                ["cancel_initiated_at"] = Instant(batch.CancelledAt),
                ["results_url"] = isOver ? $"https://api.anthropic.com{Path}/{batch.Id}/results" : null,
            };
        }
    }

    private void Run(Visit visit, MessageBatch batch)
    {
        StringBuilder lines = new();
        foreach (JsonElement request in batch.Requests.EnumerateArray())
        {
            JsonObject result = batch.CancelledAt is not null ? new JsonObject { ["type"] = "canceled" } : Answer(visit, batch, request);
            lines.Append(new JsonObject { ["custom_id"] = request.GetProperty("custom_id").GetString(), ["result"] = result }.ToJsonString(RelaxedJson.Options)).Append('\n');
        }

        batch.EndedAt = visit.Time.GetUtcNow();
        batch.Results = lines.ToString();
        foreach (BillingEntry entry in batch.Rows.Values)
        {
            bill.Begin(entry);
            entry.End();
        }
    }

    private JsonObject Answer(Visit visit, MessageBatch batch, JsonElement request)
    {
        try
        {
            MessagesReply reply = desk.Compose(visit, request.TryGetProperty("params", out JsonElement body) ? body : default, default);
            JsonNode message = MessagesWholeWriter.Write(reply);
            message["usage"]!["service_tier"] = "batch";
            batch.Succeeded++;
            BillingEntry row = RowOf(visit, batch, reply.ServedModel);
            row.InputTokens += reply.FreshTokens;
            row.CacheReadTokens += reply.Cache.Read;
            row.CacheWriteTokens += reply.Cache.Written;
            row.Produce((long)message["usage"]!["output_tokens"]!);
            return new JsonObject { ["type"] = "succeeded", ["message"] = message };
        }
        catch (VendorErrorException refused)
        {
            batch.Errored++;
            JsonObject error = new() { ["type"] = refused.Error.Type, ["message"] = refused.Error.Message };
            return new JsonObject { ["type"] = "errored", ["error"] = new JsonObject { ["type"] = "error", ["error"] = error } };
        }
        finally
        {
            // The row of whoever looked is none of the work's.
            visit.Billing.InputTokens = visit.Billing.CacheReadTokens = visit.Billing.CacheWriteTokens = 0;
        }
    }

    private BillingEntry RowOf(Visit visit, MessageBatch batch, string model) => batch.Rows.TryGetValue(model, out BillingEntry? row) ? row : batch.Rows[model] = new BillingEntry(bill)
    {
        Time = visit.Time.GetUtcNow(),
        Platform = visit.Billing.Platform,
        RequestId = batch.Id,
        ClientRequestId = null,
        Path = $"{Path}/{batch.Id}/results",
        Model = model,
        Status = 200,
    };

    private static string? Instant(DateTimeOffset? at) => at?.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'+00:00'", CultureInfo.InvariantCulture);

    private MessageBatch Find(string id) => _batches.GetValueOrDefault(id) ?? throw NotFound($"Batch {id} not found");

    private static VendorErrorException NotFound(string message) => new(new VendorError(404, "not_found_error", message));

    private sealed class MessageBatch(string id, int number, DateTimeOffset createdAt, JsonElement requests)
    {
        public string Id => id;
        public int Number => number;
        public DateTimeOffset CreatedAt => createdAt;
        public JsonElement Requests => requests;
        public Lock Turn { get; } = new();
        public DateTimeOffset? EndedAt { get; set; }
        public DateTimeOffset? CancelledAt { get; set; }
        public string? Results { get; set; }
        public int Succeeded { get; set; }
        public int Errored { get; set; }
        public Dictionary<string, BillingEntry> Rows { get; } = new(StringComparer.Ordinal);
    }
}
