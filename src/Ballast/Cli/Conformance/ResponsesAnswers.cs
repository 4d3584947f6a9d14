using System.Text;
using System.Text.Json;

namespace Ballast.Cli.Conformance;

/// <summary>
/// Holds answers to OpenAI's Responses (https://platform.openai.com/docs/api-reference/responses, …/responses-streaming) and says what they hold. The finish is the
/// status, or why it is incomplete.
/// </summary>
internal static class ResponsesAnswers
{
    private const string Whole = "the answer";

    public static Answer ReadWhole(Reply reply)
    {
        using JsonDocument document = Json.Parse(reply.Demand(stream: false).Text, Whole);
        return ReadResponse(document.RootElement);
    }

    public static Answer ReadStream(Reply reply)
    {
        StreamState state = new();
        foreach ((string? name, string data) in reply.Demand(stream: true).Events())
        {
            using JsonDocument document = Json.Parse(data, "an event");
            JsonElement root = document.RootElement;
            string type = Expect.Text(root, "type", "an event");
            Expect.That(name is null || name == type, $"an event named '{name}' holds '{type}'");
            Expect.That(state.Final is null, $"'{type}' follows the end of the stream");
            Expect.That(type != "error", $"the stream ends in an error: {data}");
            long number = Expect.Count(root, "sequence_number", type);
            Expect.That(number == state.Sequence, $"'{type}' has sequence number {number}, expected {state.Sequence}");
            ReadEvent(type, root, state);
            state.Sequence++;
        }

        Answer answer = state.Final ?? throw new NonconformanceException("the stream ends without response.completed or response.incomplete");
        answer.Pieces = state.Pieces;
        Expect.That(answer.Text.Equals(state.Text), $"the pieces join to '{state.Text}', the answer at the end says '{answer.Text}'");
        Expect.That(state.Open.Count == 0, "an item of the output is not done at the end");
        Expect.That(answer.Calls.Count == state.Arguments.Count, $"{state.Arguments.Count} tool calls were streamed, the answer at the end has {answer.Calls.Count}");
        foreach (AnsweredCall call in answer.Calls)
        {
            Expect.That(state.Arguments.Contains(call.Arguments.ToString()), "a tool call's arguments at the end are not those that were streamed");
        }

        return answer;
    }

    private static void ReadEvent(string type, JsonElement root, StreamState state)
    {
        Expect.That(state.Sequence > 0 || type == "response.created", $"the stream begins with '{type}', not with response.created");
        switch (type)
        {
            case "response.created":
                Expect.That(state.Sequence == 0, "response.created comes twice");
                state.Id = Expect.Text(Expect.Field(root, "response", JsonValueKind.Object, type), "id", "the response");
                break;
            case "response.output_item.added":
                Expect.That(Expect.Count(root, "output_index", type) == state.Items, $"an item does not have the next output_index, {state.Items}");
                state.Open[state.Items++] = Expect.Text(Expect.Field(root, "item", JsonValueKind.Object, type), "id", "an item");
                break;
            case "response.output_item.done":
                Expect.That(state.Open.Remove(state.ItemOf(root, type)), "an item is done twice");
                break;
            case "response.output_text.delta":
                state.ItemOf(root, type);
                state.Part.Append(Expect.Text(root, "delta", type));
                state.Pieces++;
                break;
            case "response.output_text.done":
                state.ItemOf(root, type);
                Expect.That(state.Part.Equals(Expect.Text(root, "text", type)), "the text of response.output_text.done is not what its pieces join to");
                state.Text.Append(state.Part);
                state.Part.Clear();
                break;
            case "response.function_call_arguments.delta":
                state.PiecesOf(state.ItemOf(root, type)).Append(Expect.Text(root, "delta", type));
                state.Pieces++;
                break;
            case "response.function_call_arguments.done":
                string arguments = Expect.Text(root, "arguments", type);
                Expect.That(state.PiecesOf(state.ItemOf(root, type)).Equals(arguments), "the arguments of a tool call are not what their pieces join to");
                state.Arguments.Add(arguments);
                break;
            case "response.completed" or "response.incomplete":
                state.Final = ReadResponse(Expect.Field(root, "response", JsonValueKind.Object, type));
                Expect.That(state.Final.Id == state.Id, $"the response was created as '{state.Id}' and ends as '{state.Final.Id}'");
                break;
            case "response.failed":
                throw new NonconformanceException($"the stream ends in a failure: {root.GetRawText()}");
        }
    }

