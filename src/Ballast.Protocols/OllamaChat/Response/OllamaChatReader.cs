using System.Globalization;
using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.OllamaChat;

/// <summary>
/// What a whole answer and a line of a stream have in common: the same object, and in the last one <c>done</c>. Values are looked at where they lie; strings are made
/// only at the depth of every event.
/// </summary>
internal abstract class OllamaChatReader(ReaderOptions options) : ResponseReader(options)
{
    /// <summary>Deepest nesting taken in an answer.</summary>
    private const int DepthMax = 128;

    private static readonly JsonReaderOptions s_readerOptions = new() { MaxDepth = DepthMax };

    private readonly OllamaChatParts _parts = new(options);
    private bool _isStarted;

    protected bool IsEverything { get; } = options.Depth == ReadDepth.Everything;

    protected static ProtocolException Broken(string message) => new(new ChatError(ChatErrorKind.BadGateway, message));

    protected FrameSignals ReadObject(ReadOnlySpan<byte> json)
    {
        try
        {
            return Read(json);
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            throw Broken("The upstream's answer is not valid JSON.");
        }
    }

    private FrameSignals Read(ReadOnlySpan<byte> json)
    {
        Utf8JsonReader reader = new(json, s_readerOptions);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw Broken("The upstream's answer is not a JSON object.");
        }

        Answer answer = Survey(ref reader, json);
        reader.Read(); // Refuses anything behind the object.
        if (!answer.Error.IsEmpty)
        {
            Error = OllamaChatError.ReadInAnswer(json);
            Add(new Failed(Error));
            return FrameSignals.Failed;
        }

        FrameSignals signals = Start(answer);
        if (!answer.Message.IsEmpty)
        {
            long before = ContentLength;
            ContentLength += _parts.Read(answer.Message, s_readerOptions, Events);
            signals |= ContentLength > before ? FrameSignals.Content : FrameSignals.None;
        }

        return answer.IsDone ? signals | End(answer) : signals;
    }

    private Answer Survey(scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> json)
    {
        Answer answer = default;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("message"u8))
            {
                ReadOnlySpan<byte> message = Take(ref reader, json);
                answer.Message = message[0] == (byte)'{' ? message : default;
            }
            else if (reader.ValueTextEquals("done"u8))
            {
                reader.Read();
                answer.IsDone = reader.TokenType == JsonTokenType.True;
                reader.Skip();
            }
            else if (reader.ValueTextEquals("created_at"u8))
            {
                answer.Created = Take(ref reader, json);
            }
            else if (reader.ValueTextEquals("model"u8))
            {
                reader.Read();
                ServedModel ??= reader.TokenType == JsonTokenType.String && !reader.ValueSpan.IsEmpty ? JsonText.Read(ref reader) : null;
                reader.Skip();
            }
            else if (reader.ValueTextEquals("error"u8))
            {
                ReadOnlySpan<byte> error = Take(ref reader, json);
                answer.Error = error.SequenceEqual("null"u8) || error.SequenceEqual("\"\""u8) ? default : error;
            }
            else if (reader.ValueTextEquals("done_reason"u8))
            {
                reader.Read();
                answer.Reason = reader.TokenType == JsonTokenType.String && !reader.ValueSpan.IsEmpty ? Word(ref reader) : null;
                reader.Skip();
            }
            else if (!answer.Counts.TryRead(ref reader))
            {
                NoteUnknown(ref reader);
            }
        }

        return answer;
    }

    private FrameSignals Start(in Answer answer)
    {
        if (_isStarted)
        {
            return FrameSignals.None;
        }

        _isStarted = true;
        if (IsEverything)
        {
            Events.Add(new ResponseStarted(ResponseId, ServedModel, CreatedOf(answer.Created)));
        }

        return FrameSignals.Started;
    }

    private FrameSignals End(in Answer answer)
    {
        FrameSignals signals = FrameSignals.Finished | FrameSignals.Ended;
        Finish = answer.Reason is null or "stop"
            ? _parts.HasCalls ? FinishReason.ToolCalls : FinishReason.Stop
            : new FinishReason(answer.Reason);
        Usage = answer.Counts.ToUsage();
        if (IsEverything)
        {
            _parts.Close(Events);
            Events.Add(new Finished(Finish.Value, null) { Pointer = "/done_reason" });
        }

        if (Usage is not null)
        {
            signals |= FrameSignals.Usage;
            Add(new UsageReported(Usage));
        }

        IsEnded = true;
        Add(ResponseEnded.Instance);
        return signals;
    }

    private void Add(ChatEvent chatEvent)
    {
        if (IsEverything)
        {
            Events.Add(chatEvent);
        }
    }

    // The usual words need no new string.
    private static string Word(ref Utf8JsonReader reader) =>
        reader.ValueTextEquals("stop"u8) ? "stop" : reader.ValueTextEquals("length"u8) ? "length" : JsonText.Read(ref reader);

    private static long? CreatedOf(ReadOnlySpan<byte> json)
    {
        if (json.Length < 2 || json[0] != (byte)'"')
        {
            return null;
        }

        string text = System.Text.Encoding.UTF8.GetString(json[1..^1]);
        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset created)
            && created.ToUnixTimeSeconds() is > 0 and long seconds ? seconds : null;
    }

    /// <summary>Names a field that no other protocol has, unless it says nothing. The timings of the last line are such.</summary>
    private void NoteUnknown(ref Utf8JsonReader reader)
    {
        if (!IsEverything)
        {
            reader.Read();
            reader.Skip();
            return;
        }

        string name = JsonText.Read(ref reader);
        reader.Read();
        bool says = reader.TokenType switch
        {
            JsonTokenType.Null => false,
            JsonTokenType.String => !reader.ValueSpan.IsEmpty,
            JsonTokenType.Number => !reader.ValueSpan.SequenceEqual("0"u8),
            _ => true,
        };
        reader.Skip();
        if (says)
        {
            Options.Losses.AddInResponse(JsonCursor.Below("", name), $"The field {name} cannot cross protocols.");
        }
    }

    private static ReadOnlySpan<byte> Take(scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> json)
    {
        reader.Read();
        int start = (int)reader.TokenStartIndex;
        reader.Skip();
        return json[start..(int)reader.BytesConsumed];
    }

    /// <summary>Where the fields of an answer lie.</summary>
    private ref struct Answer
    {
        public ReadOnlySpan<byte> Message;
        public ReadOnlySpan<byte> Error;
        public ReadOnlySpan<byte> Created;
        public string? Reason;
        public bool IsDone;
        public OllamaChatCounts Counts;
    }
}
