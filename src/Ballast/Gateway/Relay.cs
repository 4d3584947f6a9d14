using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Ballast.Configuration;
using Ballast.Exchanges;
using Ballast.Protocols;
using Ballast.Protocols.Conversation;
using Ballast.Upstream;

namespace Ballast.Gateway;

/// <summary>
/// Carries one answer from the upstream to the client. One loop for all four cases: streamed or whole, passed on or translated.
/// <code>
///   upstream ──bytes──▶ PipeReader ──▶ ResponseReader ──frame──▶ (passthrough) ───────────────▶ ClientResponse ──▶ client
///                                            │                                                     ▲   held until committed
///                                            └──events──▶ (translation) ──▶ ResponseWriter ────────┘
/// </code>
/// (1) read · (2) take whole frames · (3) an error before the commit is a failure, and another deployment may be tried; after it, it is the client's ·
/// (4) pass the frame on or write its events · (5) the first content, the end, or the grace commits · (6) flush once for each read · (7) judge the end.
/// </summary>
public sealed class Relay(Exchange exchange, Attempt attempt, ClientResponse response, AttemptTimer timer)
{
    /// <summary>How long the relay waits, after the terminal mark, for the upstream to close its answer so that the connection can be used again.</summary>
    private static readonly TimeSpan TailWait = TimeSpan.FromMilliseconds(250);

    private readonly LimitsOptions _limits = exchange.Catalog.Limits;
    private readonly bool _stream = exchange.Envelope.Stream;
    private readonly bool _isPassthrough = UpstreamRequest.IsPassthrough(exchange, attempt.Deployment);
    private ResponseReader _reader = null!;
    private ResponseWriter? _writer;
    private StringBuilder? _structured;
    private TaskCompletionSource? _graceElapsed;
    private ITimer? _grace;

    /// <summary>Returns null when the client has a whole answer, else why not.</summary>
    public async Task<UpstreamFailure?> RunAsync(Stream upstream, CancellationToken aborted)
    {
        Open();
        PipeReader pipe = PipeReader.Create(upstream, new StreamPipeReaderOptions(bufferSize: 16 * 1024, minimumReadSize: 2 * 1024));
        try
        {
            return await LoopAsync(pipe, aborted).ConfigureAwait(false);
        }
        catch (ProtocolException)
        {
            return Cut(GatewayError.Malformed);
        }
        catch (Exception exception) when (exception is IOException or HttpRequestException)
        {
            return Cut(GatewayError.StreamCut);
        }
        catch (OperationCanceledException exception) when (exception is not ClientGoneException && !aborted.IsCancellationRequested)
        {
            return Cut(timer.Verdict);
        }
        finally
        {
            Note();
            if (_grace is not null)
            {
                await _grace.DisposeAsync().ConfigureAwait(false);
            }

            await pipe.CompleteAsync().ConfigureAwait(false);
        }
    }

    private async Task<UpstreamFailure?> LoopAsync(PipeReader pipe, CancellationToken aborted)
    {
        while (true)
        {
            ReadResult result = await ReadAsync(pipe, aborted).ConfigureAwait(false);                         // (1)
            ReadOnlySequence<byte> buffer = result.Buffer;
            while (!_reader.IsEnded
                && _reader.TryReadFrame(ref buffer, result.IsCompleted, out ReadOnlySequence<byte> frame, out FrameSignals signals))  // (2)
            {
                if ((signals & FrameSignals.Failed) != 0)
                {
                    return Failed(frame);                                                                     // (3)
                }

                if (Forward(frame, signals) is { } failure)                                                   // (4) (5)
                {
                    return failure;
                }
            }

            if (!_reader.IsEnded && Overflow(buffer.Length) is { } overflow)
            {
                return overflow;
            }

            pipe.AdvanceTo(buffer.Start, buffer.End);
            if (response.IsCommitted)
            {
                await response.FlushAsync(aborted).ConfigureAwait(false);                                     // (6)
            }

            if (_reader.IsEnded || result.IsCompleted)
            {
                return await EndAsync(pipe, result.IsCompleted, aborted).ConfigureAwait(false);               // (7)
            }
        }
    }

