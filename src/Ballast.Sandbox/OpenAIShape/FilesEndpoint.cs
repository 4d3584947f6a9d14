using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ballast.Sandbox.Server;

namespace Ballast.Sandbox.OpenAIShape;

/// <summary>Files and batches of OpenAI's API (https://platform.openai.com/docs/api-reference/files and …/batch).</summary>
internal static class FilesEndpoint
{
    private const string Files = "/files";
    private const string Batches = "/batches";

    private static readonly string[] s_purposes = ["assistants", "batch", "fine-tune", "vision", "user_data", "evals"];

    public static bool IsOne(string path, string prefix) =>
        path.StartsWith(prefix, StringComparison.Ordinal)
        && (IsBelow(path[prefix.Length..], Files) || IsBelow(path[prefix.Length..], Batches));

    /// <param name="visit">The request.</param>
    /// <param name="path">Below the version.</param>
    /// <param name="cabinet">What the account keeps.</param>
    /// <param name="answer">Answers one request of a batch.</param>
    public static Task AnswerAsync(Visit visit, string path, FileCabinet cabinet, Func<Visit, JsonElement, JsonNode> answer)
    {
        string method = visit.Http.Request.Method;
        string[] parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        return (method, parts) switch
        {
            ("POST", ["files"]) => UploadAsync(visit, cabinet),
            ("GET", ["files"]) => ListFilesAsync(visit, cabinet),
            ("GET", ["files", var id]) => AnswerPlayer.SendAsync(visit, 200, File(cabinet, id).Describe()),
            ("GET", ["files", var id, "content"]) => SendContentAsync(visit, File(cabinet, id)),
            ("DELETE", ["files", var id]) => DeleteAsync(visit, cabinet, id),
            ("POST", ["batches"]) => BeginAsync(visit, cabinet),
            ("GET", ["batches"]) => ListBatchesAsync(visit, cabinet, answer),
            ("GET", ["batches", var id]) => AnswerPlayer.SendAsync(visit, 200, BatchRun.Describe(visit, cabinet, Batch(cabinet, id), answer)),
            ("POST", ["batches", var id, "cancel"]) => CancelAsync(visit, Batch(cabinet, id)),
            _ => throw new VendorErrorException(new VendorError(404, "invalid_request_error", $"Invalid URL ({method} {visit.Path})")),
        };
    }

    private static bool IsBelow(string path, string root) => path == root || path.StartsWith(root + "/", StringComparison.Ordinal);

    private static async Task UploadAsync(Visit visit, FileCabinet cabinet)
    {
        Dictionary<string, FormPart> form = await FormPart.ReadAllAsync(visit).ConfigureAwait(false);
        string purpose = form.GetValueOrDefault("purpose")?.Text ?? throw ChatErrors.Missing("purpose");
        FormPart file = form.GetValueOrDefault("file") ?? throw ChatErrors.Missing("file");
        if (!s_purposes.Contains(purpose))
        {
            throw ChatErrors.BadValue("purpose", $"'{purpose}' is not one of {ListText(s_purposes)} - 'purpose'");
        }

        if (form.Keys.FirstOrDefault(static name => name is not ("file" or "purpose") && !name.StartsWith("expires_after", StringComparison.Ordinal)) is { } unknown)
        {
            throw ChatErrors.Refused(unknown, "unknown_parameter", $"Unknown parameter: '{unknown}'.");
        }

        CabinetFile kept = new(NewId(visit, "file-"), file.FileName ?? "upload", purpose, file.Content, visit.Time.GetUtcNow().ToUnixTimeSeconds());
        cabinet.Add(kept);
        await AnswerPlayer.SendAsync(visit, 200, kept.Describe()).ConfigureAwait(false);
    }

    private static Task ListFilesAsync(Visit visit, FileCabinet cabinet)
    {
        string? purpose = Query(visit, "purpose");
        return SendPageAsync(visit, [.. cabinet.Files.Where(file => purpose is null || file.Purpose == purpose).Select(static file => (file.Id, file.Describe()))], 10_000);
    }

    private static Task ListBatchesAsync(Visit visit, FileCabinet cabinet, Func<Visit, JsonElement, JsonNode> answer) =>
        SendPageAsync(visit, [.. cabinet.Batches.Select(batch => (batch.Id, BatchRun.Describe(visit, cabinet, batch, answer)))], 20);

