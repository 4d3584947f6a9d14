using System.Text;
using System.Text.Json.Nodes;
using Ballast.Sandbox.Generation;
using Microsoft.AspNetCore.Http;

namespace Ballast.Sandbox.Server;

/// <summary>Sends an answer at its pace and lets the faults happen that befall a body.</summary>
internal static class AnswerPlayer
{
    /// <summary>Shorter waits between tokens are added up, since a timer costs more than they are worth.</summary>
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(5);

    /// <summary>Sends the events of a stream.</summary>
    /// <param name="visit">The request.</param>
    /// <param name="events">The whole stream, as the vendor sends it.</param>
    /// <param name="error">The vendor's error event, for faults in the stream.</param>
    public static async Task StreamAsync(Visit visit, IEnumerable<StreamEvent> events, StreamEvent error)
    {
        HttpResponse response = visit.Http.Response;
        response.ContentType = visit.HasFault(FaultKind.WrongContentType)
            ? "text/plain; charset=utf-8"
            : visit.Framing.ContentType;
        response.Headers.CacheControl = "no-cache";
        visit.Billing.Status = response.StatusCode;
        await visit.PauseAsync(visit.Pace.FirstToken).ConfigureAwait(false);
        int sent = 0;
        TimeSpan owed = TimeSpan.Zero;
        foreach (StreamEvent next in events)
        {
            owed += visit.Pace.PerToken * next.Tokens;
            if (owed >= ShortestPause)
            {
                await visit.PauseAsync(owed).ConfigureAwait(false);
                owed = TimeSpan.Zero;
            }

            if (visit.IsGone)
            {
                await CutAsync(visit, next, sent).ConfigureAwait(false);
                return;
            }

            if (FaultIsDue(visit.Fault, sent, next) && !await BreakAsync(visit, next, sent, error).ConfigureAwait(false))
            {
                return;
            }

            visit.Billing.Produce(next.Tokens);
            await WriteAsync(visit, visit.Framing.Frame(next, sent == 0)).ConfigureAwait(false);
            sent++;
        }

        await CloseAsync(visit, sent).ConfigureAwait(false);
    }

    /// <summary>Sends a whole answer after the time that its tokens take.</summary>
    public static async Task WholeAsync(Visit visit, JsonNode body, IReadOnlyList<Piece> pieces)
    {
        await visit.PauseAsync(visit.Pace.FirstToken).ConfigureAwait(false);
        TimeSpan owed = TimeSpan.Zero;
        foreach (Piece piece in pieces)
        {
            owed += visit.Pace.PerToken * piece.Tokens;
            if (owed >= ShortestPause)
            {
                await visit.PauseAsync(owed).ConfigureAwait(false);
                owed = TimeSpan.Zero;
            }

            if (visit.IsGone)
            {
                await visit.ResetAsync().ConfigureAwait(false);
                return;
            }

            visit.Billing.Produce(piece.Tokens);
        }

        await SendAsync(visit, StatusCodes.Status200OK, body).ConfigureAwait(false);
    }

    /// <summary>Sends a JSON body, whole or broken as the fault wants it.</summary>
    public static async Task SendAsync(Visit visit, int status, JsonNode body)
    {
        HttpResponse response = visit.Http.Response;
        byte[] bytes = Encoding.UTF8.GetBytes(body.ToJsonString(RelaxedJson.Options));
        response.StatusCode = status;
        response.ContentType = visit.HasFault(FaultKind.WrongContentType) ? "text/plain; charset=utf-8" : "application/json";
        visit.Billing.Status = status;
        switch (visit.Fault?.Kind)
        {
            case FaultKind.TruncatedJson or FaultKind.NeverFinishes:
                await WriteAsync(visit, bytes[..(bytes.Length / 2)]).ConfigureAwait(false);
                return;
            case FaultKind.Reset or FaultKind.Cut or FaultKind.Stall:
                response.ContentLength = bytes.Length;
                await WriteAsync(visit, bytes[..(bytes.Length / 2)]).ConfigureAwait(false);
                await (visit.HasFault(FaultKind.Stall) ? visit.WaitForEverAsync() : Task.CompletedTask).ConfigureAwait(false);
                await visit.ResetAsync().ConfigureAwait(false);
                return;
            case FaultKind.HugeLine:
                await WriteAsync(visit, Filler()).ConfigureAwait(false);
                break;
            default:
                response.ContentLength = bytes.Length;
                break;
        }

        await WriteAsync(visit, bytes).ConfigureAwait(false);
    }

