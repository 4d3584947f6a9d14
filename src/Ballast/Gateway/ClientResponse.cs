using System.Buffers;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using Ballast.Catalog;
using Ballast.Exchanges;
using Ballast.Guards;
using Ballast.Protocols;
using Ballast.Protocols.Conversation;
using Ballast.Transport;
using Ballast.Upstream;

namespace Ballast.Gateway;

/// <summary>
/// The client's side of an answer: its head, the moment it is committed, its end. Until <see cref="Commit"/> everything written is held in memory and can be thrown
/// away, so that another deployment may still answer.
/// </summary>
public sealed class ClientResponse(HttpCall http, Exchange exchange, Bookkeeper bookkeeper) : IDisposable
{
    /// <summary>Longest <c>x-ballast-loss</c> value, in characters; what does not fit is in the ledger.</summary>
    public const int LossHeaderCharactersMax = 4 * 1024;

    private const string ConstitutionHeader = "x-ballast-constitution";

    private readonly PooledBuffer _held = new();
    private ArrayStream? _array;

    public bool IsCommitted { get; private set; }

    /// <summary>Where frames go: memory before the commit, the client's connection after it.</summary>
    public IBufferWriter<byte> Output => exchange.Address.Stream == StreamForm.Array ? _array ??= new ArrayStream(() => Raw) : Raw;

    private IBufferWriter<byte> Raw => IsCommitted ? http.Output : _held;

    public int HeldBytes => _held.WrittenCount;

    /// <summary>Forgets what a failed attempt has written.</summary>
    public void Discard()
    {
        _held.Clear();
        _array?.Discard();
        http.ClearHeaders();
    }

    /// <summary>Sets the head of an answer that comes from this attempt.</summary>
    public void SetHead(Attempt attempt, UpstreamAnswer upstream, bool stream)
    {
        http.Status = 200;
        http.SetHeader("Content-Type", exchange.Protocol.Framing == StreamFraming.None ? PassedType(upstream)
            : !stream || exchange.Address.Stream == StreamForm.Array ? "application/json"
            : exchange.Protocol.Framing == StreamFraming.EventStream ? "application/vnd.amazon.eventstream"
            : exchange.Protocol.Framing == StreamFraming.JsonLines ? "application/x-ndjson"
            : "text/event-stream; charset=utf-8");
        if (stream)
        {
            http.SetHeader("Cache-Control", "no-cache");
            http.SetHeader("x-accel-buffering", "no");
            if (exchange.Protocol.StreamHeader is { } header)
            {
                http.SetHeader(header.Name, header.Value);
            }
        }

        SetIds();
        http.SetHeader("x-ballast-deployment", attempt.Deployment.Name);
        http.SetHeader("x-ballast-attempts", attempt.Number.ToString(CultureInfo.InvariantCulture));
        if (attempt.UpstreamRequestId is { } id && HeaderWriter.IsSafe(id))
        {
            http.SetHeader("x-ballast-upstream-request-id", id);
        }

        SetLosses(attempt);
        DateTimeOffset now = exchange.Time.GetUtcNow();
        exchange.Protocol.WriteRateLimits(exchange.Standing?.RateLimits(exchange) ?? attempt.Protocol.ReadRateLimits(upstream.Header, now), now, http.HeaderSetter);
    }

    /// <summary>Sound and pictures are what their maker says they are; a page for people is nothing that a model's answer may be.</summary>
    private static string PassedType(UpstreamAnswer upstream) =>
        upstream.Header("Content-Type") is { } type && HeaderWriter.IsSafe(type) && !type.Contains("html", StringComparison.OrdinalIgnoreCase) ? type : "application/octet-stream";

    /// <summary>Names what could not cross; repeated before a whole answer, when its own losses are known.</summary>
    public void SetLosses(Attempt attempt)
    {
        if (attempt.Losses.Count == 0 || exchange.LossPolicy == LossPolicy.Allow)
        {
            return;
        }

        StringBuilder value = new();
        foreach (Loss loss in attempt.Losses.Losses)
        {
            string pointer = (loss.InResponse ? "response:" : "") + Escape(loss.Pointer);
            if (value.Length + pointer.Length + 2 > LossHeaderCharactersMax)
            {
                break;
            }

            value.Append(value.Length == 0 ? "" : ", ").Append(pointer);
        }

        http.SetHeader("x-ballast-loss", value.ToString());
    }

