using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Text;
using Ballast.Configuration;
using Ballast.Exchanges;
using Ballast.Ledger.Spool;
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
public sealed class Relay(Exchange exchange, Attempt attempt, ClientResponse response, AttemptTimer timer, UpstreamAnswer upstream)
{
    /// <summary>How long the relay waits, after the terminal mark, for the upstream to close its answer so that the connection can be used again.</summary>
    private static readonly TimeSpan TailWait = TimeSpan.FromMilliseconds(250);

    private const string EventStreamType = "text/event-stream";

    private readonly LimitsOptions _limits = exchange.Catalog.Limits;
    private readonly bool _stream = attempt.IsStream;
    private readonly bool _isPassthrough = UpstreamRequest.IsAnswerPassedOn(exchange, attempt.Deployment, attempt.Protocol);
    private readonly AnswerScreen? _screen = attempt.Protocol.Family == ProtocolFamily.Opaque && attempt.IsStream && attempt.MediaType != EventStreamType ? null : exchange.Screen;
    private readonly AnswerJudge? _judge = exchange.Judge is { LooksAtAnswer: true } judge ? judge : null;
    private readonly List<ChatEvent>? _judged = exchange.Judge is null ? null : [];
    private readonly List<ChatEvent>? _screened = exchange.Screen is null ? null : [];
    private readonly AnswerText? _said = attempt.Trace?.Said;
    private ResponseReader _reader = null!;
    private ResponseWriter? _writer;
    private StringBuilder? _structured;
    private TaskCompletionSource? _graceElapsed;
    private ITimer? _grace;

    /// <summary>Bytes that were read and made no whole frame: a part of an answer that was billed all the same.</summary>
    private long _unframedBytes;
    private bool _isLastRead;

    /// <summary>Bytes go on as they are. A stream that is screened is taken apart for it; a whole answer is screened when it is whole.</summary>
    private bool IsPassedOn => _isPassthrough && (_judge is null || attempt.Protocol.Family == ProtocolFamily.Opaque) && (_screen is null || !_stream || _screen.TakesFrames || attempt.Protocol.Family == ProtocolFamily.Opaque);

    /// <summary>Returns null when the client has a whole answer, else why not.</summary>
    public async Task<UpstreamFailure?> RunAsync(CancellationToken aborted)
    {
        Open();
        if (!_stream)
        {
            timer.Begin();
        }

        try
        {
            return await LoopAsync(upstream.Body, aborted).ConfigureAwait(false);
        }
        catch (ProtocolException)
        {
            return Cut(GatewayError.Malformed);
        }
        catch (IOException)
        {
            return Cut(GatewayError.StreamCut);
        }
        catch (OperationCanceledException exception) when (exception is not ClientGoneException && !aborted.IsCancellationRequested)
        {
            // Bedrock tells the tokens behind the end: a finished answer whose tokens do not come after all is an end nevertheless.
            return _stream && attempt.Protocol.Framing == StreamFraming.EventStream && _reader.Finish is not null && response.IsCommitted
                ? await EndAsync(upstream.Body, isCompleted: true, aborted).ConfigureAwait(false)
                : Cut(timer.Verdict);
        }
        finally
        {
            Note();
            if (_grace is not null)
            {
                await _grace.DisposeAsync().ConfigureAwait(false);
            }
        }
    }

