using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Ballast.Catalog;
using Ballast.Exchanges;

namespace Ballast.Routing.Metering;

/// <summary>
/// What counts against every hard quota, by the names of accounts and deployments, so that a reload forgets nothing. Nothing is asked for above one: whoever sends takes of
/// it first, gives back what was never sent, and says in the end what it was. Where no quota is hard it costs a look at two fields.
/// </summary>
public sealed class QuotaBook(TimeProvider time)
{
    private readonly ConcurrentDictionary<string, QuotaMeter> _deployments = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, QuotaMeter> _accounts = new(StringComparer.Ordinal);

    /// <summary>By the very object of the catalog, which goes with it: names are looked up once.</summary>
    private readonly ConditionalWeakTable<Deployment, Meters> _known = [];

    /// <summary>The catalog that is in force from now on says how much each quota is; what counts already goes on counting.</summary>
    public void Bind(CatalogSnapshot catalog)
    {
        foreach (Provider provider in catalog.Providers.Values)
        {
            if (provider.HardQuota is { } limits)
            {
                Meter(_accounts, provider.Name, limits).Limits = limits;
            }
        }

        foreach (Deployment deployment in catalog.Deployments.Values)
        {
            if (deployment.HardQuota is { } limits)
            {
                Meter(_deployments, deployment.Name, limits).Limits = limits;
            }
        }
    }

    /// <summary>One more attempt of the exchange may be sent there.</summary>
    public bool HasRoom(Exchange exchange, Deployment deployment) => !deployment.HasHardQuota || HasRoom(deployment, exchange.TokensAt(deployment));

    /// <summary>So many tokens more may be asked for there.</summary>
    public bool HasRoom(Deployment deployment, long tokens)
    {
        Meters meters = Of(deployment);
        long second = Second;
        return meters.Own?.HasRoom(second, tokens) is not false && meters.Account?.HasRoom(second, tokens) is not false;
    }

    /// <summary>Takes an attempt's part; false where there is no room for it. Where one quota has none, the other is not touched.</summary>
    /// <param name="exchange">Whose attempt it is.</param>
    /// <param name="attempt">The attempt, which is about to be sent.</param>
    /// <param name="isOfAccount">It asks no model for anything: only its account counts it, as a request.</param>
    public bool TryTake(Exchange exchange, Attempt attempt, bool isOfAccount = false)
    {
        if (!attempt.Deployment.HasHardQuota)
        {
            return true;
        }

        long tokens = isOfAccount ? 0 : exchange.TokensAt(attempt.Deployment);
        Meters meters = Of(attempt.Deployment);
        QuotaMeter? own = isOfAccount ? null : meters.Own;
        if (own?.TryTake(Second, tokens) is false)
        {
            own.NoteTurnedAway();
            return false;
        }

        if (meters.Account?.TryTake(Second, tokens) is false)
        {
            own?.Undo(tokens);
            meters.Account.NoteTurnedAway();
            return false;
        }

        attempt.Quota = new QuotaHold { Stage = QuotaStage.Held, IsOfAccount = isOfAccount, Tokens = tokens };
        return true;
    }

    /// <summary>Counts an attempt that must be sent whatever the quota says: it undoes what another has done.</summary>
    public void Take(Attempt attempt)
    {
        if (attempt.Deployment.HasHardQuota)
        {
            Of(attempt.Deployment).Account?.Take(tokens: 0);
            attempt.Quota = new QuotaHold { Stage = QuotaStage.Held, IsOfAccount = true };
        }
    }

    /// <summary>The vendor has answered: it has counted the request by now.</summary>
    public void NoteArrival(Attempt attempt)
    {
        if (attempt.Quota.Stage == QuotaStage.Held)
        {
            attempt.Quota.Stage = QuotaStage.Arrived;
            Meters meters = Of(attempt.Deployment);
            long second = Second;
            (attempt.Quota.IsOfAccount ? null : meters.Own)?.Arrive(second);
            meters.Account?.Arrive(second);
        }
    }

