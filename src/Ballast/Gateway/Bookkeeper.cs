using System.Runtime.CompilerServices;
using Ballast.Catalog;
using Ballast.Exchanges;
using Ballast.Gateway.Signals;
using Ballast.Ledger;
using Ballast.Ledger.Spool;
using Ballast.Prices;
using Ballast.Protocols;
using Ballast.Protocols.Conversation;

namespace Ballast.Gateway;

/// <summary>
/// Writes down every attempt twice: as an intent before it is sent, with the most that it may cost, and as its row before the answer's last byte goes out. Estimates the
/// tokens of answers whose vendor told none.
/// </summary>
public sealed class Bookkeeper(LedgerWriter ledger, LiveTotals totals, AttemptMeter meter)
{
    /// <summary>Output taken for an attempt that was never settled and whose request had no limit, in tokens: more than nearly all answers have.</summary>
    private const long OutputTokensUnlimited = 16_384;

    /// <summary>A token has at least a byte, and no request more of them than this.</summary>
    private const long InputTokensMax = 1_000_000;

    /// <summary>Completes once the ledger has it that this attempt is about to be sent.</summary>
    /// <param name="exchange">Whose attempt it is.</param>
    /// <param name="attempt">The attempt.</param>
    /// <param name="recorded">Where the request has an <c>Idempotency-Key</c>, its key is used up before.</param>
    /// <exception cref="GatewayException">The ledger has no room.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask IntendAsync(Exchange exchange, Attempt attempt, RecordedCall? recorded = null)
    {
        bool isKept = false;
        NoteReserved(exchange, attempt);
        if (recorded is not null)
        {
            await MarkAsync(recorded, exchange, attempt).ConfigureAwait(false);
        }

        try
        {
            ValueTask<bool> keeping = ledger.IntendAsync(ToIntent(exchange, attempt), out SpoolTicket place);
            attempt.LedgerPlace = place;
            isKept = await keeping.ConfigureAwait(false);
            CrashPoint.Reach("intent.kept");
        }
        catch (SpoolFullException)
        {
            // As if the disk had refused it.
        }

        if (!isKept)
        {
            // It was never sent, so it is no attempt.
            exchange.Attempts.Remove(attempt);
            throw new GatewayException(GatewayError.LedgerFull);
        }
    }

    private static async ValueTask MarkAsync(RecordedCall recorded, Exchange exchange, Attempt attempt)
    {
        try
        {
            await recorded.MarkAsync().ConfigureAwait(false);
        }
        catch
        {
            exchange.Attempts.Remove(attempt);
            throw;
        }
    }

    /// <summary>Completes once the ledger has all of the exchange's attempts.</summary>
    /// <param name="exchange">Of which nothing more is to be sent upstream.</param>
    /// <param name="isAnswer">The attempt that runs has given a whole answer; else it ends as it stands.</param>
    public ValueTask<bool> SettleAsync(Exchange exchange, bool isAnswer)
    {
        List<Attempt> attempts = exchange.Attempts;
        if (attempts.Count == 0 || attempts[^1].IsSettled)
        {
            return new ValueTask<bool>(true);
        }

        for (int i = 0; i < attempts.Count - 1; i++)
        {
            SettleBehind(exchange, attempts[i]);
        }

        Attempt last = attempts[^1];
        last.Result = isAnswer && last.Result is AttemptResult.Cancelled or AttemptResult.Running ? AttemptResult.Completed : last.Result;
        return ledger.SettleAsync(RowOf(exchange, last, out SpoolTicket? place), place);
    }

    /// <summary>Settles what is not settled yet, without waiting: nobody is there to wait for it.</summary>
    public void Close(Exchange exchange)
    {
        foreach (Attempt attempt in exchange.Attempts)
        {
            SettleBehind(exchange, attempt);
        }
    }

    /// <summary>Settles all attempts but the last, whose end is not known yet.</summary>
    public void CloseBefore(Exchange exchange)
    {
        for (int i = 0; i < exchange.Attempts.Count - 1; i++)
        {
            SettleBehind(exchange, exchange.Attempts[i]);
        }
    }

    /// <summary>The row of an attempt that says the most that it may cost.</summary>
    public static LedgerEntry Bound(Exchange exchange) => ToIntent(exchange, exchange.Attempts[^1]);

    /// <summary>Settles the last attempt, whose end nobody has seen, with such a row.</summary>
    public void CloseAt(Exchange exchange, LedgerEntry bound)
    {
        Attempt attempt = exchange.Attempts[^1];
        if (attempt.IsSettled)
        {
            return;
        }

        LedgerEntry told = RowOf(exchange, attempt, out SpoolTicket? place);
        attempt.Billed = new Usage { InputTokens = bound.InputTokens, OutputTokens = bound.OutputTokens, IsEstimated = true };
        attempt.CostUsd = bound.CostUsd;
        ledger.Settle(
            told with
            {
                InputTokens = bound.InputTokens, CacheReadTokens = 0, CacheWriteTokens = 0, CacheWriteLongTokens = 0, OutputTokens = bound.OutputTokens, ReasoningTokens = null,
                IsEstimated = true, CostUsd = bound.CostUsd, InputCostUsd = bound.InputCostUsd,
            },
            place);
    }

