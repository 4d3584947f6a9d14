using System.Text.Json;
using System.Text.Unicode;
using Ballast.Sandbox.Billing;
using Ballast.Sandbox.Generation;
using Microsoft.AspNetCore.Http;

namespace Ballast.Sandbox.Server;

/// <summary>One request at one platform, from its arrival to its end.</summary>
internal sealed class Visit(HttpContext http, BillingEntry billing, Dice dice, TimeProvider time, CancellationToken gone)
{
    /// <summary>Documents nested deeper are malformed.</summary>
    public const int MaxDepth = 64;

    /// <summary>
    /// A reset throws away what the client has received and not yet read. A fault that comes after a number of events gives a busy client
    /// time to read them; a platform that disappears does not wait as long.
    /// </summary>
    private static readonly TimeSpan BeforeFaultReset = TimeSpan.FromMilliseconds(400);

    private static readonly TimeSpan BeforeCutReset = TimeSpan.FromMilliseconds(30);

    public HttpContext Http => http;

    public BillingEntry Billing => billing;

    public Dice Dice { get; set; } = dice;

    public TimeProvider Time => time;

    public string RequestId => billing.RequestId;

    public string Path => http.Request.Path.Value ?? "/";

    public FaultRule? Fault { get; set; }

    public Pace Pace { get; set; }

    public byte[] Body { get; set; } = [];

    /// <summary>How a stream's events are sent.</summary>
    public StreamFraming Framing { get; set; } = StreamFraming.Events;

    /// <summary>The platform has disappeared under this request.</summary>
    public bool IsGone => gone.IsCancellationRequested;

    /// <summary>The connection was reset from this side.</summary>
    public bool IsReset { get; private set; }

    /// <summary>The whole answer was sent.</summary>
    public bool EndedWell => !IsReset && !IsGone
        && Fault?.Kind is null or FaultKind.SlowFirstByte or FaultKind.MissingUsage or FaultKind.WrongContentType or FaultKind.HugeLine;

    public bool HasFault(FaultKind kind) => Fault?.Kind == kind;

    /// <summary>The body as JSON; null where it is none.</summary>
    public JsonDocument? ParseBody()
    {
        if (!Utf8.IsValid(Body))
        {
            return null;
        }

        try
        {
            return JsonDocument.Parse(Body, new JsonDocumentOptions { MaxDepth = MaxDepth });
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Waits; ends early without a fault where the platform disappears.</summary>
    /// <exception cref="OperationCanceledException">The client hung up.</exception>
    public async Task PauseAsync(TimeSpan length)
    {
        if (length <= TimeSpan.Zero && length != Timeout.InfiniteTimeSpan)
        {
            http.RequestAborted.ThrowIfCancellationRequested();
            return;
        }

        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, gone);
        try
        {
            await Task.Delay(length, time, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (gone.IsCancellationRequested && !http.RequestAborted.IsCancellationRequested)
        {
            // The caller sees IsGone and breaks off.
        }
    }

    /// <summary>Waits until the client hangs up or the platform disappears.</summary>
    public Task WaitForEverAsync() => PauseAsync(Timeout.InfiniteTimeSpan);

    /// <summary>Resets the connection, with what was written on its way.</summary>
    public async Task ResetAsync()
    {
        IsReset = true;
        if (http.Response.HasStarted)
        {
            TimeSpan wait = Fault is null || IsGone ? BeforeCutReset : BeforeFaultReset;
            await Task.Delay(wait, TimeProvider.System, CancellationToken.None).ConfigureAwait(false);
        }

        http.Abort();
    }
}
