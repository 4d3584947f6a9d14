using Ballast.Exchanges;
using Ballast.Protocols.Conversation;
using Ballast.Telemetry;

namespace Ballast.Gateway.Signals;

/// <summary>Measures each attempt as it is settled.</summary>
public sealed class AttemptMeter(GenAIMeter meter)
{
    /// <summary>Codes of vendors' errors are the ledger's words, and few; one that a vendor made up is none of them.</summary>
    private const int ErrorLengthMax = 48;

    /// <param name="exchange">Whose attempt it is.</param>
    /// <param name="attempt">Its duration, usage and result are known.</param>
    public void Record(Exchange exchange, Attempt attempt)
    {
        string? error = attempt.Result == AttemptResult.Completed ? null : attempt.Reason is { Length: <= ErrorLengthMax } reason ? reason : GenAIMeter.Other;
        GenAISeries series = meter.Find(GenAIPlaces.Of(attempt.Deployment), GenAIPlaces.OperationOf(exchange.Operation), error);
        meter.Record(series, GenAIMetric.OperationDuration, attempt.Duration.TotalSeconds);
        if (attempt == exchange.Attempts[^1])
        {
            meter.Record(series, GenAIMetric.RequestDuration, exchange.Time.GetElapsedTime(exchange.StartedTimestamp).TotalSeconds);
        }

        Usage usage = attempt.Billed!;
        long input = usage.InputTokens + usage.CacheReadTokens + usage.CacheWriteTokens + usage.CacheWriteLongTokens;
        if (!usage.IsEstimated && input + usage.OutputTokens > 0)
        {
            meter.Record(series, GenAIMetric.InputTokens, input);
            meter.Record(series, GenAIMetric.OutputTokens, usage.OutputTokens);
        }

        if (attempt is { Result: AttemptResult.Completed, IsStream: true, TimeToFirstToken: { } first })
        {
            meter.Record(series, GenAIMetric.TimeToFirstToken, first.TotalSeconds);
            if (usage.OutputTokens > 1 && attempt.Duration > first)
            {
                meter.Record(series, GenAIMetric.TimePerOutputToken, (attempt.Duration - first).TotalSeconds / (usage.OutputTokens - 1));
            }
        }
    }
}
