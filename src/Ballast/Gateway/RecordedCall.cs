using System.Buffers;
using System.Net;
using Ballast.Exchanges;
using Ballast.Idempotency;
using Ballast.Ledger.Spool;
using Ballast.Transport;

namespace Ballast.Gateway;

/// <summary>
/// A request with an <c>Idempotency-Key</c>. Once it has taken its key the answer is remembered while it is sent, and the request goes on to its end even where its
/// client has left: whoever repeats it gets that answer.
/// </summary>
public sealed class RecordedCall(HttpCall inside, string key, IdempotencyDesk desk) : HttpCall, IDisposable
{
    private readonly PooledBuffer _written = new();
    private readonly List<KeyValuePair<string, string>> _headers = [];
    private IdempotencyName? _name;
    private byte[] _fingerprint = [];
    private Exchange? _exchange;
    private int _sent;
    private long? _responseLength;
    private bool _isTooLarge;
    private bool _isBegun;
    private bool _isEnding;
    private bool _isCut;
    private bool _isDone;
    private bool _isReleased;
    private bool _isGone;

    public override string Method => inside.Method;
    public override string Path => inside.Path;
    public override long? ContentLength => inside.ContentLength;
    public override IPAddress? RemoteAddress => inside.RemoteAddress;

    /// <summary>Of the client before the key is taken; after it only the gateway's own end.</summary>
    public override CancellationToken Aborted => _name is null ? inside.Aborted : desk.Stopping;

    public override int Status
    {
        get => inside.Status;
        set => inside.Status = value;
    }

    public override long? ResponseLength
    {
        get => _responseLength;
        set => inside.ResponseLength = _responseLength = value;
    }

    public override IBufferWriter<byte> Output => _name is null ? inside.Output : _written;

    /// <summary>Takes the key; null where the request is to be executed, else the id of the one whose answer the client was given.</summary>
    /// <exception cref="GatewayException">The key is none, or belongs to a request whose answer cannot be given.</exception>
    public async Task<string?> TakeAsync(Exchange exchange)
    {
        IdempotencyName name = IdempotencyName.Of(exchange.Key.Id, key) ?? throw new GatewayException(GatewayError.IdempotencyKeyInvalid);
        _fingerprint = IdempotencyDesk.FingerprintOf(exchange, exchange.Envelope.Body.Span, inside.Header("content-type"));
        KeptAnswer? kept = await desk.TakeAsync(name, _fingerprint).ConfigureAwait(false);
        if (kept is not null)
        {
            await ReplayAsync(kept).ConfigureAwait(false);
            return kept.ExchangeId;
        }

        (_name, _exchange) = (name, exchange);
        return null;
    }

    /// <summary>Before an attempt is sent: that it may be stands on the disk when this returns.</summary>
    /// <exception cref="GatewayException">It cannot be written down.</exception>
    public async ValueTask MarkAsync()
    {
        if (!_isBegun && _name is not null)
        {
            await desk.BeginAsync(_name, _fingerprint, _exchange!).ConfigureAwait(false);
            _isBegun = true;
            CrashPoint.Reach("idempotency.begun");
        }
    }

    /// <summary>What is flushed next is the answer's end.</summary>
    /// <param name="isCut">The connection is cut behind it.</param>
    public void NoteEnd(bool isCut) => (_isEnding, _isCut) = (true, isCut);

    /// <summary>Lets go of the key, whatever happened. What was begun and has no answer stays so: it may have been executed.</summary>
    public async ValueTask EndAsync()
    {
        if (_name is not { } name)
        {
            return;
        }

        if (!_isDone && _isBegun && !WasSent)
        {
            await desk.CompleteAsync(name, null, _exchange!).ConfigureAwait(false);
        }

        Release(name);
    }

    public override string? Query(string name) => inside.Query(name);

    public override string? NextHeader(string name, ref int position) => inside.NextHeader(name, ref position);

    public override ValueTask<int> ReadBodyAsync(Memory<byte> buffer) => inside.ReadBodyAsync(buffer);

    public override void SetHeader(string name, string value)
    {
        inside.SetHeader(name, value);
        _headers.RemoveAll(header => header.Key == name);
        _headers.Add(new(name, value));
    }

    public override void ClearHeaders()
    {
        inside.ClearHeaders();
        _headers.Clear();
    }

    public override async ValueTask<bool> FlushAsync(CancellationToken cancellation)
    {
        if (_name is null)
        {
            return await inside.FlushAsync(cancellation).ConfigureAwait(false);
        }

        if (_isEnding && !_isDone)
        {
            await CompleteAsync().ConfigureAwait(false);
            Release(_name); // whoever has the whole answer may repeat at once
        }

        await PassOnAsync().ConfigureAwait(false);
        return true;
    }

    public override void Abort() => inside.Abort();

    public void Dispose() => _written.Dispose();

    /// <summary>A platform may have executed it. Where none was reached nothing is kept, and the key may be used again.</summary>
    private bool WasSent => _exchange!.Attempts.Exists(static attempt => attempt.Reached);

    /// <summary>Once: after it the key may be another request's.</summary>
    private void Release(IdempotencyName name)
    {
        if (!_isReleased)
        {
            _isReleased = true;
            desk.Release(name);
        }
    }

    private async Task CompleteAsync()
    {
        _isDone = true;
        if (!_isBegun)
        {
            return;
        }

        KeptAnswer answer = new()
        {
            State = _isTooLarge || _written.WrittenCount > _exchange!.Catalog.Limits.IdempotencyAnswerBytesMax ? KeptState.NotKept : KeptState.Answered,
            Fingerprint = _fingerprint,
            ExchangeId = _exchange!.Id,
            Status = Status,
            IsCut = _isCut,
            IsWhole = _responseLength is not null,
            // Where the key stands now is no part of the answer.
            Headers = [.. _headers.Where(static header => !header.Key.Contains("ratelimit", StringComparison.OrdinalIgnoreCase))],
            Body = _written.WrittenMemory,
        };
        await desk.CompleteAsync(_name!, WasSent ? answer : null, _exchange).ConfigureAwait(false);
        CrashPoint.Reach("idempotency.kept");
    }

    /// <summary>Sends what was written since; a client that has left changes nothing.</summary>
    private async ValueTask PassOnAsync()
    {
        if (!_isGone)
        {
            try
            {
                IBufferWriter<byte> output = inside.Output;
                output.Write(_written.WrittenSpan[_sent..]);
                _isGone = !await inside.FlushAsync(inside.Aborted).ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is OperationCanceledException or IOException or ObjectDisposedException)
            {
                _isGone = true;
            }
        }

        _sent = _written.WrittenCount;
        if (_isTooLarge || _sent > _exchange!.Catalog.Limits.IdempotencyAnswerBytesMax)
        {
            _isTooLarge = true;
            _written.Clear();
            _sent = 0;
        }
    }

    private async Task ReplayAsync(KeptAnswer kept)
    {
        inside.Status = kept.Status;
        foreach ((string name, string value) in kept.Headers)
        {
            inside.SetHeader(name, value);
        }

        inside.SetHeader(IdempotencyDesk.ReplayedHeader, "true");
        if (kept.IsWhole)
        {
            inside.ResponseLength = kept.Body.Length;
        }

        inside.Output.Write(kept.Body.Span);
        await inside.FlushAsync(inside.Aborted).ConfigureAwait(false);
        if (kept.IsCut)
        {
            inside.Abort();
        }
    }
}
