using System.Buffers;
using System.IO.Pipelines;
using Ballast.Catalog;
using Ballast.Exchanges;
using Ballast.Protocols;
using Ballast.Routing;
using Ballast.Routing.Metering;
using Ballast.Transport;
using Ballast.Upstream;
using Ballast.Upstream.Signing;

namespace Ballast.Gateway;

/// <summary>Answers a count of tokens: by the vendor where the first candidate has a native count, else by an estimate that says so.</summary>
public sealed class TokenCount(UpstreamClient client, HealthBook health, QuotaBook quotas)
{
    /// <summary>Marks an answer that Ballast counted itself.</summary>
    public const string EstimatedHeader = "x-ballast-estimated";

    private const int AnswerBytesMax = 16 * 1024;

    public async Task RunAsync(Exchange exchange, RoutePlan plan, HttpCall http, ClientResponse response, CancellationToken aborted)
    {
        ReadOnlyMemory<byte> native = default;
        try
        {
            if (plan.TryNext(out Deployment first) && first.Target.Has(TargetFeatures.CountTokens)
                && first.ProtocolFor(exchange.Protocol) is { } protocol
                && UpstreamRequest.IsPassthrough(exchange, first, protocol))
            {
                native = await AskAsync(exchange, first, aborted).ConfigureAwait(false);
            }
        }
        finally
        {
            if (plan.Probe is { } probe)
            {
                health.Of(probe).ReportNothing();
            }
        }

        response.SetIds();
        http.SetHeader("Content-Type", "application/json");
        if (native.IsEmpty)
        {
            http.SetHeader(EstimatedHeader, "true");
            exchange.Protocol.WriteTokenCount(TokenEstimate.Count(exchange.Request), response.Output);
        }
        else
        {
            // The vendor's own words: they may say more than the count.
            response.Output.Write(native.Span);
        }

        await response.SendHeldAsync(aborted).ConfigureAwait(false);
    }

    /// <summary>The vendor's answer, which is a count; empty where there is none.</summary>
    private async Task<ReadOnlyMemory<byte>> AskAsync(Exchange exchange, Deployment deployment, CancellationToken aborted)
    {
        Attempt attempt = exchange.BeginAttempt(deployment);
        if (!quotas.TryTake(exchange, attempt))
        {
            exchange.Attempts.Remove(attempt);
            return default;
        }

        attempt.Result = AttemptResult.Failed;
        PooledBuffer body = new(exchange.Envelope.Body.Length + 64);
        BetaFeatures? betas = BetaFeatures.Of(exchange, attempt);
        exchange.Protocol.SpliceTokenCount(exchange.Envelope, betas?.Body is { } named ? deployment.Target with { Betas = named } : deployment.Target, body);
        using UpstreamMessage message = UpstreamRequest.Address(exchange, attempt, body, betas);
        using AttemptTimer timer = AttemptTimer.Start(exchange, aborted);
        try
        {
            using UpstreamAnswer upstream =
                await client.SendAsync(message, deployment.Provider, exchange.Catalog.Limits, timer.Token).ConfigureAwait(false);
            attempt.Reached = true;
            attempt.UpstreamStatus = upstream.Status;
            if (upstream.Status is >= 200 and < 300)
            {
                ReadOnlyMemory<byte> counted = await ReadAsync(upstream.Body, timer.Token).ConfigureAwait(false);
                exchange.Protocol.ReadTokenCount(counted);
                attempt.Result = AttemptResult.Completed;
                return counted;
            }

            attempt.Reason = $"upstream_status_{attempt.UpstreamStatus}";
        }
        catch (Exception exception) when (exception is IOException or ProtocolException
            || (exception is OperationCanceledException && !aborted.IsCancellationRequested))
        {
            attempt.Reached |= message.WasSent && exception is not UpstreamException;
            attempt.Reason = (exception is CredentialsUnavailableException ? GatewayError.CredentialsUnavailable : GatewayError.ConnectionLost).Code;
        }
        finally
        {
            attempt.Duration = exchange.Time.GetElapsedTime(attempt.StartedTimestamp);
            quotas.Settle(attempt);
        }

        return default;
    }

    private static async Task<ReadOnlyMemory<byte>> ReadAsync(PipeReader body, CancellationToken cancellation)
    {
        while (true)
        {
            ReadResult result = await body.ReadAsync(cancellation).ConfigureAwait(false);
            if (result.IsCompleted || result.Buffer.Length >= AnswerBytesMax)
            {
                return result.Buffer.ToArray();
            }

            body.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        }
    }
}
