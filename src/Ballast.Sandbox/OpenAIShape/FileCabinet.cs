using System.Collections.Concurrent;
using System.Text.Json.Nodes;

namespace Ballast.Sandbox.OpenAIShape;

/// <summary>A file at the platform.</summary>
internal sealed record CabinetFile(string Id, string Name, string Purpose, byte[] Content, long CreatedAt)
{
    public JsonObject Describe() => new()
    {
        ["object"] = "file",
        ["id"] = Id,
        ["purpose"] = Purpose,
        ["filename"] = Name,
        ["bytes"] = Content.Length,
        ["created_at"] = CreatedAt,
        ["expires_at"] = null,
        ["status"] = "processed",
        ["status_details"] = null,
    };
}

/// <summary>A batch at the platform; it runs when it is looked at and its time has come.</summary>
internal sealed class CabinetBatch(string id, CabinetFile input, string endpoint, string window, JsonNode? metadata, DateTimeOffset createdAt)
{
    public string Id => id;
    public CabinetFile Input => input;
    public string Endpoint => endpoint;
    public string Window => window;
    public JsonNode? Metadata => metadata;
    public DateTimeOffset CreatedAt => createdAt;
    public Lock Turn { get; } = new();
    public DateTimeOffset? EndedAt { get; set; }
    public bool IsCancelled { get; set; }
    public JsonArray? Faults { get; set; }
    public string? OutputId { get; set; }
    public string? ErrorId { get; set; }
    public int Total { get; set; }
    public int Completed { get; set; }
    public int Failed { get; set; }
    public long InputTokens { get; set; }
    public long OutputTokens { get; set; }
}

/// <summary>What one account keeps at the platform, in memory, in the order in which it came.</summary>
internal sealed class FileCabinet
{
    private readonly ConcurrentDictionary<string, (long Number, CabinetFile File)> _files = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, (long Number, CabinetBatch Batch)> _batches = new(StringComparer.Ordinal);
    private long _last;

    /// <summary>The newest first.</summary>
    public IEnumerable<CabinetFile> Files => _files.Values.OrderByDescending(static kept => kept.Number).Select(static kept => kept.File);

    /// <summary>The newest first.</summary>
    public IEnumerable<CabinetBatch> Batches => _batches.Values.OrderByDescending(static kept => kept.Number).Select(static kept => kept.Batch);

    public void Add(CabinetFile file) => _files[file.Id] = (Interlocked.Increment(ref _last), file);

    public void Add(CabinetBatch batch) => _batches[batch.Id] = (Interlocked.Increment(ref _last), batch);

    public CabinetFile? FindFile(string id) => _files.TryGetValue(id, out (long, CabinetFile File) kept) ? kept.File : null;

    public CabinetBatch? FindBatch(string id) => _batches.TryGetValue(id, out (long, CabinetBatch Batch) kept) ? kept.Batch : null;

    public bool Remove(string fileId) => _files.TryRemove(fileId, out _);
}
