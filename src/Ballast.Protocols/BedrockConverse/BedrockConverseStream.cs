using System.Buffers;
using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.BedrockConverse;

/// <summary>
/// Reads a streamed answer (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html): <c>messageStart</c>, blocks of which only tool
/// calls are opened, <c>messageStop</c>, and last of all <c>metadata</c> with the usage: with it the answer ends. An exception may come at any time.
/// </summary>
internal sealed class BedrockConverseStreamReader : ResponseReader
{
    /// <summary>Most blocks that may be open at a time; the protocol has one.</summary>
    public const int OpenBlocksMax = 64;

    private static readonly string[] s_knownStop = ["p", "stopReason"];
    private static readonly string[] s_knownMetadata = ["p", "usage", "metrics"];

    private readonly EventStream _frames = new();
    private readonly BedrockConverseEvents _events;
    private readonly List<OpenBlock> _open = [];

    // Blocks that are the platform's own: what follows for them is not looked at.
    private int _opaqueIndex = -1;

    public BedrockConverseStreamReader(ReaderOptions options)
        : base(options) => _events = new BedrockConverseEvents(Events, options);

    private bool IsWatching => Options.Depth == ReadDepth.UsageOnly;

    public override bool TryReadFrame(
        ref ReadOnlySequence<byte> buffer, bool isCompleted, out ReadOnlySequence<byte> frame, out FrameSignals signals)
    {
        Events.Clear();
        signals = FrameSignals.None;
        if (!_frames.TryTake(ref buffer, out frame, out EventStreamMessage message))
        {
            return false;
        }

        if (IsEnded)
        {
            signals = FrameSignals.Withhold;
            return true;
        }

        try
        {
            signals = message.IsEvent ? ReadEvent(message.EventType, message.Payload) : Fail(message);
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            // The latter where a word to be compared holds half a surrogate pair.
            throw new ProtocolException(new ChatError(ChatErrorKind.BadGateway, "An event of the upstream's stream is not valid JSON."));
        }

        return true;
    }

    private FrameSignals ReadEvent(ReadOnlySpan<byte> type, ReadOnlySpan<byte> payload)
    {
        if (type.SequenceEqual("contentBlockDelta"u8))
        {
            return ReadDelta(payload);
        }

        if (type.SequenceEqual("contentBlockStop"u8))
        {
            return Close(BedrockConverseDelta.Read(payload, withStrings: false).Index);
        }

        if (type.SequenceEqual("contentBlockStart"u8))
        {
            return Begin(payload);
        }

        if (type.SequenceEqual("messageStart"u8))
        {
            return Add(IsWatching ? null : new ResponseStarted(null, null, null), FrameSignals.Started);
        }

        return type.SequenceEqual("messageStop"u8) ? Stop(payload)
            : type.SequenceEqual("metadata"u8) ? End(payload)
            : FrameSignals.None;
    }

    private FrameSignals Begin(ReadOnlySpan<byte> payload)
    {
        BedrockConverseDelta start = BedrockConverseDelta.Read(payload, withStrings: false);
        ReadOnlySpan<byte> value = payload.Slice(start.Payload.Start, start.Payload.Length);
        Utf8JsonReader json = new(value, JsonFields.ReaderOptions);
        if (value.IsEmpty || !json.Read() || json.TokenType != JsonTokenType.StartObject || !json.Read() || json.TokenType != JsonTokenType.PropertyName)
        {
            return FrameSignals.None;
        }

        bool isCall = json.ValueTextEquals("toolUse"u8);
        string kind = isCall ? "" : JsonText.Read(ref json);
        json.Read();
        BedrockConverseToolUse call = isCall ? BedrockConverseToolUse.Read(ref json, value, withStrings: !IsWatching || Options.UnwrapStructuredOutput) : default;
        if (!isCall || call.IsServerTool)
        {
            _opaqueIndex = start.Index;
            if (!IsWatching)
            {
                _events.Lose(start.Index, isCall ? "server_tool_use" : kind);
            }

            return FrameSignals.Content;
        }

        Close(start.Index);
        if (IsWatching)
        {
            _events.Watch(call.Name);
        }
        else
        {
            Open(_events.BeginToolCall(start.Index, call.Id ?? "", call.Name ?? ""));
        }

        return FrameSignals.Content;
    }

    private void Open(in OpenBlock block)
    {
        if (_open.Count == OpenBlocksMax)
        {
            throw new ProtocolException(new ChatError(ChatErrorKind.BadGateway, $"The upstream's stream has more than {OpenBlocksMax} open blocks."));
        }

        _open.Add(block);
    }

