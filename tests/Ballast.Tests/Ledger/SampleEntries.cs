using Ballast.Ledger;

namespace Ballast.Tests.Ledger;

/// <summary>Rows for tests: everything set, so that a lost column shows.</summary>
internal static class SampleEntries
{
    public static readonly DateTimeOffset Start = new(2026, 11, 20, 12, 0, 0, TimeSpan.Zero);

    public static LedgerEntry Completed(string id, string platform = "azure", string vendor = "openai") => new()
    {
        AttemptId = id,
        ExchangeId = "x-" + id,
        AttemptNumber = 1,
        StartedAt = Start,
        KeyId = "demo",
        App = "support",
        Protocol = "openai-chat",
        Operation = "chat",
        Stream = true,
        RequestedModel = "assistant",
        SentModel = "gpt-sample",
        ServedModel = "gpt-sample-2026-01-01",
        Deployment = platform + "/gpt-sample",
        Vendor = vendor,
        Platform = platform,
        Region = "sweden",
        InputTokens = 100,
        CacheReadTokens = 20,
        CacheWriteTokens = 3,
        CacheWriteLongTokens = 4,
        OutputTokens = 51,
        ReasoningTokens = 7,
        Media = new Ballast.Protocols.Conversation.MediaUsage
        {
            InputAudioTokens = 11, CacheReadAudioTokens = 12, OutputAudioTokens = 13, InputImageTokens = 14, CacheReadImageTokens = 5, OutputImageTokens = 16, WebSearches = 2, Images = 1,
        },
        CostUsd = 0.000_5m,
        InputCostUsd = 0.000_2m,
        TimeToFirstToken = TimeSpan.FromMilliseconds(120),
        Duration = TimeSpan.FromMilliseconds(620),
        Outcome = AttemptOutcome.Completed,
        Finish = "stop",
        UpstreamStatus = 200,
        UpstreamRequestId = "req_1",
        Reached = true,
        Losses = ["/seed", "response:/choices/0/logprobs"],
    };

    public static LedgerEntry Failed(string id, string platform = "azure", int? status = 503) => Completed(id, platform) with
    {
        Outcome = AttemptOutcome.Failed,
        Reason = status is null ? "upstream_connect_failed" : $"upstream_status_{status}",
        UpstreamStatus = status,
        InputTokens = 0,
        CacheReadTokens = 0,
        CacheWriteTokens = 0,
        CacheWriteLongTokens = 0,
        OutputTokens = 0,
        ReasoningTokens = null,
        Media = null,
        CostUsd = null,
        InputCostUsd = null,
        TimeToFirstToken = null,
        Finish = null,
        ServedModel = null,
        Reached = status is not null,
        Losses = [],
    };
}