    private async Task<UpstreamFailure?> LoopAsync(PipeReader pipe, CancellationToken aborted)
    {
        while (true)
        {
            ReadResult result = await ReadAsync(pipe, aborted).ConfigureAwait(false);                         // (1)
            timer.Alive();
            ReadOnlySequence<byte> buffer = result.Buffer;
            _unframedBytes = buffer.Length;
            _isLastRead = result.IsCompleted;
            while (!_reader.IsEnded
                && _reader.TryReadFrame(ref buffer, result.IsCompleted, out ReadOnlySequence<byte> frame, out FrameSignals signals))  // (2)
            {
                _unframedBytes = buffer.Length;
                if ((signals & FrameSignals.Failed) != 0)
                {
                    return Failed();                                                                          // (3)
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
            if (_stream && _reader.IsEnded)
            {
                response.End();
            }

            if (response.IsCommitted)
            {
                await FlushAsync(aborted, isEnd: _reader.IsEnded).ConfigureAwait(false);                     // (6)
            }

            if (_reader.IsEnded || result.IsCompleted)
            {
                return await EndAsync(pipe, result.IsCompleted, aborted).ConfigureAwait(false);               // (7)
            }
        }
    }

    private void Open()
    {
        _reader = attempt.Protocol.OpenReader(new ReaderOptions
        {
            Stream = _stream,
            MediaType = attempt.MediaType,
            Depth = IsPassedOn && _said is null ? ReadDepth.UsageOnly : ReadDepth.Everything,
            Vendor = attempt.Deployment.Vendor,
            Account = attempt.Deployment.Provider.Name,
            MarksReasoning = exchange.State is not null && exchange.Model.HasOtherAccount(attempt.Deployment),
            State = exchange.State,
            WithholdUsage = !exchange.Envelope.StreamUsage,
            UnwrapStructuredOutput = !IsPassedOn && StructuredOutput.IsEmulated(exchange.Request, attempt.Deployment.Target),
            WantsReasoning = exchange.Protocol == attempt.Protocol || exchange.Request.Thinking is { Mode: not ThinkingMode.Disabled },
            Tools = IsPassedOn ? [] : exchange.Request.Tools,
            Losses = IsPassedOn && _said is not null ? new LossReport() : attempt.Losses, // nothing is lost that is passed on
        });
        _screen?.Restart();
        _judge?.Restart();
        if (IsPassedOn)
        {
            return;
        }

        _structured = StructuredOutput.IsEmulated(exchange.Request, attempt.Deployment.Target) ? new StringBuilder() : null;
        _writer = exchange.Protocol.OpenWriter(new WriterOptions
        {
            Stream = _stream,
            FallbackId = exchange.Id,
            Model = attempt.Deployment.SentModel,
            Vendor = attempt.Deployment.Vendor,
            CreatedUnixSeconds = exchange.Time.GetUtcNow().ToUnixTimeSeconds(),
            StreamUsage = exchange.Envelope.StreamUsage,
            InputTokensEstimate = exchange.Envelope.Body.Length / 4,
            Request = exchange.UnscreenedBody.IsEmpty ? exchange.Envelope.Body : exchange.UnscreenedBody,
            State = exchange.State,
            IsBase64 = exchange.Request.Embedding?.IsBase64 ?? false,
            Losses = attempt.Losses,
        });
    }

    /// <summary>Reads; while nothing is committed, the grace may run out first. A committed stream takes no detour: it would cost an allocation for each chunk.</summary>
    private ValueTask<ReadResult> ReadAsync(PipeReader pipe, CancellationToken aborted)
    {
        ValueTask<ReadResult> reading = pipe.ReadAsync(timer.Token);
        return !_stream || response.IsCommitted || _structured is not null || _judge is { HoldsWhole: true } || reading.IsCompleted ? reading : RaceGraceAsync(reading, aborted);
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
            await FlushAsync(aborted).ConfigureAwait(false);
        }

        return await read.ConfigureAwait(false);
    }

    /// <summary>Lets the client take what was written; however slow it is, the upstream's idle clock stands still meanwhile.</summary>
    private ValueTask FlushAsync(CancellationToken aborted, bool isEnd = false) => isEnd ? EndFlushAsync(aborted) : FlushPieceAsync(aborted);

    private ValueTask FlushPieceAsync(CancellationToken aborted)
    {
        ValueTask flushing = response.FlushAsync(aborted);
        return flushing.IsCompletedSuccessfully ? default : WaitForClientAsync(flushing);
    }

    private async ValueTask WaitForClientAsync(ValueTask flushing)
    {
        timer.Pause();
        try
        {
            await flushing.ConfigureAwait(false);
        }
        finally
        {
            timer.Resume();
        }
    }

    /// <summary>The end mark goes out once the ledger has what the answer cost.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask EndFlushAsync(CancellationToken aborted)
    {
        Note();
        await response.SettleAsync(isAnswer: true).ConfigureAwait(false);
        CrashPoint.Reach("answer.settled");
        await FlushPieceAsync(aborted).ConfigureAwait(false);
    }

    /// <summary>What is said may be wanted for a trace.</summary>
    private void Listen()
    {
        if (_said is null)
        {
            return;
        }

        foreach (ChatEvent said in _reader.Events)
        {
            _said.Add(said);
        }
    }

    private UpstreamFailure? Forward(in ReadOnlySequence<byte> frame, FrameSignals signals)
    {
        if ((signals & FrameSignals.Ended) != 0 && _reader.Finish is null)
        {
            // A terminal mark without a finish reason and without content to conclude one from: passed on it would be a false end.
            return Cut(GatewayError.StreamCut);
        }

        Listen();
        if (_writer is null)
        {
            PassOn(frame, signals);
        }
        else if (Translate(_writer) is { } refused)
        {
            return refused;
        }

        BeginInBackground();
        if ((signals & (FrameSignals.Content | FrameSignals.Ended)) != 0)
        {
            timer.Begin();
            attempt.TimeToFirstToken ??= exchange.Time.GetElapsedTime(attempt.StartedTimestamp);
            if (_stream && _judge is not { HoldsWhole: true } && (_structured is null || (signals & FrameSignals.Ended) != 0))
            {
                response.Commit();
            }
        }

        return null;
    }

    /// <summary>The frame's own bytes, or what the screen makes of them.</summary>
    private void PassOn(in ReadOnlySequence<byte> frame, FrameSignals signals)
    {
        _judge?.TakeBytes(frame); // as the model wrote it
        if (!_stream)
        {
            attempt.TimeToFirstToken = exchange.Time.GetElapsedTime(attempt.StartedTimestamp);
            Write(frame);
        }
        else if (_screen is not null)
        {
            ScreenFrame(_screen, frame, signals);
        }
        else if ((signals & FrameSignals.Withhold) == 0)
        {
            WriteEvent(frame, signals);
        }
    }

    /// <summary>The frame's events in the caller's protocol. Returns why they may not go on, or null.</summary>
    private UpstreamFailure? Translate(ResponseWriter writer)
    {
        foreach (ChatEvent chatEvent in _reader.Events)
        {
            if (_structured is not null && chatEvent is TextDelta text)
            {
                _structured.Append(text.Text);
            }

            if (chatEvent is ResponseEnded)
            {
                if (SchemaFault() is { } fault)
                {
                    return fault;
                }

                TellUsage();
            }

            if (Write(writer, chatEvent) is { } refused)
            {
                return refused;
            }
        }

        return null;
    }

    /// <summary>First it is judged, as the model wrote it; then values are put back; then it is written. Returns why it may not go on, or null.</summary>
    private UpstreamFailure? Write(ResponseWriter writer, ChatEvent chatEvent)
    {
        if (_judge is null)
        {
            Screen(writer, chatEvent);
            return null;
        }

        _judged!.Clear();
        _judge.Take(chatEvent, _judged);
        foreach (ChatEvent judged in _judged)
        {
            Screen(writer, judged);
        }

        return _judge.Refusal is { } refusal ? Refuse(refusal) : null;
    }

    private void ScreenFrame(AnswerScreen screen, in ReadOnlySequence<byte> frame, FrameSignals signals)
    {
        if ((signals & FrameSignals.Withhold) == 0)
        {
            screen.TakeFrame(frame, response.Output);
        }

        if (frame.IsEmpty && (signals & FrameSignals.Ended) != 0)
        {
            screen.EndFrames(response.Output); // the end of a stream that has no mark for it
        }
    }

    private void Screen(ResponseWriter writer, ChatEvent chatEvent)
    {
        if (_screen is null || !_stream)
        {
            writer.Write(chatEvent, response.Output);
            return;
        }

        _screened!.Clear();
        _screen.Take(chatEvent, _screened);
        foreach (ChatEvent screened in _screened)
        {
            writer.Write(screened, response.Output);
        }
    }

    /// <summary>An answer in the background is worked on by its vendor from its first event on, whoever listens: another deployment must not begin as well.</summary>
    private void BeginInBackground()
    {
        if (_stream && exchange.State is { IsBackground: true, Begun: not null } && !response.IsCommitted)
        {
            response.Begin();
        }
    }

    /// <summary>No other deployment's answer would be another one's fault less: it ends here.</summary>
    private UpstreamFailure Refuse(ChatError refusal)
    {
        attempt.HasEnded |= _reader.IsEnded;
        return Tell(new UpstreamFailure(GatewayError.Constitution.Code, refusal, IsRetryable: false, BlamesDeployment: false));
    }

    /// <summary>Judges an answer that was held back; null where it may go out.</summary>
    private async Task<UpstreamFailure?> JudgeAsync(CancellationToken aborted)
    {
        await _judge!.JudgeAsync(aborted).ConfigureAwait(false);
        if (_judge.Refusal is { } refusal)
        {
            return Refuse(refusal);
        }

        if (!response.IsCommitted)
        {
            response.SetIds();
        }

        return null;
    }

    /// <summary>
    /// Only the last event of a stream can lack its blank line. Clients drop such an event, and glue what follows to it: it gets its blank line if it says
    /// something, and is left out if it is half an event.
    /// </summary>
    private void WriteEvent(in ReadOnlySequence<byte> frame, FrameSignals signals)
    {
        if (frame.IsEmpty)
        {
            // The end of a stream that has no mark for it.
            return;
        }

        if (_isLastRead && attempt.Protocol.Framing == StreamFraming.JsonLines && !EndsInLineFeed(frame))
        {
            // An error that follows must not stand in the same line.
            Write(frame);
            response.Output.Write("\n"u8);
        }
        else if (!_isLastRead || attempt.Protocol.Framing != StreamFraming.ServerSentEvents || EndsInBlankLine(frame))
        {
            Write(frame);
        }
        else if (signals != FrameSignals.None)
        {
            Write(frame);
            response.Output.Write("\n\n"u8);
        }
    }

    private static bool EndsInLineFeed(in ReadOnlySequence<byte> frame) => frame.Slice(frame.Length - 1).FirstSpan[0] == (byte)'\n';

    private static bool EndsInBlankLine(in ReadOnlySequence<byte> frame)
    {
        Span<byte> end = stackalloc byte[4];
        int length = (int)Math.Min(frame.Length, end.Length);
        frame.Slice(frame.Length - length).CopyTo(end);
        ReadOnlySpan<byte> last = end[..length];
        return last.EndsWith("\n\n"u8) || last.EndsWith("\r\r"u8) || last.EndsWith("\r\n\r\n"u8) || last.EndsWith("\n\r\n"u8) || last.EndsWith("\n\r"u8)
            || last.SequenceEqual("\n"u8) || last.SequenceEqual("\r\n"u8) || last.SequenceEqual("\r"u8);
    }

    private void Write(in ReadOnlySequence<byte> bytes)
    {
        foreach (ReadOnlyMemory<byte> piece in bytes)
        {
            response.Output.Write(piece.Span);
        }
    }

    private UpstreamFailure? Overflow(long unreadBytes) =>
        (_stream ? !response.IsCommitted && response.HeldBytes > _limits.HeldBytesMax : unreadBytes > _limits.ResponseBodyBytesMax) ? Cut(GatewayError.HeldTooLong) : null;

    /// <summary>A vendor that told no tokens: the caller's protocol may demand them, so it gets the estimate that the ledger gets.</summary>
    private void TellUsage()
    {
        if (_reader.Usage is null)
        {
            _writer?.Write(new UsageReported(TokenEstimate.Of(exchange, _reader.ContentLength)), response.Output);
        }
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
            : Cut(GatewayError.SchemaMismatch) with { BlamesDeployment = false };
    }

    private async Task<UpstreamFailure?> EndAsync(PipeReader pipe, bool isCompleted, CancellationToken aborted)
    {
        // Servers that speak OpenAI's protocol may close after the finish reason without [DONE]: that is an end, a stream without a finish reason is a cut.
        if (!_reader.IsEnded && !(_stream && _reader.Finish is not null))
        {
            return Cut(GatewayError.StreamCut);
        }

        if (_judge is not null && await JudgeAsync(aborted).ConfigureAwait(false) is { } broken)
        {
            return broken;
        }

        if (!_reader.IsEnded)
        {
            if (SchemaFault() is { } fault)
            {
                return fault;
            }

            if (_writer is not null)
            {
                TellUsage();
                if (Write(_writer, ResponseEnded.Instance) is { } refused)
                {
                    return refused;
                }
            }
            else
            {
                _screen?.EndFrames(response.Output);
                exchange.Protocol.WriteStreamEnd(response.Output);
            }

            response.Commit();
        }

        if (_stream)
        {
            response.Commit();
            response.End();
            await EndFlushAsync(aborted).ConfigureAwait(false);
        }
        else
        {
            Note();
            if (_screen is not null)
            {
                response.Screen(_screen);
            }

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
        catch (Exception exception) when (exception is IOException or OperationCanceledException)
        {
            // The answer is complete: what becomes of the connection is nobody's failure.
        }
    }

    private UpstreamFailure Failed() =>
        Tell(StatusJudge.Judge(GatewayError.StreamError.Code, _reader.Error ?? GatewayError.StreamError.ToChatError()));

    /// <summary>The answer broke off. Before the commit another deployment may try; after it the client gets an error of its own protocol and no false end.</summary>
    private UpstreamFailure Cut(GatewayError error) => Tell(UpstreamFailure.Of(error));

    private UpstreamFailure Tell(UpstreamFailure failure)
    {
        if (response.IsCommitted)
        {
            exchange.Protocol.WriteStreamError(failure.Error with { RequestId = exchange.Id }, response.Output);
            response.End();
        }

        return failure;
    }

    private void Note()
    {
        attempt.Usage = _reader.Usage;
        attempt.Finish = _reader.Finish;
        attempt.ServedModel = _reader.ServedModel;
        attempt.HasEnded = _reader.IsEnded;

        // What was cut off counts by its bytes. A whole answer counts by the length that its head told, or as if half of it were missing: vendors bill it in full.
        long cut = _stream ? _unframedBytes : Math.Max(_unframedBytes, upstream.ContentLength ?? _unframedBytes * 2);
        attempt.ContentLength = _reader.ContentLength + (_reader.IsEnded ? 0 : cut);
    }
}
