using System.Buffers;
using System.IO.Pipelines;
using Ballast.Exchanges;
using Ballast.Handles;
using Ballast.Upstream;

namespace Ballast.Gateway.Files;

/// <summary>Passes a file's content on as it arrives. After its first bytes a break cuts the connection: nobody may take half a file for a whole one.</summary>
internal sealed class ContentWork(Exchange exchange, Handle subject, ClientResponse response) : PinnedWork(exchange, subject, "GET", "/content")
{
    public override async Task<UpstreamFailure?> TakeAsync(Attempt attempt, UpstreamAnswer upstream, AttemptTimer timer, CancellationToken aborted)
    {
        attempt.IsStream = true;
        response.SetHead(attempt, upstream, stream: true);
        while (true)
        {
            ReadResult result = await upstream.Body.ReadAsync(timer.Token).ConfigureAwait(false);
            timer.Alive();
            attempt.ContentLength += result.Buffer.Length;
            if (!result.Buffer.IsEmpty || result.IsCompleted)
            {
                attempt.TimeToFirstToken ??= Exchange.Time.GetElapsedTime(attempt.StartedTimestamp);
                response.Commit();
            }

            foreach (ReadOnlyMemory<byte> piece in result.Buffer)
            {
                response.Output.Write(piece.Span);
            }

            upstream.Body.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted)
            {
                await response.SettleAsync(isAnswer: true).ConfigureAwait(false);
            }

            await FlushAsync(timer, aborted).ConfigureAwait(false);
            if (result.IsCompleted)
            {
                return null;
            }
        }
    }

    private async ValueTask FlushAsync(AttemptTimer timer, CancellationToken aborted)
    {
        timer.Pause();
        try
        {
            await response.FlushAsync(aborted).ConfigureAwait(false);
        }
        finally
        {
            timer.Resume();
        }
    }
}
