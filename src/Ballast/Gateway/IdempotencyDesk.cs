using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Ballast.Exchanges;
using Ballast.Idempotency;
using Ballast.Telemetry;
using Ballast.Transport;
using Microsoft.Extensions.Logging;

namespace Ballast.Gateway;

/// <summary>
/// <c>Idempotency-Key</c>, with Stripe's meaning: of the requests of one API key that carry the same one, exactly one goes upstream, and the others get its answer.
/// <code>
///   key ──▶ running? ──▶ 409, or 422 for another request
///            │ no
///            ▼
///           kept? ──▶ the same answer · 422 for another request · 409 where it is not known whether it was executed
///            │ no
///            ▼
///           (1) before the first attempt: "begun", on the disk ──▶ (2) attempts ──▶ (3) before the last byte: the answer, on the disk
/// </code>
/// A gateway that is killed before (1) has sent nothing, and a repetition is executed. Killed between (1) and (3) it cannot know, and says so; it never asks twice.
/// </summary>
public sealed class IdempotencyDesk(IdempotencyStore store, ILogger log) : IDisposable
{
    /// <summary>Of every request that is repeated by this name, and told in no other protocol: what the payment services call it.</summary>
    public const string Header = "idempotency-key";

    /// <summary>Marks an answer that was given before.</summary>
    public const string ReplayedHeader = "idempotent-replayed";

    private readonly ConcurrentDictionary<string, Holder> _running = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _stop = new();
    private bool _isDisposed;

    /// <summary>Ends requests that go on although their client has left.</summary>
    internal CancellationToken Stopping => _stop.Token;

    /// <summary>Wraps a request that carries a key and may be repeated by it; null for all others, which cost one look at their head.</summary>
    public RecordedCall? Open(HttpCall http, Operation operation) =>
        http.Header(Header) is { } key && (operation is Operation.Chat or Operation.Embeddings || OperationName.Passed.Contains(operation)) ? new RecordedCall(http, key, this) : null;

    /// <summary>No request goes on without its client from here on.</summary>
    public void Stop()
    {
        if (!_isDisposed)
        {
            _stop.Cancel();
        }
    }

    public void Dispose()
    {
        _isDisposed = true;
        _stop.Dispose();
    }

    /// <summary>Takes the key for this request, or gives the answer that is kept.</summary>
    /// <exception cref="GatewayException">The key belongs to another request, to one that still runs, or to one of which nothing more is known.</exception>
    /// <exception cref="IdempotencyStoreException">It cannot be told.</exception>
    internal async Task<KeptAnswer?> TakeAsync(IdempotencyName name, byte[] fingerprint)
    {
        Check(name, fingerprint);
        KeptAnswer? kept = await store.FindAsync(name).ConfigureAwait(false);
        if (kept is { State: KeptState.Begun })
        {
            Check(name, fingerprint);
            kept = await store.FindAsync(name).ConfigureAwait(false); // who had begun it is not here any more: what is found now is all that there will be
        }

        if (kept is not null)
        {
            return Known(kept, fingerprint);
        }

        Holder holder = new(fingerprint);
        if (!_running.TryAdd(name.Text, holder))
        {
            Check(name, fingerprint);
            throw Busy();
        }

        try
        {
            kept = await store.FindAsync(name).ConfigureAwait(false); // since the first look another may have come and gone
            holder.IsSure = kept is null;
            return kept is null ? null : Known(kept, fingerprint);
        }
        finally
        {
            if (!holder.IsSure)
            {
                Release(name);
            }
        }
    }

    /// <exception cref="GatewayException">There is no room: nothing may be sent.</exception>
    /// <exception cref="IdempotencyStoreException">It cannot be written down: nothing may be sent.</exception>
    internal async Task BeginAsync(IdempotencyName name, byte[] fingerprint, Exchange exchange)
    {
        if (!await store.BeginAsync(name, fingerprint, exchange.Id, exchange.Catalog.Limits.IdempotencyKeysMax).ConfigureAwait(false))
        {
            throw new GatewayException(GatewayError.IdempotencyFull);
        }
    }

