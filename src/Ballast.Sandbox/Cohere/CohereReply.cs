using System.Text.Json.Nodes;
using Ballast.Sandbox.Generation;
using Ballast.Sandbox.Server;

namespace Ballast.Sandbox.Cohere;

/// <summary>An answer before it is written, whole or as Cohere's events.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Request">What was asked.</param>
/// <param name="Answer">What the model says.</param>
/// <param name="OmitsUsage">Nothing is counted.</param>
internal sealed record CohereReply(string Id, CohereRequest Request, Answer Answer, bool OmitsUsage)
{
    /// <summary>Cohere's own instructions, which the model reads and nobody pays for.</summary>
    private const long PreambleTokens = 496;

    private const string Plan = "I will use the tools at hand to find the answer.";

    public string Finish => Answer.End switch
    {
        AnswerEnd.MaxTokens => "MAX_TOKENS",
        AnswerEnd.StopSequence => "STOP_SEQUENCE",
        AnswerEnd.ToolCalls => "TOOL_CALL",
        _ => "COMPLETE",
    };

    public JsonObject Whole()
    {
        JsonArray content = [];
        if (Answer.Thinking.Length > 0)
        {
            content.Add((JsonNode)new JsonObject { ["type"] = "thinking", ["thinking"] = Answer.Thinking });
        }

        string text = Answer.Text + Answer.Refusal;
        if (text.Length > 0)
        {
            content.Add((JsonNode)new JsonObject { ["type"] = "text", ["text"] = text });
        }

        JsonObject message = new() { ["role"] = "assistant" };
        if (content.Count > 0)
        {
            message["content"] = content;
        }

        if (Answer.Calls.Count > 0)
        {
            message["tool_plan"] = Plan;
            message["tool_calls"] = new JsonArray([.. Answer.Calls.Select(static call => (JsonNode)CallOf(call, call.Arguments))]);
        }

        JsonObject body = new() { ["id"] = Id, ["message"] = message, ["finish_reason"] = Finish };
        if (!OmitsUsage)
        {
            body["usage"] = Usage();
        }

        return body;
    }

    public IEnumerable<StreamEvent> Events()
    {
        yield return Event("message-start", null, new JsonObject
        {
            ["role"] = "assistant",
            ["content"] = new JsonArray(),
            ["tool_plan"] = "",
            ["tool_calls"] = new JsonArray(),
            ["citations"] = new JsonArray(),
        });
        int index = 0;
        foreach (IGrouping<(bool IsThought, int Call, bool IsCall), Piece> group in Answer.Pieces.GroupBy(static piece => (
            piece.Kind == PieceKind.Thinking, piece.Call, piece.Kind is PieceKind.CallStart or PieceKind.CallArguments)))
        {
            IEnumerable<StreamEvent> events = group.Key.IsCall ? CallEvents([.. group], group.Key.Call) : ContentEvents([.. group], group.Key.IsThought ? "thinking" : "text", index++);
            foreach (StreamEvent next in events)
            {
                yield return next;
            }
        }

        JsonObject delta = new() { ["finish_reason"] = Finish };
        if (!OmitsUsage)
        {
            delta["usage"] = Usage();
        }

        JsonObject end = new() { ["type"] = "message-end", ["id"] = Id, ["delta"] = delta };
        yield return new StreamEvent(end.ToJsonString(RelaxedJson.Options), "message-end", IsEnding: true);
    }

    private IEnumerable<StreamEvent> ContentEvents(Piece[] pieces, string kind, int index)
    {
        yield return Event("content-start", index, new JsonObject { ["content"] = new JsonObject { ["type"] = kind, [kind] = "" } });
        foreach (Piece piece in pieces)
        {
            yield return Event("content-delta", index, new JsonObject { ["content"] = new JsonObject { [kind] = piece.Text } }, piece.Tokens);
        }

        yield return Event("content-end", index, null);
    }

    private IEnumerable<StreamEvent> CallEvents(Piece[] pieces, int index)
    {
        if (index == 0)
        {
            yield return Event("tool-plan-delta", null, new JsonObject { ["tool_plan"] = Plan });
        }

        foreach (Piece piece in pieces)
        {
            yield return piece.Kind == PieceKind.CallStart
                ? Event("tool-call-start", index, new JsonObject { ["tool_calls"] = CallOf(Answer.Calls[index], "") }, piece.Tokens)
                : Event("tool-call-delta", index, new JsonObject { ["tool_calls"] = new JsonObject { ["function"] = new JsonObject { ["arguments"] = piece.Text } } }, piece.Tokens);
        }

        yield return Event("tool-call-end", index, null);
    }

    private static JsonObject CallOf(ToolCall call, string arguments) => new()
    {
        ["id"] = call.Id,
        ["type"] = "function",
        ["function"] = new JsonObject { ["name"] = call.Name, ["arguments"] = arguments },
    };

    private StreamEvent Event(string type, int? index, JsonObject? message, int tokens = 0)
    {
        JsonObject body = new() { ["type"] = type };
        if (type == "message-start")
        {
            body["id"] = Id;
        }

        if (index is { } at)
        {
            body["index"] = at;
        }

        if (message is not null)
        {
            body["delta"] = new JsonObject { ["message"] = message };
        }

        return new StreamEvent(body.ToJsonString(RelaxedJson.Options), type, Tokens: tokens);
    }

    private JsonObject Usage() => new()
    {
        ["billed_units"] = new JsonObject { ["input_tokens"] = Request.InputTokens, ["output_tokens"] = Answer.OutputTokens },
        ["tokens"] = new JsonObject
        {
            ["input_tokens"] = Request.InputTokens + PreambleTokens,
            ["output_tokens"] = Answer.OutputTokens,
            ["reasoning_tokens"] = Answer.ThinkingTokens,
        },
        ["cached_tokens"] = 0,
    };
}
