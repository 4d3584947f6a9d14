using Ballast.Catalog;
using Ballast.Exchanges;
using Ballast.Guards;
using Ballast.Protocols;
using Ballast.Protocols.Conversation;
using Ballast.Routing;
using Ballast.Routing.Metering;
using Ballast.Telemetry;
using Ballast.Upstream;
using Microsoft.Extensions.Logging;

namespace Ballast.Gateway;

/// <summary>
/// The one loop that turns a plan into an answer.
/// <code>
///   plan ──▶ (1) next candidate ──▶ (2) may it be tried? ──▶ (3) build: lossless enough? ──▶ (4) attempt ──▶ (5) judge ──▶ done
///                 ▲                                                                                             │ failed, nothing committed
///                 └─────────────────────────────────────────────────────────────────────────────────────────────┘
/// </code>
/// The rule: it may move on only while <see cref="Exchange.OutputCommitted"/> is false. A client that went away is nobody's failure.
/// </summary>
public sealed class Failover(UpstreamCall call, HealthBook health, QuotaBook quotas, RetryBudget budget, Bookkeeper bookkeeper, Guard guard, ILogger log)
{
    /// <summary>How long a retry without budget waits for a candidate to prove itself healthy or for the budget to refill.</summary>
    private static readonly TimeSpan RetryWaitMax = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan RetryWaitStep = TimeSpan.FromMilliseconds(50);

    /// <summary>Answers the client: with a model's answer, or what <paramref name="work"/> makes of one, or with an error of its own protocol.</summary>
    public async Task RunAsync(Exchange exchange, RoutePlan plan, ClientResponse response, CancellationToken aborted, AttemptWork? work = null)
    {
        Count(exchange);
        UpstreamFailure? last = null;
        long? retriesFrom = null;
        TimeSpan? soonest = plan.RestingFor;
        Deployment? unreportedProbe = plan.Probe;
        Deployment? again = null;
        try
        {
            while (exchange.Attempts.Count < exchange.Catalog.Limits.AttemptsMax && TryNext(plan, ref again, out Deployment deployment, out bool isAgain)) // (1)
            {
                retriesFrom ??= exchange.Attempts.Count > 0 ? exchange.Time.GetTimestamp() : null;
                if (!isAgain && retriesFrom is { } since && !await MayRetryAsync(deployment, exchange, since, aborted).ConfigureAwait(false))  // (2)
                {
                    continue; // a later candidate may be proven healthy
                }

                Attempt attempt = exchange.BeginAttempt(deployment);
                if (IsFull(exchange, attempt, plan, isOfAccount: work is not null, ref soonest, out UpstreamFailure? full))
                {
                    last ??= full;
                    continue;
                }

                try
                {
                    await ReserveAsync(exchange, attempt, aborted).ConfigureAwait(false);
                    if (!TryBuild(exchange, attempt, work, out UpstreamMessage? request, out UpstreamFailure? refusal))       // (3)
                    {
                        last ??= refusal;
                        continue;
                    }

                    using (request)
                    {
                        await bookkeeper.IntendAsync(exchange, attempt, response.Recorded).ConfigureAwait(false);
                        bool isProbe = Claim(deployment, ref unreportedProbe);
                        UpstreamFailure? failure = await AttemptAsync(exchange, attempt, isProbe, request, response, work, aborted).ConfigureAwait(false);  // (4)
                        if (failure is null || exchange.OutputCommitted || exchange.Judge is { WantsRevision: true })
                        {
                            return; // in the last case whoever asked for the answer asks again
                        }

                        (last, soonest) = (failure, Sooner(soonest, failure.Error.RetryAfter));
                        response.Discard();
                        if (!MayGoOn(exchange, attempt, failure, plan, ref again))
                        {
                            break;
                        }
                    }
                }
                finally
                {
                    quotas.Settle(attempt);
                }
            }
        }
        finally
        {
            if (unreportedProbe is not null)
            {
                health.Of(unreportedProbe).ReportNothing();
            }
        }

        await RejectAsync(exchange, last, soonest, response).ConfigureAwait(false);
    }

    private static bool TryNext(RoutePlan plan, ref Deployment? again, out Deployment deployment, out bool isAgain)
    {
        isAgain = again is not null;
        deployment = again!;
        again = null;
        return isAgain || plan.TryNext(out deployment);
    }

