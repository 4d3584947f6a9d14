using System.Text.Json;

namespace Ballast.Cli.Conformance;

/// <summary>Holds answers to OpenAI's Chat Completions (https://platform.openai.com/docs/api-reference/chat) and says what they hold.</summary>
internal static class ChatAnswers
{
    private const string Whole = "the answer";
    private const string Chunk = "a chunk";

    public static Answer ReadWhole(Reply reply)
    {
        using JsonDocument document = Json.Parse(reply.Demand(stream: false).Text, Whole);
        JsonElement root = document.RootElement;
        Expect.Text(root, "object", "chat.completion", Whole);
        Expect.Text(root, "model", Whole);
        Expect.Count(root, "created", Whole);
        JsonElement choices = Expect.Field(root, "choices", JsonValueKind.Array, Whole);
        Expect.That(choices.GetArrayLength() == 1, $"{choices.GetArrayLength()} choices, expected one");
        JsonElement choice = choices[0];
        Expect.That(Expect.Count(choice, "index", "the choice") == 0, "the only choice has not index 0");
        JsonElement message = Expect.Field(choice, "message", JsonValueKind.Object, "the choice");
        Expect.Text(message, "role", "assistant", "the message");
        Expect.That(message.TryGetProperty("content", out JsonElement content), "the message has no 'content' (null where it is empty)");
        Answer answer = new() { Id = Expect.Text(root, "id", Whole), Finish = Expect.Text(choice, "finish_reason", "the choice") };
        answer.Text.Append(content.ValueKind == JsonValueKind.String ? content.GetString() : null);
        if (message.TryGetProperty("tool_calls", out JsonElement calls) && calls.ValueKind == JsonValueKind.Array)
        {
            foreach (JsonElement call in calls.EnumerateArray())
            {
                ReadCall(call, answer).Arguments.Append(Expect.Text(Function(call), "arguments", "a tool call"));
            }
        }

        ReadUsage(Expect.Field(root, "usage", JsonValueKind.Object, Whole), answer);
        return answer;
    }

    /// <param name="reply">What came.</param>
    /// <param name="wantsUsage">The request asked for <c>stream_options.include_usage</c>.</param>
    public static Answer ReadStream(Reply reply, bool wantsUsage = false)
    {
        List<(string? Name, string Data)> events = reply.Demand(stream: true).Events();
        Expect.That(events.Count > 1, "the stream holds no chunks");
        Expect.That(events[^1].Data == "[DONE]", $"the stream ends with '{events[^1].Data}', not with [DONE]");
        Answer answer = new();
        bool hasUsage = false;
        foreach ((_, string data) in events.SkipLast(1))
        {
            Expect.That(data != "[DONE]", "[DONE] comes twice");
            Expect.That(!hasUsage, "a chunk follows the chunk with the usage");
            using JsonDocument document = Json.Parse(data, Chunk);
            JsonElement root = document.RootElement;
            Expect.That(!root.TryGetProperty("error", out _), $"the stream ends in an error: {data}");
            JsonElement choices = Expect.Field(root, "choices", JsonValueKind.Array, Chunk);
            if (root.TryGetProperty("usage", out JsonElement usage) && usage.ValueKind == JsonValueKind.Object)
            {
                Expect.That(wantsUsage, "usage comes in a stream whose caller did not ask for it");
                Expect.That(choices.GetArrayLength() == 0, "the chunk with the usage has choices");
                ReadUsage(usage, answer);
                hasUsage = true;
            }
            else if (choices.GetArrayLength() == 0)
            {
                // Azure's first chunk: what its filter says of the prompt.
                Expect.That(root.TryGetProperty("prompt_filter_results", out _), "a chunk has neither choices nor usage");
                continue;
            }

            ReadHead(root, answer);
            foreach (JsonElement choice in choices.EnumerateArray())
            {
                ReadChoice(choice, answer);
            }
        }

        Expect.That(answer.Finish.Length > 0, "the stream has no finish reason");
        Expect.That(hasUsage == wantsUsage, "no usage comes in a stream whose caller asked for it");
        return answer;
    }

