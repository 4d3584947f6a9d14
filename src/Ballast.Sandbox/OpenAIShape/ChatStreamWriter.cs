using System.Text.Json.Nodes;
using Ballast.Sandbox.Generation;
using Ballast.Sandbox.Server;

namespace Ballast.Sandbox.OpenAIShape;

/// <summary>Writes an answer as <c>chat.completion.chunk</c> events, ended by <c>[DONE]</c>.</summary>
internal sealed class ChatStreamWriter(ChatReply reply, Dice dice)
{
    private Dice _dice = dice;

    public IEnumerable<StreamEvent> Events()
    {
        if (reply.Dialect.FiltersContent)
        {
            yield return new StreamEvent(ContentFilter.FirstChunk().ToJsonString(RelaxedJson.Options));
        }

        for (int choice = 0; choice < reply.Answers.Count; choice++)
        {
            foreach (StreamEvent next in ChoiceEvents(reply.Answers[choice], choice))
            {
                yield return next;
            }
        }

        if (reply.Request.IncludeUsage && !reply.OmitsUsage)
        {
            JsonObject last = Chunk([]);
            last["usage"] = reply.Usage();
            yield return new StreamEvent(last.ToJsonString(RelaxedJson.Options), IsEnding: true);
        }

        yield return new StreamEvent("[DONE]", IsEnding: true);
    }

    private IEnumerable<StreamEvent> ChoiceEvents(Answer answer, int choice)
    {
        bool isCalling = answer.Calls.Count > 0;
        bool isRefused = answer.End == AnswerEnd.Refusal;
        JsonObject opening = new() { ["role"] = "assistant", ["content"] = isCalling || isRefused ? null : "" };
        if (!reply.Dialect.ShowsReasoning)
        {
            opening["refusal"] = isRefused ? "" : null;
        }

        yield return Event(opening, choice, tokens: choice == 0 ? (int)reply.HiddenReasoning : 0);
        if (reply.Dialect.WholeToolCalls && isCalling)
        {
            foreach (StreamEvent whole in WholeCalls(answer, choice))
            {
                yield return whole;
            }
        }
        else
        {
            foreach (Piece piece in answer.Pieces)
            {
                yield return Event(Delta(answer, piece), choice, piece.Tokens, reply.Logprobs([piece]));
            }
        }

        yield return Event([], choice, finish: ChatReply.FinishOf(answer, reply.Request));
    }

    private IEnumerable<StreamEvent> WholeCalls(Answer answer, int choice)
    {
        foreach (Piece piece in answer.Pieces.Where(piece => piece.Kind == PieceKind.Thinking))
        {
            yield return Event(Delta(answer, piece), choice, piece.Tokens);
        }

        for (int i = 0; i < answer.Calls.Count; i++)
        {
            int index = i;
            int tokens = answer.Pieces
                .Where(piece => piece.Kind is PieceKind.CallStart or PieceKind.CallArguments && piece.Call == index)
                .Sum(piece => piece.Tokens);
            yield return Event(CallDelta(answer.Calls[i], i, answer.Calls[i].Arguments), choice, tokens);
        }
    }

    private JsonObject Delta(Answer answer, Piece piece) => piece.Kind switch
    {
        PieceKind.Thinking => new JsonObject { [reply.Dialect.ReasoningField] = piece.Text },
        PieceKind.Refusal => new JsonObject { ["refusal"] = piece.Text },
        PieceKind.CallStart => CallDelta(answer.Calls[piece.Call], piece.Call, ""),
        PieceKind.CallArguments => ArgumentsDelta(answer.Calls[piece.Call], piece),
        _ => new JsonObject { ["content"] = piece.Text },
    };

    private JsonObject CallDelta(ToolCall call, int index, string arguments)
    {
        if (reply.Request.LegacyFunctions)
        {
            return new JsonObject { ["function_call"] = new JsonObject { ["name"] = call.Name, ["arguments"] = arguments } };
        }

        string kind = call.FreeText ? "custom" : "function";
        JsonObject delta = new() { ["index"] = index, ["id"] = call.Id, ["type"] = kind };
        delta[kind] = new JsonObject { ["name"] = call.Name, [call.FreeText ? "input" : "arguments"] = arguments };
        return new JsonObject { ["tool_calls"] = new JsonArray(delta) };
    }

    private JsonObject ArgumentsDelta(ToolCall call, Piece piece)
    {
        if (reply.Request.LegacyFunctions)
        {
            return new JsonObject { ["function_call"] = new JsonObject { ["arguments"] = piece.Text } };
        }

        JsonObject delta = new() { ["index"] = piece.Call };
        delta[call.FreeText ? "custom" : "function"] = new JsonObject { [call.FreeText ? "input" : "arguments"] = piece.Text };
        return new JsonObject { ["tool_calls"] = new JsonArray(delta) };
    }

    private StreamEvent Event(JsonObject delta, int index, int tokens = 0, JsonObject? logprobs = null, string? finish = null)
    {
        JsonObject choice = new() { ["index"] = index, ["delta"] = delta, ["logprobs"] = logprobs, ["finish_reason"] = finish };
        if (reply.Dialect.FiltersContent)
        {
            choice["content_filter_results"] = finish is null && tokens > 0 ? ContentFilter.AnswerResults() : new JsonObject();
        }

        return new StreamEvent(Chunk(new JsonArray(choice)).ToJsonString(RelaxedJson.Options), IsEnding: finish is not null, Tokens: tokens);
    }

    private JsonObject Chunk(JsonArray choices)
    {
        JsonObject chunk = new()
        {
            ["id"] = reply.Id,
            ["object"] = "chat.completion.chunk",
            ["created"] = reply.Created,
            ["model"] = reply.ServedModel,
        };
        if (reply.Dialect.ServiceTier is { } tier)
        {
            chunk["service_tier"] = tier;
            chunk["system_fingerprint"] = reply.Dialect.Fingerprint;
        }

        chunk["choices"] = choices;
        if (reply.Request.IncludeUsage && !reply.OmitsUsage && choices.Count > 0 && !reply.Dialect.ShowsReasoning)
        {
            chunk["usage"] = null;
        }

        if (reply.Dialect.Obfuscates)
        {
            chunk["obfuscation"] = _dice.NextId((int)_dice.Next(3, 14));
        }

        return chunk;
    }
}
