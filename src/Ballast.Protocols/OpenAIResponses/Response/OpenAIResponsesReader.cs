using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.OpenAIResponses;

/// <summary>
/// What a whole answer and a stream have in common: the response object, which a stream tells at its beginning and whole at its end. Values are looked at where they
/// lie; strings are made only at the depth of every event.
/// </summary>
internal abstract class OpenAIResponsesReader : ResponseReader
{
    private readonly OpenAIResponsesItems _items;
    private bool _isStarted;
    private bool _hasItems;
    private bool _hasCalls;
    private int _searches;

    protected OpenAIResponsesReader(ReaderOptions options)
        : base(options)
    {
        _items = new OpenAIResponsesItems(Events, options);
        options.State?.Items.Clear(); // An attempt before this one may have told some.
    }

    protected bool IsEverything => Options.Depth == ReadDepth.Everything;

    /// <summary>What is passed on goes with marks at what is encrypted.</summary>
    protected bool MarksReasoning => Options.MarksReasoning && !IsEverything;

    protected string Issuer => OpenAIResponsesReasoning.IssuerOf(Options.Vendor, Options.Account);

    protected byte[] Marked(byte[] response) => MarksReasoning ? OpenAIResponsesSeals.Mark(response, OpenAIResponsesSeals.InResponse, Issuer) : response;

    protected OpenAIResponsesItems Items => _items;

    protected static ProtocolException Broken(string message) => new(new ChatError(ChatErrorKind.BadGateway, message));

    protected void Count(long length)
    {
        ContentLength += length;
        _hasItems = true;
    }

    /// <summary>Reads who answers, and whether it went wrong.</summary>
    protected FrameSignals Begin(ReadOnlySpan<byte> response)
    {
        if (response.IsEmpty || response[0] != (byte)'{')
        {
            return FrameSignals.None;
        }

        Utf8JsonReader json = new(response, OpenAIResponsesFrame.ReaderOptions);
        json.Read();
        long? created = null;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            int field = json.ValueTextEquals("id"u8) ? 1 : json.ValueTextEquals("model"u8) ? 2 : json.ValueTextEquals("created_at"u8) ? 3 : 0;
            json.Read();
            if (field == 3 && json.TokenType == JsonTokenType.Number)
            {
                created = json.TryGetDouble(out double seconds) && seconds is > 0 and < long.MaxValue ? (long)seconds : null;
            }
            else if (field is 1 or 2 && json.TokenType == JsonTokenType.String && !json.ValueSpan.IsEmpty)
            {
                ResponseId = field == 1 ? ResponseId ?? JsonText.Read(ref json) : ResponseId;
                ServedModel = field == 2 ? ServedModel ?? JsonText.Read(ref json) : ServedModel;
            }

            json.Skip();
        }

        if (_isStarted)
        {
            return FrameSignals.None;
        }