    /// <summary>A request's budgets hold the sum of its attempts; this one's part is what came last.</summary>
    private static void NoteReserved(Exchange exchange, Attempt attempt)
    {
        decimal held = exchange.Reservation.Usd;
        for (int i = 0; i < exchange.Attempts.Count - 1; i++)
        {
            held -= exchange.Attempts[i].Reserved ?? 0;
        }

        if (held > 0)
        {
            attempt.Reserved = held;
            attempt.ReservedCurrency = "USD";
        }
    }

    /// <summary>An exchange that nothing was tried for has no row, and is not forgotten either.</summary>
    public void NoteTurnedAway() => totals.RecordTurnedAway();

    private void SettleBehind(Exchange exchange, Attempt attempt)
    {
        if (!attempt.IsSettled)
        {
            ledger.Settle(RowOf(exchange, attempt, out SpoolTicket? place), place);
        }
    }

    private LedgerEntry RowOf(Exchange exchange, Attempt attempt, out SpoolTicket? place)
    {
        attempt.IsSettled = true;
        if (attempt.Duration == TimeSpan.Zero)
        {
            attempt.Duration = exchange.Time.GetElapsedTime(attempt.StartedTimestamp);
        }

        place = attempt.LedgerPlace as SpoolTicket;
        attempt.LedgerPlace = null;
        LedgerEntry row = ToEntry(exchange, attempt);
        meter.Record(exchange, attempt);
        return row;
    }

    /// <summary>The row that stands where the gateway is killed before it can write another: never less than what the platform may bill, and flagged.</summary>
    private static LedgerEntry ToIntent(Exchange exchange, Attempt attempt)
    {
        Deployment deployment = attempt.Deployment;
        Usage most = exchange.Protocol.Family switch
        {
            ProtocolFamily.Chat when exchange.Operation == Operation.State => new Usage(),
            ProtocolFamily.Chat => new Usage
            {
                InputTokens = Math.Min(exchange.Envelope.Body.Length, InputTokensMax),
                OutputTokens = (exchange.Envelope.MaxOutputTokens ?? OutputTokensUnlimited) * Math.Max(1, exchange.Envelope.ChoiceCount),
            },
            ProtocolFamily.Embeddings => new Usage { InputTokens = Math.Min(exchange.Envelope.Body.Length, InputTokensMax) },
            _ => new Usage(),
        };
        PriceSchedule? prices = OperationName.IsOfKept(exchange.Operation) ? null : deployment.Prices;
        DateOnly day = DateOnly.FromDateTime(attempt.StartedAt.UtcDateTime);
        MediaBound media = prices is null ? default : MediaBound.Of(exchange, deployment, prices);
        return new LedgerEntry
        {
            AttemptId = attempt.Id,
            ExchangeId = exchange.Id,
            AttemptNumber = attempt.Number,
            StartedAt = attempt.StartedAt,
            KeyId = exchange.Key.Id,
            App = exchange.Key.App,
            Team = exchange.Key.Team,
            Organisation = exchange.Key.Organisation,
            Protocol = exchange.Protocol.Name,
            Operation = OperationName.Of(exchange.Operation),
            Stream = exchange.Envelope.Stream,
            RequestedModel = exchange.RequestedModel,
            SentModel = deployment.SentModel,
            Deployment = deployment.Name,
            Vendor = deployment.Vendor,
            Platform = deployment.Platform,
            Region = deployment.Region,
            InputTokens = most.InputTokens,
            OutputTokens = most.OutputTokens,
            IsEstimated = true,
            CostUsd = prices is null ? null : CostBound.Dearest(prices, day, most.InputTokens, most.OutputTokens, media: media),
            InputCostUsd = prices is null ? null : CostBound.Dearest(prices, day, most.InputTokens, output: 0, media: media with { Searches = 0, SearchingRequests = 0, Images = 0 }),
            Reserved = attempt.Reserved,
            ReservedCurrency = attempt.ReservedCurrency,
            Outcome = AttemptOutcome.Interrupted,
            Reason = "gateway_stopped",
            Reached = true,
        };
    }

