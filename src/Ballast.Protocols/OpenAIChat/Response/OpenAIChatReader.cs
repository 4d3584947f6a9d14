using System.Text;
using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.OpenAIChat;

/// <summary>
/// What a whole answer and a chunk of a stream have in common: the same object but for <c>message</c> or <c>delta</c>. Values are looked at where they lie;
/// strings are made only at the depth of every event.
/// </summary>
internal abstract partial class OpenAIChatReader(ReaderOptions options) : ResponseReader(options)
{
    /// <summary>Deepest nesting taken in an answer.</summary>
    private const int DepthMax = 128;

    private static readonly JsonReaderOptions s_readerOptions = new() { MaxDepth = DepthMax };

    private readonly OpenAIChatToolCalls _calls = new();
    private bool _isStarted;
    private string? _tier;
    private string? _toldTier;
    private string _tierPointer = "/service_tier";
    private PartKind _kind;
    private int _part = -1;
    private int _partCount;
    private long _textLength;
    private long _textBase;
    private int _textPart = -1;

    private List<TextDelta> HeldText => field ??= [];

    private enum PartKind
    {
        None,
        Text,
        Refusal,
        Thinking,
        ToolCall,
    }

    protected bool IsEverything { get; } = options.Depth == ReadDepth.Everything;

    protected static ProtocolException Broken(string message) => new(new ChatError(ChatErrorKind.BadGateway, message));

    /// <summary>Reads one completion object, whole or chunk.</summary>
    protected FrameSignals ReadCompletion(ReadOnlySpan<byte> json, bool isWhole, bool isErrorEvent)
    {
        try
        {
            return ReadObject(json, isWhole, isErrorEvent);
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            throw Broken("The upstream's answer is not valid JSON.");
        }
    }

    private FrameSignals ReadObject(ReadOnlySpan<byte> json, bool isWhole, bool isErrorEvent)
    {
        if (!IsEverything && !isErrorEvent && OpenAIChatGlance.TryRead(json, DepthMax, isWhole, out OpenAIChatGlance glance))
        {
            return Take(glance, isWhole);
        }

        Utf8JsonReader reader = new(json, s_readerOptions);
        reader.Read();
        if (reader.TokenType == JsonTokenType.StartArray || isErrorEvent)
        {
            return Fail(OpenAIChatError.ReadInAnswer(json));
        }

        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw Broken("The upstream's answer is not a JSON object.");
        }

        Completion completion = Survey(ref reader, json);
        if (completion.IsErrorObject || (completion.Choices.IsEmpty && completion.Error.IsEmpty && isWhole))
        {
            return Fail(OpenAIChatError.ReadInAnswer(json));
        }

        FrameSignals signals = Start(completion.HasChoices, completion.Created);
        TellTier();
        signals |= ReadChoices(completion.Choices, isWhole);
        if (!completion.Usage.IsEmpty)
        {
            signals |= Report(OpenAIChatUsage.Read(completion.Usage).At(completion.ServiceTier));
            NoteUnknownUsage(completion.Usage);
        }

        if (!completion.Error.IsEmpty)
        {
            return signals | Fail(OpenAIChatError.ReadInAnswer(json));
        }

