using System.Text.Json;
using Ballast.Sandbox.Billing;
using Ballast.Sandbox.Generation;
using Ballast.Sandbox.Tls;
using Microsoft.AspNetCore.Http;

namespace Ballast.Sandbox.Server;

/// <summary>A simulated platform on its port: takes requests, bills them, and can disappear and return.</summary>
internal sealed class PlatformHost : IAsyncDisposable
{
    /// <summary>How long streams get to break off in mid-event before their connections are reset.</summary>
    private static readonly TimeSpan CutGrace = TimeSpan.FromMilliseconds(200);

    private readonly PlatformSimulator _simulator;
    private readonly SandboxServices _services;
    private readonly Listener _listener;
    private CancellationTokenSource _gone = new();
    private int _running;

    public PlatformHost(PlatformSimulator simulator, SandboxServices services, int port, TlsIdentity? tls)
    {
        _simulator = simulator;
        _services = services;
        _listener = new Listener(services.Options.Address, port, HandleAsync, tls);
    }

    public string Name => _simulator.Name;

    public bool IsThere => !_gone.IsCancellationRequested;

    public SandboxPlatform Describe() => new(_simulator.Name, _listener.Address, _simulator.ApiKey, _simulator.Models);

    public Task StartAsync(CancellationToken cancellation) => _listener.OpenAsync(cancellation);

    public async Task DisappearAsync()
    {
        await _gone.CancelAsync().ConfigureAwait(false);
        await _listener.CloseAsync(WaitForCutsAsync()).ConfigureAwait(false);
    }

    public async Task ReturnAsync()
    {
        if (IsThere)
        {
            return;
        }

        CancellationTokenSource before = Interlocked.Exchange(ref _gone, new CancellationTokenSource());
        before.Dispose();
        await _listener.OpenAsync(CancellationToken.None).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await DisappearAsync().ConfigureAwait(false);
        await _listener.DisposeAsync().ConfigureAwait(false);
        _gone.Dispose();
    }

    private async Task WaitForCutsAsync()
    {
        long start = TimeProvider.System.GetTimestamp();
        while (Volatile.Read(ref _running) > 0 && TimeProvider.System.GetElapsedTime(start) < CutGrace)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System).ConfigureAwait(false);
        }
    }

    private async Task HandleAsync(HttpContext http)
    {
        CancellationToken gone = _gone.Token;
        Interlocked.Increment(ref _running);
        Dice dice = _services.NextRequestDice(_simulator.Name);
        BillingEntry entry = new(_services.Billing)
        {
            Time = _services.Time.GetUtcNow(),
            Platform = _simulator.Name,
            RequestId = _simulator.NewRequestId(ref dice),
            ClientRequestId = http.Request.Headers["x-client-request-id"].FirstOrDefault(),
            Path = http.Request.Path.Value ?? "/",
        };
        bool isBilled = !_simulator.IsFree(entry.Path);
        if (isBilled)
        {
            _services.Billing.Begin(entry);
        }

        Visit visit = new(http, entry, dice, _services.Time, gone)
        {
            Pace = Pace.Draw(_simulator.Latency, _services.Options.LatencyScale, dice),
        };
        try
        {
            await ServeAsync(visit).ConfigureAwait(false);
            entry.Outcome ??= visit.IsReset || visit.IsGone ? "cut" : null;
        }
        catch (Exception fault) when (fault is OperationCanceledException or IOException)
        {
            entry.Outcome ??= visit.IsGone || visit.IsReset ? "cut" : "cancelled";
        }
        finally
        {
            Interlocked.Decrement(ref _running);
            if (isBilled)
            {
                entry.Outcome = visit.Fault is { } befell ? FaultKindNames.NameOf(befell.Kind) : entry.Outcome;
                if (!entry.IsWorkedOn)
                {
                    entry.End();
                }
            }
        }
    }

    private async Task ServeAsync(Visit visit)
    {
        try
        {
            if (visit.IsGone)
            {
                // It came over a connection that still stood: it has reached the platform, so it has its row, and no answer.
                await visit.ResetAsync().ConfigureAwait(false);
                return;
            }

            _simulator.WriteHeaders(visit);
            if (!_simulator.IsFree(visit.Path))
            {
                _simulator.CheckKey(visit.Http.Request);
            }

            visit.Body = await ReadBodyAsync(visit.Http).ConfigureAwait(false);
            Peek(visit);
            visit.Fault = _services.Faults.Take(_simulator.Name, visit.Billing.Model, visit.Path, visit.Body);
            if (!await FaultActor.ActAsync(visit, _simulator).ConfigureAwait(false))
            {
                await _simulator.AnswerAsync(visit).ConfigureAwait(false);
            }
        }
        catch (VendorErrorException refused)
        {
            await RefuseAsync(visit, refused.Error).ConfigureAwait(false);
        }
    }

    private async Task RefuseAsync(Visit visit, VendorError error)
    {
        visit.Billing.Outcome = "error";
        IHeaderDictionary headers = visit.Http.Response.Headers;
        FaultActor.WriteRetryAfter(error.RetryAfter, headers);
        _simulator.WriteErrorHeaders(error, headers);
        await AnswerPlayer.SendAsync(visit, error.Status, _simulator.ErrorBody(error, visit)).ConfigureAwait(false);
    }

    private void Peek(Visit visit)
    {
        using JsonDocument? body = visit.Body.Length == 0 ? null : visit.ParseBody();
        try
        {
            visit.Billing.Model = _simulator.ModelOf(visit, body?.RootElement);
            visit.Billing.Stream = _simulator.IsStream(visit, body?.RootElement);
            visit.Framing = _simulator.FramingOf(visit);
        }
        catch (InvalidOperationException)
        {
            // A model name with half a surrogate pair; the request's own check tells the client.
        }
    }

    private async Task<byte[]> ReadBodyAsync(HttpContext http)
    {
        using MemoryStream body = new();
        byte[] part = new byte[64 * 1024];
        int read;
        while ((read = await http.Request.Body.ReadAsync(part, http.RequestAborted).ConfigureAwait(false)) > 0)
        {
            if (body.Length + read > _simulator.MaxBodyBytes)
            {
                throw new VendorErrorException(_simulator.TooLarge);
            }

            body.Write(part, 0, read);
        }

        return body.ToArray();
    }
}