    /// <summary>The attempt has ended, or was never sent. May be repeated.</summary>
    public void Settle(Attempt attempt)
    {
        if (attempt.Quota.Stage is QuotaStage.None or QuotaStage.Settled)
        {
            return;
        }

        Meters meters = Of(attempt.Deployment);
        QuotaMeter? own = attempt.Quota.IsOfAccount ? null : meters.Own;
        long taken = attempt.Quota.Tokens;
        if (!attempt.Reached && attempt.Quota.Stage == QuotaStage.Held)
        {
            attempt.Quota.Stage = QuotaStage.Settled;
            own?.Undo(taken);
            meters.Account?.Undo(taken);
            return;
        }

        NoteArrival(attempt);
        attempt.Quota.Stage = QuotaStage.Settled;
        long used = UsedBy(attempt);
        long second = Second;
        own?.Settle(second, taken, used);
        meters.Account?.Settle(second, taken, used);
    }

    /// <summary>Counts that a candidate was passed over because there is no room.</summary>
    public void NoteTurnedAway(Deployment deployment, long tokens)
    {
        Meters meters = Of(deployment);
        (meters.Own?.HasRoom(Second, tokens) is false ? meters.Own : meters.Account)?.NoteTurnedAway();
    }

    /// <summary>After how long there may be room there.</summary>
    public TimeSpan WaitFor(Exchange exchange, Deployment deployment, bool isOfAccount = false)
    {
        long tokens = isOfAccount ? 0 : exchange.TokensAt(deployment);
        Meters meters = Of(deployment);
        long second = Second;
        int wait = Math.Max((isOfAccount ? null : meters.Own)?.WaitFor(second, tokens) ?? 0, meters.Account?.WaitFor(second, tokens) ?? 0);
        return TimeSpan.FromSeconds(Math.Max(1, wait));
    }

    /// <summary>How an account's or a deployment's quota stands; null where nothing was ever asked of it, or it has none that is hard.</summary>
    public QuotaStanding? StandingOf(Deployment deployment) => deployment.HardQuota is null ? null : Read(_deployments.GetValueOrDefault(deployment.Name));

    /// <summary>As above.</summary>
    public QuotaStanding? StandingOf(Provider provider) => provider.HardQuota is null ? null : Read(_accounts.GetValueOrDefault(provider.Name));

    private long Second => time.GetTimestamp() / time.TimestampFrequency;

    private QuotaStanding? Read(QuotaMeter? meter)
    {
        if (meter is null)
        {
            return null;
        }

        (long requests, long tokens) = meter.Used(Second);
        return new QuotaStanding(meter.Limits, requests, tokens, meter.TurnedAway);
    }

    /// <summary>What the vendor told, nothing where it refused, and all that was taken where nobody knows.</summary>
    private static long UsedBy(Attempt attempt)
    {
        if (attempt.Usage is { } told && (attempt.HasEnded || attempt.Result == AttemptResult.Completed))
        {
            return told.TotalInputTokens + told.OutputTokens;
        }

        return attempt.UpstreamStatus >= 300 ? 0 : attempt.Quota.Tokens;
    }

    private Meters Of(Deployment deployment) => _known.TryGetValue(deployment, out Meters? known) ? known : _known.GetValue(deployment, Make);

    private Meters Make(Deployment deployment) => new(
        deployment.HardQuota is { } own ? Meter(_deployments, deployment.Name, own) : null,
        deployment.Provider.HardQuota is { } account ? Meter(_accounts, deployment.Provider.Name, account) : null);

    private static QuotaMeter Meter(ConcurrentDictionary<string, QuotaMeter> meters, string name, HardQuota limits) =>
        meters.GetOrAdd(name, static (_, now) => new QuotaMeter(now), limits);

    private sealed record Meters(QuotaMeter? Own, QuotaMeter? Account);
}

/// <summary>How a quota stands.</summary>
/// <param name="Limits">This gateway's part.</param>
/// <param name="Requests">That count now.</param>
/// <param name="Tokens">That count now.</param>
/// <param name="TurnedAway">Requests for which it was passed over, since the start.</param>
public sealed record QuotaStanding(HardQuota Limits, long Requests, long Tokens, long TurnedAway)
{
    /// <summary>Not one request more.</summary>
    public bool IsUsedUp => Requests >= Limits.RequestsPerMinute || Tokens >= Limits.TokensPerMinute;
}