    /// <summary>What cannot be kept stays as it was begun: not known, and never repeated.</summary>
    internal async Task CompleteAsync(IdempotencyName name, KeptAnswer? answer, Exchange exchange)
    {
        try
        {
            await (answer is null ? store.ForgetAsync(name) : store.CompleteAsync(name, answer, exchange.Catalog.Limits.IdempotencyBytesMax)).ConfigureAwait(false);
        }
        catch (IdempotencyStoreException failure)
        {
            // The client gets its answer all the same.
            log.AnswerNotKept(failure, exchange.Id);
        }
    }

    internal void Release(IdempotencyName name) => _running.TryRemove(name.Text, out _);

    /// <summary>
    /// What must be the same: what is asked for, in which protocol, with its own headers, and the body, byte by byte. The boundary of a form is left out, since clients
    /// choose another each time.
    /// </summary>
    internal static byte[] FingerprintOf(Exchange exchange, ReadOnlySpan<byte> body, string? contentType)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Add(hash, exchange.Protocol.Name);
        Add(hash, OperationName.Of(exchange.Operation));
        Add(hash, exchange.Address.Model ?? "");
        Add(hash, exchange.Address.Stream.ToString());
        byte[]? boundary = BoundaryOf(contentType);
        foreach ((string name, string value) in exchange.ProtocolHeaders)
        {
            if (boundary is null || name != "content-type")
            {
                Add(hash, name);
                Add(hash, value);
            }
        }

        if (boundary is { Length: > 0 })
        {
            while (body.IndexOf(boundary) is var at and >= 0)
            {
                hash.AppendData(body[..at]);
                body = body[(at + boundary.Length)..];
            }
        }

        hash.AppendData(body);
        return hash.GetHashAndReset();
    }

    private void Check(IdempotencyName name, byte[] fingerprint)
    {
        if (_running.TryGetValue(name.Text, out Holder? holder))
        {
            throw holder.IsSure && !holder.Fingerprint.AsSpan().SequenceEqual(fingerprint) ? new GatewayException(GatewayError.IdempotencyMismatch) : Busy();
        }
    }

    private static KeptAnswer Known(KeptAnswer kept, byte[] fingerprint) => kept switch
    {
        _ when !kept.Fingerprint.AsSpan().SequenceEqual(fingerprint) => throw new GatewayException(GatewayError.IdempotencyMismatch),
        { State: KeptState.Begun } => throw new GatewayException(GatewayError.IdempotencyInDoubt, $"That request was {kept.ExchangeId}."),
        { State: KeptState.NotKept } => throw new GatewayException(GatewayError.IdempotencyNotKept, $"That request was {kept.ExchangeId}."),
        _ => kept,
    };

    private static void Add(IncrementalHash hash, string text)
    {
        hash.AppendData(Encoding.UTF8.GetBytes(text));
        hash.AppendData([0]);
    }

    private static byte[]? BoundaryOf(string? contentType)
    {
        if (contentType is null || !contentType.StartsWith("multipart/", StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        int at = contentType.IndexOf("boundary=", StringComparison.OrdinalIgnoreCase);
        if (at < 0)
        {
            return null;
        }

        string value = contentType[(at + "boundary=".Length)..];
        int end = value.IndexOf(';', StringComparison.Ordinal);
        return Encoding.UTF8.GetBytes((end < 0 ? value : value[..end]).Trim().Trim('"'));
    }

    private static GatewayException Busy() =>
        new(GatewayError.IdempotencyRunning.ToChatError() with { RetryAfter = TimeSpan.FromSeconds(1) }, GatewayError.IdempotencyRunning.Code);

    /// <summary>A request that has a key. Until it is sure that nothing is kept under it, it is not said whose the key is.</summary>
    private sealed class Holder(byte[] fingerprint)
    {
        public byte[] Fingerprint { get; } = fingerprint;
        public volatile bool IsSure;
    }
}
