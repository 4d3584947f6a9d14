using Ballast.Exchanges;
using Ballast.Routing.Metering;
using Ballast.Upstream;

namespace Ballast.Gateway.Files;

/// <summary>
/// Undoes what was just made and could not be written down: without a handle it would be nobody's and stay for ever. A try: what fails here changes nothing of what the
/// client is told.
/// </summary>
internal sealed class TakeBack(UpstreamClient client, QuotaBook quotas)
{
    public async Task RunAsync(Exchange exchange, Attempt made, string method, string path)
    {
        Attempt attempt = exchange.BeginAttempt(made.Deployment);
        attempt.Result = AttemptResult.Failed;
        quotas.Take(attempt);
        using UpstreamMessage message = UpstreamRequest.AddressKept(attempt, method, path, new PooledBuffer(), null);
        using AttemptTimer timer = AttemptTimer.Start(exchange, CancellationToken.None);
        try
        {
            using UpstreamAnswer answer = await client.SendAsync(message, made.Deployment.Provider, exchange.Catalog.Limits, timer.Token).ConfigureAwait(false);
            attempt.Reached = true;
            attempt.UpstreamStatus = answer.Status;
            attempt.Result = answer.Status is >= 200 and < 300 ? AttemptResult.Completed : AttemptResult.Failed;
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException)
        {
            attempt.Reached = message.WasSent;
            attempt.Reason = GatewayError.ConnectionLost.Code;
        }
        finally
        {
            attempt.Duration = exchange.Time.GetElapsedTime(attempt.StartedTimestamp);
            quotas.Settle(attempt);
        }
    }
}
