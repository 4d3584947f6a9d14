using System.Buffers;
using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.BedrockConverse;

/// <summary>Reads a whole answer, the twin of <see cref="BedrockConverseStreamReader"/>: one body is one frame. There is no id and no model in it.</summary>
internal sealed class BedrockConverseResponseReader : ResponseReader
{
    private static readonly string[] s_known = ["output", "stopReason", "usage", "metrics"];

    private string? _tierWord;

    private readonly BedrockConverseEvents _events;
    private readonly BedrockConverseBlocks _blocks;

    public BedrockConverseResponseReader(ReaderOptions options)
        : base(options)
    {
        _events = new BedrockConverseEvents(Events, options);
        _blocks = new BedrockConverseBlocks(_events, options);
    }

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
            signals = Read(body.Span);
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            // The latter where a word to be compared holds half a surrogate pair.
            throw new ProtocolException(new ChatError(ChatErrorKind.BadGateway, "The upstream's answer is not valid JSON."));
        }

        IsEnded = true;
        return true;
    }

    private FrameSignals Read(ReadOnlySpan<byte> body)
    {
        Utf8JsonReader json = new(body, JsonFields.ReaderOptions);
        json.Read();
        if (json.TokenType != JsonTokenType.StartObject)
        {
            throw new JsonException();
        }

        JsonSpan content = default;
        BedrockConverseStop stop = default;
        ServiceTier tier = ServiceTier.Standard;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("output"u8))
            {
                json.Read();
                content = FindContent(json);
            }
            else if (json.ValueTextEquals("usage"u8))
            {
                json.Read();
                Usage = BedrockConverseUsage.Read(ref json);
            }
            else if (json.ValueTextEquals("serviceTier"u8))
            {
                json.Read();
                tier = BedrockConverseUsage.ReadServiceTier(ref json, out _tierWord);
            }
            else
            {
                stop.ReadField(ref json);
            }

            json.Skip();
        }

        // Refuses anything behind the object.
        json.Read();
        Usage = Usage?.At(tier);
        if (!content.IsPresent)
        {
            throw new ProtocolException(new ChatError(ChatErrorKind.BadGateway, "The upstream's answer is not a message."));
        }

        if (!IsWatching)
        {
            _events.NoteFields(body, _tierWord is null ? s_known : [.. s_known, "serviceTier"]);
        }

        return Tell(body.Slice(content.Start, content.Length), stop);
    }

    /// <summary>Where the list <c>message.content</c> of the output here lies.</summary>
    private static JsonSpan FindContent(Utf8JsonReader json)
    {
        if (!TryGo(ref json, "message"u8) || !TryGo(ref json, "content"u8) || json.TokenType != JsonTokenType.StartArray)
        {
            return default;
        }

        int start = (int)json.TokenStartIndex;
        json.Skip();
        return new JsonSpan(start, (int)json.BytesConsumed - start);
    }

    private static bool TryGo(ref Utf8JsonReader json, ReadOnlySpan<byte> name)
    {
        bool isObject = json.TokenType == JsonTokenType.StartObject;
        while (isObject && json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            bool isIt = json.ValueTextEquals(name);
            json.Read();
            if (isIt)
            {
                return true;
            }

            json.Skip();
        }

        return false;
    }

    private FrameSignals Tell(ReadOnlySpan<byte> content, in BedrockConverseStop stop)
    {
        FrameSignals signals = Add(new ResponseStarted(null, null, null), FrameSignals.Started | FrameSignals.Ended);
        Utf8JsonReader json = new(content, JsonFields.ReaderOptions);
        json.Read();
        for (int index = 0; json.Read() && json.TokenType != JsonTokenType.EndArray; index++)
        {
            int start = (int)json.TokenStartIndex;
            json.Skip();
            ContentLength += _blocks.Read(index, content[start..(int)json.BytesConsumed]);
            signals |= FrameSignals.Content;
        }

        if (stop.Reason is not null)
        {
            Finish = IsWatching ? _events.FinishOf(stop.Reason) : _events.Finish(stop.Reason, stop.Sequence);
            signals |= FrameSignals.Finished;
        }

        if (_tierWord is not null)
        {
            Add(new AnswerTold(AnswerFact.ServiceTier, _tierWord, "/serviceTier"), signals);
        }

        if (Usage is not null)
        {
            signals |= Add(new UsageReported(Usage), FrameSignals.Usage);
        }

        return Add(ResponseEnded.Instance, signals);
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
