using System.Text;
using System.Text.Json;
using Ballast.Exchanges;
using Ballast.Handles;
using Ballast.Protocols.Framing;
using Ballast.Protocols.Operations;
using Ballast.Upstream;

namespace Ballast.Gateway.Files;

/// <summary>Begins a batch where its input file lies.</summary>
internal sealed class BatchWork(Exchange exchange, Handle input, ReadOnlyMemory<byte> body, BatchRequest request, KeptAnswers answers, TakeBack takeBack)
    : PinnedWork(exchange, input, "POST", "")
{
    public override UpstreamMessage Build(Attempt attempt)
    {
        PooledBuffer spliced = new(body.Length + 256);
        JsonSplice.Write(body.Span, [new JsonEdit(request.Value, Encoding.UTF8.GetBytes($"\"{JsonEncodedText.Encode(Subject.UpstreamId)}\""))], spliced);
        return UpstreamRequest.AddressKept(attempt, "POST", "/batches", spliced, "application/json");
    }

    public override async Task<UpstreamFailure?> TakeAsync(Attempt attempt, UpstreamAnswer upstream, AttemptTimer timer, CancellationToken aborted)
    {
        (ReadOnlyMemory<byte> told, KeptObject batch) = await ReadAsync(upstream, timer).ConfigureAwait(false);
        bool isKept = false;
        try
        {
            // The bound was looked at before: one that runs already finds its room.
            isKept = await answers.SendNewAsync(attempt, upstream, HandleKind.Batch, "", Subject.Models, long.MaxValue, told, batch, aborted).ConfigureAwait(false);
            return null;
        }
        finally
        {
            if (!isKept && !Exchange.OutputCommitted)
            {
                await takeBack.RunAsync(Exchange, attempt, "POST", $"/batches/{Uri.EscapeDataString(batch.Id.Id)}/cancel").ConfigureAwait(false);
            }
        }
    }
}
