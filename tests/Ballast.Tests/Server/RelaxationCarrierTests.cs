using System.Collections.Concurrent;
using Ballast.Balance;
using Ballast.Ledger;
using Ballast.Routing.Shares;
using Ballast.Server;
using Ballast.Tests.Ledger;
using Microsoft.Extensions.Time.Testing;

namespace Ballast.Tests.Server;

/// <summary>Suspensions reach the ledger, whatever the store does meanwhile.</summary>
public sealed class RelaxationCarrierTests : IDisposable
{
    private static readonly DateTimeOffset s_start = new(2026, 11, 30, 8, 0, 0, TimeSpan.Zero);

    private static readonly Relaxation s_begun = new()
    {
        PolicyName = "org", PolicyVersion = 3, Rule = "az50", Cause = RelaxationCause.Health, StartedAt = s_start, LastAt = s_start, Requests = 1, Volume = 900, IsOver = false,
    };

    private static readonly Relaxation s_over = s_begun with { LastAt = s_start.AddMinutes(5), Requests = 40, Volume = 36_000, IsOver = true };

    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _time = new(s_start);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Append_BeginAndEnd_AreInTheLedgerAsTwoEventsAndReadBackAsOne()
    {
        await using TestLedger ledger = new();
        await using (SqliteLedgerStore store = SqliteLedgerStore.Open(ledger.Path))
        await using (RelaxationCarrier carrier = Carrier(store))
        {
            carrier.Append([s_begun]);
            carrier.Append([s_over]);
        }

        IReadOnlyList<LedgerEvent> events = await ledger.Reader.EventsAsync(LedgerEvent.Suspension, LedgerFilter.Everything, 100, TestContext.Current.CancellationToken);
        Assert.Equal([s_start, s_start.AddMinutes(5)], events.Select(static one => one.At));
        Assert.Equal(s_over, Assert.Single(RelaxationEvents.Read(events)));
        Assert.Equal(s_begun with { Requests = 0, Volume = 0 }, Assert.Single(RelaxationEvents.Read(events.Take(1).ToArray())));
    }

    [Fact]
    public async Task Append_StoreIsAway_IsTriedAgain()
    {
        FailingStore store = new(failures: 2);
        await using RelaxationCarrier carrier = Carrier(store);
        carrier.Append([s_over]);

        long start = TimeProvider.System.GetTimestamp();
        while (store.Taken.IsEmpty)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(30), "it is not tried again");
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, TestContext.Current.CancellationToken);
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(2, store.Taken.Count);
        Assert.Equal(2, store.Told);
    }

    [Fact]
    public async Task Dispose_StoreStaysAway_OffersThemAtTheNextStart()
    {
        await using (RelaxationCarrier first = Carrier(new FailingStore(int.MaxValue)))
        {
            first.Append([s_over]);
        }

        FailingStore store = new(0);
        await using (RelaxationCarrier next = Carrier(store))
        {
            Assert.Equal(s_over, Assert.Single(next.Read()));
        }

        Assert.Equal(2, store.Taken.Count);
    }

    private RelaxationCarrier Carrier(ILedgerEventStore store) =>
        new(new RelaxationFile(_folder.File("relaxations.jsonl")), store, _time, _ => ((FailingStore)store).Told++);

    private sealed class FailingStore(int failures) : ILedgerEventStore
    {
        private int _left = failures;

        public ConcurrentQueue<LedgerEvent> Taken { get; } = [];

        public int Told { get; set; }

        public Task AppendEventsAsync(IReadOnlyList<LedgerEvent> events, CancellationToken cancellation)
        {
            if (_left-- > 0)
            {
                throw new LedgerException("away");
            }

            foreach (LedgerEvent one in events)
            {
                Taken.Enqueue(one);
            }

            return Task.CompletedTask;
        }
    }
}
