using System.Text.Json;

namespace Ballast.Cli.Demo;

/// <summary>
/// Reads an answer as an application on OpenAI's Chat Completions does and holds it to that protocol
/// (https://platform.openai.com/docs/api-reference/chat). Shares no code with the gateway, so that one error cannot hide another.
/// </summary>
internal static class OpenAIAnswer
{
    private const string Whole = "the answer";
    private const string Chunk = "a chunk";

    public static void ReadWhole(string body, DemoAnswer answer)
    {
        using JsonDocument document = AnswerJson.Parse(body, Whole);
        JsonElement root = document.RootElement;
        AnswerJson.Text(root, "id", Whole);
        AnswerJson.Equal(root, "object", "chat.completion", Whole);
        AnswerJson.Text(root, "model", Whole);
        JsonElement choices = AnswerJson.Field(root, "choices", JsonValueKind.Array, Whole);
        if (choices.GetArrayLength() == 0)
        {
            throw new MalformedAnswerException("the answer has no choice");
        }

        foreach (JsonElement choice in choices.EnumerateArray())
        {
            JsonElement message = AnswerJson.Field(choice, "message", JsonValueKind.Object, "a choice");
            AnswerJson.Equal(message, "role", "assistant", "a message");
            answer.Finish = AnswerJson.Text(choice, "finish_reason", "a choice");
            ReadContent(message, IndexOf(choice), answer);
        }

        answer.IsComplete = true;
    }

    /// <summary>One <c>data:</c> of a stream.</summary>
    public static void ReadEvent(string data, DemoAnswer answer)
    {
        if (answer.IsComplete || answer.Error is not null)
        {
            throw new MalformedAnswerException("something follows the end of the stream");
        }

        if (data == "[DONE]")
        {
            answer.IsComplete = answer.Finish is not null && answer.Open.Count == 0 ? true : throw new MalformedAnswerException("the stream is done without a finish reason");
            return;
        }

        using JsonDocument document = AnswerJson.Parse(data, Chunk);
        JsonElement root = document.RootElement;
        if (root.ValueKind == JsonValueKind.Object && root.TryGetProperty("error", out _))
        {
            answer.Error = ReadError(root);
            return;
        }

        AnswerJson.Text(root, "id", Chunk);
        JsonElement choices = AnswerJson.Field(root, "choices", JsonValueKind.Array, Chunk);
        if (choices.GetArrayLength() > 0)
        {
            // Azure's first chunk, which holds only what its filter says of the prompt, has an empty 'object'.
            AnswerJson.Equal(root, "object", "chat.completion.chunk", Chunk);
        }

        foreach (JsonElement choice in choices.EnumerateArray())
        {
            int index = IndexOf(choice);
            ReadContent(AnswerJson.Field(choice, "delta", JsonValueKind.Object, "a choice"), index, answer);
            answer.Open.Add(index);
            if (AnswerJson.OptionalText(choice, "finish_reason") is { } finish)
            {
                answer.Finish = finish;
                answer.Open.Remove(index);
            }
        }
    }

    private static int IndexOf(JsonElement choice) => AnswerJson.Field(choice, "index", JsonValueKind.Number, "a choice").GetInt32();

    public static string ReadError(string body)
    {
        using JsonDocument document = AnswerJson.Parse(body, "the error");
        return ReadError(document.RootElement);
    }

    private static string ReadError(JsonElement root)
    {
        JsonElement error = AnswerJson.Field(root, "error", JsonValueKind.Object, "the error");
        string message = AnswerJson.Text(error, "message", "the error");
        AnswerJson.Text(error, "type", "the error");
        return message.Length > 0 ? message : throw new MalformedAnswerException("the error says nothing");
    }

    /// <summary>A message and a delta hold their content alike; a delta's calls carry the index of the call that they continue.</summary>
    private static void ReadContent(JsonElement message, int choice, DemoAnswer answer)
    {
        string? text = AnswerJson.OptionalText(message, "content") ?? AnswerJson.OptionalText(message, "refusal");
        answer.Text.Append(text);
        answer.HasContent |= text is { Length: > 0 } || AnswerJson.OptionalText(message, "reasoning_content") is { Length: > 0 };
        if (!AnswerJson.TryList(message, "tool_calls", out JsonElement calls))
        {
            return;
        }

        answer.HasContent = true;
        int position = 0;
        foreach (JsonElement call in calls.EnumerateArray())
        {
            int index = call.TryGetProperty("index", out JsonElement written) ? written.GetInt32() : position;
            position++;
            JsonElement function = AnswerJson.Field(call, "function", JsonValueKind.Object, "a tool call");
            if (AnswerJson.OptionalText(call, "id") is { } id)
            {
                answer.Calls.Add(new CalledTool(id, AnswerJson.Text(function, "name", "a tool call"), choice, index));
            }

            CalledTool called = answer.Calls.LastOrDefault(begun => begun.Choice == choice && begun.Index == index)
                ?? throw new MalformedAnswerException("arguments come for a tool call that was not begun");
            called.Arguments.Append(AnswerJson.OptionalText(function, "arguments"));
        }
    }
}