    /// <summary>
    /// To another candidate after most failures, and to the same one without the reasoning that it cannot read: what one account has encrypted no other can, and nothing in it
    /// says whose it is. Where a model has several accounts, the caller may come from another one, that is away now; where there is one only, what it cannot read was changed.
    /// </summary>
    private static bool MayGoOn(Exchange exchange, Attempt attempt, UpstreamFailure failure, RoutePlan plan, ref Deployment? again)
    {
        Protocol own = exchange.Protocol;
        if (own.UnreadableReasoningCode is { } code && failure.Error.Code == code && !exchange.LeavesReasoningOut && attempt.Protocol == own
            && exchange.Model.Candidates.Any(other => other.Deployment.Provider != attempt.Deployment.Provider && other.Deployment.ProtocolFor(own) == own))
        {
            exchange.LeavesReasoningOut = true;
            again = attempt.Deployment;
            return true;
        }

        plan.NoteFailure(attempt.Deployment);
        return failure.IsRetryable;
    }

    /// <summary>Between the plan and its turn others may have used the quota up: then it is not sent, and is no attempt.</summary>
    private bool IsFull(Exchange exchange, Attempt attempt, RoutePlan plan, bool isOfAccount, ref TimeSpan? soonest, out UpstreamFailure? full)
    {
        full = null;
        if (quotas.TryTake(exchange, attempt, isOfAccount))
        {
            return false;
        }

        exchange.Attempts.Remove(attempt);
        exchange.PassOver(attempt.Deployment);
        plan.NoteFull();
        TimeSpan wait = quotas.WaitFor(exchange, attempt.Deployment, isOfAccount);
        soonest = Sooner(soonest, wait);
        GatewayError error = GatewayError.QuotaReached;
        full = new UpstreamFailure(error.Code, error.ToChatError() with { RetryAfter = wait }, IsRetryable: true, BlamesDeployment: false);
        return true;
    }

    private async ValueTask ReserveAsync(Exchange exchange, Attempt attempt, CancellationToken aborted)
    {
        try
        {
            await CostBound.ReserveAsync(exchange, attempt.Deployment, guard, aborted).ConfigureAwait(false);
        }
        catch
        {
            exchange.Attempts.Remove(attempt);
            throw;
        }
    }

    /// <summary>True for the plan's probe, whose end is reported with its attempt from now on.</summary>
    private static bool Claim(Deployment deployment, ref Deployment? unreportedProbe)
    {
        bool isProbe = deployment == unreportedProbe;
        unreportedProbe = isProbe ? null : unreportedProbe;
        return isProbe;
    }

    private void Count(Exchange exchange)
    {
        budget.CountRequest();
        if (exchange.IsClientRetry)
        {
            budget.CountClientRetry();
        }
    }

    private static TimeSpan? Sooner(TimeSpan? one, TimeSpan? other) => one is null || other < one ? other ?? one : one;

    private async Task<UpstreamFailure?> AttemptAsync(
        Exchange exchange, Attempt attempt, bool isProbe, UpstreamMessage request, ClientResponse response, AttemptWork? work, CancellationToken aborted)
    {
        // How a provider keeps files says nothing of how its models answer: a file that can be fetched must not close the breaker of a model that fails.
        DeploymentHealth? deploymentHealth = work is null ? health.Of(attempt.Deployment) : null;
        UpstreamFailure? failure = null;
        bool isJudged = false;
        try
        {
            attempt.Result = AttemptResult.Cancelled;
            attempt.WantsRateLimits = deploymentHealth?.WantsQuota() ?? false;
            failure = await call.RunAsync(exchange, attempt, request, response, aborted, work).ConfigureAwait(false);
            failure = failure is null || work is null ? failure : work.Tell(failure);
            NoteQuota(attempt, deploymentHealth);
            Judge(exchange, attempt, isProbe, failure, deploymentHealth);                                                                 // (5)
            isJudged = true;
            if (failure is not null && exchange.OutputCommitted)
            {
                await response.SettleAsync(isAnswer: false).ConfigureAwait(false);
                await response.FlushAsync(aborted).ConfigureAwait(false);
                if (exchange.CutsBrokenAnswers)
                {
                    response.Cut();
                }
            }

            return failure;
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            attempt.Result = exchange.OutputCommitted ? AttemptResult.Interrupted : AttemptResult.Failed;
            attempt.Reason = GatewayError.Internal.Code;
            throw;
        }
        finally
        {
            attempt.Duration = exchange.Time.GetElapsedTime(attempt.StartedTimestamp);
            if (attempt.Result == AttemptResult.Cancelled)
            {
                attempt.Reason ??= "client_cancelled";
            }

            if (!isJudged)
            {
                GiveBack(isProbe, deploymentHealth);
            }
        }
    }

