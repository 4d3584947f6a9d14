using System.Buffers;
using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.AnthropicMessages;

/// <summary>Reads a whole answer, the twin of <see cref="AnthropicMessagesStreamReader"/>: one body is one frame.</summary>
internal sealed class AnthropicMessagesResponseReader : ResponseReader
{
    private readonly AnthropicMessagesEvents _events;
    private AnthropicMessagesUsage _usage;
    private AnthropicMessagesStop _stop;
    private bool _isMessage;
    private bool _isError;

    public AnthropicMessagesResponseReader(ReaderOptions options)
        : base(options) => _events = new AnthropicMessagesEvents(Events, options);

    private bool IsWatching => Options.Depth == ReadDepth.UsageOnly;

    public override bool TryReadFrame(
        ref ReadOnlySequence<byte> buffer, bool isCompleted, out ReadOnlySequence<byte> frame, out FrameSignals signals)
    {
        Events.Clear();
        signals = FrameSignals.None;
        frame = default;
        if (!isCompleted || IsEnded)
        {
            return false;
        }

        frame = buffer;
        buffer = buffer.Slice(buffer.End);
        ReadOnlyMemory<byte> body = frame.IsSingleSegment ? frame.First : frame.ToArray();
        try
        {
            signals = Read(body);
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            // The latter where a word to be compared holds half a surrogate pair.
            throw new ProtocolException(new ChatError(ChatErrorKind.BadGateway, "The upstream's answer is not valid JSON."));
        }

        IsEnded = true;
        return true;
    }

    private FrameSignals Read(ReadOnlyMemory<byte> body)
    {
        JsonScan json = new(body.Span, JsonFields.DepthMax);
        JsonSpan content = default;
        bool hasUsage = false;
        json.EnterObject();
        while (json.NextField())
        {
            ReadField(ref json, ref content, ref hasUsage);
        }

        json.End();
        if (_isError)
        {
            Error = AnthropicMessagesError.Read(200, body);
            return Add(new Failed(Error), FrameSignals.Failed | FrameSignals.Ended);
        }

        if (!_isMessage || !content.IsPresent)
        {
            throw new ProtocolException(new ChatError(ChatErrorKind.BadGateway, "The upstream's answer is not a message."));
        }

        if (!IsWatching)
        {
            _events.NoteMessage(body.Span);
        }

        return Tell(body.Span.Slice(content.Start, content.Length), hasUsage);
    }

    private void ReadField(ref JsonScan json, ref JsonSpan content, ref bool hasUsage)
    {
        if (json.Is("type"u8))
        {
            _isMessage = false;
            if (json.First() != (byte)'"')
            {
                json.Skip();
                return;
            }

            ReadOnlySpan<byte> type = json.Word();
            _isMessage = type.SequenceEqual("message"u8);
            _isError |= type.SequenceEqual("error"u8);
        }
        else if (json.Is("error"u8))
        {
            _isError |= json.First() != (byte)'n';
            json.Skip();
        }
        else if (json.Is("id"u8))
        {
            ResponseId = TextOf(ref json);
        }
        else if (json.Is("model"u8))
        {
            ServedModel = TextOf(ref json);
        }
        else if (json.Is("usage"u8))
        {
            hasUsage = _usage.Read(ref json);
        }
        else if (json.Is("content"u8))
        {
            bool isArray = json.First() == (byte)'[';
            JsonSpan value = json.Take();
            content = isArray ? value : default;
        }
        else
        {
            _stop.ReadField(ref json);
        }
    }

    private static string? TextOf(ref JsonScan json)
    {
        if (json.First() == (byte)'"')
        {
            return JsonText.Lenient(ref json);
        }

        json.Skip();
        return null;
    }

    private FrameSignals Tell(ReadOnlySpan<byte> content, bool hasUsage)
    {
        FrameSignals signals = Add(new ResponseStarted(ResponseId, ServedModel, null), FrameSignals.Started | FrameSignals.Ended);
        JsonScan json = new(content, JsonFields.DepthMax);
        json.EnterArray();
        for (int index = 0; json.NextItem(); index++)
        {
            ReadBlock(index, ref json);
            signals |= FrameSignals.Content;
        }

        if (_stop.Reason is not null)
        {
            Finish = IsWatching ? _events.FinishOf(_stop.Reason) : _events.Finish(_stop.Reason, _stop.Sequence, _stop.Explanation);
            signals |= FrameSignals.Finished;
        }

        if (hasUsage)
        {
            Usage = _usage.ToUsage();
            if (!IsWatching)
            {
                _events.Tell(_usage);
            }

            signals |= Add(new UsageReported(Usage), FrameSignals.Usage);
        }

        return Add(ResponseEnded.Instance, signals);
    }

    private void ReadBlock(int index, ref JsonScan json)
    {
        int start = json.Start();
        AnthropicMessagesBlock block = AnthropicMessagesBlock.Read(ref json, withStrings: !IsWatching || Options.UnwrapStructuredOutput);
        ContentLength += block.Length;
        if (IsWatching)
        {
            _events.Watch(block);
            return;
        }

        ReadOnlySpan<byte> payload = json.Bytes(json.Since(start));
        _events.Begin(index, block, out OpenBlock open);
        _events.NoteFields(open, payload);
        _events.Cite(ref open, json.Bytes(block.Citations));
        _events.End(ref open);
    }

    private FrameSignals Add(ChatEvent chatEvent, FrameSignals signals)
    {
        if (!IsWatching)
        {
            Events.Add(chatEvent);
        }

        return signals;
    }
}
