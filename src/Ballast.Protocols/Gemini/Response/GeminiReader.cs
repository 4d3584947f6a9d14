using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.Gemini;

/// <summary>
/// Reads answers, whole or in chunks: every chunk is a whole answer of its own with a piece of the content. This file reads what surrounds the content, the other part of
/// the class its pieces. The finish is told when the answer has ended, since chunks may follow the one that names it.
/// </summary>
internal abstract partial class GeminiReader(ReaderOptions options) : ResponseReader(options)
{
    private const string CandidatePointer = "/candidates/0";

    private readonly GeminiAnswerLosses _losses = new(options.Losses);
    private readonly GeminiSearches _searches = new();
    private GeminiUsage _usage;
    private Usage? _told;
    private string? _toldTier;
    private string _finishPointer = "";
    private bool _hasStarted;

    private bool IsEverything => Options.Depth == ReadDepth.Everything;

    public override Usage? Usage => _told ??= _usage.ToUsage(_searches.Count);

    /// <summary>Reads one chunk, or a whole answer.</summary>
    protected FrameSignals ReadChunk(ReadOnlySpan<byte> json, bool isWhole)
    {
        try
        {
            Chunk chunk = Survey(json);
            if (chunk.HasError)
            {
                return Fail(GeminiError.ReadInAnswer(json));
            }

            FrameSignals signals = Start(chunk);
            signals |= ReadCandidates(chunk.Candidates, isWhole) | ReadFeedback(chunk.Feedback);
            return signals | ReadUsage(chunk.Usage);
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            // The latter where a word to be compared holds half a surrogate pair.
            throw new ProtocolException(new ChatError(ChatErrorKind.BadGateway, "The upstream's answer is not valid JSON."));
        }
    }

    /// <summary>The answer is over. There is no mark for it: a stream just closes, and one that never named a finish was cut.</summary>
    protected FrameSignals End()
    {
        IsEnded = true;
        if (IsEverything)
        {
            EndPart();
            FlushHeld();
            if (Finish is { } finish)
            {
                Events.Add(new Finished(finish, null) { Pointer = _finishPointer });
            }

            Events.Add(ResponseEnded.Instance);
        }

        return FrameSignals.Ended;
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

    /// <summary>Notes where the fields lie; they may come in any order, events may not.</summary>
    private Chunk Survey(ReadOnlySpan<byte> json)
    {
        Chunk chunk = default;
        Utf8JsonReader reader = new(json, GeminiCursor.ReaderOptions);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw new JsonException();
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("candidates"u8))
            {
                chunk.Candidates = Take(ref reader, json, JsonTokenType.StartArray);
            }
            else if (reader.ValueTextEquals("usageMetadata"u8))
            {
                chunk.Usage = Take(ref reader, json, JsonTokenType.StartObject);
            }
            else if (reader.ValueTextEquals("promptFeedback"u8))
            {
                chunk.Feedback = Take(ref reader, json, JsonTokenType.StartObject);
            }
            else if (reader.ValueTextEquals("responseId"u8))
            {
                ResponseId = Word(ref reader, ResponseId);
            }
            else if (reader.ValueTextEquals("modelVersion"u8))
            {
                ServedModel = Word(ref reader, ServedModel);
            }
            else if (reader.ValueTextEquals("createTime"u8))
            {
                reader.Read();
                chunk.Created = !_hasStarted && reader.TokenType == JsonTokenType.String && reader.TryGetDateTimeOffset(out DateTimeOffset time) ? time.ToUnixTimeSeconds() : null;
                reader.Skip();
            }
            else if (reader.ValueTextEquals("error"u8))
            {
                reader.Read();
                chunk.HasError = reader.TokenType != JsonTokenType.Null;
                reader.Skip();
            }
            else
            {
                NoteUnknown(ref reader, "");
            }
        }