    private FrameSignals ReadDelta(ReadOnlySpan<byte> payload)
    {
        BedrockConverseDelta delta = BedrockConverseDelta.Read(payload, withStrings: !IsWatching);
        if (delta.Index == _opaqueIndex)
        {
            return FrameSignals.None;
        }

        ContentLength += delta.Length;
        if (!IsWatching)
        {
            Tell(delta, payload);
        }

        return delta.IsEmpty ? FrameSignals.None : FrameSignals.Content;
    }

    private void Tell(in BedrockConverseDelta delta, ReadOnlySpan<byte> payload)
    {
        BlockKind kind = delta.Kind switch
        {
            DeltaKind.Text or DeltaKind.Citation => BlockKind.Text,
            DeltaKind.Thinking or DeltaKind.Signature => BlockKind.Thinking,
            DeltaKind.Redacted => BlockKind.RedactedThinking,
            DeltaKind.Arguments => BlockKind.ToolCall,
            _ => BlockKind.Opaque,
        };
        int at = IndexOf(delta.Index);
        if (kind == BlockKind.Opaque || (kind == BlockKind.ToolCall && (at < 0 || _open[at].Kind != kind)))
        {
            return;
        }

        if (at < 0 || _open[at].Kind != kind)
        {
            // Only tool calls are opened: any other block is there with its first piece.
            Close(delta.Index);
            Open(_events.Begin(delta.Index, kind));
            at = _open.Count - 1;
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
            case DeltaKind.Signature:
                _events.Signature(open, delta.Text!);
                break;
            case DeltaKind.Redacted:
                _events.Redacted(open, delta.Text!);
                break;
            case DeltaKind.Arguments:
                _events.Arguments(ref open, delta.Text!);
                break;
            case DeltaKind.Citation:
                _events.Cite(ref open, payload.Slice(delta.Payload.Start, delta.Payload.Length));
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

        _opaqueIndex = _opaqueIndex == index ? -1 : _opaqueIndex;
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

    private FrameSignals Stop(ReadOnlySpan<byte> payload)
    {
        BedrockConverseStop stop = default;
        Utf8JsonReader json = new(payload, JsonFields.ReaderOptions);
        json.Read();
        while (json.TokenType != JsonTokenType.None && json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            stop.ReadField(ref json);
            json.Skip();
        }

        if (!IsWatching)
        {
            _events.NoteFields(payload, s_knownStop);
        }

        if (stop.Reason is null)
        {
            return FrameSignals.None;
        }

        Finish = IsWatching ? _events.FinishOf(stop.Reason) : _events.Finish(stop.Reason, stop.Sequence);
        return FrameSignals.Finished;
    }

    private FrameSignals End(ReadOnlySpan<byte> payload)
    {
        FrameSignals signals = FrameSignals.Ended;
        Utf8JsonReader json = new(payload, JsonFields.ReaderOptions);
        json.Read();
        Usage? reported = null;
        ServiceTier tier = ServiceTier.Standard;
        string? tierWord = null;
        while (json.TokenType != JsonTokenType.None && json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            bool isUsage = json.ValueTextEquals("usage"u8);
            bool isTier = json.ValueTextEquals("serviceTier"u8);
            json.Read();
            if (isUsage)
            {
                reported = BedrockConverseUsage.Read(ref json);
            }
            else if (isTier)
            {
                tier = BedrockConverseUsage.ReadServiceTier(ref json, out tierWord);
            }
            else
            {
                json.Skip();
            }
        }

        if (reported?.At(tier) is { } usage)
        {
            Usage = usage;
            signals |= Add(IsWatching ? null : new UsageReported(usage), FrameSignals.Usage);
        }

        if (!IsWatching)
        {
            _events.NoteFields(payload, tierWord is null ? s_knownMetadata : [.. s_knownMetadata, "serviceTier"]);
            Add(tierWord is null ? null : new AnswerTold(AnswerFact.ServiceTier, tierWord, "/serviceTier"), signals);
        }

        IsEnded = true;
        return Add(IsWatching ? null : ResponseEnded.Instance, signals);
    }

    private FrameSignals Fail(in EventStreamMessage message)
    {
        Error = BedrockConverseError.Read(message);
        return Add(IsWatching ? null : new Failed(Error), FrameSignals.Failed);
    }

    private FrameSignals Add(ChatEvent? chatEvent, FrameSignals signals)
    {
        if (chatEvent is not null)
        {
            Events.Add(chatEvent);
        }

        return signals;
    }
}