    private static Task SendPageAsync(Visit visit, List<(string Id, JsonObject Object)> all, int usual)
    {
        int limit = int.TryParse(Query(visit, "limit"), NumberStyles.None, CultureInfo.InvariantCulture, out int told) ? told : usual;
        int start = Query(visit, "after") is { Length: > 0 } after ? all.FindIndex(one => one.Id == after) + 1 : 0;
        List<(string Id, JsonObject Object)> page = all[start..Math.Min(all.Count, start + limit)];
        return AnswerPlayer.SendAsync(visit, 200, new JsonObject
        {
            ["object"] = "list",
            ["data"] = new JsonArray([.. page.Select(static one => (JsonNode)one.Object)]),
            ["first_id"] = page.Count > 0 ? page[0].Id : null,
            ["last_id"] = page.Count > 0 ? page[^1].Id : null,
            ["has_more"] = start + page.Count < all.Count,
        });
    }

    private static async Task SendContentAsync(Visit visit, CabinetFile file)
    {
        visit.Billing.Status = 200;
        visit.Http.Response.ContentType = "application/octet-stream";
        bool isCut = visit.HasFault(FaultKind.Cut);
        visit.Http.Response.ContentLength = file.Content.Length;
        await visit.Http.Response.Body.WriteAsync(file.Content.AsMemory(0, isCut ? file.Content.Length / 2 : file.Content.Length), visit.Http.RequestAborted).ConfigureAwait(false);
        await visit.Http.Response.Body.FlushAsync(visit.Http.RequestAborted).ConfigureAwait(false);
        if (isCut)
        {
            await visit.ResetAsync().ConfigureAwait(false);
        }
    }

    private static Task DeleteAsync(Visit visit, FileCabinet cabinet, string id)
    {
        _ = File(cabinet, id);
        cabinet.Remove(id);
        return AnswerPlayer.SendAsync(visit, 200, new JsonObject { ["object"] = "file", ["deleted"] = true, ["id"] = id });
    }

    private static async Task BeginAsync(Visit visit, FileCabinet cabinet)
    {
        using JsonDocument document = visit.ParseBody() ?? throw ChatErrors.Malformed();
        JsonElement body = document.RootElement.ValueKind == JsonValueKind.Object ? document.RootElement : throw ChatErrors.Malformed();
        string input = ChatFields.Text(body, "input_file_id", "input_file_id") ?? throw ChatErrors.Missing("input_file_id");
        string endpoint = ChatFields.Text(body, "endpoint", "endpoint") ?? throw ChatErrors.Missing("endpoint");
        string window = ChatFields.Text(body, "completion_window", "completion_window") ?? throw ChatErrors.Missing("completion_window");
        if (window != "24h")
        {
            throw ChatErrors.BadValue("completion_window", $"Invalid value: '{window}'. Value must be '24h'.");
        }

        CabinetFile file = File(cabinet, input);
        if (file.Purpose != "batch")
        {
            throw ChatErrors.Refused("input_file_id", "invalid_file_purpose", $"Invalid file purpose: expected 'batch', but got '{file.Purpose}' for {file.Id}.");
        }

        JsonNode? metadata = ChatFields.Object(body, "metadata", "metadata") is { } told ? JsonNode.Parse(told.GetRawText()) : null;
        CabinetBatch batch = new(NewId(visit, "batch_"), file, endpoint, window, metadata, visit.Time.GetUtcNow());
        cabinet.Add(batch);
        await AnswerPlayer.SendAsync(visit, 200, BatchRun.Describe(batch)).ConfigureAwait(false);
    }

    /// <summary>However late it comes: a batch that nobody has seen at its end has not ended.</summary>
    private static Task CancelAsync(Visit visit, CabinetBatch batch)
    {
        lock (batch.Turn)
        {
            if (batch.EndedAt is not null)
            {
                throw new VendorErrorException(new VendorError(409, "invalid_request_error", $"Cannot cancel batch {batch.Id}: it has ended."));
            }

            batch.IsCancelled = true;
            batch.EndedAt = visit.Time.GetUtcNow();
        }

        return AnswerPlayer.SendAsync(visit, 200, BatchRun.Describe(batch));
    }

    internal static string NewId(Visit visit, string prefix)
    {
        Generation.Dice dice = visit.Dice;
        string id = prefix + dice.NextId(24);
        visit.Dice = dice;
        return id;
    }

    private static CabinetFile File(FileCabinet cabinet, string id) =>
        cabinet.FindFile(id) ?? throw new VendorErrorException(new VendorError(404, "invalid_request_error", $"No such File object: {id}", null, "id"));

    private static CabinetBatch Batch(FileCabinet cabinet, string id) =>
        cabinet.FindBatch(id) ?? throw new VendorErrorException(new VendorError(404, "invalid_request_error", $"No batch found with id '{id}'."));

    private static string? Query(Visit visit, string name) => visit.Http.Request.Query[name].FirstOrDefault();

    private static string ListText(string[] words) => "[" + string.Join(", ", words.Select(static word => $"'{word}'")) + "]";
}