    /// <summary>Puts a whole answer through a screen, and what is kept of it, too.</summary>
    public void Screen(AnswerScreen screen)
    {
        ReadOnlyMemory<byte> body = _held.WrittenSpan.ToArray();
        ReadOnlyMemory<byte> screened = screen.Whole(body);
        if (!screened.Equals(body))
        {
            _held.Clear();
            _held.Write(screened.Span);
        }

        if (exchange.State is { Answer: { } answer } state)
        {
            state.Answer = screen.Whole(answer).ToArray();
        }
    }

    /// <summary>Keeps the answer where the caller's protocol has state; null where it has none.</summary>
    public StateKeeper? Keeper { get; init; }

    /// <summary>The call where its answer is remembered for repetitions; null for nearly all.</summary>
    public RecordedCall? Recorded { get; init; }

    /// <summary>Called before the last byte of an answer goes out; null for nothing.</summary>
    public Action? Ending { get; set; }

    /// <summary>From here on what is written reaches the client, and no other deployment may answer.</summary>
    public void Commit()
    {
        if (IsCommitted)
        {
            return;
        }

        IsCommitted = true;
        exchange.OutputCommitted = true;
        http.Output.Write(_held.WrittenSpan);
        _held.Dispose();
    }

    /// <summary>An answer in the background has begun: it is kept where it is made, and the client may ask for it.</summary>
    public void Begin()
    {
        Keeper?.Begin(exchange);
        Commit();
    }

    /// <summary>
    /// Before the answer's last byte: what the exchange's attempts cost is in the ledger when this completes, and no limit or budget holds anything for it any more but
    /// those of a batch, which its book settles. No attempt follows.
    /// </summary>
    /// <param name="isAnswer">The attempt that runs has given a whole answer; else it ends as it stands.</param>
    public ValueTask<bool> SettleAsync(bool isAnswer)
    {
        if (StateKeeper.IsAtWork(exchange))
        {
            // What it costs is known when somebody sees its end.
            Keeper?.Begin(exchange);
            return new ValueTask<bool>(true);
        }

        ValueTask<bool> settling = bookkeeper.SettleAsync(exchange, isAnswer);
        Recorded?.NoteEnd(isCut: !isAnswer && IsCommitted && exchange.CutsBrokenAnswers);
        if (isAnswer)
        {
            Ending?.Invoke();

            // A client that has the whole answer may ask for it, or go on from it, at once.
            Keeper?.Keep(exchange);
        }

        if (exchange.Batch is not null)
        {
            return settling;
        }

        if (!settling.IsCompletedSuccessfully)
        {
            return GiveBackBehindAsync(settling);
        }

        Guard.GiveBack(exchange, CostBound.SpentBy(exchange));
        return settling;
    }

    /// <summary>
    /// Budgets hold the most that a request may cost until its row is kept: a process that is killed before has only the intent's row, which says that most, and a budget that had given it back
    /// would have less than its ledger.
    /// </summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> GiveBackBehindAsync(ValueTask<bool> settling)
    {
        bool isKept = await settling.ConfigureAwait(false);
        Guard.GiveBack(exchange, CostBound.SpentBy(exchange));
        return isKept;
    }

    /// <summary>Nothing follows: what is one JSON array is closed.</summary>
    public void End() => _array?.Close();

    /// <summary>Cuts the connection: the client must not take what it has for a whole answer.</summary>
    public void Cut() => http.Abort();

    public void Dispose()
    {
        _held.Dispose();
        _array?.Dispose();
    }

    /// <exception cref="ClientGoneException">The client has closed its connection.</exception>
    public ValueTask FlushAsync(CancellationToken aborted)
    {
        // Nearly always the client takes it at once: a chunk is then no flow of its own.
        ValueTask<bool> flushing = http.FlushAsync(aborted);
        if (!flushing.IsCompletedSuccessfully)
        {
            return WaitAsync(flushing);
        }

        return flushing.Result ? default : throw new ClientGoneException();
    }

    /// <summary>Sends a whole body.</summary>
    public async Task SendWholeAsync(ReadOnlySequence<byte> body, CancellationToken aborted)
    {
        await SettleAsync(isAnswer: true).ConfigureAwait(false);
        http.ResponseLength = body.Length;
        Commit();
        foreach (ReadOnlyMemory<byte> piece in body)
        {
            http.Output.Write(piece.Span);
        }

        await FlushAsync(aborted).ConfigureAwait(false);
    }

