using System.Globalization;
using System.Text.Json;

namespace Ballast.Cli.Conformance;

/// <summary>Holds answers to Google's generateContent (https://ai.google.dev/api/generate-content) and says what they hold.</summary>
internal static class GeminiAnswers
{
    private const string Whole = "the answer";
    private const string Chunk = "a chunk";

    public static Answer ReadWhole(Reply reply)
    {
        using JsonDocument document = Json.Parse(reply.Demand(stream: false).Text, Whole);
        State state = new();
        Read(document.RootElement, state, Whole);
        return state.End();
    }

    /// <summary>A stream of events: each holds a chunk, and nothing marks the end but the finish reason.</summary>
    public static Answer ReadStream(Reply reply) => ReadChunks(reply.Demand(stream: true).Events().Select(static one => one.Data));

    /// <summary>A stream without <c>alt=sse</c>: one array of the same chunks.</summary>
    public static Answer ReadArray(Reply reply)
    {
        using JsonDocument document = Json.Parse(reply.Demand(stream: false).Text, "the stream");
        Expect.That(document.RootElement.ValueKind == JsonValueKind.Array, "the stream without alt=sse is no array");
        return ReadChunks(document.RootElement.EnumerateArray().Select(static one => one.GetRawText()));
    }

    private static Answer ReadChunks(IEnumerable<string> chunks)
    {
        State state = new();
        foreach (string chunk in chunks)
        {
            using JsonDocument document = Json.Parse(chunk, Chunk);
            Expect.That(!document.RootElement.TryGetProperty("error", out _), $"the stream ends in an error: {chunk}");
            Read(document.RootElement, state, Chunk);
        }

        return state.End();
    }

    private static void Read(JsonElement root, State state, string where)
    {
        Answer answer = state.Answer;
        Expect.Text(root, "modelVersion", where);
        string id = Expect.Text(root, "responseId", where);
        Expect.That(answer.Id.Length == 0 || answer.Id == id, $"chunks have different ids: '{answer.Id}', '{id}'");
        answer.Id = id;
        if (root.TryGetProperty("usageMetadata", out JsonElement usage))
        {
            ReadUsage(usage, state);
        }

        if (!root.TryGetProperty("candidates", out JsonElement candidates))
        {
            return;
        }

        Expect.That(candidates.ValueKind == JsonValueKind.Array && candidates.GetArrayLength() == 1, "there is not one candidate");
        JsonElement candidate = candidates[0];
        if (candidate.TryGetProperty("content", out JsonElement content))
        {
            Expect.Text(content, "role", "model", "the content");
            if (content.TryGetProperty("parts", out JsonElement parts))
            {
                Expect.That(parts.ValueKind == JsonValueKind.Array, "the parts are no array");
                foreach (JsonElement part in parts.EnumerateArray())
                {
                    Expect.That(answer.Finish.Length == 0, "a part follows the finish reason");
                    ReadPart(part, state);
                }
            }
        }

        if (candidate.TryGetProperty("finishReason", out JsonElement finish))
        {
            Expect.That(finish.ValueKind == JsonValueKind.String && answer.Finish.Length == 0, "the finish reason is no text, or comes twice");
            answer.Finish = finish.GetString()!;
        }
    }

    private static void ReadPart(JsonElement part, State state)
    {
        Answer answer = state.Answer;
        state.Parts.Add(part.GetRawText());
        if (part.TryGetProperty("functionCall", out JsonElement called))
        {
            // The Gemini API gives no ids to calls of its older models.
            string id = called.TryGetProperty("id", out JsonElement given) && given.ValueKind == JsonValueKind.String
                ? given.GetString()!
                : string.Create(CultureInfo.InvariantCulture, $"call {answer.Calls.Count}");
            AnsweredCall call = new(id, Expect.Text(called, "name", "a functionCall"));
            call.Arguments.Append(called.TryGetProperty("args", out _) ? Expect.Field(called, "args", JsonValueKind.Object, "a functionCall").GetRawText() : "{}");
            answer.Calls.Add(call);
        }
        else if (part.TryGetProperty("thought", out JsonElement thought) && thought.ValueKind == JsonValueKind.True)
        {
            answer.HasThinking = true;
        }
        else if (part.TryGetProperty("text", out _))
        {
            answer.Text.Append(Expect.Text(part, "text", "a part"));
            answer.Pieces++;
        }
    }

    private static void ReadUsage(JsonElement usage, State state)
    {
        long prompt = Expect.Count(usage, "promptTokenCount", "usageMetadata");
        long others = (string[])["candidatesTokenCount", "thoughtsTokenCount", "toolUsePromptTokenCount"] is var names
            ? names.Sum(name => usage.TryGetProperty(name, out _) ? Expect.Count(usage, name, "usageMetadata") : 0)
            : 0;
        long total = Expect.Count(usage, "totalTokenCount", "usageMetadata");
        (state.Answer.InputTokens, state.Answer.OutputTokens) = (prompt, others);
        state.IsSum = total == prompt + others;
    }

    /// <summary>What has come so far.</summary>
    private sealed class State
    {
        public Answer Answer { get; } = new();
        public List<string> Parts { get; } = [];

        /// <summary>The last counts add up; while a stream runs they need not.</summary>
        public bool IsSum { get; set; }

        public Answer End()
        {
            Expect.That(Answer.Finish.Length > 0, "the answer ends without a finishReason");
            Expect.That(Answer.InputTokens > 0 && Answer.OutputTokens > 0, "usageMetadata counts no tokens");
            Expect.That(IsSum, "usageMetadata does not add up");
            Answer.Thinking = $$"""{"role":"model","parts":[{{string.Join(',', Parts)}}]}""";
            return Answer;
        }
    }
}