    private static async Task CloseAsync(Visit visit, int sent)
    {
        byte[] close = visit.Framing.Close(sent == 0);
        if (close.Length > 0)
        {
            await WriteAsync(visit, close).ConfigureAwait(false);
        }
    }

    /// <summary>A fault within a stream is due after its number of events, and at the end of a shorter stream at the latest.</summary>
    private static bool FaultIsDue(FaultRule? fault, int sent, StreamEvent next) => fault is not null && fault.Kind switch
    {
        FaultKind.NeverFinishes => next.IsEnding,
        FaultKind.HugeLine => sent == fault.AfterEvents || (next.IsEnding && sent < fault.AfterEvents),
        _ => sent >= fault.AfterEvents || next.IsEnding,
    };

    /// <returns>Whether the stream goes on.</returns>
    private static async Task<bool> BreakAsync(Visit visit, StreamEvent next, int sent, StreamEvent error)
    {
        switch (visit.Fault!.Kind)
        {
            case FaultKind.NeverFinishes:
                return false;
            case FaultKind.Reset:
                await WriteAsync(visit, []).ConfigureAwait(false);
                await visit.ResetAsync().ConfigureAwait(false);
                return false;
            case FaultKind.Cut:
                await CutAsync(visit, next, sent).ConfigureAwait(false);
                return false;
            case FaultKind.Stall:
                await WriteAsync(visit, []).ConfigureAwait(false);
                await visit.WaitForEverAsync().ConfigureAwait(false);
                await visit.ResetAsync().ConfigureAwait(false);
                return false;
            case FaultKind.StreamErrorAfter:
                await WriteAsync(visit, visit.Framing.Frame(error, sent == 0)).ConfigureAwait(false);
                await CloseAsync(visit, sent + 1).ConfigureAwait(false);
                return false;
            case FaultKind.TruncatedJson:
                await WriteAsync(visit, Half(visit, next, sent)).ConfigureAwait(false);
                return false;
            case FaultKind.HugeLine:
                (byte[] before, byte[] after) = visit.Framing.AroundHugeLine;
                await WriteAsync(visit, before).ConfigureAwait(false);
                await WriteAsync(visit, Filler()).ConfigureAwait(false);
                await WriteAsync(visit, after).ConfigureAwait(false);
                return true;
            default:
                return true;
        }
    }

    private static async Task CutAsync(Visit visit, StreamEvent next, int sent)
    {
        visit.Billing.Produce(next.Tokens);
        if (visit.Http.Response.HasStarted || visit.HasFault(FaultKind.Cut))
        {
            await WriteAsync(visit, Half(visit, next, sent)).ConfigureAwait(false);
        }

        await visit.ResetAsync().ConfigureAwait(false);
    }

    private static byte[] Half(Visit visit, StreamEvent next, int sent)
    {
        byte[] bytes = visit.Framing.Frame(next, sent == 0);
        return bytes[..(bytes.Length / 2)];
    }

    private static byte[] Filler()
    {
        byte[] filler = new byte[FaultRule.HugeLineBytes];
        Array.Fill(filler, (byte)' ');
        return filler;
    }

    private static async Task WriteAsync(Visit visit, byte[] bytes)
    {
        HttpResponse response = visit.Http.Response;
        if (bytes.Length == 0)
        {
            await response.StartAsync(visit.Http.RequestAborted).ConfigureAwait(false);
        }

        await response.Body.WriteAsync(bytes, visit.Http.RequestAborted).ConfigureAwait(false);
        await response.Body.FlushAsync(visit.Http.RequestAborted).ConfigureAwait(false);
        visit.Http.RequestAborted.ThrowIfCancellationRequested();
    }
}
