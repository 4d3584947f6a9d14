using System.Text.Json.Nodes;
using Ballast.Sandbox.Generation;
using Ballast.Sandbox.Server;

namespace Ballast.Sandbox.Responses;

/// <summary>Writes an answer as the events of the Responses API, numbered without a gap; nothing follows the last of them.</summary>
internal sealed class ResponsesStreamWriter(ResponsesReply reply, Dice dice)
{
    private Dice _dice = dice;
    private int _number;

    public IEnumerable<StreamEvent> Events()
    {
        if (reply.Request.Background)
        {
            yield return Event("response.queued", new JsonObject { ["response"] = reply.Describe("queued") });
        }
        else
        {
            yield return Event("response.created", new JsonObject { ["response"] = reply.Describe("in_progress") });
        }

        yield return Event("response.in_progress", new JsonObject { ["response"] = reply.Describe("in_progress") });
        for (int index = 0; index < reply.Items.Count; index++)
        {
            OutputItem item = reply.Items[index];
            yield return Event("response.output_item.added", new JsonObject { ["output_index"] = index, ["item"] = reply.Begin(item) });
            IEnumerable<StreamEvent> within = item.Kind switch
            {
                OutputKind.Reasoning => Summary(item, index),
                OutputKind.Message => Message(item, index),
                _ => Arguments(item, index),
            };
            foreach (StreamEvent next in within)
            {
                yield return next;
            }

            // Reasoning that is not told is made all the same.
            int silent = item.Kind == OutputKind.Reasoning && !reply.Request.Summarises ? item.Tokens : 0;
            yield return Event("response.output_item.done", new JsonObject { ["output_index"] = index, ["item"] = reply.Describe(item) }, silent);
        }

        yield return Event("response." + reply.Status, new JsonObject { ["response"] = reply.Describe(reply.Status) }, isEnding: true);
    }

    private IEnumerable<StreamEvent> Summary(OutputItem item, int index)
    {
        if (!reply.Request.Summarises)
        {
            yield break;
        }

        yield return Event("response.reasoning_summary_part.added", Within(item, index, "summary_index", ("part", SummaryPart(""))));
        foreach (Piece piece in item.Pieces)
        {
            yield return Event("response.reasoning_summary_text.delta", Within(item, index, "summary_index", ("delta", piece.Text)), piece.Tokens, pads: true);
        }

        yield return Event("response.reasoning_summary_text.done", Within(item, index, "summary_index", ("text", item.Text)));
        yield return Event("response.reasoning_summary_part.done", Within(item, index, "summary_index", ("part", SummaryPart(item.Text))));
    }

    private IEnumerable<StreamEvent> Message(OutputItem item, int index)
    {
        string kind = item.IsRefusal ? "refusal" : "output_text";
        yield return Event("response.content_part.added", Within(item, index, "content_index", ("part", reply.Part(item, ""))));
        foreach (Piece piece in item.Pieces)
        {
            JsonObject delta = Within(item, index, "content_index", ("delta", piece.Text));
            if (!item.IsRefusal)
            {
                delta["logprobs"] = reply.Logprobs([piece]);
            }

            yield return Event($"response.{kind}.delta", delta, piece.Tokens, pads: true);
        }

        JsonObject done = Within(item, index, "content_index", (item.IsRefusal ? "refusal" : "text", item.Text));
        if (!item.IsRefusal)
        {
            done["logprobs"] = reply.Logprobs(item.Pieces);
        }

        yield return Event($"response.{kind}.done", done);
        yield return Event("response.content_part.done", Within(item, index, "content_index", ("part", reply.Part(item, item.Text))));
    }

    private IEnumerable<StreamEvent> Arguments(OutputItem item, int index)
    {
        string kind = item.Kind == OutputKind.Custom ? "custom_tool_call_input" : "function_call_arguments";
        int begun = item.Pieces.Where(static piece => piece.Kind == PieceKind.CallStart).Sum(static piece => piece.Tokens);
        foreach (Piece piece in item.Pieces.Where(static piece => piece.Kind == PieceKind.CallArguments))
        {
            yield return Event($"response.{kind}.delta", Within(item, index, null, ("delta", piece.Text)), piece.Tokens + begun, pads: true);
            begun = 0;
        }

        JsonObject done = Within(item, index, null, (item.Kind == OutputKind.Custom ? "input" : "arguments", item.Text));
        yield return Event($"response.{kind}.done", done, begun);
    }

    private static JsonObject SummaryPart(string text) => new() { ["type"] = "summary_text", ["text"] = text };

    private static JsonObject Within(OutputItem item, int index, string? inner, (string Name, JsonNode Value) more)
    {
        JsonObject body = new() { ["item_id"] = item.Id, ["output_index"] = index };
        if (inner is not null)
        {
            body[inner] = 0;
        }

        body[more.Name] = more.Value;
        return body;
    }

    private StreamEvent Event(string type, JsonObject more, int tokens = 0, bool isEnding = false, bool pads = false)
    {
        JsonObject body = new() { ["type"] = type, ["sequence_number"] = _number++ };
        foreach (string name in more.Select(static field => field.Key).ToArray())
        {
            JsonNode? value = more[name];
            more.Remove(name);
            body[name] = value;
        }

        if (pads && reply.Request.Obfuscates)
        {
            body["obfuscation"] = _dice.NextId((int)_dice.Next(3, 14));
        }

        return new StreamEvent(body.ToJsonString(RelaxedJson.Options), type, isEnding, tokens);
    }
}