    private void Open()
    {
        _reader = attempt.Deployment.Provider.Protocol.OpenReader(new ReaderOptions
        {
            Stream = _stream,
            Depth = _isPassthrough ? ReadDepth.UsageOnly : ReadDepth.Everything,
            Vendor = attempt.Deployment.Vendor,
            WithholdUsage = !exchange.Envelope.StreamUsage,
            UnwrapStructuredOutput = !_isPassthrough && StructuredOutput.IsEmulated(exchange.Request, attempt.Deployment.Target),
            Losses = attempt.Losses,
        });
        if (_isPassthrough)
        {
            return;
        }

        _structured = StructuredOutput.IsEmulated(exchange.Request, attempt.Deployment.Target) ? new StringBuilder() : null;
        _writer = exchange.Protocol.OpenWriter(new WriterOptions
        {
            Stream = _stream,
            FallbackId = exchange.Id,
            Model = attempt.Deployment.SentModel,
            CreatedUnixSeconds = exchange.Time.GetUtcNow().ToUnixTimeSeconds(),
            StreamUsage = exchange.Envelope.StreamUsage,
            InputTokensEstimate = exchange.Envelope.Body.Length / 4,
            Losses = attempt.Losses,
        });
    }

    /// <summary>Reads; while nothing is committed, the grace may run out first. A committed stream takes no detour: it would cost an allocation for each chunk.</summary>
    private ValueTask<ReadResult> ReadAsync(PipeReader pipe, CancellationToken aborted)
    {
        ValueTask<ReadResult> reading = pipe.ReadAsync(timer.Token);
        return !_stream || response.IsCommitted || _structured is not null || reading.IsCompleted ? reading : RaceGraceAsync(reading, aborted);
    }

    /// <summary>Where the grace runs out first, the head is sent without content.</summary>
    private async ValueTask<ReadResult> RaceGraceAsync(ValueTask<ReadResult> reading, CancellationToken aborted)
    {
        // The pipe's own CancelPendingRead would cancel the read of the socket and with it the connection: the two are raced instead.
        Task<ReadResult> read = reading.AsTask();
        if (_graceElapsed is null)
        {
            _graceElapsed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _grace = exchange.Time.CreateTimer(
                static state => ((TaskCompletionSource)state!).TrySetResult(), _graceElapsed, _limits.HoldGrace, Timeout.InfiniteTimeSpan);
        }

        if (await Task.WhenAny(read, _graceElapsed.Task).ConfigureAwait(false) != read)
        {
            response.Commit();
            await response.FlushAsync(aborted).ConfigureAwait(false);
        }

        return await read.ConfigureAwait(false);
    }

    private UpstreamFailure? Forward(in ReadOnlySequence<byte> frame, FrameSignals signals)
    {
        if (_writer is null)
        {
            if ((signals & FrameSignals.Withhold) == 0 && _stream)
            {
                Write(frame);
            }
            else if (!_stream)
            {
                attempt.TimeToFirstToken = exchange.Time.GetElapsedTime(attempt.StartedTimestamp);
                Write(frame);
            }
        }
        else
        {
            foreach (ChatEvent chatEvent in _reader.Events)
            {
                if (_structured is not null && chatEvent is TextDelta text)
                {
                    _structured.Append(text.Text);
                }

                if (chatEvent is ResponseEnded && SchemaFault() is { } fault)
                {
                    return fault;
                }

                _writer.Write(chatEvent, response.Output);
            }
        }

        if ((signals & (FrameSignals.Content | FrameSignals.Ended)) != 0)
        {
            timer.Progress();
            attempt.TimeToFirstToken ??= exchange.Time.GetElapsedTime(attempt.StartedTimestamp);
            if (_stream && (_structured is null || (signals & FrameSignals.Ended) != 0))
            {
                response.Commit();
            }
        }
        else if (response.IsCommitted)
        {
            timer.Progress();
        }

        return null;
    }

    private void Write(in ReadOnlySequence<byte> bytes)
    {
        foreach (ReadOnlyMemory<byte> piece in bytes)
        {
            response.Output.Write(piece.Span);
        }
    }

