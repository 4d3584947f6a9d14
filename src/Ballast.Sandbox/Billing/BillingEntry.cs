namespace Ballast.Sandbox.Billing;

/// <summary>A row while its request runs: begun at arrival, so that no end of the request can lose it.</summary>
internal sealed class BillingEntry(BillingLog log)
{
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _outputTokens;

    public required DateTimeOffset Time { get; init; }
    public required string Platform { get; init; }
    public required string RequestId { get; init; }
    public required string? ClientRequestId { get; init; }
    public required string Path { get; init; }
    public string? Model { get; set; }
    public bool Stream { get; set; }
    public int Status { get; set; }
    public string? Outcome { get; set; }
    public long InputTokens { get; set; }
    public long CacheReadTokens { get; set; }
    public long CacheWriteTokens { get; set; }
    public string? Finish { get; set; }

    public long OutputTokens => _outputTokens;

    /// <summary>Work goes on when the request has ended: whoever does it ends the row.</summary>
    public bool IsWorkedOn { get; set; }

    /// <summary>Completes when the row is in the log.</summary>
    public Task Ended => _ended.Task;

    public void Produce(long tokens) => _outputTokens += tokens;

    public void End()
    {
        log.End(this, ToRow());
        _ended.TrySetResult();
    }

    private BillingRow ToRow() => new()
    {
        Time = Time,
        Platform = Platform,
        RequestId = RequestId,
        ClientRequestId = ClientRequestId,
        Model = Model,
        Path = Path,
        Stream = Stream,
        Status = Status,
        Outcome = Outcome ?? "completed",
        InputTokens = InputTokens,
        CacheReadTokens = CacheReadTokens,
        CacheWriteTokens = CacheWriteTokens,
        OutputTokens = _outputTokens,
        Finish = Finish,
    };
}
