using System.Text.Json;

namespace Ballast.Cli.Demo;

/// <summary>
/// Reads an answer as an application on Anthropic's Messages does and holds it to that protocol (https://docs.claude.com/en/api/messages-streaming).
/// Shares no code with the gateway, so that one error cannot hide another.
/// </summary>
internal static class AnthropicAnswer
{
    private const string Whole = "the answer";

    public static void ReadWhole(string body, DemoAnswer answer)
    {
        using JsonDocument document = AnswerJson.Parse(body, Whole);
        JsonElement root = document.RootElement;
        AnswerJson.Text(root, "id", Whole);
        AnswerJson.Equal(root, "type", "message", Whole);
        AnswerJson.Equal(root, "role", "assistant", Whole);
        AnswerJson.Text(root, "model", Whole);
        AnswerJson.Field(root, "usage", JsonValueKind.Object, Whole);
        answer.Finish = AnswerJson.Text(root, "stop_reason", Whole);
        foreach (JsonElement block in AnswerJson.Field(root, "content", JsonValueKind.Array, Whole).EnumerateArray())
        {
            BeginBlock(block, answer);
            if (block.TryGetProperty("input", out JsonElement input))
            {
                answer.Calls[^1].Arguments.Append(input.GetRawText());
            }
        }

        answer.IsComplete = true;
    }

    /// <summary>One event of a stream: its name and its data must agree.</summary>
    public static void ReadEvent(string? name, string data, DemoAnswer answer)
    {
        if (answer.IsComplete || answer.Error is not null)
        {
            throw new MalformedAnswerException("something follows the end of the stream");
        }

        using JsonDocument document = AnswerJson.Parse(data, "an event");
        JsonElement root = document.RootElement;
        string type = AnswerJson.Text(root, "type", "an event");
        if (type != name)
        {
            throw new MalformedAnswerException($"an event named '{name}' holds '{type}'");
        }

        if (type is not ("message_start" or "ping" or "error") && !answer.IsBegun)
        {
            throw new MalformedAnswerException($"{type} comes before message_start");
        }

        switch (type)
        {
            case "message_start" when answer.IsBegun:
                throw new MalformedAnswerException("the message starts twice");
            case "message_start":
                answer.IsBegun = true;
                AnswerJson.Equal(AnswerJson.Field(root, "message", JsonValueKind.Object, "message_start"), "role", "assistant", "message_start");
                break;
            case "content_block_start":
                if (answer.Open.Count > 0 || !answer.Open.Add(IndexOf(root)))
                {
                    throw new MalformedAnswerException("a block begins inside another");
                }

                BeginBlock(AnswerJson.Field(root, "content_block", JsonValueKind.Object, type), answer);
                break;
            case "content_block_delta":
                if (!answer.Open.Contains(IndexOf(root)))
                {
                    throw new MalformedAnswerException("a delta comes for a block that is not open");
                }

                ReadDelta(AnswerJson.Field(root, "delta", JsonValueKind.Object, type), answer);
                break;
            case "content_block_stop":
                if (!answer.Open.Remove(IndexOf(root)))
                {
                    throw new MalformedAnswerException("a block ends that is not open");
                }

                break;
            case "message_delta":
                answer.Finish = AnswerJson.Text(AnswerJson.Field(root, "delta", JsonValueKind.Object, type), "stop_reason", type);
                break;
            case "message_stop":
                answer.IsComplete = answer.Finish is not null && answer.Open.Count == 0 ? true
                    : throw new MalformedAnswerException("the message stops without a stop reason, or inside a block");
                break;
            case "error":
                answer.Error = ReadError(root);
                break;
        }
    }

    public static string ReadError(string body)
    {
        using JsonDocument document = AnswerJson.Parse(body, "the error");
        return ReadError(document.RootElement);
    }

    private static string ReadError(JsonElement root)
    {
        AnswerJson.Equal(root, "type", "error", "the error");
        JsonElement error = AnswerJson.Field(root, "error", JsonValueKind.Object, "the error");
        AnswerJson.Text(error, "type", "the error");
        string message = AnswerJson.Text(error, "message", "the error");
        return message.Length > 0 ? message : throw new MalformedAnswerException("the error says nothing");
    }

    private static int IndexOf(JsonElement root) => AnswerJson.Field(root, "index", JsonValueKind.Number, "an event of a block").GetInt32();

    private static void BeginBlock(JsonElement block, DemoAnswer answer)
    {
        switch (AnswerJson.Text(block, "type", "a block"))
        {
            case "text":
                answer.Text.Append(AnswerJson.Text(block, "text", "a text block"));
                break;
            case "tool_use":
                answer.Calls.Add(new CalledTool(AnswerJson.Text(block, "id", "a tool call"), AnswerJson.Text(block, "name", "a tool call")));
                break;
        }

        answer.HasContent = true;
    }

    private static void ReadDelta(JsonElement delta, DemoAnswer answer)
    {
        switch (AnswerJson.Text(delta, "type", "a delta"))
        {
            case "text_delta":
                answer.Text.Append(AnswerJson.Text(delta, "text", "a delta"));
                break;
            case "input_json_delta" when answer.Calls.Count > 0:
                answer.Calls[^1].Arguments.Append(AnswerJson.Text(delta, "partial_json", "a delta"));
                break;
        }

        answer.HasContent = true;
    }
}
