using Ballast.Catalog;
using Ballast.Exchanges;
using Ballast.Guards.Redaction;
using Ballast.Protocols.Conversation;

namespace Ballast.Guards;

/// <summary>A key as requests are judged by it: what it may do, and the meters and budgets that its requests count for. Made anew with every change, its meters live on.</summary>
public sealed class AdmittedKey : KeyStanding
{
    public required ApiKey Key { get; init; }

    /// <summary>In UTC ticks.</summary>
    public required long ExpiresTicks { get; init; }

    /// <summary>Refused while its store has been out of sight for too long.</summary>
    public required bool RefusesWhenStale { get; init; }

    /// <summary>Its own, its app's, its team's and its organisation's, those without a limit left out.</summary>
    public required IReadOnlyList<RateMeter> Meters { get; init; }

    /// <inheritdoc cref="Meters"/>
    public required IReadOnlyList<BudgetMeter> Budgets { get; init; }

    /// <summary>Whether a request counts in money, or in tokens.</summary>
    public bool HasMoneyBudget { get; init; }
    public bool HasTokenBudget { get; init; }

    /// <summary>What is taken out of its app's requests; null takes nothing out.</summary>
    public RedactionPolicy? Redaction { get; init; }

    /// <summary>The directory that it stands in: what was found once counts only as long as this one is in use.</summary>
    public required KeyDirectory Directory { get; init; }

    public override RateLimits? RateLimits(Exchange exchange)
    {
        RateMeter? model = exchange.Reservation.HasModel ? Directory.MeterOf(exchange.Model) : null;
        if (Meters.Count == 0 && model is null)
        {
            return null;
        }

        long second = Guard.SecondOf(exchange.Time);
        RateLimit requests = default, input = default, output = default;
        for (int i = 0; i <= Meters.Count; i++)
        {
            if ((i < Meters.Count ? Meters[i] : model) is { } meter)
            {
                requests = Tighter(requests, meter.Requests(second));
                input = Tighter(input, meter.InputTokens(second));
                output = Tighter(output, meter.OutputTokens(second));
            }
        }

        return requests.IsEmpty && input.IsEmpty && output.IsEmpty ? null : new RateLimits(requests, Tighter(input, output), input, output);
    }

    private static RateLimit Tighter(RateLimit one, RateLimit other) => one.IsEmpty || other.Remaining < one.Remaining ? other.IsEmpty ? one : other : one;
}
