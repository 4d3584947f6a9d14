using System.Collections.Concurrent;
using Ballast.Exchanges;
using Ballast.Guards;
using Ballast.Handles;

namespace Ballast.Gateway.Files;

/// <summary>
/// What budgets hold for batches of Messages that run: the most that all their answers may cost, until somebody reads the results and the true cost takes its place. What is
/// read by nobody within <see cref="Wait"/>, or deleted unread, counts as that most. It is written down with the batch's handle, and a restart holds it again. Thread-safe.
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
                held.Settle(spent);
            }

            guard.Settle(exchange, isHeld ? default : spent);
        }
    }

    /// <summary>Books all that is held: for this process nobody will read the results.</summary>
    public void Dispose()
    {
        foreach (string batch in _held.Keys)
        {
            Forget(batch);
        }
    }

    /// <summary>What a batch that was just begun takes from its budgets, to be written down with its handle; null where nothing is held for it.</summary>
    internal static HandleHold? HeldFor(Exchange exchange) => exchange.Standing is AdmittedKey { Budgets.Count: > 0 } key && (exchange.Reservation.Usd > 0 || exchange.Reservation.Tokens > 0)
        ? new HandleHold([.. key.Budgets.Select(static budget => budget.Options.Id)], exchange.Reservation.Usd, exchange.Reservation.Tokens, new DateTimeOffset(exchange.Reservation.AtTicks, TimeSpan.Zero))
        : null;

    /// <summary>Holds again what was held when the process before this one ended. Before the first request.</summary>
    /// <exception cref="HandleStoreException">What was held cannot be read.</exception>
    public async Task RestoreAsync(HandleStore handles, TimeProvider time)
    {
        DateTimeOffset now = time.GetUtcNow();
        foreach (Handle batch in await handles.HeldAsync().ConfigureAwait(false))
        {
            HandleHold held = batch.Held!;
            BudgetHold hold = new(guard.Meters, held.Budgets, held.Usd, held.Tokens, held.Since);
            if (now - held.Since >= Wait)
            {
                hold.Settle(hold.Most);
                _held.TryAdd(batch.Name, new Held(static _ => { }, default)); // what its results cost is in it
                continue;
            }

            Hold(batch.Name, new Held(spent => hold.Settle(spent), hold.Most), time, Wait - (now - held.Since));
        }
    }

    private void Hold(Exchange exchange, string batch)
    {
        guard.Park(exchange);
        Hold(batch, new Held(spent => guard.Settle(exchange, spent), new Spending(exchange.Reservation.Usd, exchange.Reservation.Tokens, 0, 0)), exchange.Time, Wait);
    }

    private void Hold(string batch, Held held, TimeProvider time, TimeSpan wait)
    {
        if (_held.Count >= CountMax || !_held.TryAdd(batch, held))
        {
            held.Settle(held.Most);
            return;
        }

        held.Timer = time.CreateTimer(_ => Forget(batch), null, wait, Timeout.InfiniteTimeSpan);
    }

    private void Forget(string batch)
    {
        if (_held.TryRemove(batch, out Held? held))
        {
            held.Timer?.Dispose();
            held.Settle(held.Most);
        }
    }

    private sealed class Held(Action<Spending> settle, Spending most)
    {
        public Action<Spending> Settle => settle;

        public Spending Most => most;

        public ITimer? Timer { get; set; }
    }
}
