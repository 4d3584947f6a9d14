using System.Text.Json.Nodes;
using Ballast.Sandbox.Generation;
using Ballast.Sandbox.Server;

namespace Ballast.Sandbox.Anthropic;

/// <summary>Writes an answer as the named events of a Messages stream.</summary>
internal sealed class MessagesStreamWriter(MessagesReply reply, Dice dice)
{
    private Dice _dice = dice;
    private bool _pinged;

    public IEnumerable<StreamEvent> Events()
    {
        JsonObject message = reply.Envelope([], isEnded: false);
        if (!reply.OmitsUsage)
        {
            message["usage"] = reply.Usage(1);
        }

        yield return Event("message_start", new JsonObject { ["message"] = message });
        int index = 0;
        foreach (Block block in Blocks())
        {
            foreach (StreamEvent next in BlockEvents(block, index))
            {
                yield return next;
            }

            index++;
        }

        JsonObject ending = new()
        {
            ["delta"] = new JsonObject
            {
                ["stop_reason"] = reply.StopReason,
                ["stop_sequence"] = reply.Answer.StopSequence,
                ["stop_details"] = null,
            },
        };
        if (!reply.OmitsUsage)
        {
            ending["usage"] = new JsonObject
            {
                ["input_tokens"] = reply.FreshTokens,
                ["cache_creation_input_tokens"] = reply.Cache.Written,
                ["cache_read_input_tokens"] = reply.Cache.Read,
                ["output_tokens"] = reply.Answer.OutputTokens,
            };
        }

        yield return Event("message_delta", ending, isEnding: true);
        yield return Event("message_stop", [], isEnding: true);
    }

    private IEnumerable<StreamEvent> BlockEvents(Block block, int index)
    {
        yield return Event(
            "content_block_start", new JsonObject { ["index"] = index, ["content_block"] = block.Opening }, tokens: block.OpeningTokens);
        if (!_pinged)
        {
            _pinged = true;
            yield return Event("ping", []);
        }

        if (block.DeltaType == "input_json_delta")
        {
            yield return Delta(block, index, "", 0);
        }

        foreach ((string text, int tokens) in Group(block.Pieces))
        {
            bool isWithheld = block.IsThinking && reply.Request.OmitsThinkingText;
            yield return isWithheld ? Event("ping", [], tokens: tokens) : Delta(block, index, text, tokens);
        }

        if (block.IsThinking)
        {
            string signature = reply.Signature.Sign(reply.ShownThinking);
            JsonObject delta = new() { ["type"] = "signature_delta", ["signature"] = signature };
            yield return Event("content_block_delta", new JsonObject { ["index"] = index, ["delta"] = delta });
        }

        yield return Event("content_block_stop", new JsonObject { ["index"] = index });
    }

    private IEnumerable<Block> Blocks()
    {
        List<Piece> thinking = Of(PieceKind.Thinking);
        if (thinking.Count > 0)
        {
            JsonObject opening = new() { ["type"] = "thinking", ["thinking"] = "", ["signature"] = "" };
            yield return new Block(opening, 0, "thinking_delta", "thinking", thinking);
        }

        List<Piece> text = [.. Of(PieceKind.Text), .. Of(PieceKind.Refusal)];
        if (text.Count > 0)
        {
            yield return new Block(new JsonObject { ["type"] = "text", ["text"] = "" }, 0, "text_delta", "text", text);
        }

        for (int i = 0; i < reply.Answer.Calls.Count; i++)
        {
            int call = i;
            ToolCall tool = reply.Answer.Calls[i];
            JsonObject opening = new() { ["type"] = "tool_use", ["id"] = tool.Id, ["name"] = tool.Name, ["input"] = new JsonObject() };
            int start = Of(PieceKind.CallStart).Where(piece => piece.Call == call).Sum(piece => piece.Tokens);
            List<Piece> arguments = [.. Of(PieceKind.CallArguments).Where(piece => piece.Call == call)];
            yield return new Block(opening, start, "input_json_delta", "partial_json", arguments);
        }
    }

    /// <summary>Deltas carry one token or a few.</summary>
    private IEnumerable<(string Text, int Tokens)> Group(List<Piece> pieces)
    {
        for (int i = 0; i < pieces.Count;)
        {
            int take = (int)Math.Min(_dice.Next(1, 4), pieces.Count - i);
            List<Piece> group = pieces.GetRange(i, take);
            i += take;
            yield return (string.Concat(group.Select(piece => piece.Text)), group.Sum(piece => piece.Tokens));
        }
    }

    private List<Piece> Of(PieceKind kind) => [.. reply.Answer.Pieces.Where(piece => piece.Kind == kind)];

    private static StreamEvent Delta(Block block, int index, string text, int tokens)
    {
        JsonObject delta = new() { ["type"] = block.DeltaType, [block.DeltaField] = text };
        return Event("content_block_delta", new JsonObject { ["index"] = index, ["delta"] = delta }, tokens: tokens);
    }

    private static StreamEvent Event(string name, JsonObject data, bool isEnding = false, int tokens = 0)
    {
        data.Insert(0, "type", name);
        return new StreamEvent(data.ToJsonString(RelaxedJson.Options), name, isEnding, tokens);
    }

    /// <summary>One content block before it is sent.</summary>
    private sealed record Block(JsonObject Opening, int OpeningTokens, string DeltaType, string DeltaField, List<Piece> Pieces)
    {
        public bool IsThinking => DeltaType == "thinking_delta";
    }
}