    /// <summary>Sends what was held as a whole body.</summary>
    public async Task SendHeldAsync(CancellationToken aborted)
    {
        await SettleAsync(isAnswer: true).ConfigureAwait(false);
        await SendAsync(aborted).ConfigureAwait(false);
    }

    private async Task SendAsync(CancellationToken aborted)
    {
        http.ResponseLength = _held.WrittenCount;
        Commit();
        await FlushAsync(aborted).ConfigureAwait(false);
    }

    /// <summary>Refuses in the caller's own protocol. Nothing may have been committed.</summary>
    /// <param name="error">What the client is told.</param>
    /// <param name="rawBody">The vendor's own words, where the caller speaks the vendor's protocol; else empty.</param>
    /// <param name="allowedMethod">The method that the path does take, where another one was used.</param>
    public async Task<int> RejectAsync(ChatError error, ReadOnlyMemory<byte> rawBody = default, string? allowedMethod = null)
    {
        Discard();
        if (allowedMethod is not null)
        {
            http.SetHeader("Allow", allowedMethod);
        }

        ChatError named = error with { RequestId = exchange.Id };
        int status = exchange.Spoken.StatusOf(named);
        http.Status = status;
        http.SetHeader("Content-Type", "application/json");
        SetIds();
        if (exchange.Spoken.ErrorTypeHeader is { } typeHeader)
        {
            http.SetHeader(typeHeader, exchange.Spoken.ErrorTypeOf(named));
        }

        if (exchange.Attempts.Count > 0)
        {
            http.SetHeader("x-ballast-attempts", exchange.Attempts.Count.ToString(CultureInfo.InvariantCulture));
        }

        if (exchange.Standing?.RateLimits(exchange) is { } limits)
        {
            exchange.Spoken.WriteRateLimits(limits, exchange.Time.GetUtcNow(), http.HeaderSetter);
        }

        if (GatewayError.IsLasting(named.Code))
        {
            http.SetHeader("x-should-retry", "false"); // clients made by Stainless repeat any conflict, any 429 and whatever begins with a 5
        }

        if (named.RetryAfter is { } wait)
        {
            http.SetHeader("Retry-After", Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture));
        }

        if (rawBody.IsEmpty || !exchange.Spoken.TrySpliceError(rawBody, exchange.Id, _held))
        {
            exchange.Spoken.WriteError(named, _held);
        }

        await SettleAsync(isAnswer: false).ConfigureAwait(false);
        await SendAsync(CancellationToken.None).ConfigureAwait(false);
        return status;
    }

    /// <summary>Every answer names the request: in the header of its protocol, and in one that is the same everywhere.</summary>
    public void SetIds()
    {
        http.SetHeader(exchange.Spoken.RequestIdHeader, exchange.Id);
        http.SetHeader("x-ballast-request-id", exchange.Id);
        if (exchange.Judge is { } judge)
        {
            http.SetHeader(ConstitutionHeader, judge.Verdict);
        }
        else if (exchange.RefusedBy is { } principle)
        {
            http.SetHeader(ConstitutionHeader, $"broken; principle={principle}");
        }
    }

    /// <summary>The answer is JSON of Ballast's own making.</summary>
    public void SetJson() => http.SetHeader("Content-Type", "application/json");

    private static async ValueTask WaitAsync(ValueTask<bool> flushing)
    {
        if (!await flushing.ConfigureAwait(false))
        {
            throw new ClientGoneException();
        }
    }

    // Keys of a caller's JSON may hold anything: what is not plain ASCII, and the list's own comma, is percent-encoded.
    private static string Escape(string pointer)
    {
        StringBuilder escaped = new(pointer.Length);
        foreach (byte unit in Encoding.UTF8.GetBytes(pointer))
        {
            if (unit is > (byte)' ' and <= (byte)'~' and not (byte)',' and not (byte)'%')
            {
                escaped.Append((char)unit);
            }
            else
            {
                escaped.Append('%').Append(unit.ToString("X2", CultureInfo.InvariantCulture));
            }
        }

        return escaped.ToString();
    }
}
