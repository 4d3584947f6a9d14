using System.Buffers;
using System.Text.Json;
using Ballast.Protocols.Conversation;

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
        Utf8JsonReader json = new(body.Span, AnthropicMessagesJson.ReaderOptions);
        json.Read();
        JsonSpan content = default;
        bool hasUsage = false;
        if (json.TokenType != JsonTokenType.StartObject)
        {
            throw new JsonException();
        }

        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            ReadField(ref json, ref content, ref hasUsage);
        }

        // Refuses anything behind the object.
        json.Read();
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

    private void ReadField(ref Utf8JsonReader json, ref JsonSpan content, ref bool hasUsage)
    {
        if (json.ValueTextEquals("type"u8))
        {
            json.Read();
            _isMessage = json.TokenType == JsonTokenType.String && json.ValueTextEquals("message"u8);
            _isError |= json.TokenType == JsonTokenType.String && json.ValueTextEquals("error"u8);
        }
        else if (json.ValueTextEquals("error"u8))
        {
            json.Read();
            _isError |= json.TokenType != JsonTokenType.Null;
        }
        else if (json.ValueTextEquals("id"u8))
        {
            json.Read();
            ResponseId = json.TokenType == JsonTokenType.String ? AnthropicMessagesJson.LenientText(ref json) : null;
        }
        else if (json.ValueTextEquals("model"u8))
        {
            json.Read();
            ServedModel = json.TokenType == JsonTokenType.String ? AnthropicMessagesJson.LenientText(ref json) : null;
        }
        else if (json.ValueTextEquals("usage"u8))
        {
            json.Read();
            hasUsage = _usage.Read(ref json);
        }
        else if (json.ValueTextEquals("content"u8))
        {
            json.Read();
            int start = (int)json.TokenStartIndex;
            bool isArray = json.TokenType == JsonTokenType.StartArray;
            json.Skip();
            content = isArray ? new JsonSpan(start, (int)json.BytesConsumed - start) : default;
        }
        else
        {
            _stop.ReadField(ref json);
        }

        json.Skip();
    }

    private FrameSignals Tell(ReadOnlySpan<byte> content, bool hasUsage)
    {
        FrameSignals signals = Add(new ResponseStarted(ResponseId, ServedModel, null), FrameSignals.Started | FrameSignals.Ended);
        Utf8JsonReader json = new(content, AnthropicMessagesJson.ReaderOptions);
        json.Read();
        for (int index = 0; json.Read() && json.TokenType != JsonTokenType.EndArray; index++)
        {
            int start = (int)json.TokenStartIndex;
            json.Skip();
            ReadBlock(index, content[start..(int)json.BytesConsumed]);
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
            signals |= Add(new UsageReported(Usage), FrameSignals.Usage);
        }

        return Add(ResponseEnded.Instance, signals);
    }

    private void ReadBlock(int index, ReadOnlySpan<byte> payload)
    {
        AnthropicMessagesBlock block = AnthropicMessagesBlock.Read(payload, withStrings: !IsWatching || Options.UnwrapStructuredOutput);
        ContentLength += block.Length;
        if (IsWatching)
        {
            _events.Watch(block);
            return;
        }

        _events.Begin(index, block, out OpenBlock open);
        _events.NoteFields(open, payload);
        _events.Cite(ref open, payload.Slice(block.Citations.Start, block.Citations.Length));
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
