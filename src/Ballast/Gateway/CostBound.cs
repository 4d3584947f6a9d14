using Ballast.Catalog;
using Ballast.Exchanges;
using Ballast.Guards;
using Ballast.Guards.Leases;
using Ballast.Prices;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Operations;

namespace Ballast.Gateway;

/// <summary>
/// The most that an attempt may cost, told before it is sent: each byte of the request is taken for a token, each link in it for a picture or document behind it, the
/// answer for as long as the caller allows. What costs other than by tokens is taken for the amount that its budget says, or refused.
/// </summary>
public static class CostBound
{
    /// <summary>Tokens that something behind a link is taken for.</summary>
    public const int TokensPerLink = 4000;

    private const int LinksMax = 1000;

    /// <summary>Tokens of a request, on the high side.</summary>
    public static long InputOf(Exchange exchange)
    {
        ReadOnlySpan<byte> body = exchange.Envelope.Body.Span;
        return body.Length + (TokensPerLink * (long)Math.Min(LinksMax, System.MemoryExtensions.Count(body, "://"u8)));
    }

    private static long InputOf(BatchShare share) => share.Bytes + (TokensPerLink * share.Links);

    /// <summary>Tokens of all answers that are asked for: the caller's own limit, else what the deployment is taken to write at most.</summary>
    public static long OutputOf(Exchange exchange, Deployment? deployment) => exchange.OutputBound(deployment);

    /// <summary>Reserves what one attempt may cost; where this gateway's part of a shared budget is used up, waits for a larger one.</summary>
    /// <exception cref="GatewayException">A budget has not so much left, or cannot know what it costs.</exception>
    public static ValueTask ReserveAsync(Exchange exchange, Deployment deployment, Guard guard, CancellationToken aborted)
    {
        try
        {
            Reserve(exchange, deployment);
            return default;
        }
        catch (LeaseShortException empty)
        {
            return ReserveAgainAsync(exchange, deployment, guard, empty, aborted);
        }
    }

    private static ValueTask ReserveAgainAsync(Exchange exchange, Deployment deployment, Guard guard, LeaseShortException empty, CancellationToken aborted) =>
        guard.TakeAgainAsync(exchange, empty, () => Reserve(exchange, deployment), aborted);

    /// <summary>Reserves what one attempt may cost.</summary>
    /// <exception cref="GatewayException">A budget has not so much left, or cannot know what it costs.</exception>
    public static void Reserve(Exchange exchange, Deployment deployment)
    {
        if (exchange.Standing is not AdmittedKey { Budgets.Count: > 0 } key)
        {
            return;
        }

        if (exchange.Operation == Operation.State)
        {
            return;
        }

        long input = exchange.BatchShares?.Sum(static share => InputOf(share)) ?? InputOf(exchange);
        long output = exchange.BatchShares?.Sum(static share => share.OutputTokens) ?? OutputOf(exchange, deployment);
        decimal usd = key.HasMoneyBudget ? DollarsOf(exchange, deployment, key, input, output) : 0;
        Guard.Reserve(exchange, usd, key.HasTokenBudget ? input + output : 0);
    }

    /// <summary>What the request has used and cost in the end. What nobody knows is what was reserved for it.</summary>
    public static Spending SpentBy(Exchange exchange)
    {
        if (exchange.Standing is not AdmittedKey key || (key.Budgets.Count == 0 && key.Meters.Count == 0 && !exchange.Reservation.HasModel))
        {
            return default;
        }

        decimal usd = 0;
        long input = 0;
        long output = 0;
        bool isUnknown = false;
        bool isEstimated = false;
        foreach (Attempt attempt in exchange.Attempts)
        {
            if (attempt.Billed is not { } billed)
            {
                continue;
            }

            long taken = billed.InputTokens + billed.CacheReadTokens + billed.CacheWriteTokens + billed.CacheWriteLongTokens;
            input += taken;
            output += billed.OutputTokens;
            isEstimated |= billed.IsEstimated;
            bool isTold = exchange.IsByTokens || (!billed.IsEstimated && taken + billed.OutputTokens > 0) || (billed.Media is { Images: > 0 } && attempt.CostUsd > 0);
            usd += attempt.Reached && (!isTold || attempt.CostUsd is null) ? UnknownCost(exchange, attempt, key) : attempt.CostUsd ?? 0;
            isUnknown |= attempt.Reached && !isTold && attempt.UpstreamStatus is null or < 300;
        }

        long tokens = isUnknown ? exchange.Reservation.Tokens : input + output;

        // An estimate of ours errs upwards; what was reserved is the most that it can have been.
        return isEstimated && exchange.Batch is null
            ? new Spending(Math.Min(usd, exchange.Reservation.Usd), Math.Min(tokens, exchange.Reservation.Tokens), input, output)
            : new Spending(usd, tokens, input, output);
    }

    private static decimal DollarsOf(Exchange exchange, Deployment deployment, AdmittedKey key, long input, long output)
    {
        // Looking at what is kept costs nothing.
        bool isKept = OperationName.IsOfKept(exchange.Operation);
        if (exchange.BatchShares is { } shares)
        {
            return DollarsOf(exchange, deployment, key, shares);
        }

        if (isKept && !OperationName.BeginsBatch(exchange.Operation))
        {
            return 0;
        }

        if (isKept || deployment.Prices is not { } prices)
        {
            return Ceiling(exchange, key) ?? throw new GatewayException(GatewayError.Unpriced);
        }

        decimal dearest = Dearest(prices, DateOnly.FromDateTime(exchange.Time.GetUtcNow().UtcDateTime), input, output, media: MediaBound.Of(exchange, deployment, prices));
        return exchange.IsByTokens ? dearest : Math.Max(dearest, Ceiling(exchange, key) ?? 0);
    }

