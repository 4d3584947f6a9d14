using System.Buffers;
using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.AnthropicMessages;

/// <summary>
/// Reads a streamed answer (https://docs.anthropic.com/en/docs/build-with-claude/streaming): <c>message_start</c>, blocks one after the other, <c>message_delta</c>
/// with the stop reason and cumulative usage, <c>message_stop</c>; <c>ping</c> and <c>error</c> anywhere. Unknown events pass.
/// </summary>
internal sealed class AnthropicMessagesStreamReader : ResponseReader
{
    /// <summary>Most blocks that may be open at a time; the protocol has one.</summary>
    public const int OpenBlocksMax = 64;

    private readonly ServerSentEvents _frames = new();
    private readonly AnthropicMessagesEvents _events;
    private readonly List<OpenBlock> _open = [];
    private AnthropicMessagesUsage _usage;

    public AnthropicMessagesStreamReader(ReaderOptions options)
        : base(options) => _events = new AnthropicMessagesEvents(Events, options);

    private bool IsWatching => Options.Depth == ReadDepth.UsageOnly;

    public override bool TryReadFrame(
        ref ReadOnlySequence<byte> buffer, bool isCompleted, out ReadOnlySequence<byte> frame, out FrameSignals signals)
    {
        Events.Clear();
        signals = FrameSignals.None;
        if (!_frames.TryTake(ref buffer, isCompleted, out frame, out ServerSentEvent taken))
        {
            return false;
        }

        if (IsEnded)
        {
            signals = FrameSignals.Withhold;
            return true;
        }

        // Some proxies close with the mark of another protocol.
        if (!taken.Data.IsEmpty && !taken.Data.SequenceEqual("[DONE]"u8))
        {
            signals = ReadFrame(taken);
        }

        return true;
    }

    private FrameSignals ReadFrame(ServerSentEvent taken)
    {
        try
        {
            AnthropicMessagesFrame frame = AnthropicMessagesFrame.Read(taken);
            ReadOnlySpan<byte> payload = taken.Data.Slice(frame.Payload.Start, frame.Payload.Length);
            return frame.Kind switch
            {
                FrameKind.MessageStart => Start(payload),
                FrameKind.BlockStart => BeginBlock(frame.Index, payload),
                FrameKind.BlockDelta => ReadDelta(frame.Index, payload),
                FrameKind.BlockStop => Close(frame.Index),
                FrameKind.MessageDelta => ReadMessageDelta(taken.Data, payload, taken.Data.Slice(frame.Usage.Start, frame.Usage.Length)),
                FrameKind.MessageStop => Stop(),
                FrameKind.Ping => Add(Ping.Instance, FrameSignals.None),
                FrameKind.Error => Fail(taken.Data),
                _ => FrameSignals.None,
            };
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            // The latter where a word to be compared holds half a surrogate pair.
            throw new ProtocolException(new ChatError(ChatErrorKind.BadGateway, "An event of the upstream's stream is not valid JSON."));
        }
    }

    private FrameSignals Start(ReadOnlySpan<byte> message)
    {
        JsonScan json = new(message, JsonFields.DepthMax);
        bool hasUsage = json.First() == (byte)'{' && ReadStart(ref json);
        FrameSignals signals = FrameSignals.Started;
        if (!IsWatching)
        {
            Events.Add(new ResponseStarted(ResponseId, ServedModel, null));
            _events.NoteMessage(message);
        }

        return signals | (hasUsage ? ReportUsage() : FrameSignals.None);
    }

    private bool ReadStart(ref JsonScan json)
    {
        bool hasUsage = false;
        json.EnterObject();
        while (json.NextField())
        {
            if (json.Is("usage"u8))
            {
                hasUsage = _usage.Read(ref json);
            }
            else if (json.Is("id"u8) && json.First() == (byte)'"')
            {
                ResponseId = JsonText.Lenient(ref json);
            }
            else if (json.Is("model"u8) && json.First() == (byte)'"')
            {
                ServedModel = JsonText.Lenient(ref json);
            }
            else
            {
                json.Skip();
            }
        }

        return hasUsage;
    }

