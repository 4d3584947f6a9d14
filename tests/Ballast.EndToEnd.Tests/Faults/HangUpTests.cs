using System.Net;
using System.Net.Sockets;
using System.Text;
using Ballast.Ledger;
using Ballast.Routing;

namespace Ballast.EndToEnd.Tests.Faults;

/// <summary>A client that goes away, with and without a farewell: before the first byte, in mid-stream, in a whole answer.</summary>
[Collection("Faults")]
public sealed class HangUpTests : IAsyncLifetime
{
    /// <summary>One second is the promise; the other is for a busy machine.</summary>
    private static readonly TimeSpan CancelWithin = TimeSpan.FromSeconds(10);

    private RawUpstream _openai = null!;
    private RawUpstream _anthropic = null!;
    private FaultGateway _gateway = null!;

    public static TheoryData<string, bool> Cases => new() { { "before-head", true }, { "before-head", false }, { "mid-stream", true }, { "mid-stream", false }, { "whole", true }, { "whole", false } };

    public async ValueTask InitializeAsync()
    {
        _openai = new RawUpstream(visit => AnswerAsync(visit, false));
        _anthropic = new RawUpstream(visit => AnswerAsync(visit, true));
        _gateway = await FaultGateway.StartAsync(new FaultSetup
        {
            Raw = [("rawo", "openai-compatible", _openai), ("rawa", "anthropic", _anthropic)],
            Models = [("o", ["rawo/m=m"]), ("a", ["rawa/m=m"])],
            Limits = ["breaker_failures: 1", "breaker_open: 50ms", "concurrent_requests_max: 1"],
        });
    }

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _openai.DisposeAsync();
        await _anthropic.DisposeAsync();
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Client_HangsUp_UpstreamIsCancelledAndTheSlotAndTheProbeAreFree(string moment, bool isReset)
    {
        foreach ((Caller caller, string model) in (IEnumerable<(Caller, string)>)[(Caller.OpenAI, "o"), (Caller.OpenAI, "a"), (Caller.Anthropic, "o"), (Caller.Anthropic, "a")])
        {
            RawUpstream upstream = model == "o" ? _openai : _anthropic;
            upstream.Visits.Clear();
            DeploymentHealth health = await BreakAsync(model);
            using (Socket client = await SendAsync(caller, model, moment))
            {
                if (isReset)
                {
                    client.LingerState = new LingerOption(true, 0);
                }
            }

            RawVisit visit = Assert.Single(upstream.Visits);
            await UntilAsync(() => visit.GoneAfter is not null, "the upstream is not cancelled");
            await UntilAsync(() => _gateway.Server.Guard.Running == 0, "the slot is not freed");
            LedgerEntry row = (await _gateway.SettleAsync()).OrderBy(entry => entry.StartedAt).Last();
            string what = $"{moment} {caller.Name} {model}: {row.Outcome} {row.Reason} {row.InputTokens}/{row.OutputTokens}";
            Assert.True(row is { Outcome: AttemptOutcome.Cancelled, Reason: "client_cancelled", IsEstimated: true, InputTokens: > 0, Reached: true }, what);
            Assert.True(moment != "mid-stream" || row.OutputTokens >= 4, what);
            Assert.Equal(Availability.Probe, health.Check(_gateway.Server.Catalog.Current.Limits, out _, out _));
        }

        Assert.Equal(4, (await _gateway.SettleAsync()).Count);
    }

    /// <summary>Opens the deployment's breaker and lets it come half open, so that the next request is its probe.</summary>
    private async Task<DeploymentHealth> BreakAsync(string model)
    {
        Catalog.CatalogSnapshot catalog = _gateway.Server.Catalog.Current;
        DeploymentHealth health = _gateway.Server.Health.Of(catalog.FindModel(model)!.Candidates[0].Deployment);
        health.Reset();
        health.ReportFailure(catalog.Limits);
        await Task.Delay(TimeSpan.FromMilliseconds(80), TimeProvider.System, TestContext.Current.CancellationToken);
        Assert.Equal(Availability.Probe, health.Check(catalog.Limits, out _, out _));
        return health;
    }

    private async Task<Socket> SendAsync(Caller caller, string model, string moment)
    {
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        Socket client = new(SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(IPAddress.Loopback, _gateway.Server.Address.Port, cancellation);
        await client.SendAsync(Encoding.UTF8.GetBytes(caller.Raw(model, moment != "whole", moment)), cancellation);
        RawUpstream upstream = model == "o" ? _openai : _anthropic;
        await UntilAsync(() => !upstream.Visits.IsEmpty, "the request does not arrive");
        if (moment == "mid-stream")
        {
            string received = "";
            byte[] part = new byte[16 * 1024];
            while (!received.Contains("world", StringComparison.Ordinal))
            {
                received += Encoding.UTF8.GetString(part, 0, await client.ReceiveAsync(part, cancellation));
            }
        }

        return client;
    }

    private static async Task UntilAsync(Func<bool> holds, string otherwise)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (!holds())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < CancelWithin, otherwise);
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, TestContext.Current.CancellationToken);
        }
    }

    private static async Task AnswerAsync(RawVisit visit, bool isAnthropic)
    {
        if (visit.Body.Contains("mid-stream", StringComparison.Ordinal))
        {
            await visit.WriteAsync(RawWire.StreamHead + string.Concat(RawWire.Events(isAnthropic)[..5]));
        }
        else if (visit.Body.Contains("whole", StringComparison.Ordinal))
        {
            await visit.WriteAsync(RawWire.JsonHead + RawWire.Whole(isAnthropic)[..50]);
        }

        await visit.WaitForHangUpAsync();
    }
}
