using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Ballast.Sandbox.Recorded;

/// <summary>A call of a tool in an answer.</summary>
internal sealed class CallFact(string pointer)
{
    public string Pointer { get; } = pointer;
    public string Id { get; set; } = "";
    public string Name { get; set; } = "";

    /// <summary>The tool takes free text, which its arguments are.</summary>
    public bool IsFreeText { get; set; }
    public StringBuilder Arguments { get; } = new();
}

/// <summary>A reference to a source.</summary>
internal sealed record CitationFact(string? Url, string? Title, string? Quoted, string Pointer);

/// <summary>Tokens in words that both protocols share: the input with all cached tokens, the output with all reasoning.</summary>
internal sealed record TokenFact(long Input, long CacheRead, long CacheWrite, long Output, long? Reasoning);

/// <summary>What an answer says, streamed or whole, in words that both protocols share. Streams are put together as the vendors' own clients do; pointers lead into that.</summary>
internal sealed class AnswerFacts
{
    public string? Model { get; set; }
    public StringBuilder Text { get; } = new();
    public string TextPointer { get; set; } = "";
    public StringBuilder Thinking { get; } = new();
    public string ThinkingPointer { get; set; } = "";
    public List<(string Value, string Pointer)> Signatures { get; } = [];
    public List<(string Value, string Pointer)> Redacted { get; } = [];
    public List<CallFact> Calls { get; } = [];
    public List<CitationFact> Citations { get; } = [];

    /// <summary>Why it ended, in Chat Completions' words; a word that neither protocol has stays as it is.</summary>
    public string? Finish { get; set; }
    public string FinishPointer { get; set; } = "";
    public string? StopSequence { get; set; }
    public TokenFact? Tokens { get; set; }

    /// <summary>How soon it was given, in the words that several vendors share, by where it is said.</summary>
    public Dictionary<string, string> Tiers { get; } = new(StringComparer.Ordinal);

    /// <summary>Where it was worked out, by where it is said.</summary>
    public Dictionary<string, string> Places { get; } = new(StringComparer.Ordinal);

    /// <summary>Takes over a service tier; a word that only its vendor has is one more field that says something.</summary>
    public void TellTier(string pointer, JsonElement word)
    {
        string? text = word.ValueKind == JsonValueKind.String ? word.GetString() : null;
        string? shared = text switch
        {
            "default" or "standard" or "STANDARD" or "on_demand" or "ON_DEMAND" => "standard",
            "priority" or "PRIORITY" or "ON_DEMAND_PRIORITY" => "priority",
            "flex" or "FLEX" or "ON_DEMAND_FLEX" => "flex",
            "batch" => "batch",
            _ => null,
        };
        if (shared is not null)
        {
            Tiers[pointer] = shared;
        }
        else if (!JsonWalk.SaysNothing(word))
        {
            Others[pointer] = "";
        }
    }

    /// <summary>Fields that have no word here and say something.</summary>
    public Dictionary<string, string> Others { get; } = new(StringComparer.Ordinal);

    /// <summary>It is an error, or ended with one.</summary>
    public bool IsError { get; set; }

    /// <summary>It came to its end.</summary>
    public bool IsComplete { get; set; }

    /// <summary>A refusal stands in the place of the text.</summary>
    public bool IsRefusal { get; set; }

    /// <summary>Names each field of an object that says something, but those that are known.</summary>
    public void OtherFields(JsonElement element, string at, ReadOnlySpan<string> known)
    {
        foreach (JsonProperty field in JsonWalk.Fields(element))
        {
            if (!known.Contains(field.Name) && !JsonWalk.IsZero(field.Value))
            {
                Others[JsonWalk.Below(at, field.Name)] = "";
            }
        }
    }

    public static AnswerFacts Read(string api, RecordedFraming framing, ReadOnlyMemory<byte> body)
    {
        bool isStream = framing != RecordedFraming.Whole;
        return WireApi.FormOf(api) switch
        {
            WireApi.Messages when isStream => MessagesAnswerFacts.ReadStream(AnswerFrames.Split(framing, body)),
            WireApi.Messages => MessagesAnswerFacts.ReadWhole(body),
            WireApi.Chat when isStream => ChatAnswerFacts.ReadStream(body),
            WireApi.Chat => ChatAnswerFacts.ReadWhole(body),
            string form => ReadAny(form, framing, body),
        };
    }

    /// <summary>The forms of which a stream is put together to a whole answer first.</summary>
    private static AnswerFacts ReadAny(string form, RecordedFraming framing, ReadOnlyMemory<byte> body)
    {
        AnswerFacts facts = new();
        using JsonDocument? document = framing == RecordedFraming.Whole ? JsonWalk.TryParse(body) : JsonWalk.TryParse(Joined(form, AnswerFrames.Split(framing, body), facts).ToJsonString());
        if (document is null || document.RootElement.ValueKind != JsonValueKind.Object)
        {
            facts.IsError = true;
            return facts;
        }

        switch (form)
        {
            case WireApi.Gemini:
                GeminiAnswerFacts.Read(document.RootElement, framing == RecordedFraming.Whole, facts);
                break;
            case WireApi.Converse:
                ConverseAnswerFacts.Read(document.RootElement, facts);
                break;
            case WireApi.Responses:
                ResponsesAnswerFacts.Read(document.RootElement, facts);
                break;
            case WireApi.Ollama:
                PlainAnswerFacts.ReadOllama(document.RootElement, facts);
                break;
            default:
                PlainAnswerFacts.ReadCohere(document.RootElement, facts);
                break;
        }

        return facts;
    }

    private static JsonObject Joined(string form, List<EventText> frames, AnswerFacts facts)
    {
        List<(string Name, JsonObject Data)> events = [];
        foreach (EventText frame in frames.Where(frame => frame.Data.Length > 0 && frame.Data != "[DONE]"))
        {
            if (frame.Name == "exception" || Parsed(frame.Data) is not { } data)
            {
                facts.IsError = true;
                break;
            }

            events.Add((frame.Name, data));
        }

        IEnumerable<JsonObject> pieces = events.Select(one => one.Data);
        return form switch
        {
            WireApi.Gemini => GeminiAnswerFacts.Whole(pieces),
            WireApi.Converse => ConverseAnswerFacts.Whole(events),
            WireApi.Responses => ResponsesAnswerFacts.Whole(pieces, facts),
            WireApi.Ollama => PlainAnswerFacts.WholeOllama(pieces),
            _ => PlainAnswerFacts.WholeCohere(pieces),
        };
    }

    private static JsonObject? Parsed(string data)
    {
        try
        {
            return JsonNode.Parse(data) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