    private static void ReadHead(JsonElement root, Answer answer)
    {
        Expect.Text(root, "object", "chat.completion.chunk", Chunk);
        string id = Expect.Text(root, "id", Chunk);
        Expect.That(answer.Id.Length == 0 || answer.Id == id, $"chunks have different ids: '{answer.Id}', '{id}'");
        answer.Id = id;
    }

    private static void ReadChoice(JsonElement choice, Answer answer)
    {
        Expect.That(Expect.Count(choice, "index", "a choice") == 0, "a choice has not index 0");
        JsonElement delta = Expect.Field(choice, "delta", JsonValueKind.Object, "a choice");
        bool isFirst = answer.Pieces == 0 && answer.Text.Length == 0 && answer.Calls.Count == 0;
        if (delta.TryGetProperty("content", out JsonElement content) && content.ValueKind == JsonValueKind.String && content.GetString() is { Length: > 0 } text)
        {
            Expect.That(answer.Finish.Length == 0, "text follows the finish reason");
            answer.Text.Append(text);
            answer.Pieces++;
        }

        if (delta.TryGetProperty("tool_calls", out JsonElement calls) && calls.ValueKind == JsonValueKind.Array)
        {
            Expect.That(answer.Finish.Length == 0, "a tool call follows the finish reason");
            foreach (JsonElement call in calls.EnumerateArray())
            {
                ReadCallPiece(call, answer);
            }
        }

        if (isFirst && answer.Pieces > 0)
        {
            Expect.That(answer.HasRole || delta.TryGetProperty("role", out _), "content comes before the role");
        }

        answer.HasRole |= delta.TryGetProperty("role", out JsonElement role) && role.ValueKind == JsonValueKind.String;
        if (choice.TryGetProperty("finish_reason", out JsonElement finish) && finish.ValueKind == JsonValueKind.String)
        {
            Expect.That(answer.Finish.Length == 0, "the finish reason comes twice");
            answer.Finish = finish.GetString()!;
        }
    }

    private static void ReadCallPiece(JsonElement call, Answer answer)
    {
        long index = Expect.Count(call, "index", "a piece of a tool call");
        if (index == answer.Calls.Count)
        {
            ReadCall(call, answer);
        }

        Expect.That(index < answer.Calls.Count, $"a piece belongs to tool call {index}, which was not begun");
        if (call.TryGetProperty("function", out JsonElement function) && function.TryGetProperty("arguments", out JsonElement piece)
            && piece.ValueKind == JsonValueKind.String)
        {
            answer.Calls[(int)index].Arguments.Append(piece.GetString());
            answer.Pieces++;
        }
    }

    private static AnsweredCall ReadCall(JsonElement call, Answer answer)
    {
        Expect.Text(call, "type", "function", "a tool call");
        AnsweredCall called = new(Expect.Text(call, "id", "a tool call"), Expect.Text(Function(call), "name", "a tool call"));
        answer.Calls.Add(called);
        return called;
    }

    private static JsonElement Function(JsonElement call) => Expect.Field(call, "function", JsonValueKind.Object, "a tool call");

    private static void ReadUsage(JsonElement usage, Answer answer)
    {
        answer.InputTokens = Expect.Count(usage, "prompt_tokens", "usage");
        answer.OutputTokens = Expect.Count(usage, "completion_tokens", "usage");
        long total = Expect.Count(usage, "total_tokens", "usage");
        Expect.That(total == answer.InputTokens + answer.OutputTokens, $"usage does not add up: {answer.InputTokens} + {answer.OutputTokens} is not {total}");
        Expect.That(answer.InputTokens > 0 && answer.OutputTokens > 0, "usage counts no tokens");
    }
}