        // Refuses anything behind the object.
        reader.Read();
        return chunk;
    }

    private FrameSignals Start(in Chunk chunk)
    {
        if (_hasStarted || (chunk.Candidates.IsEmpty && chunk.Feedback.IsEmpty && chunk.Usage.IsEmpty))
        {
            return FrameSignals.None;
        }

        _hasStarted = true;
        if (IsEverything)
        {
            Events.Add(new ResponseStarted(ResponseId, ServedModel, chunk.Created));
        }

        return FrameSignals.Started;
    }

    protected bool HasStarted => _hasStarted;

    private FrameSignals ReadUsage(ReadOnlySpan<byte> usage)
    {
        if (usage.IsEmpty)
        {
            return FrameSignals.None;
        }

        _usage.Read(usage);
        Usage? before = _told;
        _told = null;
        if (IsEverything)
        {
            _losses.NoteUsage(usage, _usage.TierWord);
            if (_usage.TierWord is { } tier && tier != _toldTier)
            {
                _toldTier = tier;
                Events.Add(new AnswerTold(AnswerFact.ServiceTier, tier, _usage.TierPointer!));
            }

            if (Usage is { } now && now != before)
            {
                Events.Add(new UsageReported(now));
            }
        }

        return FrameSignals.Usage;
    }

    /// <summary>A prompt that was blocked is answered without candidates, and with status 200.</summary>
    private FrameSignals ReadFeedback(ReadOnlySpan<byte> feedback)
    {
        if (feedback.IsEmpty)
        {
            return FrameSignals.None;
        }

        bool isBlocked = false;
        Utf8JsonReader reader = new(feedback, GeminiCursor.ReaderOptions);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("blockReason"u8))
            {
                reader.Read();
                isBlocked = reader.TokenType switch
                {
                    JsonTokenType.String => !reader.ValueSpan.IsEmpty && !reader.ValueTextEquals("BLOCK_REASON_UNSPECIFIED"u8),
                    JsonTokenType.Number => !reader.ValueSpan.SequenceEqual("0"u8),
                    _ => false,
                };
                reader.Skip();
            }
            else
            {
                NoteUnknown(ref reader, "/promptFeedback");
            }
        }

        return isBlocked ? FinishWith(FinishReason.ContentFilter, "/promptFeedback/blockReason") : FrameSignals.None;
    }

    private FrameSignals ReadCandidates(ReadOnlySpan<byte> json, bool isWhole)
    {
        FrameSignals signals = FrameSignals.None;
        if (json.IsEmpty)
        {
            return signals;
        }

        Utf8JsonReader reader = new(json, GeminiCursor.ReaderOptions);
        reader.Read();
        for (int i = 0; reader.Read() && reader.TokenType != JsonTokenType.EndArray; i++)
        {
            if (reader.TokenType == JsonTokenType.StartObject)
            {
                signals |= ReadCandidate(ref reader, json, i, isWhole);
            }
            else
            {
                reader.Skip();
            }
        }

        return signals;
    }

    private FrameSignals ReadCandidate(scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> json, int place, bool isWhole)
    {
        ReadOnlySpan<byte> content = default;
        ReadOnlySpan<byte> grounding = default;
        ReadOnlySpan<byte> citations = default;
        FinishReason? finish = null;
        int index = place;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("content"u8))
            {
                content = Take(ref reader, json, JsonTokenType.StartObject);
            }
            else if (reader.ValueTextEquals("finishReason"u8))
            {
                reader.Read();
                finish = GeminiFinish.Read(ref reader);
                reader.Skip();
            }
            else if (reader.ValueTextEquals("index"u8))
            {
                reader.Read();
                index = reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out int number) ? number : place;
                reader.Skip();
            }
            else if (reader.ValueTextEquals("groundingMetadata"u8))
            {
                grounding = Take(ref reader, json, JsonTokenType.StartObject);
            }
            else if (reader.ValueTextEquals("citationMetadata"u8))
            {
                citations = Take(ref reader, json, JsonTokenType.StartObject);
            }
            else
            {
                NoteUnknown(ref reader, place == 0 ? CandidatePointer : null);
            }
        }

        if (!grounding.IsEmpty)
        {
            _searches.Read(grounding);
            _told = null;
        }

        if (index != 0)
        {
            return ReadOtherCandidate(content, index, finish);
        }

        FrameSignals signals = content.IsEmpty ? FrameSignals.None : ReadContent(content, isWhole);
        if (IsEverything)
        {
            Cite(grounding, citations);
        }

        return finish is { } reason ? signals | FinishWith(reason, "/candidates/0/finishReason")
            : isWhole && (signals & FrameSignals.Content) != 0 ? signals | FinishWith(FinishReason.Stop, CandidatePointer)
            : signals;
    }

    /// <summary>A second answer has no place among the events; it is passed on only where the bytes are.</summary>
    private FrameSignals ReadOtherCandidate(ReadOnlySpan<byte> content, int index, FinishReason? finish)
    {
        if (IsEverything)
        {
            Options.Losses.AddInResponse(GeminiCursor.Below("/candidates", index), "Only the first of several answers can cross protocols.");
        }

        FrameSignals signals = finish is null ? FrameSignals.None : FrameSignals.Finished;
        Utf8JsonReader reader = new(content.IsEmpty ? "{}"u8 : content, GeminiCursor.ReaderOptions);
        while (reader.Read())
        {
            if (reader.TokenType == JsonTokenType.PropertyName && reader.ValueTextEquals("text"u8))
            {
                reader.Read();
                long length = reader.TokenType == JsonTokenType.String ? reader.ValueSpan.Length : 0;
                ContentLength += length;
                signals |= length > 0 ? FrameSignals.Content : FrameSignals.None;
            }
        }

        return signals;
    }

    private FrameSignals FinishWith(FinishReason reason, string pointer)
    {
        Finish = reason == FinishReason.Stop && _hasCalls ? FinishReason.ToolCalls : reason;
        _finishPointer = pointer;
        return FrameSignals.Finished;
    }

    /// <summary>Skips a property that no other protocol has; a null pointer names nothing.</summary>
    private void NoteUnknown(ref Utf8JsonReader reader, string? at)
    {
        if (IsEverything && at is not null)
        {
            _losses.Note(ref reader, at);
            return;
        }

        reader.Read();
        reader.Skip();
    }

    /// <summary>Goes to the property's value and takes its bytes; empty where it is of another type.</summary>
    private static ReadOnlySpan<byte> Take(scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> json, JsonTokenType expected)
    {
        reader.Read();
        int start = (int)reader.TokenStartIndex;
        bool isExpected = reader.TokenType == expected;
        reader.Skip();
        return isExpected ? json[start..(int)reader.BytesConsumed] : default;
    }

    /// <summary>A string that is not empty, unless one is known already: chunks repeat their words, and no string is made of those that follow the first.</summary>
    private static string? Word(ref Utf8JsonReader reader, string? known)
    {
        reader.Read();
        if (known is null && reader.TokenType == JsonTokenType.String && !reader.ValueSpan.IsEmpty)
        {
            return JsonText.Read(ref reader);
        }

        reader.Skip();
        return known;
    }

    /// <summary>Where the fields of a chunk lie.</summary>
    private ref struct Chunk
    {
        public ReadOnlySpan<byte> Candidates;
        public ReadOnlySpan<byte> Usage;
        public ReadOnlySpan<byte> Feedback;
        public long? Created;
        public bool HasError;
    }
}
