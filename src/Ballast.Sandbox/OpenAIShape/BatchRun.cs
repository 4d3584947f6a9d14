using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ballast.Sandbox.Generation;
using Ballast.Sandbox.Server;

namespace Ballast.Sandbox.OpenAIShape;

/// <summary>Runs a batch: it is looked through, worked on, and ended after a moment, with a file of its answers and one of its refusals.</summary>
internal static class BatchRun
{
    private static readonly TimeSpan CheckTime = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan WholeTime = TimeSpan.FromMilliseconds(300);

    /// <summary>How a batch stands now; runs it where its time has come.</summary>
    public static JsonObject Describe(Visit visit, FileCabinet cabinet, CabinetBatch batch, Func<Visit, JsonElement, JsonNode> answer)
    {
        lock (batch.Turn)
        {
            if (batch.EndedAt is null && visit.Time.GetUtcNow() - batch.CreatedAt >= WholeTime)
            {
                Run(visit, cabinet, batch, answer);
            }

            return Describe(batch, visit.Time.GetUtcNow());
        }
    }

    public static JsonObject Describe(CabinetBatch batch) => Describe(batch, batch.CreatedAt);

    private static JsonObject Describe(CabinetBatch batch, DateTimeOffset now)
    {
        string status = batch switch
        {
            { IsCancelled: true } => "cancelled",
            { Faults: not null } => "failed",
            { EndedAt: not null } => "completed",
            _ => now - batch.CreatedAt < CheckTime ? "validating" : "in_progress",
        };
        long? ended = batch.EndedAt?.ToUnixTimeSeconds();
        return new JsonObject
        {
            ["id"] = batch.Id,
            ["object"] = "batch",
            ["endpoint"] = batch.Endpoint,
            ["errors"] = batch.Faults is null ? null : new JsonObject { ["object"] = "list", ["data"] = batch.Faults.DeepClone() },
            ["input_file_id"] = batch.Input.Id,
            ["completion_window"] = batch.Window,
            ["status"] = status,
            ["output_file_id"] = batch.OutputId,
            ["error_file_id"] = batch.ErrorId,
            ["created_at"] = batch.CreatedAt.ToUnixTimeSeconds(),
            ["in_progress_at"] = status is "validating" or "failed" ? null : batch.CreatedAt.ToUnixTimeSeconds(),
            ["expires_at"] = batch.CreatedAt.AddDays(1).ToUnixTimeSeconds(),
            ["finalizing_at"] = status == "completed" ? ended : null,
            ["completed_at"] = status == "completed" ? ended : null,
            ["failed_at"] = status == "failed" ? ended : null,
            ["expired_at"] = null,
            ["cancelling_at"] = status == "cancelled" ? ended : null,
            ["cancelled_at"] = status == "cancelled" ? ended : null,
            ["request_counts"] = new JsonObject { ["total"] = batch.Total, ["completed"] = batch.Completed, ["failed"] = batch.Failed },
            ["usage"] = new JsonObject
            {
                ["input_tokens"] = batch.InputTokens,
                ["input_tokens_details"] = new JsonObject { ["cached_tokens"] = 0 },
                ["output_tokens"] = batch.OutputTokens,
                ["output_tokens_details"] = new JsonObject { ["reasoning_tokens"] = 0 },
                ["total_tokens"] = batch.InputTokens + batch.OutputTokens,
            },
            ["metadata"] = batch.Metadata?.DeepClone(),
        };
    }

    private static void Run(Visit visit, FileCabinet cabinet, CabinetBatch batch, Func<Visit, JsonElement, JsonNode> answer)
    {
        batch.EndedAt = visit.Time.GetUtcNow();
        StringBuilder answers = new();
        StringBuilder refusals = new();
        int number = 0;
        foreach (string line in Encoding.UTF8.GetString(batch.Input.Content).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            number++;
            using JsonDocument? document = Parse(line);
            if (document?.RootElement is not { ValueKind: JsonValueKind.Object } request || ChatFields.Object(request, "body", "body") is not { } body
                || ChatFields.Text(request, "custom_id", "custom_id") is not { } customId)
            {
                batch.Faults = new JsonArray(new JsonObject { ["code"] = "invalid_json_line", ["message"] = "This line is not parseable as valid JSON.", ["param"] = null, ["line"] = number });
                return;
            }

            batch.Total++;
            (int status, JsonNode told) = Answer(visit, body, answer);
            (status == 200 ? answers : refusals).Append(Line(visit, customId, status, told).ToJsonString(RelaxedJson.Options)).Append('\n');
            batch.Completed += status == 200 ? 1 : 0;
            batch.Failed += status == 200 ? 0 : 1;
            batch.InputTokens += (long?)told["usage"]?["prompt_tokens"] ?? 0;
            batch.OutputTokens += (long?)told["usage"]?["completion_tokens"] ?? 0;
        }

        // Whoever first sees the end is told the tokens.
        visit.Billing.InputTokens = batch.InputTokens;
        visit.Billing.Produce(batch.OutputTokens);
        batch.OutputId = Keep(visit, cabinet, batch, answers, "output");
        batch.ErrorId = Keep(visit, cabinet, batch, refusals, "error");
    }

    private static (int Status, JsonNode Told) Answer(Visit visit, JsonElement body, Func<Visit, JsonElement, JsonNode> answer)
    {
        try
        {
            return (200, answer(visit, body));
        }
        catch (VendorErrorException refused)
        {
            return (refused.Error.Status, new JsonObject
            {
                ["error"] = new JsonObject { ["message"] = refused.Error.Message, ["type"] = refused.Error.Type, ["param"] = refused.Error.Param, ["code"] = refused.Error.Code },
            });
        }
    }

    private static JsonObject Line(Visit visit, string customId, int status, JsonNode told) => new()
    {
        ["id"] = FilesEndpoint.NewId(visit, "batch_req_"),
        ["custom_id"] = customId,
        ["response"] = new JsonObject { ["status_code"] = status, ["request_id"] = visit.RequestId, ["body"] = told },
        ["error"] = null,
    };

    private static string? Keep(Visit visit, FileCabinet cabinet, CabinetBatch batch, StringBuilder lines, string what)
    {
        if (lines.Length == 0)
        {
            return null;
        }

        CabinetFile file = new(
            FilesEndpoint.NewId(visit, "file-"), $"{batch.Id}_{what}.jsonl", "batch_output", Encoding.UTF8.GetBytes(lines.ToString()), visit.Time.GetUtcNow().ToUnixTimeSeconds());
        cabinet.Add(file);
        return file.Id;
    }

    private static JsonDocument? Parse(string line)
    {
        try
        {
            return JsonDocument.Parse(line, new JsonDocumentOptions { MaxDepth = Visit.MaxDepth });
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