        _isStarted = true;
        return Tell(new ResponseStarted(ResponseId, ServedModel, created), FrameSignals.Started);
    }

    /// <summary>The end of an answer: why, and its tokens.</summary>
    /// <param name="response">The response object.</param>
    /// <param name="isWhole">The items were not told before.</param>
    protected FrameSignals End(ReadOnlySpan<byte> response, bool isWhole)
    {
        FrameSignals signals = Begin(response);
        ReadOnlySpan<byte> output = Find(response, "output"u8, JsonTokenType.StartArray);
        if (isWhole || !_hasItems)
        {
            signals |= ReadOutput(output);
        }

        if (ContentLength == 0)
        {
            ContentLength = TextLength(output);
        }

        if (!isWhole && output.IndexOf("web_search_call"u8) >= 0)
        {
            // A stream that was taken up in its middle has not told them all.
            _searches = Math.Max(_searches, SearchesIn(output));
        }

        FinishReason reason = ReasonOf(response);
        Finish = reason == FinishReason.Stop && _hasCalls ? FinishReason.ToolCalls : reason;

        if (IsEverything)
        {
            _items.ReleaseText();
            Events.Add(new Finished(Finish.Value, null) { Pointer = reason == FinishReason.Stop ? "/status" : "/incomplete_details/reason" });
            string? tier = ServiceTierWord.Common(Find(response, "service_tier"u8, JsonTokenType.String).Trim((byte)'"'));
            OpenAIResponsesAnswerLosses.NoteResponse(response, tier is not null, Options.Losses);
            if (tier is not null)
            {
                Events.Add(new AnswerTold(AnswerFact.ServiceTier, tier, "/service_tier"));
            }
        }

        signals |= FrameSignals.Finished | ReadUsage(response) | FrameSignals.Ended;
        IsEnded = true;
        return Tell(ResponseEnded.Instance, signals);
    }

    /// <summary>The answer, or its beginning, as it was told in one piece.</summary>
    private FrameSignals ReadOutput(ReadOnlySpan<byte> output)
    {
        FrameSignals signals = FrameSignals.None;
        if (output.IsEmpty)
        {
            return signals;
        }

        Utf8JsonReader json = new(output, OpenAIResponsesFrame.ReaderOptions);
        json.Read();
        for (int index = 0; json.Read() && json.TokenType != JsonTokenType.EndArray; index++)
        {
            int start = (int)json.TokenStartIndex;
            bool isObject = json.TokenType == JsonTokenType.StartObject;
            json.Skip();
            if (isObject)
            {
                ReadItem(output[start..(int)json.BytesConsumed], index, isDone: true);
                signals |= FrameSignals.Content;
            }
        }

        return signals;
    }

    /// <summary>An item as it begins, or whole as it ends.</summary>
    protected FrameSignals ReadItem(ReadOnlySpan<byte> item, int index, bool isDone)
    {
        _hasItems = true;
        OpenAIResponsesItemHead head = OpenAIResponsesItemHead.Read(item, withStrings: IsEverything || Options.UnwrapStructuredOutput);
        _searches += isDone && head.IsSearch ? 1 : 0;
        if (head.Kind == ItemKind.Call)
        {
            _hasCalls |= !Options.UnwrapStructuredOutput || head.Name != StructuredOutput.ToolName;
        }

        if (IsEverything)
        {
            if (isDone)
            {
                _items.End(head, item, index);
            }
            else
            {
                _items.Begin(head, index);
            }
        }

        // A message and reasoning are content once there is something of them; a call, and what the vendor's own tools do, are from their beginning.
        return head.Kind is ItemKind.Message or ItemKind.Reasoning && !isDone ? FrameSignals.None : FrameSignals.Content;
    }

    private static int SearchesIn(ReadOnlySpan<byte> output)
    {
        int searches = 0;
        Utf8JsonReader json = new(output, OpenAIResponsesFrame.ReaderOptions);
        json.Read();
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            int start = (int)json.TokenStartIndex;
            json.Skip();
            searches += OpenAIResponsesItemHead.Read(output[start..(int)json.BytesConsumed], withStrings: false).IsSearch ? 1 : 0;
        }

        return searches;
    }

    private FrameSignals ReadUsage(ReadOnlySpan<byte> response)
    {
        ReadOnlySpan<byte> usage = Find(response, "usage"u8, JsonTokenType.StartObject);
        if (usage.IsEmpty)
        {
            return FrameSignals.None;
        }

        Utf8JsonReader json = new(usage, OpenAIResponsesFrame.ReaderOptions);
        json.Read();
        Usage = OpenAIResponsesUsage.Read(ref json, IsEverything ? Options.Losses : null).At(ServiceTierWord.Read(Find(response, "service_tier"u8, JsonTokenType.String).Trim((byte)'"')));
        Usage = _searches == 0 ? Usage : Usage with { Media = new MediaUsage { WebSearches = _searches } };
        return Tell(new UsageReported(Usage), FrameSignals.Usage);
    }

    private static FinishReason ReasonOf(ReadOnlySpan<byte> response)
    {
        ReadOnlySpan<byte> details = Find(response, "incomplete_details"u8, JsonTokenType.StartObject);
        if (!details.IsEmpty && Word(details, "reason"u8) is { } reason)
        {
            return reason switch
            {
                "max_output_tokens" or "max_tokens" => FinishReason.Length,
                "content_filter" => FinishReason.ContentFilter,
                _ => new FinishReason(reason),
            };
        }

        return Word(response, "status"u8) switch
        {
            null or "completed" => FinishReason.Stop,
            "incomplete" => FinishReason.Length,
            string status => new FinishReason(status),
        };
    }

    protected FrameSignals Fail(ReadOnlySpan<byte> json)
    {
        Error = OpenAIResponsesError.ReadInAnswer(json);
        return Tell(new Failed(Error), FrameSignals.Failed);
    }

    protected FrameSignals Tell(ChatEvent chatEvent, FrameSignals signals)
    {
        if (IsEverything)
        {
            Events.Add(chatEvent);
        }

        return signals;
    }

    /// <summary>Bytes of text in an answer whose pieces were not counted.</summary>
    private static long TextLength(ReadOnlySpan<byte> output)
    {
        long length = 0;
        if (output.IsEmpty)
        {
            return length;
        }

        Utf8JsonReader json = new(output, OpenAIResponsesFrame.ReaderOptions);
        while (json.Read())
        {
            bool isText = json.TokenType == JsonTokenType.PropertyName
                && (json.ValueTextEquals("text"u8) || json.ValueTextEquals("refusal"u8) || json.ValueTextEquals("arguments"u8) || json.ValueTextEquals("input"u8));
            if (isText && json.Read() && json.TokenType == JsonTokenType.String)
            {
                length += json.ValueSpan.Length;
            }
        }

        return length;
    }

    protected static string? Word(ReadOnlySpan<byte> json, ReadOnlySpan<byte> name)
    {
        ReadOnlySpan<byte> value = Find(json, name, JsonTokenType.String);
        if (value.IsEmpty)
        {
            return null;
        }

        Utf8JsonReader reader = new(value);
        reader.Read();
        return JsonText.Read(ref reader);
    }

    /// <summary>The bytes of a field's value; empty where it is absent or of another type.</summary>
    protected static ReadOnlySpan<byte> Find(ReadOnlySpan<byte> json, ReadOnlySpan<byte> name, JsonTokenType type)
    {
        if (json.IsEmpty || json[0] != (byte)'{')
        {
            return default;
        }

        Utf8JsonReader reader = new(json, OpenAIResponsesFrame.ReaderOptions);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            bool isIt = reader.ValueTextEquals(name);
            reader.Read();
            int start = (int)reader.TokenStartIndex;
            bool isType = reader.TokenType == type;
            reader.Skip();
            if (isIt)
            {
                return isType ? json[start..(int)reader.BytesConsumed] : default;
            }
        }

        return default;
    }
}