    private FrameSignals BeginBlock(int index, ReadOnlySpan<byte> payload)
    {
        AnthropicMessagesBlock block = AnthropicMessagesBlock.Read(payload, withStrings: !IsWatching || Options.UnwrapStructuredOutput);
        ContentLength += block.Length;
        bool isBare = block.Kind is BlockKind.Text or BlockKind.Thinking && block.Length == 0;
        FrameSignals signals = isBare ? FrameSignals.None : FrameSignals.Content;
        if (IsWatching)
        {
            _events.Watch(block);
            return signals;
        }

        Close(index);
        _events.Begin(index, block, out OpenBlock open);
        _events.NoteFields(open, payload);
        _events.Cite(ref open, payload.Slice(block.Citations.Start, block.Citations.Length));
        if (_open.Count == OpenBlocksMax)
        {
            throw new ProtocolException(new ChatError(ChatErrorKind.BadGateway, $"The upstream's stream has more than {OpenBlocksMax} open blocks."));
        }

        _open.Add(open);
        return signals;
    }

    private FrameSignals ReadDelta(int index, ReadOnlySpan<byte> payload)
    {
        AnthropicMessagesDelta delta = AnthropicMessagesDelta.Read(payload, withStrings: !IsWatching);
        ContentLength += delta.Length;
        if (!IsWatching)
        {
            Tell(index, delta, payload);
        }

        return delta.IsEmpty ? FrameSignals.None : FrameSignals.Content;
    }

    private void Tell(int index, in AnthropicMessagesDelta delta, ReadOnlySpan<byte> payload)
    {
        int at = IndexOf(index);
        if (at < 0)
        {
            return;
        }

        OpenBlock open = _open[at];
        switch (delta.Kind)
        {
            case DeltaKind.Text:
                _events.Text(open, delta.Text!);
                break;
            case DeltaKind.Thinking:
                _events.Thinking(open, delta.Text!);
                break;
            case DeltaKind.Arguments:
                _events.Arguments(ref open, delta.Text!);
                break;
            case DeltaKind.Signature:
                _events.Signature(open, delta.Text!);
                break;
            case DeltaKind.Citation:
                _events.Cite(ref open, payload.Slice(delta.Citation.Start, delta.Citation.Length));
                break;
        }

        _open[at] = open;
    }

    private FrameSignals Close(int index)
    {
        int at = IndexOf(index);
        if (at >= 0)
        {
            OpenBlock open = _open[at];
            _events.End(ref open);
            _open.RemoveAt(at);
        }

        return FrameSignals.None;
    }

    private int IndexOf(int blockIndex)
    {
        for (int i = 0; i < _open.Count; i++)
        {
            if (_open[i].Index == blockIndex)
            {
                return i;
            }
        }

        return -1;
    }

    private FrameSignals ReadMessageDelta(ReadOnlySpan<byte> data, ReadOnlySpan<byte> delta, ReadOnlySpan<byte> usage)
    {
        FrameSignals signals = FrameSignals.None;
        if (!IsWatching)
        {
            _events.NoteMessage(data);
            _events.NoteMessage(delta);
        }

        AnthropicMessagesStop stop = AnthropicMessagesStop.Read(delta);
        if (stop.Reason is not null)
        {
            Finish = IsWatching ? _events.FinishOf(stop.Reason) : _events.Finish(stop.Reason, stop.Sequence, stop.Explanation);
            signals |= FrameSignals.Finished;
        }

        if (!usage.IsEmpty)
        {
            JsonScan json = new(usage, JsonFields.DepthMax);
            signals |= _usage.Read(ref json) ? ReportUsage() : FrameSignals.None;
        }

        return signals;
    }

    private FrameSignals ReportUsage()
    {
        Usage = _usage.ToUsage();
        if (!IsWatching)
        {
            _events.Tell(_usage);
        }

        return Add(IsWatching ? null : new UsageReported(Usage), FrameSignals.Usage);
    }

    private FrameSignals Stop()
    {
        IsEnded = true;
        return Add(ResponseEnded.Instance, FrameSignals.Ended);
    }

    private FrameSignals Fail(ReadOnlySpan<byte> data)
    {
        Error = AnthropicMessagesError.Read(200, data.ToArray());
        return Add(IsWatching ? null : new Failed(Error), FrameSignals.Failed);
    }

    private FrameSignals Add(ChatEvent? chatEvent, FrameSignals signals)
    {
        if (!IsWatching && chatEvent is not null)
        {
            Events.Add(chatEvent);
        }

        return signals;
    }
}
