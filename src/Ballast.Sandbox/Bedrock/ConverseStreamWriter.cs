using System.Text.Json.Nodes;
using Ballast.Sandbox.Generation;
using Ballast.Sandbox.Server;

namespace Ballast.Sandbox.Bedrock;

/// <summary>Writes an answer as the events of ConverseStream: only tool calls have a start, and the usage comes after the stop.</summary>
internal sealed class ConverseStreamWriter(ConverseReply reply, Dice dice)
{
    private Dice _dice = dice;

    public IEnumerable<StreamEvent> Events()
    {
        yield return Event("messageStart", new JsonObject { ["role"] = "assistant" });
        int index = 0;
        foreach (StreamEvent next in Thinking(ref index).Concat(Text(ref index)).Concat(Calls(index)))
        {
            yield return next;
        }

        JsonObject stop = new() { ["stopReason"] = reply.StopReason };
        if (reply.Answer.StopSequence is { } sequence)
        {
            stop["additionalModelResponseFields"] = new JsonObject { ["stop_sequence"] = sequence };
        }

        yield return Event("messageStop", stop, isEnding: true);
        if (!reply.OmitsUsage)
        {
            yield return Event("metadata", new JsonObject { ["metrics"] = new JsonObject { ["latencyMs"] = 7 }, ["usage"] = reply.Usage() }, isEnding: true);
        }
    }

    private List<StreamEvent> Thinking(ref int index)
    {
        List<StreamEvent> events = [];
        if (reply.Answer.Thinking.Length == 0)
        {
            return events;
        }

        foreach ((string text, int tokens) in Group(Of(PieceKind.Thinking)))
        {
            JsonObject delta = new() { ["text"] = reply.Request.OmitsThinking ? "" : text };
            events.Add(Delta(index, new JsonObject { ["reasoningContent"] = delta }, tokens));
        }

        JsonObject signature = new() { ["signature"] = reply.Signature!.Sign(reply.ShownThinking) };
        events.Add(Delta(index, new JsonObject { ["reasoningContent"] = signature }, 0));
        events.Add(Event("contentBlockStop", new JsonObject { ["contentBlockIndex"] = index++ }));
        return events;
    }

    private List<StreamEvent> Text(ref int index)
    {
        List<StreamEvent> events = [];
        foreach ((string text, int tokens) in Group([.. Of(PieceKind.Text), .. Of(PieceKind.Refusal)]))
        {
            events.Add(Delta(index, new JsonObject { ["text"] = text }, tokens));
        }

        if (events.Count > 0)
        {
            events.Add(Event("contentBlockStop", new JsonObject { ["contentBlockIndex"] = index++ }));
        }

        return events;
    }

    private IEnumerable<StreamEvent> Calls(int first)
    {
        for (int i = 0; i < reply.Answer.Calls.Count; i++)
        {
            int call = i;
            ToolCall tool = reply.Answer.Calls[i];
            JsonObject start = new() { ["toolUse"] = new JsonObject { ["toolUseId"] = tool.Id, ["name"] = tool.Name } };
            int startTokens = Of(PieceKind.CallStart).Where(piece => piece.Call == call).Sum(static piece => piece.Tokens);
            yield return Event("contentBlockStart", new JsonObject { ["contentBlockIndex"] = first + i, ["start"] = start }, tokens: startTokens);
            foreach ((string text, int tokens) in Group([.. Of(PieceKind.CallArguments).Where(piece => piece.Call == call)]))
            {
                yield return Delta(first + call, new JsonObject { ["toolUse"] = new JsonObject { ["input"] = text } }, tokens);
            }

            yield return Event("contentBlockStop", new JsonObject { ["contentBlockIndex"] = first + call });
        }
    }

    /// <summary>Deltas carry one token or a few.</summary>
    private List<(string Text, int Tokens)> Group(List<Piece> pieces)
    {
        List<(string, int)> groups = [];
        for (int i = 0; i < pieces.Count;)
        {
            List<Piece> group = pieces.GetRange(i, (int)Math.Min(_dice.Next(1, 4), pieces.Count - i));
            i += group.Count;
            groups.Add((string.Concat(group.Select(static piece => piece.Text)), group.Sum(static piece => piece.Tokens)));
        }

        return groups;
    }

    private List<Piece> Of(PieceKind kind) => [.. reply.Answer.Pieces.Where(piece => piece.Kind == kind)];

    private static StreamEvent Delta(int index, JsonObject delta, int tokens) =>
        Event("contentBlockDelta", new JsonObject { ["contentBlockIndex"] = index, ["delta"] = delta }, tokens: tokens);

    private static StreamEvent Event(string name, JsonObject data, bool isEnding = false, int tokens = 0)
    {
        string text = data.ToJsonString(RelaxedJson.Options);
        data["p"] = BinaryFraming.Padding(text.Length);
        return new StreamEvent(data.ToJsonString(RelaxedJson.Options), name, isEnding, tokens);
    }
}