    private UpstreamFailure? Overflow(long unreadBytes)
    {
        if (!_stream)
        {
            return unreadBytes > _limits.ResponseBodyBytesMax ? Cut(GatewayError.HeldTooLong) : null;
        }

        return !response.IsCommitted && response.HeldBytes > _limits.HeldBytesMax ? Cut(GatewayError.HeldTooLong) : null;
    }

    private UpstreamFailure? SchemaFault()
    {
        // A call of a tool, a refusal and an answer cut at its limit are no final answers: the caller is told by the finish, as by an endpoint with schemas.
        if (_structured is null || exchange.Request.ResponseFormat is not { } format || _reader.Finish is { } finish && finish != FinishReason.Stop)
        {
            return null;
        }

        return JsonSchemaCheck.TryValidate(format.Schema, _structured.ToString(), out _)
            ? null
            : Cut(GatewayError.SchemaMismatch) is { } failure ? failure with { BlamesDeployment = false } : null;
    }

    private async Task<UpstreamFailure?> EndAsync(PipeReader pipe, bool isCompleted, CancellationToken aborted)
    {
        // Servers that speak OpenAI's protocol may close after the finish reason without [DONE]: that is an end, a stream without a finish reason is a cut.
        if (!_reader.IsEnded && !(_stream && _reader.Finish is not null))
        {
            return Cut(GatewayError.StreamCut);
        }

        if (!_reader.IsEnded)
        {
            if (SchemaFault() is { } fault)
            {
                return fault;
            }

            _writer?.Write(ResponseEnded.Instance, response.Output);
            response.Commit();
        }

        if (_stream)
        {
            await response.FlushAsync(aborted).ConfigureAwait(false);
        }
        else
        {
            response.SetLosses(attempt);
            await response.SendHeldAsync(aborted).ConfigureAwait(false);
        }

        if (!isCompleted)
        {
            await DrainAsync(pipe).ConfigureAwait(false);
        }

        return null;
    }

    private async Task DrainAsync(PipeReader pipe)
    {
        using ITimer wait = exchange.Time.CreateTimer(static state => ((PipeReader)state!).CancelPendingRead(), pipe, TailWait, Timeout.InfiniteTimeSpan);
        try
        {
            while (true)
            {
                ReadResult result = await pipe.ReadAsync(timer.Token).ConfigureAwait(false);
                pipe.AdvanceTo(result.Buffer.End);
                if (result.IsCompleted || result.IsCanceled)
                {
                    return;
                }
            }
        }
        catch (Exception exception) when (exception is IOException or HttpRequestException or OperationCanceledException)
        {
            // The answer is complete: what becomes of the connection is nobody's failure.
        }
    }

    private UpstreamFailure Failed(in ReadOnlySequence<byte> frame)
    {
        ChatError error = _reader.Error ?? GatewayError.StreamError.ToChatError();
        UpstreamFailure failure = new(GatewayError.StreamError.Code, error, IsRetryable: IsRetryable(error), BlamesDeployment: IsRetryable(error), error.RetryAfter);
        if (!response.IsCommitted)
        {
            return failure;
        }

        if (_isPassthrough)
        {
            Write(frame);
        }
        else
        {
            exchange.Protocol.WriteStreamError(error with { RequestId = exchange.Id }, response.Output);
        }

        return failure;
    }

    private static bool IsRetryable(ChatError error) => error.Kind is not (ChatErrorKind.InvalidRequest or ChatErrorKind.ContextLengthExceeded
        or ChatErrorKind.ContentFiltered or ChatErrorKind.RequestTooLarge or ChatErrorKind.Unprocessable);

    /// <summary>The answer broke off. Before the commit another deployment may try; after it the client gets an error of its own protocol and no false end.</summary>
    private UpstreamFailure Cut(GatewayError error)
    {
        UpstreamFailure failure = UpstreamFailure.Of(error);
        if (response.IsCommitted)
        {
            exchange.Protocol.WriteStreamError(failure.Error with { RequestId = exchange.Id }, response.Output);
        }

        return failure;
    }

    private void Note()
    {
        attempt.Usage = _reader.Usage;
        attempt.Finish = _reader.Finish;
        attempt.ServedModel = _reader.ServedModel;
        attempt.ContentLength = _reader.ContentLength;
    }
}