    /// <summary>Only who holds the probe gives it back: an older request that ends beside it must not let a second one go.</summary>
    private static void GiveBack(bool isProbe, DeploymentHealth? deploymentHealth)
    {
        if (isProbe)
        {
            deploymentHealth?.ReportNothing();
        }
    }

    private static void NoteQuota(Attempt attempt, DeploymentHealth? deploymentHealth)
    {
        if (attempt.RateLimits is { } told)
        {
            deploymentHealth?.NoteQuota(ObservedQuota.Of(told));
        }
    }

    private void Judge(Exchange exchange, Attempt attempt, bool isProbe, UpstreamFailure? failure, DeploymentHealth? deploymentHealth)
    {
        if (failure is null)
        {
            attempt.Result = AttemptResult.Completed;
            deploymentHealth?.ReportSuccess();
            return;
        }

        attempt.Reason = failure.Code;
        attempt.Result = exchange.OutputCommitted ? AttemptResult.Interrupted : AttemptResult.Failed;
        if (exchange.OutputCommitted)
        {
            log.Interrupted(exchange.Id, attempt.Deployment.Name, failure.Code);
        }
        else
        {
            log.AttemptFailed(exchange.Id, attempt.Number, attempt.Deployment.Name, failure.Code);
        }

        if (failure.BlamesDeployment)
        {
            deploymentHealth?.ReportFailure(exchange.Catalog.Limits);
        }
        else
        {
            GiveBack(isProbe, deploymentHealth);
        }

        if (failure.RestFor is { } rest)
        {
            deploymentHealth?.Rest(rest, exchange.Catalog.Limits);
        }
    }

    /// <summary>
    /// Free towards a deployment that has proven healthy; else out of the budget. Without budget it waits a little, all candidates of a request together no longer
    /// than <see cref="RetryWaitMax"/>: probes go first, the herd follows.
    /// </summary>
    private async Task<bool> MayRetryAsync(Deployment deployment, Exchange exchange, long start, CancellationToken aborted)
    {
        DeploymentHealth deploymentHealth = health.Of(deployment);
        while (true)
        {
            if (deploymentHealth.IsProven || budget.TryTake(exchange.Catalog.Limits))
            {
                return true;
            }

            if (deploymentHealth.IsOpen || exchange.Time.GetElapsedTime(start) >= RetryWaitMax)
            {
                return false;
            }

            await Task.Delay(RetryWaitStep, exchange.Time, aborted).ConfigureAwait(false);
        }
    }

    private static bool TryBuild(Exchange exchange, Attempt attempt, AttemptWork? work, out UpstreamMessage request, out UpstreamFailure? refusal)
    {
        refusal = null;
        try
        {
            request = work?.Build(attempt) ?? UpstreamRequest.Build(exchange, attempt);
        }
        catch (ProtocolException)
        {
            exchange.Attempts.Remove(attempt);
            throw;
        }

        if (exchange.LossPolicy != LossPolicy.Strict || attempt.Losses.Count == 0)
        {
            return true;
        }

        // It was never sent, so it is no attempt. Another candidate may carry everything.
        exchange.Attempts.Remove(attempt);
        request.Dispose();
        string pointers = string.Join(", ", attempt.Losses.Losses.Select(loss => loss.Pointer));
        ChatError error = GatewayError.LossRefused.ToChatError($"At {attempt.Deployment.Name}: {pointers}.", attempt.Losses.Losses[0].Pointer);
        refusal = new UpstreamFailure(GatewayError.LossRefused.Code, error, IsRetryable: true, BlamesDeployment: false);
        return false;
    }

    private async Task RejectAsync(Exchange exchange, UpstreamFailure? last, TimeSpan? soonest, ClientResponse response)
    {
        // One that waits as long as the last candidate asks would wait too long if another is back before.
        bool isSooner = last?.Error.RetryAfter is not null && soonest is not null;
        last = isSooner ? last! with { Error = last.Error with { RetryAfter = soonest } } : last;
        UpstreamFailure failure = last ?? UpstreamFailure.Of(GatewayError.AllUnavailable);
        int status = await response.RejectAsync(failure.Error, failure.RawBody).ConfigureAwait(false);
        log.Refused(exchange.Id, failure.Code, status);
    }
}
