using System.Collections.Concurrent;
using Ballast.Exchanges;
using Ballast.Guards;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.OpenAIResponses;

namespace Ballast.Gateway.Background;

/// <summary>
/// Requests whose answers are worked on in the background: their rows and their budgets stay open until somebody sees the end. An end that nobody sees within
/// <c>limits.background_wait</c>, or before the process ends, is booked as the most that it may have cost, and marked so; then a later look books nothing more. Thread-safe.
/// </summary>
public sealed class BackgroundBook(Bookkeeper bookkeeper, Guard guard) : IDisposable
{
    /// <summary>Requests that are open at once; one more is booked at once as if nobody had seen its end.</summary>
    public const int CountMax = 10_000;

    private readonly ConcurrentDictionary<(string KeyId, string Id), Open> _open = new();

    /// <summary>Requests that are open now.</summary>
    public int Count => _open.Count;

    /// <summary>Takes over a request whose client has been answered, or has gone, while its answer is worked on.</summary>
    public void Park(Exchange exchange)
    {
        string id = OpenAIResponsesInput.AnswerIdOf(exchange.State!.Begun!) ?? "";
        bookkeeper.CloseBefore(exchange);
        guard.Park(exchange);
        Open open = new(exchange, Bookkeeper.Bound(exchange));
        if (id.Length == 0 || _open.Count >= CountMax || !_open.TryAdd((exchange.Key.Id, id), open))
        {
            Close(open);
            return;
        }

        // What was sent is no longer needed, and lies in memory that others use.
        exchange.Envelope = new Protocols.RequestEnvelope { Body = default, Model = exchange.Envelope.Model, Stream = exchange.Envelope.Stream };
        open.Timer = exchange.Time.CreateTimer(
            _ => Forget(exchange.Key.Id, id), null, exchange.Catalog.Limits.BackgroundWait, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Books what an answer cost whose end was seen; nothing where that has been done.</summary>
    public void Settle(string keyId, string id, OpenAIResponsesBackground seen)
    {
        if (seen.IsRunning || !_open.TryRemove((keyId, id), out Open? open))
        {
            return;
        }

        Attempt attempt = open.Exchange.Attempts[^1];
        attempt.Finish = new FinishReason(seen.Status);
        attempt.ServedModel ??= seen.Model;
        (attempt.Result, attempt.Reason) = seen.Status switch
        {
            "failed" => (AttemptResult.Failed, GatewayError.StreamError.Code),
            "cancelled" => (AttemptResult.Cancelled, "client_cancelled"),
            _ => (AttemptResult.Completed, null),
        };
        if (seen.Usage is null && seen.Status != "failed")
        {
            // What a cancelled answer cost is not told.
            Close(open);
            return;
        }

        attempt.Usage = seen.Usage ?? new Usage();
        attempt.HasEnded = true;
        open.Timer?.Dispose();
        bookkeeper.Close(open.Exchange);
        guard.Settle(open.Exchange, CostBound.SpentBy(open.Exchange));
    }

    /// <summary>Books all that is open: nobody will see its end here.</summary>
    public void Dispose()
    {
        foreach ((string keyId, string id) in _open.Keys)
        {
            Forget(keyId, id);
        }
    }

    private void Forget(string keyId, string id)
    {
        if (_open.TryRemove((keyId, id), out Open? open))
        {
            Attempt attempt = open.Exchange.Attempts[^1];
            attempt.Result = AttemptResult.Interrupted;
            attempt.Reason = "background_unseen";
            Close(open);
        }
    }

    private void Close(Open open)
    {
        open.Timer?.Dispose();
        bookkeeper.CloseAt(open.Exchange, open.Bound);
        guard.Settle(open.Exchange, CostBound.SpentBy(open.Exchange));
    }

    private sealed class Open(Exchange exchange, Ledger.LedgerEntry bound)
    {
        public Exchange Exchange => exchange;

        /// <summary>The row of its intent: the most that it may cost.</summary>
        public Ledger.LedgerEntry Bound => bound;

        public ITimer? Timer { get; set; }
    }
}