        return Withheld(signals, completion.HasChoices);
    }

    private FrameSignals Take(in OpenAIChatGlance glance, bool isWhole)
    {
        ResponseId ??= glance.Id.IsEmpty ? null : Encoding.UTF8.GetString(glance.Id);
        ServedModel ??= glance.Model.IsEmpty ? null : Encoding.UTF8.GetString(glance.Model);
        FrameSignals signals = Start(glance.HasChoices, created: null);
        ContentLength += glance.ContentLength;
        signals |= glance.ContentLength > 0 ? FrameSignals.Content : FrameSignals.None;
        if (isWhole || !glance.Finish.IsEmpty)
        {
            signals |= FinishWith(OpenAIChatFinish.Read(OpenAIChatFinish.Word(glance.Finish) ?? "stop", _calls.HasAny, _calls.HasAnswer));
        }

        if (!glance.Usage.IsEmpty)
        {
            signals |= Report(OpenAIChatUsage.Read(glance.Usage).At(glance.ServiceTier));
        }

        return Withheld(signals, glance.HasChoices);
    }

    /// <summary>Servers say it with every piece: it is told when it is new.</summary>
    private void TellTier()
    {
        if (_tier is { } tier && _toldTier != tier && _isStarted)
        {
            _toldTier = tier;
            Events.Add(new AnswerTold(AnswerFact.ServiceTier, tier, _tierPointer));
        }
    }

    private FrameSignals Withheld(FrameSignals signals, bool hasChoices)
    {
        bool isUsageAlone = (signals & (FrameSignals.Usage | FrameSignals.Content | FrameSignals.Finished)) == FrameSignals.Usage && !hasChoices;
        return isUsageAlone && Options.WithholdUsage ? signals | FrameSignals.Withhold : signals;
    }

    /// <summary>Notes where the fields lie; they may come in any order, events may not.</summary>
    private Completion Survey(scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> json)
    {
        Completion completion = default;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("choices"u8))
            {
                completion.Choices = Take(ref reader, json, JsonTokenType.StartArray);
                completion.HasChoices = completion.Choices.Length > 2 && !completion.Choices[1..^1].Trim(" \t\r\n"u8).IsEmpty;
            }
            else if (reader.ValueTextEquals("usage"u8))
            {
                completion.Usage = Take(ref reader, json, JsonTokenType.StartObject);
            }
            else if (reader.ValueTextEquals("service_tier"u8))
            {
                Utf8JsonReader tier = reader;
                tier.Read();
                completion.ServiceTier = ServiceTierWord.Read(tier);
                if (IsEverything && tier.TokenType == JsonTokenType.String && !tier.HasValueSequence && ServiceTierWord.Common(tier.ValueSpan) is { } common)
                {
                    (_tier, _tierPointer) = (common, "/service_tier");
                    reader = tier;
                }
                else
                {
                    NoteUnknown(ref reader, "");
                }
            }
            else if (reader.ValueTextEquals("x_groq"u8))
            {
                ReadOnlySpan<byte> groq = Take(ref reader, json, JsonTokenType.StartObject);
                ReadOnlySpan<byte> usage = UsageWithin(groq);
                completion.Usage = completion.Usage.IsEmpty ? usage : completion.Usage;
                Note("", "x_groq", says: groq.Length > 2);
            }
            else if (reader.ValueTextEquals("error"u8))
            {
                reader.Read();
                completion.Error = reader.TokenType is JsonTokenType.Null or JsonTokenType.False ? default : TakeHere(ref reader, json);
                completion.Error = completion.Error.SequenceEqual("\"\""u8) ? default : completion.Error;
            }
            else if (reader.ValueTextEquals("id"u8))
            {
                ResponseId = Word(ref reader, ResponseId);
            }
            else if (reader.ValueTextEquals("model"u8))
            {
                ServedModel = Word(ref reader, ServedModel);
            }
            else if (reader.ValueTextEquals("created"u8))
            {
                reader.Read();
                completion.Created = reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out long created) ? created : null;
                reader.Skip();
            }
            else if (reader.ValueTextEquals("object"u8))
            {
                reader.Read();
                completion.IsErrorObject = reader.TokenType == JsonTokenType.String && reader.ValueTextEquals("error"u8);
                reader.Skip();
            }
            else
            {
                NoteUnknown(ref reader, "");
            }
        }

        return completion;
    }

    private static ReadOnlySpan<byte> UsageWithin(ReadOnlySpan<byte> json)
    {
        if (json.IsEmpty)
        {
            return default;
        }

        Utf8JsonReader reader = new(json, s_readerOptions);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("usage"u8))
            {
                return Take(ref reader, json, JsonTokenType.StartObject);
            }

            reader.Read();
            reader.Skip();
        }

        return default;
    }

    private FrameSignals Start(bool hasChoices, long? created)
    {
        // Azure's first chunk holds filter results only, with an empty id; the answer has not begun.
        if (_isStarted || (!hasChoices && ResponseId is null))
        {
            return FrameSignals.None;
        }

        _isStarted = true;
        if (IsEverything)
        {
            Events.Add(new ResponseStarted(ResponseId, ServedModel, created > 0 ? created : null));
        }

        return FrameSignals.Started;
    }

    private FrameSignals Report(Usage usage)
    {
        if (usage != Usage)
        {
            Usage = usage;
            if (IsEverything)
            {
                Events.Add(new UsageReported(usage));
            }
        }

        return FrameSignals.Usage;
    }

    protected FrameSignals Fail(ChatError error)
    {
        Error = error;
        if (IsEverything)
        {
            Events.Add(new Failed(error));
        }

        return FrameSignals.Failed;
    }

    /// <summary>The terminal mark. A server that never told why it stopped is taken to have stopped by itself, if it said anything.</summary>
    protected FrameSignals End()
    {
        FrameSignals signals = FrameSignals.Ended;
        if (Finish is null && (ContentLength > 0 || _calls.HasAny || _calls.HasAnswer))
        {
            signals |= FinishWith(OpenAIChatFinish.Read("stop", _calls.HasAny));
        }

        IsEnded = true;
        if (IsEverything)
        {
            Events.Add(ResponseEnded.Instance);
        }

        return signals;
    }

    /// <summary>Some servers finish every call of an answer by itself: the last word counts.</summary>
    private FrameSignals FinishWith(FinishReason reason)
    {
        if (Finish != reason)
        {
            Finish = reason;
            if (IsEverything)
            {
                ReleaseText();
                Events.Add(new Finished(reason, null) { Pointer = "/choices/0/finish_reason" });
            }
        }

        return FrameSignals.Finished;
    }

    private FrameSignals ReadChoices(ReadOnlySpan<byte> json, bool isWhole)
    {
        FrameSignals signals = FrameSignals.None;
        if (json.IsEmpty)
        {
            return signals;
        }

        Utf8JsonReader reader = new(json, s_readerOptions);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.StartObject)
        {
            signals |= ReadChoice(ref reader, json, isWhole);
        }

        return signals;
    }

    /// <summary>Reads the choice at whose beginning <paramref name="reader"/> stands, up to its end.</summary>
    private FrameSignals ReadChoice(scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> json, bool isWhole)
    {
        ReadOnlySpan<byte> delta = default;
        ReadOnlySpan<byte> message = default;
        string? word = null;
        int index = 0;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("delta"u8))
            {
                delta = Take(ref reader, json, JsonTokenType.StartObject);
            }
            else if (reader.ValueTextEquals("message"u8))
            {
                message = Take(ref reader, json, JsonTokenType.StartObject);
            }
            else if (reader.ValueTextEquals("finish_reason"u8))
            {
                reader.Read();
                word = OpenAIChatFinish.Word(ref reader);
                reader.Skip();
            }
            else if (reader.ValueTextEquals("index"u8))
            {
                reader.Read();
                index = reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out int number) ? number : 0;
                reader.Skip();
            }
            else
            {
                NoteUnknown(ref reader, "/choices/0");
            }
        }

        // Some servers repeat the message so far beside each delta.
        ReadOnlySpan<byte> content = isWhole ? (message.IsEmpty ? delta : message) : delta;
        return index == 0 ? ReadFirstChoice(content, word, isWhole) : ReadOtherChoice(content, word, index);
    }

    private FrameSignals ReadFirstChoice(ReadOnlySpan<byte> content, string? word, bool isWhole)
    {
        FrameSignals signals = content.IsEmpty ? FrameSignals.None : ReadMessage(content, isWhole);
        if (word == OpenAIChatFinish.ErrorWord)
        {
            return signals | Fail(new ChatError(ChatErrorKind.ServerError, "The upstream ended its answer with an error."));
        }

        return word is null && !isWhole ? signals : signals | FinishWith(OpenAIChatFinish.Read(word ?? "stop", _calls.HasAny, _calls.HasAnswer));
    }

    /// <summary>A second answer (<c>n</c> &gt; 1) has no place among the events; it is passed on only where the bytes are.</summary>
    private FrameSignals ReadOtherChoice(ReadOnlySpan<byte> content, string? word, int index)
    {
        if (IsEverything)
        {
            Options.Losses.AddInResponse(JsonCursor.Below("/choices", index), "Only the first of several answers can cross protocols.");
        }

        Utf8JsonReader reader = new(content.IsEmpty ? "{}"u8 : content, s_readerOptions);
        FrameSignals signals = word is null ? FrameSignals.None : FrameSignals.Finished;
        while (reader.Read())
        {
            if (reader.TokenType == JsonTokenType.PropertyName && (reader.ValueTextEquals("content"u8) || reader.ValueTextEquals("arguments"u8)))
            {
                reader.Read();
                long length = reader.TokenType == JsonTokenType.String ? reader.ValueSpan.Length : 0;
                ContentLength += length;
                signals |= length > 0 ? FrameSignals.Content : FrameSignals.None;
            }
        }

        return signals;
    }

    /// <summary>Goes to the property's value and takes its bytes; empty where it is of another type.</summary>
    private static ReadOnlySpan<byte> Take(scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> json, JsonTokenType expected)
    {
        reader.Read();
        bool isExpected = reader.TokenType == expected;
        ReadOnlySpan<byte> value = TakeHere(ref reader, json);
        return isExpected ? value : default;
    }

    private static ReadOnlySpan<byte> TakeHere(scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> json)
    {
        int start = (int)reader.TokenStartIndex;
        reader.Skip();
        return json[start..(int)reader.BytesConsumed];
    }

    /// <summary>A string that is not empty, unless one is known already: chunks repeat their words, and no string is made of those that follow the first.</summary>
    private static string? Word(ref Utf8JsonReader reader, string? known = null)
    {
        reader.Read();
        if (known is null && reader.TokenType == JsonTokenType.String && !reader.ValueSpan.IsEmpty)
        {
            return JsonText.Read(ref reader);
        }

        reader.Skip();
        return known;
    }

    /// <summary>Where the fields of a completion lie.</summary>
    private ref struct Completion
    {
        public ReadOnlySpan<byte> Choices;
        public ReadOnlySpan<byte> Usage;
        public ReadOnlySpan<byte> Error;
        public long? Created;
        public bool HasChoices;
        public bool IsErrorObject;
        public ServiceTier ServiceTier;
    }
}
