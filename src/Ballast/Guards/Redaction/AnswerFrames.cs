using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ballast.Protocols;
using Ballast.Protocols.Conversation;

namespace Ballast.Guards.Redaction;

/// <summary>
/// The frames of a streamed answer that goes on as its vendor's own: several answers in one stream, which the neutral form has not, and the old completions. Each answer has texts
/// of its own, screened piece by piece; nothing of one is seen beside another. A frame without answers goes on as it is, once its other strings are screened.
/// </summary>
internal sealed class AnswerFrames(RedactionPolicy policy, RedactedValues values, MatchFinder finder, bool isJsonOutput)
{
    private static readonly JsonDocumentOptions s_reading = new() { AllowDuplicateProperties = false, MaxDepth = 256 };

    private readonly ScreenMaker _screens = new(policy, values, finder, isJsonOutput);
    private readonly SortedDictionary<int, ChoiceTexts> _choices = [];
    private readonly SortedDictionary<int, CandidateParts> _candidates = [];
    private JsonObject? _last;
    private bool _isEvents;

    /// <summary>Takes one frame as it came and writes what may go on.</summary>
    /// <exception cref="ProtocolException">It holds answers and is no JSON: nobody could search it.</exception>
    public void Take(in ReadOnlySequence<byte> frame, IBufferWriter<byte> output)
    {
        if (!policy.RedactsAnswers && values.IsEmpty)
        {
            foreach (ReadOnlyMemory<byte> piece in frame)
            {
                output.Write(piece.Span);
            }

            return;
        }

        FrameText text = FrameText.Of(frame);
        _isEvents |= text.IsEvent;
        if (text.Json == "[DONE]")
        {
            End(output);
        }

        if (Parse(text.Json) is not { } told)
        {
            Write(output, text.Raw);
            return;
        }

        try
        {
            Write(output, text.With(Screened(told).ToJsonString(ScreenMaker.Writing)));
        }
        catch (InvalidOperationException)
        {
            throw Unsearchable(); // half a surrogate pair, as for every reader
        }
    }

    private JsonObject Screened(JsonObject told)
    {
        (JsonNode? choices, JsonNode? candidates) = (Detach(told, "choices"), Detach(told, "candidates"));
        told = _screens.Rest(told);
        foreach (JsonObject choice in Objects(choices))
        {
            At(_choices, choice).Take(choice, isEnd: choice["finish_reason"] is not null);
        }

        foreach (JsonObject candidate in Objects(candidates))
        {
            At(_candidates, candidate).Take(candidate, isEnd: candidate["finishReason"] is not null);
        }

        Attach(told, "choices", choices);
        Attach(told, "candidates", candidates);
        if (Objects(choices).Any() || Objects(candidates).Any())
        {
            _last = told;
        }

        return told;
    }

    /// <summary>The stream is over: what waits of answers that ended without saying so.</summary>
    public void End(IBufferWriter<byte> output)
    {
        foreach ((int index, ChoiceTexts texts) in _choices)
        {
            JsonObject choice = new() { ["index"] = index, ["finish_reason"] = null };
            int told = choice.Count;
            texts.Take(choice, isEnd: true);
            if (choice.Count > told)
            {
                Tell("choices", choice, output);
            }
        }

        foreach ((int index, CandidateParts parts) in _candidates)
        {
            JsonObject candidate = new() { ["index"] = index };
            parts.Take(candidate, isEnd: true);
            if (candidate.ContainsKey("content") && _isEvents) // in an array nothing may follow the bracket that closed it
            {
                Tell("candidates", candidate, output);
            }
        }

        _choices.Clear();
        _candidates.Clear();
    }

    private void Tell(string name, JsonObject answer, IBufferWriter<byte> output)
    {
        JsonObject frame = _last?.DeepClone() as JsonObject ?? [];
        frame.Remove("usage");
        frame.Remove("usageMetadata");
        frame[name] = new JsonArray((JsonNode)answer);
        Write(output, $"data: {frame.ToJsonString(ScreenMaker.Writing)}\n\n");
    }

    private ChoiceTexts At(SortedDictionary<int, ChoiceTexts> known, JsonObject choice) =>
        known.TryGetValue(IndexOf(choice), out ChoiceTexts? texts) ? texts : known[IndexOf(choice)] = new ChoiceTexts(_screens);

    private CandidateParts At(SortedDictionary<int, CandidateParts> known, JsonObject candidate) =>
        known.TryGetValue(IndexOf(candidate), out CandidateParts? parts) ? parts : known[IndexOf(candidate)] = new CandidateParts(_screens);

    /// <summary>An answer's number, or a call's; 0 where none is told.</summary>
    public static int IndexOf(JsonObject answer) => answer["index"] is JsonValue number && number.TryGetValue(out int told) ? told : 0;

    private static IEnumerable<JsonObject> Objects(JsonNode? list) => list is JsonArray array ? array.OfType<JsonObject>() : [];

    private static JsonNode? Detach(JsonObject told, string name)
    {
        JsonNode? found = told[name];
        if (found is not null)
        {
            told[name] = null; // its place is kept
        }

        return found;
    }

    private static void Attach(JsonObject told, string name, JsonNode? found)
    {
        if (found is not null)
        {
            told[name] = found;
        }
    }

    private static JsonObject? Parse(string data)
    {
        try
        {
            return data.StartsWith('{') ? JsonNode.Parse(data, documentOptions: s_reading) as JsonObject : null;
        }
        catch (JsonException)
        {
            throw Unsearchable();
        }
    }

    private static ProtocolException Unsearchable() => new(new ChatError(ChatErrorKind.BadGateway, "A piece of the upstream's answer is no text in JSON, so that it cannot be searched."));

    private static void Write(IBufferWriter<byte> output, string text) => output.Write(Encoding.UTF8.GetBytes(text));

    /// <summary>One frame, and where its JSON stands in it: an event, or the element of an array.</summary>
    private readonly record struct FrameText(string Raw, string Json, string Before, string After, bool IsEvent)
    {
        public static FrameText Of(in ReadOnlySequence<byte> frame)
        {
            string raw = Encoding.UTF8.GetString(frame);
            string[] lines = [.. raw.Split('\n').Select(static line => line.TrimEnd('\r'))];
            string[] data = [.. lines.Where(static line => line.StartsWith("data:", StringComparison.Ordinal)).Select(static line => line[5..].TrimStart(' '))];
            if (data.Length > 0)
            {
                string others = string.Concat(lines.Where(static line => line.Length > 0 && !line.StartsWith("data:", StringComparison.Ordinal)).Select(static line => line + "\n"));
                return new FrameText(raw, string.Join('\n', data).Trim(), others + "data: ", "\n\n", IsEvent: true);
            }

            (int start, int end) = (raw.IndexOf('{', StringComparison.Ordinal), raw.LastIndexOf('}'));
            return start < 0 || end < start || raw.AsSpan(0, start).Trim(" \t\r\n[,").Length > 0
                ? new FrameText(raw, "", "", "", IsEvent: false)
                : new FrameText(raw, raw[start..(end + 1)], raw[..start], raw[(end + 1)..], IsEvent: false);
        }

        public string With(string json) => string.Create(CultureInfo.InvariantCulture, $"{Before}{json}{After}");
    }
}
