using System.Buffers;
using System.Text;
using Ballast.Exchanges;
using Ballast.Gateway;
using Ballast.Gateway.Signals;
using Ballast.Guards;
using Ballast.Idempotency;
using Ballast.Ledger;
using Ballast.Ledger.Spool;
using Ballast.Protocols;
using Ballast.Telemetry;
using Ballast.Tenancy;
using Ballast.Tests.Ledger;
using Ballast.Tests.Tenancy;
using Ballast.Transport;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ballast.Tests.Gateway;

/// <summary>A client that has the whole answer may ask again at once: whatever it then depends on was done before the last byte.</summary>
public sealed class AnswerEndTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private TenantHouse _house = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _house = await TenantHouse.OpenAsync(
        """
        budgets:
          support-month: { app: support, usd: 1, unpriced_request_usd: 0.25 }
        """);

    public async ValueTask DisposeAsync()
    {
        await _house.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task LastByte_OfARequestWithAKey_IsRepeatedAtOnce()
    {
        await using IdempotencyStore store = new(_folder.File("kept.db"), _house.Time);
        using IdempotencyDesk desk = new(store, NullLogger.Instance);
        Call client = new();
        Call again = new();
        using RecordedCall first = desk.Open(client, Operation.Chat)!;
        using RecordedCall second = desk.Open(again, Operation.Chat)!;
        Exchange exchange = Begin();
        Assert.Null(await first.TakeAsync(exchange));
        exchange.BeginAttempt(exchange.Catalog.FindModel("chat")!.Candidates[0].Deployment).Reached = true;
        await first.MarkAsync();
        first.Output.Write("answer"u8);
        first.NoteEnd(isCut: false);
        string? replayed = null;
        client.Flushing = async () => replayed = await second.TakeAsync(Begin());

        Assert.True(await first.FlushAsync(Cancellation));
        Assert.Equal((exchange.Id, "answer"), (replayed, again.Text));
        await first.EndAsync();
    }

    /// <summary>Lets go of its key once: the next one's is not taken from it.</summary>
    [Fact]
    public async Task End_AfterTheLastByte_LeavesTheKeyToWhoHasItNow()
    {
        await using IdempotencyStore store = new(_folder.File("kept.db"), _house.Time);
        using IdempotencyDesk desk = new(store, NullLogger.Instance);
        using RecordedCall first = desk.Open(new Call(), Operation.Chat)!;
        using RecordedCall second = desk.Open(new Call(), Operation.Chat)!;
        using RecordedCall third = desk.Open(new Call(), Operation.Chat)!;
        Assert.Null(await first.TakeAsync(Begin()));
        first.NoteEnd(isCut: false);
        Assert.True(await first.FlushAsync(Cancellation)); // nothing was sent upstream: nothing is kept
        Assert.Null(await second.TakeAsync(Begin()));

        await first.EndAsync();

        Assert.Equal(GatewayError.IdempotencyRunning.Code, (await Assert.ThrowsAsync<GatewayException>(() => third.TakeAsync(Begin()))).Code);
        await second.EndAsync();
        Assert.Null(await third.TakeAsync(Begin()));
    }

    [Fact]
    public async Task LastByte_LimitsAndBudgetsHoldNothingMore_AndTheRequestStillRuns()
    {
        KeyDocument made = await _house.MakeKeyAsync(new KeyDocument { App = "support", RateLimits = new RateLimitsDocument { ConcurrentRequests = 1 } });
        await using SqliteLedgerStore store = SqliteLedgerStore.Open(_folder.File("ledger.db"));
        using LedgerSpool spool = LedgerSpool.Open(new SpoolOptions { Folder = _folder.File("spool"), WaitsForDisk = false }, TimeProvider.System);
        await using LedgerWriter ledger = new(store, spool, new LedgerWriterOptions(), TimeProvider.System);
        Exchange exchange = _house.Begin(made.Key!, Operation.Chat, out _);
        Guard.Reserve(exchange, 0.75m, 0);
        Assert.Equal("ballast_rate_limited", _house.Ask(made.Key!).Refusal);
        Call client = new();
        (string? Refusal, decimal Reserved, int Running) seen = default;
        client.Flushing = () =>
        {
            seen = (_house.Ask(made.Key!).Refusal, _house.Guard.Meters.Budget("support-month")!.Standing.Reserved, _house.Guard.Running);
            return Task.CompletedTask;
        };
        using ClientResponse response = new(client, exchange, new Bookkeeper(ledger, new LiveTotals(_house.Time), new AttemptMeter(new GenAIMeter())));

        await response.SendHeldAsync(Cancellation);
        Assert.Equal((null, 0m, 1), seen);

        _house.Guard.Settle(exchange, new Spending(0.5m, 0, 0, 0));
        Assert.Equal((0m, 0), (_house.Guard.Meters.Budget("support-month")!.Standing.Spent, _house.Guard.Running));
    }

    private Exchange Begin()
    {
        Exchange exchange = new(ProtocolList.OpenAIChat, Operation.Chat, _house.Catalog.Current, _house.Time);
        _house.Guard.Admit(exchange, TenantHouse.DeclaredKey.AsMemory());
        exchange.Envelope = exchange.Protocol.Peek("""{"model":"chat","messages":[]}"""u8.ToArray(), exchange.Address);
        return exchange;
    }

    /// <summary>A client that does something of its own when bytes reach it.</summary>
    private sealed class Call : HttpCall
    {
        private readonly ArrayBufferWriter<byte> _output = new();

        public Func<Task>? Flushing { get; set; }
        public string Text => Encoding.UTF8.GetString(_output.WrittenSpan);
        public override string Method => "POST";
        public override string Path => "/v1/chat/completions";
        public override long? ContentLength => null;
        public override CancellationToken Aborted => default;
        public override int Status { get; set; } = 200;
        public override long? ResponseLength { get; set; }
        public override IBufferWriter<byte> Output => _output;

        public override string? Query(string name) => null;

        public override string? NextHeader(string name, ref int position) => name == IdempotencyDesk.Header && position++ == 0 ? "once" : null;

        public override ValueTask<int> ReadBodyAsync(Memory<byte> buffer) => new(0);

        public override void SetHeader(string name, string value)
        {
        }

        public override void ClearHeaders()
        {
        }

        public override async ValueTask<bool> FlushAsync(CancellationToken cancellation)
        {
            await (Flushing?.Invoke() ?? Task.CompletedTask);
            return true;
        }

        public override void Abort() => throw new NotSupportedException();
    }
}
