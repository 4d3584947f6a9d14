using System.Text;
using System.Text.Json;

namespace Ballast.Cli.Conformance;

/// <summary>Holds answers to AWS's Converse and ConverseStream (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html) and says what they hold.</summary>
internal static class BedrockAnswers
{
    private const string Whole = "the answer";

    public static Answer ReadWhole(Reply reply)
    {
        using JsonDocument document = Json.Parse(reply.Demand(stream: false).Text, Whole);
        JsonElement root = document.RootElement;
        JsonElement message = Expect.Field(Expect.Field(root, "output", JsonValueKind.Object, Whole), "message", JsonValueKind.Object, "the output");
        Expect.Text(message, "role", "assistant", "the message");
        Answer answer = new() { Id = reply.Header(Surface.Bedrock.RequestIdHeader!) ?? "", Finish = Expect.Text(root, "stopReason", Whole) };
        foreach (JsonElement block in Expect.Field(message, "content", JsonValueKind.Array, "the message").EnumerateArray())
        {
            ReadBlock(block, answer);
        }

        ReadEnd(root, answer, Whole);
        return answer;
    }

    public static Answer ReadStream(Reply reply)
    {
        Answer answer = new() { Id = reply.Header(Surface.Bedrock.RequestIdHeader!) ?? "" };
        StreamState state = new();
        foreach ((Dictionary<string, string> headers, string payload) in BinaryEvents.Read(reply.Demand(stream: true, Surface.Bedrock.StreamType).Body))
        {
            string kind = headers.GetValueOrDefault(":message-type") ?? "";
            Expect.That(kind == "event", $"the stream ends in an {kind}: {payload}");
            Expect.Any(headers.GetValueOrDefault(":content-type") ?? "", "an event's content type", "application/json");
            string type = headers.GetValueOrDefault(":event-type") ?? "";
            using JsonDocument document = Json.Parse(payload, "an event");
            ReadEvent(type, document.RootElement, answer, state);
        }

        Expect.That(state.HasUsage, "the stream ends without metadata");
        return answer;
    }

    private static void ReadEvent(string type, JsonElement root, Answer answer, StreamState state)
    {
        Expect.That(!state.HasUsage, $"'{type}' follows metadata");
        Expect.That(answer.HasRole || type == "messageStart", $"'{type}' comes before messageStart");
        Expect.That(answer.Finish.Length == 0 || type == "metadata", $"'{type}' follows messageStop");
        switch (type)
        {
            case "messageStart":
                Expect.That(!answer.HasRole, "messageStart comes twice");
                Expect.Text(root, "role", "assistant", type);
                answer.HasRole = true;
                break;
            case "contentBlockStart":
                state.Begin(Expect.Count(root, "contentBlockIndex", type));
                JsonElement call = Expect.Field(Expect.Field(root, "start", JsonValueKind.Object, type), "toolUse", JsonValueKind.Object, type);
                answer.Calls.Add(new AnsweredCall(Expect.Text(call, "toolUseId", "a toolUse"), Expect.Text(call, "name", "a toolUse")));
                break;
            case "contentBlockDelta":
                long index = Expect.Count(root, "contentBlockIndex", type);
                if (index != state.Open)
                {
                    state.Begin(index); // a text has no start of its own
                }

                ReadDelta(Expect.Field(root, "delta", JsonValueKind.Object, type), answer, state);
                break;
            case "contentBlockStop":
                Expect.That(Expect.Count(root, "contentBlockIndex", type) == state.Open, "a block stops that is not open");
                state.End(answer);
                break;
            case "messageStop":
                Expect.That(state.Open < 0, "messageStop comes while a block is open");
                answer.Finish = Expect.Text(root, "stopReason", type);
                break;
            case "metadata":
                Expect.That(answer.Finish.Length > 0, "metadata comes before messageStop");
                ReadEnd(root, answer, type);
                state.HasUsage = true;
                break;
        }
    }

