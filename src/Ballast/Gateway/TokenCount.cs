using System.Buffers;
using System.IO.Pipelines;
using Ballast.Catalog;
using Ballast.Exchanges;
using Ballast.Protocols;
using Ballast.Routing;
using Ballast.Transport;
using Ballast.Upstream;
using Ballast.Upstream.Signing;

namespace Ballast.Gateway;

/// <summary>Answers a count of tokens: by the vendor where the first candidate has a native count, else by an estimate that says so.</summary>
public sealed class TokenCount(UpstreamClient client, HealthBook health)
{
    /// <summary>Marks an answer that Ballast counted itself.</summary>
    public const string EstimatedHeader = "x-ballast-estimated";

    private const int AnswerBytesMax = 16 * 1024;

    public async Task RunAsync(Exchange exchange, RoutePlan plan, HttpCall http, ClientResponse response, CancellationToken aborted)
    {
        long? native = null;
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

        long tokens = native ?? TokenEstimate.Count(exchange.Request);
        if (native is null)
        {
            http.SetHeader(EstimatedHeader, "true");
        }

        response.SetIds();
        http.SetHeader("Content-Type", "application/json");
        exchange.Protocol.WriteTokenCount(tokens, response.Output);
        await response.SendHeldAsync(aborted).ConfigureAwait(false);
    }

    private async Task<long?> AskAsync(Exchange exchange, Deployment deployment, CancellationToken aborted)
    {
        Attempt attempt = exchange.BeginAttempt(deployment);
        attempt.Result = AttemptResult.Failed;
        PooledBuffer body = new(exchange.Envelope.Body.Length + 64);
        exchange.Protocol.SpliceTokenCount(exchange.Envelope, deployment.Target, body);
        using UpstreamMessage message = UpstreamRequest.Address(exchange, attempt, body);
        using AttemptTimer timer = AttemptTimer.Start(exchange, aborted);
        try
        {
            using UpstreamAnswer upstream =
                await client.SendAsync(message, deployment.Provider, exchange.Catalog.Limits, timer.Token).ConfigureAwait(false);
            attempt.Reached = true;
            attempt.UpstreamStatus = upstream.Status;
            if (upstream.Status is >= 200 and < 300)
            {
                long tokens = exchange.Protocol.ReadTokenCount(await ReadAsync(upstream.Body, timer.Token).ConfigureAwait(false));
                attempt.Result = AttemptResult.Completed;
                return tokens;
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
        }

        return null;
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
