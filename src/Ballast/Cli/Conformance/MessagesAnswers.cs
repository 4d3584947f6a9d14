using System.Text;
using System.Text.Json;

namespace Ballast.Cli.Conformance;

/// <summary>Holds answers to Anthropic's Messages (https://docs.anthropic.com/en/api/messages, …/build-with-claude/streaming) and says what they hold.</summary>
internal static class MessagesAnswers
{
    private const string Whole = "the answer";

    public static Answer ReadWhole(Reply reply)
    {
        using JsonDocument document = Json.Parse(reply.Demand(stream: false).Text, Whole);
        JsonElement root = document.RootElement;
        Answer answer = new() { Finish = Expect.Text(root, "stop_reason", Whole) };
        ReadMessage(root, answer);
        foreach (JsonElement block in Expect.Field(root, "content", JsonValueKind.Array, Whole).EnumerateArray())
        {
            if (BeginBlock(block, answer) is { } call)
            {
                call.Arguments.Append(Expect.Field(block, "input", JsonValueKind.Object, "a tool_use block").GetRawText());
            }
        }

        answer.OutputTokens = Expect.Count(Expect.Field(root, "usage", JsonValueKind.Object, Whole), "output_tokens", "usage");
        Expect.That(answer.OutputTokens > 0, "usage counts no output tokens");
        return answer;
    }

    public static Answer ReadStream(Reply reply)
    {
        List<(string? Name, string Data)> events = reply.Demand(stream: true).Events();
        Answer answer = new();
        StreamState state = new();
        foreach ((string? name, string data) in events)
        {
            using JsonDocument document = Json.Parse(data, "an event");
            string type = Expect.Text(document.RootElement, "type", "an event");
            Expect.That(name == type, $"an event named '{name}' holds '{type}'");
            Expect.That(!state.IsStopped, $"'{type}' follows message_stop");
            ReadEvent(type, document.RootElement, answer, state);
        }

        Expect.That(state.IsStopped, "the stream ends without message_stop");
        return answer;
    }

    private static void ReadEvent(string type, JsonElement root, Answer answer, StreamState state)
    {
        Expect.That(state.HasStarted || type is "message_start" or "ping", $"'{type}' comes before message_start");
        switch (type)
        {
            case "message_start":
                Expect.That(!state.HasStarted, "message_start comes twice");
                state.HasStarted = true;
                ReadMessage(Expect.Field(root, "message", JsonValueKind.Object, type), answer);
                break;
            case "content_block_start":
                Expect.That(state.Open < 0, "a block starts while another is open");
                Expect.That(Expect.Count(root, "index", type) == state.Next, $"a block does not have the next index, {state.Next}");
                state.Open = state.Next++;
                state.Call = BeginBlock(Expect.Field(root, "content_block", JsonValueKind.Object, type), answer);
                break;
            case "content_block_delta":
                Expect.That(Expect.Count(root, "index", type) == state.Open, "a delta belongs to a block that is not open");
                ReadDelta(Expect.Field(root, "delta", JsonValueKind.Object, type), answer, state);
                break;
            case "content_block_stop":
                Expect.That(Expect.Count(root, "index", type) == state.Open, "a block stops that is not open");
                state.End(answer);
                break;
            case "message_delta":
                Expect.That(state.Open < 0, "message_delta comes while a block is open");
                answer.Finish = Expect.Text(Expect.Field(root, "delta", JsonValueKind.Object, type), "stop_reason", type);
                answer.OutputTokens = Expect.Count(Expect.Field(root, "usage", JsonValueKind.Object, type), "output_tokens", type);
                Expect.That(answer.OutputTokens > 0, "usage counts no output tokens");
                break;
            case "message_stop":
                Expect.That(answer.Finish.Length > 0, "message_stop comes without a stop reason");
                state.IsStopped = true;
                break;
            case "error":
                throw new NonconformanceException($"the stream ends in an error: {root.GetRawText()}");
        }
    }

    private static void ReadMessage(JsonElement message, Answer answer)
    {
        answer.Id = Expect.Text(message, "id", "the message");
        Expect.Text(message, "type", "message", "the message");
        Expect.Text(message, "role", "assistant", "the message");
        Expect.Text(message, "model", "the message");
        JsonElement usage = Expect.Field(message, "usage", JsonValueKind.Object, "the message");
        answer.InputTokens = Expect.Count(usage, "input_tokens", "usage");
        Expect.Count(usage, "output_tokens", "usage");
    }

    private static AnsweredCall? BeginBlock(JsonElement block, Answer answer)
    {
        switch (Expect.Text(block, "type", "a block"))
        {
            case "text":
                answer.Text.Append(Expect.Text(block, "text", "a text block"));
                return null;
            case "thinking":
                Expect.Text(block, "thinking", "a thinking block");
                answer.HasThinking = true;
                return null;
            case "tool_use":
                Expect.Field(block, "input", JsonValueKind.Object, "a tool_use block");
                AnsweredCall call = new(Expect.Text(block, "id", "a tool_use block"), Expect.Text(block, "name", "a tool_use block"));
                answer.Calls.Add(call);
                return call;
            default:
                return null;
        }
    }

    private static void ReadDelta(JsonElement delta, Answer answer, StreamState state)
    {
        answer.Pieces++;
        switch (Expect.Text(delta, "type", "a delta"))
        {
            case "text_delta":
                answer.Text.Append(Expect.Text(delta, "text", "a text_delta"));
                break;
            case "input_json_delta":
                Expect.That(state.Call is not null, "an input_json_delta comes for a block that is no tool call");
                state.Call.Arguments.Append(Expect.Text(delta, "partial_json", "an input_json_delta"));
                break;
            case "thinking_delta":
                state.Thinking.Append(Expect.Text(delta, "thinking", "a thinking_delta"));
                break;
            case "signature_delta":
                state.Signature.Append(Expect.Text(delta, "signature", "a signature_delta"));
                break;
        }
    }

    /// <summary>Where in the order of events a stream stands.</summary>
    private sealed class StreamState
    {
        public bool HasStarted { get; set; }
        public bool IsStopped { get; set; }
        public long Open { get; set; } = -1;
        public long Next { get; set; }
        public AnsweredCall? Call { get; set; }
        public StringBuilder Thinking { get; } = new();
        public StringBuilder Signature { get; } = new();

        /// <summary>The open block is complete: a call without arguments is one with none, reasoning is as a whole answer would hold it.</summary>
        public void End(Answer answer)
        {
            if (Call is { Arguments.Length: 0 })
            {
                Call.Arguments.Append("{}");
            }

            if (Signature.Length > 0)
            {
                answer.Thinking = $$"""{"type":"thinking","thinking":{{Json.Quote(Thinking.ToString())}},"signature":{{Json.Quote(Signature.ToString())}}}""";
            }

            (Open, Call) = (-1, null);
            Thinking.Clear();
            Signature.Clear();
        }
    }
}