    private static void ReadDelta(JsonElement delta, Answer answer, StreamState state)
    {
        answer.Pieces++;
        if (delta.TryGetProperty("toolUse", out JsonElement tool))
        {
            Expect.That(answer.Calls.Count > 0, "a piece of a tool call comes before its start");
            answer.Calls[^1].Arguments.Append(Expect.Text(tool, "input", "a piece of a tool call"));
        }
        else if (delta.TryGetProperty("reasoningContent", out JsonElement reasoning))
        {
            answer.HasThinking = true;
            state.Thinking.Append(reasoning.TryGetProperty("text", out _) ? Expect.Text(reasoning, "text", "a piece of reasoning") : "");
            state.Signature.Append(reasoning.TryGetProperty("signature", out _) ? Expect.Text(reasoning, "signature", "a piece of reasoning") : "");
        }
        else
        {
            answer.Text.Append(Expect.Text(delta, "text", "a delta"));
        }
    }

    private static void ReadBlock(JsonElement block, Answer answer)
    {
        if (block.TryGetProperty("toolUse", out JsonElement tool))
        {
            AnsweredCall call = new(Expect.Text(tool, "toolUseId", "a toolUse"), Expect.Text(tool, "name", "a toolUse"));
            call.Arguments.Append(Expect.Field(tool, "input", JsonValueKind.Object, "a toolUse").GetRawText());
            answer.Calls.Add(call);
        }
        else if (block.TryGetProperty("reasoningContent", out JsonElement reasoning))
        {
            answer.HasThinking = true;
            answer.Thinking = reasoning.TryGetProperty("reasoningText", out JsonElement text) && text.TryGetProperty("signature", out _) ? block.GetRawText() : null;
        }
        else
        {
            answer.Text.Append(Expect.Text(block, "text", "a block"));
        }
    }

    private static void ReadEnd(JsonElement root, Answer answer, string where)
    {
        JsonElement usage = Expect.Field(root, "usage", JsonValueKind.Object, where);
        answer.InputTokens = Expect.Count(usage, "inputTokens", "usage");
        answer.OutputTokens = Expect.Count(usage, "outputTokens", "usage");
        long total = Expect.Count(usage, "totalTokens", "usage");
        long cached = ((string[])["cacheReadInputTokens", "cacheWriteInputTokens"]).Sum(name => usage.TryGetProperty(name, out _) ? Expect.Count(usage, name, "usage") : 0);
        Expect.That(total == answer.InputTokens + answer.OutputTokens + cached, "usage does not add up");
        Expect.That(answer.InputTokens > 0 && answer.OutputTokens > 0, "usage counts no tokens");
        Expect.Count(Expect.Field(root, "metrics", JsonValueKind.Object, where), "latencyMs", "the metrics");
    }

    /// <summary>Where in the order of events a stream stands.</summary>
    private sealed class StreamState
    {
        private long _next;

        public long Open { get; private set; } = -1;
        public bool HasUsage { get; set; }
        public StringBuilder Thinking { get; } = new();
        public StringBuilder Signature { get; } = new();

        public void Begin(long index)
        {
            Expect.That(Open < 0, "a block starts while another is open");
            Expect.That(index == _next, $"a block does not have the next index, {_next}");
            (Open, _next) = (index, index + 1);
        }

        /// <summary>The open block is complete: a call without arguments is one with none, reasoning is as a whole answer would hold it.</summary>
        public void End(Answer answer)
        {
            if (answer.Calls.Count > 0 && answer.Calls[^1].Arguments.Length == 0)
            {
                answer.Calls[^1].Arguments.Append("{}");
            }

            if (Signature.Length > 0)
            {
                string text = $"\"text\":{Json.Quote(Thinking.ToString())},\"signature\":{Json.Quote(Signature.ToString())}";
                answer.Thinking = "{\"reasoningContent\":{\"reasoningText\":{" + text + "}}}";
            }

            Open = -1;
            Thinking.Clear();
            Signature.Clear();
        }
    }
}