    private static LedgerEntry ToEntry(Exchange exchange, Attempt attempt)
    {
        Deployment deployment = attempt.Deployment;
        Usage usage = WithPictures(exchange, attempt, UsageOf(exchange, attempt));
        (decimal? cost, decimal? inputCost) = exchange.Operation == Operation.State || OperationName.IsOfKept(exchange.Operation)
            ? attempt.Costs ?? CostsOfKept(usage) : Pricing.Costs(deployment.Prices?.At(attempt.StartedAt, usage.ServiceTier), usage);
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
            Team = exchange.Key.Team,
            Organisation = exchange.Key.Organisation,
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
            Media = usage.Media,
            IsEstimated = usage.IsEstimated,
            CostUsd = cost,
            InputCostUsd = inputCost,
            Reserved = attempt.Reserved,
            ReservedCurrency = attempt.ReservedCurrency,
            TimeToFirstToken = attempt.TimeToFirstToken,
            Duration = attempt.Duration,
            Outcome = OutcomeOf(attempt.Result),
            Reason = attempt.Reason,
            Finish = attempt.Finish?.Value,
            UpstreamStatus = attempt.UpstreamStatus,
            UpstreamRequestId = attempt.UpstreamRequestId,
            Reached = attempt.Reached,
            EndsExchange = attempt == exchange.Attempts[^1],
            Losses = NotesOf(exchange, attempt),
        };
    }

    private static string[] NotesOf(Exchange exchange, Attempt attempt)
    {
        // Whoever was passed over is told once, by the first attempt.
        List<string>? passed = attempt == exchange.Attempts[0] ? exchange.PassedOver : null;
        return attempt.Losses.Count == 0 && exchange.Screen is null && exchange.Judge is null && passed is null ? []
            :
            [
                .. passed ?? [], .. exchange.Screen?.Notes ?? [], .. exchange.Judge?.Notes ?? [],
                .. attempt.Losses.Losses.Select(static loss => loss.InResponse ? "response:" + loss.Pointer : loss.Pointer),
            ];
    }

    /// <summary>
    /// Files and batches have prices of their own, which are not those of a model's answers: what of them may cost is not known, and looking at them costs nothing.
    /// </summary>
    private static (decimal? Cost, decimal? InputCost) CostsOfKept(Usage usage) =>
        usage.IsEstimated || usage.InputTokens + usage.CacheReadTokens + usage.OutputTokens > 0 ? (null, null) : (0, 0);

    /// <summary>
    /// It may cost what its answer does not tell. A batch of Messages is booked with its results; one that may have begun unseen, or is deleted before them, is never.
    /// </summary>
    private static bool MayCostUnseen(Exchange exchange, Attempt attempt) => exchange.Operation switch
    {
        Operation.FileUpload or Operation.BatchCreate => true,
        Operation.MessageBatchCreate => exchange.Batch is null && attempt.UpstreamStatus is null or < 300,
        Operation.MessageBatchDelete => exchange.Batch is not null,
        _ => false,
    };

    private static AttemptOutcome OutcomeOf(AttemptResult result) => result switch
    {
        AttemptResult.Completed => AttemptOutcome.Completed,
        AttemptResult.Interrupted => AttemptOutcome.Interrupted,
        AttemptResult.Cancelled => AttemptOutcome.Cancelled,
        _ => AttemptOutcome.Failed,
    };

    /// <summary>Where pictures have a price by the piece, those that were asked for are those that are billed.</summary>
    private static Usage WithPictures(Exchange exchange, Attempt attempt, Usage usage) =>
        MediaBound.ImagesOf(exchange) is > 0 and int images && attempt is { Result: AttemptResult.Completed, UpstreamStatus: null or < 300 }
            ? usage with { Media = (usage.Media ?? new MediaUsage()) with { Images = images } } : usage;

    /// <summary>
    /// The vendor's figures where the answer ended; else what is known, with the rest estimated upwards: an answer that was cut is billed for what was produced, and
    /// its final usage never came.
    /// </summary>
    private static Usage UsageOf(Exchange exchange, Attempt attempt)
    {
        Usage? told = exchange.Operation == Operation.State ? null : attempt.Usage; // Looking at an answer costs nothing: it is booked where it was asked for.
        if (told is not null && (attempt.Result == AttemptResult.Completed || attempt.HasEnded))
        {
            return told;
        }

        // Nothing is billed for what never arrived, what was refused, and what is only counted. A request that arrived and was cut before its answer may be.
        if (!attempt.Reached || attempt.UpstreamStatus >= 300 || exchange.Operation is Operation.CountTokens or Operation.State
            || (OperationName.IsOfKept(exchange.Operation) && !MayCostUnseen(exchange, attempt)))
        {
            return new Usage();
        }

        long output = Math.Max(told?.OutputTokens ?? 0, TokenEstimate.OfLength(attempt.ContentLength));
        return told is not null ? told with { OutputTokens = output, IsEstimated = true } : TokenEstimate.Of(exchange, attempt.ContentLength);
    }
}
