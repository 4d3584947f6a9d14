using Ballast.Catalog;
using Ballast.Exchanges;
using Ballast.Ledger;
using Ballast.Protocols.Conversation;

namespace Ballast.Gateway;

/// <summary>Turns an ended exchange into ledger rows, one for each attempt, and estimates the tokens of answers whose vendor told none.</summary>
public sealed class Bookkeeper(LedgerWriter ledger, LiveTotals totals)
{
    public async ValueTask RecordAsync(Exchange exchange)
    {
        foreach (Attempt attempt in exchange.Attempts)
        {
            await ledger.RecordAsync(ToEntry(exchange, attempt)).ConfigureAwait(false);
        }
    }

    /// <summary>An exchange that nothing was tried for has no row, and is not forgotten either.</summary>
    public void NoteTurnedAway() => totals.RecordTurnedAway();

    private static LedgerEntry ToEntry(Exchange exchange, Attempt attempt)
    {
        Deployment deployment = attempt.Deployment;
        Usage usage = UsageOf(exchange, attempt);
        (decimal? cost, decimal? inputCost) = OperationName.IsOfKept(exchange.Operation) ? CostsOfKept(usage) : Pricing.Costs(deployment.Prices?.At(attempt.StartedAt, usage.ServiceTier), usage);
        attempt.Billed = usage;
        attempt.CostUsd = cost;
        return new LedgerEntry
        {
            AttemptId = attempt.Id,
            ExchangeId = exchange.Id,
            AttemptNumber = attempt.Number,
            StartedAt = attempt.StartedAt,
            KeyId = exchange.Key.Id,
            App = exchange.Key.App,
            Protocol = exchange.Protocol.Name,
            Operation = OperationName.Of(exchange.Operation),
            Stream = exchange.Envelope.Stream,
            RequestedModel = exchange.RequestedModel,
            SentModel = deployment.SentModel,
            ServedModel = attempt.ServedModel,
            Deployment = deployment.Name,
            Vendor = deployment.Vendor,
            Platform = deployment.Platform,
            Region = deployment.Region,
            InputTokens = usage.InputTokens,
            CacheReadTokens = usage.CacheReadTokens,
            CacheWriteTokens = usage.CacheWriteTokens,
            CacheWriteLongTokens = usage.CacheWriteLongTokens,
            OutputTokens = usage.OutputTokens,
            ReasoningTokens = usage.ReasoningTokens,
            IsEstimated = usage.IsEstimated,
            CostUsd = cost,
            InputCostUsd = inputCost,
            TimeToFirstToken = attempt.TimeToFirstToken,
            Duration = attempt.Duration,
            Outcome = OutcomeOf(attempt.Result),
            Reason = attempt.Reason,
            Finish = attempt.Finish?.Value,
            UpstreamStatus = attempt.UpstreamStatus,
            UpstreamRequestId = attempt.UpstreamRequestId,
            Reached = attempt.Reached,
            EndsExchange = attempt == exchange.Attempts[^1],
            Losses = attempt.Losses.Count == 0 ? [] : [.. attempt.Losses.Losses.Select(loss => loss.InResponse ? "response:" + loss.Pointer : loss.Pointer)],
        };
    }

    /// <summary>
    /// Files and batches have prices of their own, which are not those of a model's answers: what of them may cost is not known, and looking at them costs nothing.
    /// </summary>
    private static (decimal? Cost, decimal? InputCost) CostsOfKept(Usage usage) =>
        usage.IsEstimated || usage.InputTokens + usage.CacheReadTokens + usage.OutputTokens > 0 ? (null, null) : (0, 0);

    private static AttemptOutcome OutcomeOf(AttemptResult result) => result switch
    {
        AttemptResult.Completed => AttemptOutcome.Completed,
        AttemptResult.Interrupted => AttemptOutcome.Interrupted,
        AttemptResult.Cancelled => AttemptOutcome.Cancelled,
        _ => AttemptOutcome.Failed,
    };

    /// <summary>
    /// The vendor's figures where the answer ended; else what is known, with the rest estimated upwards: an answer that was cut is billed for what was produced, and
    /// its final usage never came.
    /// </summary>
    private static Usage UsageOf(Exchange exchange, Attempt attempt)
    {
        Usage? told = attempt.Usage;
        if (told is not null && (attempt.Result == AttemptResult.Completed || attempt.HasEnded))
        {
            return told;
        }

        // Nothing is billed for what never arrived, what was refused, and what is only counted. A request that arrived and was cut before its answer may be.
        if (!attempt.Reached || attempt.UpstreamStatus >= 300 || exchange.Operation == Operation.CountTokens
            || (OperationName.IsOfKept(exchange.Operation) && exchange.Operation is not (Operation.FileUpload or Operation.BatchCreate)))
        {
            return new Usage();
        }

        long output = Math.Max(told?.OutputTokens ?? 0, TokenEstimate.OfLength(attempt.ContentLength));
        return told is not null ? told with { OutputTokens = output, IsEstimated = true } : TokenEstimate.Of(exchange, attempt.ContentLength);
    }
}
