using Ballast.Exchanges;
using Ballast.Handles;
using Ballast.Protocols.Framing;
using Ballast.Protocols.Operations;
using Ballast.Upstream;

namespace Ballast.Gateway.Files;

/// <summary>Begins a batch of Messages, under the names that its models have there. It may go to the next place until one has taken it.</summary>
internal sealed class MessageBatchWork(
    Exchange exchange, ReadOnlyMemory<byte> body, MessageBatchRequests requests, IReadOnlyList<KeptPlace> places, KeptAnswers answers, TakeBack takeBack) : AttemptWork
{
    private bool _isTaken;

    public override UpstreamMessage Build(Attempt attempt)
    {
        PooledBuffer spliced = new(body.Length + 256);
        KeptPlace place = places.First(known => known.Deployment == attempt.Deployment);
        JsonSplice.Write(body.Span, requests.EditsFor(place.Target!, attempt.Losses), spliced);
        return UpstreamRequest.AddressKept(attempt, "POST", HandlePath.Of(HandleKind.MessageBatch), spliced, "application/json", BetaFeatures.Of(exchange, attempt));
    }

    public override async Task<UpstreamFailure?> TakeAsync(Attempt attempt, UpstreamAnswer upstream, AttemptTimer timer, CancellationToken aborted)
    {
        _isTaken = true;
        ReadOnlyMemory<byte> told = await KeptAnswers.ReadWholeAsync(upstream.Body, exchange.Catalog.Limits.ResponseBodyBytesMax, timer.Token).ConfigureAwait(false);
        KeptObject batch = KeptObject.Read(told);
        bool isKept = false;
        try
        {
            isKept = await answers.SendNewAsync(
                attempt, upstream, HandleKind.MessageBatch, "", [.. requests.Models.Select(static one => one.Name)], exchange.Catalog.Limits.HandlesPerAppMax, told, batch, aborted).ConfigureAwait(false);
            return isKept ? null : UpstreamFailure.Of(GatewayError.HandlesFull);
        }
        finally
        {
            if (!isKept && !exchange.OutputCommitted)
            {
                await takeBack.RunAsync(exchange, attempt, "POST", $"{HandlePath.Of(HandleKind.MessageBatch)}/{Uri.EscapeDataString(batch.Id.Id)}/cancel").ConfigureAwait(false);
            }
        }
    }

    public override UpstreamFailure Tell(UpstreamFailure failure) => _isTaken ? failure with { IsRetryable = false } : failure;
}