    private static Answer ReadResponse(JsonElement root)
    {
        Expect.Text(root, "object", "response", Whole);
        Expect.Text(root, "model", Whole);
        Expect.Count(root, "created_at", Whole);
        string status = Expect.Text(root, "status", Whole);
        Answer answer = new()
        {
            Id = Expect.Text(root, "id", Whole),
            Finish = status == "incomplete" ? Expect.Text(Expect.Field(root, "incomplete_details", JsonValueKind.Object, Whole), "reason", Whole) : status,
        };
        foreach (JsonElement item in Expect.Field(root, "output", JsonValueKind.Array, Whole).EnumerateArray())
        {
            ReadItem(item, answer);
        }

        JsonElement usage = Expect.Field(root, "usage", JsonValueKind.Object, Whole);
        answer.InputTokens = Expect.Count(usage, "input_tokens", "usage");
        answer.OutputTokens = Expect.Count(usage, "output_tokens", "usage");
        long total = Expect.Count(usage, "total_tokens", "usage");
        Expect.That(total == answer.InputTokens + answer.OutputTokens, $"usage does not add up: {answer.InputTokens} + {answer.OutputTokens} is not {total}");
        Expect.That(answer.InputTokens > 0 && answer.OutputTokens > 0, "usage counts no tokens");
        return answer;
    }

    private static void ReadItem(JsonElement item, Answer answer)
    {
        Expect.Text(item, "id", "an item");
        switch (Expect.Text(item, "type", "an item"))
        {
            case "message":
                Expect.Text(item, "role", "assistant", "a message");
                Expect.Text(item, "status", "a message");
                foreach (JsonElement part in Expect.Field(item, "content", JsonValueKind.Array, "a message").EnumerateArray())
                {
                    if (Expect.Text(part, "type", "a part") == "output_text")
                    {
                        Expect.Field(part, "annotations", JsonValueKind.Array, "a part");
                        answer.Text.Append(Expect.Text(part, "text", "a part"));
                    }
                }

                break;
            case "function_call":
                AnsweredCall call = new(Expect.Text(item, "call_id", "a tool call"), Expect.Text(item, "name", "a tool call"));
                call.Arguments.Append(Expect.Text(item, "arguments", "a tool call"));
                answer.Calls.Add(call);
                break;
            case "reasoning":
                Expect.Field(item, "summary", JsonValueKind.Array, "a reasoning item");
                answer.HasThinking = true;
                answer.Thinking = item.TryGetProperty("encrypted_content", out JsonElement sealedBy) && sealedBy.ValueKind == JsonValueKind.String ? item.GetRawText() : null;
                break;
        }
    }

    /// <summary>Where in the order of events a stream stands.</summary>
    private sealed class StreamState
    {
        private readonly Dictionary<long, StringBuilder> _pieces = [];

        public string Id { get; set; } = "";
        public long Sequence { get; set; }
        public long Items { get; set; }
        public int Pieces { get; set; }
        public Answer? Final { get; set; }

        /// <summary>The ids of the items that are not done, by their place.</summary>
        public Dictionary<long, string> Open { get; } = [];

        /// <summary>The text whose end has been told, and the part that still comes.</summary>
        public StringBuilder Text { get; } = new();
        public StringBuilder Part { get; } = new();

        /// <summary>The arguments of the calls that are complete.</summary>
        public List<string> Arguments { get; } = [];

        public StringBuilder PiecesOf(long item) => _pieces.TryGetValue(item, out StringBuilder? known) ? known : _pieces[item] = new StringBuilder();

        /// <summary>The open item that an event belongs to, by place and, where the event names it, by id.</summary>
        public long ItemOf(JsonElement root, string type)
        {
            long index = Expect.Count(root, "output_index", type);
            Expect.That(Open.TryGetValue(index, out string? id), $"'{type}' belongs to item {index}, which is not open");
            Expect.That(!root.TryGetProperty("item_id", out JsonElement named) || named.ValueEquals(id), $"'{type}' names another item than the one at its place");
            return index;
        }
    }
}