    private static decimal DollarsOf(Exchange exchange, Deployment deployment, AdmittedKey key, IReadOnlyList<BatchShare> shares) =>
        shares.Sum(share => DollarsOf(exchange, deployment, key, share));

    /// <summary>The most that a batch's requests for one model may cost, at the price of batches.</summary>
    private static decimal DollarsOf(Exchange exchange, Deployment deployment, AdmittedKey key, BatchShare share)
    {
        Deployment? here = exchange.Catalog.FindModel(share.Model)?.Candidates.Select(static candidate => candidate.Deployment)
            .FirstOrDefault(other => other.Provider == deployment.Provider);
        if (here?.Prices is not { } prices)
        {
            return Ceiling(exchange, key) ?? throw new GatewayException(GatewayError.Unpriced);
        }

        DateOnly day = DateOnly.FromDateTime(exchange.Time.GetUtcNow().UtcDateTime);
        return Dearest(prices, day, InputOf(share), share.OutputTokens, ServiceTier.Batch, share.Requests, new MediaBound(HasSound: true, HasPictures: true, share.Searches, 0) { SearchingRequests = share.SearchingRequests });
    }

    /// <summary>By whatever class, service tier, hour and length of prompt it is priced in the end: which of them count is known only afterwards.</summary>
    /// <param name="prices">Of the deployment.</param>
    /// <param name="day">On which it is asked; it may be answered on the next.</param>
    /// <param name="input">Tokens of all requests.</param>
    /// <param name="output">Tokens of all answers.</param>
    /// <param name="only">The one service tier that can count; null where any can.</param>
    /// <param name="requests">How many requests there are.</param>
    /// <param name="media">Which prices beside those of text may count.</param>
    internal static decimal Dearest(PriceSchedule prices, DateOnly day, long input, long output, ServiceTier? only = null, int requests = 1, MediaBound media = default)
    {
        DearestPrices dearest = only is null && requests == 1 && media == default ? DearestOfText(prices, day) : DearestOf(prices, day, only, requests, media);
        return dearest.Pieces + (((input * dearest.Input) + (output * dearest.Output)) * 0.000_001m);
    }

    /// <summary>Asked for several times by every request, and the same all day long.</summary>
    private static DearestPrices DearestOfText(PriceSchedule prices, DateOnly day)
    {
        if (prices.DearestOfText is { } known && known.Day == day)
        {
            return known;
        }

        DearestPrices dearest = DearestOf(prices, day, only: null, requests: 1, media: default);
        prices.DearestOfText = dearest;
        return dearest;
    }

    private static DearestPrices DearestOf(PriceSchedule prices, DateOnly day, ServiceTier? only, int requests, MediaBound media)
    {
        // What has no price of its own, at whatever hour, costs as standard.
        bool isComplete = only is { } one && HasOwnPrice(prices, one, day);
        decimal inputPrice = 0;
        decimal outputPrice = 0;
        decimal pieces = 0;
        for (int i = 0; i < prices.Rows.Count; i++)
        {
            PriceRow row = prices.Rows[i];
            bool counts = only is null || row.ServiceTier == only || (!isComplete && row.ServiceTier == ServiceTier.Standard);
            if (counts && (row.IsValidOn(day) || row.IsValidOn(day.AddDays(1))))
            {
                pieces = Math.Max(pieces, (row.Price.PerRequest * requests) + media.PiecesAt(row.Price.Media));
                (decimal dearInput, decimal dearOutput) = media.TokensAt(row.Price.Media);
                inputPrice = Math.Max(inputPrice, dearInput);
                outputPrice = Math.Max(outputPrice, dearOutput);
                Take(row.Price.For(0));
                for (int tier = 0; tier < row.Price.Tiers.Count; tier++)
                {
                    Take(row.Price.Tiers[tier].Figures);
                }
            }
        }

        return new DearestPrices(day, pieces, inputPrice, outputPrice);

        void Take(PriceFigures figures)
        {
            inputPrice = Math.Max(inputPrice, Math.Max(Math.Max(figures.Input, figures.CacheRead), Math.Max(figures.CacheWrite, figures.CacheWriteLong)));
            outputPrice = Math.Max(outputPrice, figures.Output);
        }
    }

    /// <summary>Apart from what asks it: a lambda among its variables would be made for every request.</summary>
    private static bool HasOwnPrice(PriceSchedule prices, ServiceTier tier, DateOnly day) =>
        prices.Rows.Any(row => row.ServiceTier == tier && !row.HasDailyWindow && row.IsValidOn(day) && row.IsValidOn(day.AddDays(1)));

    /// <summary>The largest amount that a budget of the key takes such a request for; null where one of them refuses it.</summary>
    private static decimal? Ceiling(Exchange exchange, AdmittedKey key)
    {
        decimal most = 0;
        foreach (BudgetMeter budget in key.Budgets)
        {
            if (budget.IsMoney)
            {
                decimal? amount = OperationName.IsOfKept(exchange.Operation) ? budget.Options.UnpricedBatchUsd : budget.Options.UnpricedRequestUsd;
                if (amount is null && budget.Options.IsHard)
                {
                    return null;
                }

                most = Math.Max(most, amount ?? 0);
            }
        }

        return most;
    }

    private static decimal UnknownCost(Exchange exchange, Attempt attempt, AdmittedKey key) =>
        attempt.UpstreamStatus >= 300 || !key.HasMoneyBudget || (OperationName.IsOfKept(exchange.Operation) && !OperationName.BeginsBatch(exchange.Operation) && exchange.Batch is null)
            ? 0 : exchange.BatchShares is not null ? exchange.Reservation.Usd : Ceiling(exchange, key) ?? exchange.Reservation.Usd;
}
