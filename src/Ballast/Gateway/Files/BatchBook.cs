using System.Collections.Concurrent;
using Ballast.Exchanges;
using Ballast.Guards;

namespace Ballast.Gateway.Files;

/// <summary>
/// What budgets hold for batches of Messages that run: the most that all their answers may cost, until somebody reads the results and the true cost takes its place. What is
/// read by nobody within <see cref="Wait"/>, or deleted unread, counts as that most. A restart forgets what is held: then the results' rows are the first that is known of
/// their cost. Thread-safe.
/// </summary>
public sealed class BatchBook(Guard guard) : IDisposable
{
    /// <summary>Batches that are held for at once; one more counts at once as the most that it may cost.</summary>
    public const int CountMax = 10_000;

    /// <summary>Anthropic ends a batch within 24 hours.</summary>
    public static readonly TimeSpan Wait = TimeSpan.FromHours(48);

    private readonly ConcurrentDictionary<string, Held> _held = new(StringComparer.Ordinal);

    /// <summary>Batches that are held for now.</summary>
    public int Count => _held.Count;

    /// <summary>Gives back what a request took and books what it cost.</summary>
    public void Settle(Exchange exchange)
    {
        Spending spent = CostBound.SpentBy(exchange);
        if (exchange.Batch is not { } batch)
        {
            guard.Settle(exchange, spent);
        }
        else if (exchange.Operation == Operation.MessageBatchCreate)
        {
            Hold(exchange, batch);
        }
        else if (exchange.Operation == Operation.MessageBatchDelete)
        {
            guard.Settle(exchange);
            if (exchange.Attempts is [.., { UpstreamStatus: < 300 }])
            {
                Forget(batch);
            }
        }
        else
        {
            // No minute's limit holds what was worked on for hours.
            spent = spent with { InputTokens = 0, OutputTokens = 0 };
            bool isHeld = _held.TryRemove(batch, out Held? held);
            if (isHeld)
            {
                held!.Timer?.Dispose();
                guard.Settle(held.Exchange, spent);
            }

            guard.Settle(exchange, isHeld ? default : spent);
        }
    }

    /// <summary>Books all that is held: nobody will read the results here.</summary>
    public void Dispose()
    {
        foreach (string batch in _held.Keys)
        {
            Forget(batch);
        }
    }

    private void Hold(Exchange exchange, string batch)
    {
        guard.Park(exchange);
        Held held = new(exchange);
        if (_held.Count >= CountMax || !_held.TryAdd(batch, held))
        {
            guard.Settle(exchange, Most(exchange));
            return;
        }

        held.Timer = exchange.Time.CreateTimer(_ => Forget(batch), null, Wait, Timeout.InfiniteTimeSpan);
    }

    private void Forget(string batch)
    {
        if (_held.TryRemove(batch, out Held? held))
        {
            held.Timer?.Dispose();
            guard.Settle(held.Exchange, Most(held.Exchange));
        }
    }

    private static Spending Most(Exchange exchange) => new(exchange.Reservation.Usd, exchange.Reservation.Tokens, 0, 0);

    private sealed class Held(Exchange exchange)
    {
        public Exchange Exchange => exchange;

        public ITimer? Timer { get; set; }
    }
}
