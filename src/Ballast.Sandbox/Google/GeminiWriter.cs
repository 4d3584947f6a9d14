using System.Text.Json.Nodes;
using Ballast.Sandbox.Generation;
using Ballast.Sandbox.Server;

namespace Ballast.Sandbox.Google;

/// <summary>Writes an answer whole, or as the chunks of a stream: each is an answer of its own, with what it adds and all the usage so far.</summary>
internal sealed class GeminiWriter(GeminiReply reply, Dice dice)
{
    private Dice _dice = dice;
    private long _output;
    private long _thought;

    public static JsonObject Whole(GeminiReply reply)
    {
        Answer answer = reply.Answer;
        if (reply.IsBlocked)
        {
            return reply.Envelope(null, isLast: true, 0, 0);
        }

        JsonArray parts = [];
        if (answer.Thinking.Length > 0 && reply.Request.ShowsThoughts)
        {
            parts.Add((JsonNode)new JsonObject { ["text"] = answer.Thinking, ["thought"] = true });
        }

        if (answer.Text.Length > 0)
        {
            JsonObject text = new() { ["text"] = answer.Text };
            if (reply is { Signs: true, Request.Model.IsThird: true })
            {
                text["thoughtSignature"] = reply.SignatureOf("text");
            }

            parts.Add((JsonNode)text);
        }

        for (int i = 0; i < answer.Calls.Count; i++)
        {
            if (reply.CallPart(i) is { } call)
            {
                parts.Add((JsonNode)call);
            }
        }

        return reply.Envelope(parts, isLast: true, answer.OutputTokens - answer.ThinkingTokens, answer.ThinkingTokens);
    }

    public IEnumerable<StreamEvent> Events()
    {
        if (reply.IsBlocked)
        {
            yield return Event(reply.Envelope(null, isLast: true, 0, 0), 0, isEnding: true);
            yield break;
        }

        foreach ((string text, int tokens) in Group(PieceKind.Thinking))
        {
            _thought += tokens;
            if (reply.Request.ShowsThoughts)
            {
                yield return Chunk(new JsonObject { ["text"] = text, ["thought"] = true }, tokens);
            }
        }

        long hidden = reply.Request.ShowsThoughts ? 0 : _thought;
        foreach ((string text, int tokens) in Group(PieceKind.Text))
        {
            _output += tokens;
            yield return Chunk(new JsonObject { ["text"] = text }, (int)(tokens + hidden));
            hidden = 0;
        }

        for (int i = 0; i < reply.Answer.Calls.Count; i++)
        {
            int tokens = reply.Answer.Pieces.Where(piece => piece.Kind is PieceKind.CallStart or PieceKind.CallArguments && piece.Call == i).Sum(static piece => piece.Tokens);
            _output += tokens;
            if (reply.CallPart(i) is { } call)
            {
                yield return Chunk(call, (int)(tokens + hidden));
                hidden = 0;
            }
            else
            {
                hidden += tokens;
            }
        }

        // The last chunk has no text, and maybe the signature of all of it.
        JsonObject last = new() { ["text"] = "" };
        if (reply is { Signs: true, Request.Model.IsThird: true, Answer.Calls.Count: 0 })
        {
            last["thoughtSignature"] = reply.SignatureOf("text");
        }

        yield return Event(reply.Envelope(new JsonArray(last), isLast: true, _output, _thought), (int)hidden, isEnding: true);
    }

    private StreamEvent Chunk(JsonObject part, int tokens) => Event(reply.Envelope(new JsonArray(part), isLast: false, _output, _thought), tokens, isEnding: false);

    private static StreamEvent Event(JsonObject data, int tokens, bool isEnding) => new(data.ToJsonString(RelaxedJson.Options), null, isEnding, tokens);

    /// <summary>Chunks carry some tokens each.</summary>
    private IEnumerable<(string Text, int Tokens)> Group(PieceKind kind)
    {
        List<Piece> pieces = [.. reply.Answer.Pieces.Where(piece => piece.Kind == kind)];
        for (int i = 0; i < pieces.Count;)
        {
            // Never all at once: a stream of one piece would show nothing of what a stream is for.
            int take = (int)Math.Min(_dice.Next(2, 6), i == 0 && pieces.Count > 1 ? pieces.Count - 1 : pieces.Count - i);
            List<Piece> group = pieces.GetRange(i, take);
            i += take;
            yield return (string.Concat(group.Select(static piece => piece.Text)), group.Sum(static piece => piece.Tokens));
        }
    }
}
