using System.Security.Cryptography;
using Ballast.Exchanges;
using Ballast.Handles;
using Ballast.Protocols.Operations;
using Ballast.Upstream;

namespace Ballast.Gateway.Files;

/// <summary>Uploads a file. It may go to the next place until one has taken it; after that there is one file, and it has a handle or is taken back.</summary>
internal sealed class UploadWork(
    Exchange exchange, UploadForm form, BatchLines? lines, IReadOnlyList<string> models, IReadOnlyList<KeptPlace> places, KeptAnswers answers, TakeBack takeBack)
    : AttemptWork
{
    private bool _isTaken;

    public override UpstreamMessage Build(Attempt attempt)
    {
        string boundary = "ballast-" + RandomNumberGenerator.GetHexString(32, lowercase: true);
        KeptPlace place = places.First(known => known.Deployment == attempt.Deployment);
        PooledBuffer body = new(form.File.Length + 4096);
        form.Write(boundary, place.Target is { } target ? lines!.EditsFor(target, attempt.Losses) : [], body);
        return UpstreamRequest.AddressKept(attempt, "POST", "/files", body, $"multipart/form-data; boundary={boundary}");
    }

    public override async Task<UpstreamFailure?> TakeAsync(Attempt attempt, UpstreamAnswer upstream, AttemptTimer timer, CancellationToken aborted)
    {
        _isTaken = true;
        ReadOnlyMemory<byte> body = await KeptAnswers.ReadWholeAsync(upstream.Body, exchange.Catalog.Limits.ResponseBodyBytesMax, timer.Token).ConfigureAwait(false);
        KeptObject told = KeptObject.Read(body);
        bool isKept = false;
        try
        {
            isKept = await answers.SendNewAsync(
                attempt, upstream, HandleKind.File, form.Purpose, models, exchange.Catalog.Limits.HandlesPerAppMax, body, told, aborted).ConfigureAwait(false);
            return isKept ? null : UpstreamFailure.Of(GatewayError.HandlesFull);
        }
        finally
        {
            if (!isKept && !exchange.OutputCommitted)
            {
                await takeBack.RunAsync(exchange, attempt, "DELETE", $"/files/{Uri.EscapeDataString(told.Id.Id)}").ConfigureAwait(false);
            }
        }
    }

    public override UpstreamFailure Tell(UpstreamFailure failure) => _isTaken ? failure with { IsRetryable = false } : failure;
}
