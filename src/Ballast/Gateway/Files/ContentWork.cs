using System.Buffers;
using System.IO.Pipelines;
using Ballast.Exchanges;
using Ballast.Handles;
using Ballast.Upstream;

namespace Ballast.Gateway.Files;

/// <summary>Passes a file's content on as it arrives. After its first bytes a break cuts the connection: nobody may take half a file for a whole one.</summary>
internal sealed class ContentWork(Exchange exchange, Handle subject, ClientResponse response) : PassingWork(exchange, subject, "/content", response);

/// <summary>Passes on as it arrives what something that is kept holds.</summary>
internal abstract class PassingWork(Exchange exchange, Handle subject, string action, ClientResponse response) : PinnedWork(exchange, subject, "GET", action)
{
    /// <summary>Sees the bytes as they pass.</summary>
    protected virtual void Look(Attempt attempt, ReadOnlySpan<byte> bytes)
    {
    }

    /// <summary>All have passed; their end is not told to the client yet.</summary>
    protected virtual Task EndAsync(Attempt attempt) => Task.CompletedTask;

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
                Look(attempt, piece.Span);
            }

            upstream.Body.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted)
            {
                await EndAsync(attempt).ConfigureAwait(false);
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
