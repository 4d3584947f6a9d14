using System.Globalization;
using System.Text.Json.Nodes;
using Ballast.Sandbox.Generation;
using Ballast.Sandbox.Server;

namespace Ballast.Sandbox.Ollama;

/// <summary>An answer before it is written, as one object or as lines; a call of a tool always comes whole.</summary>
/// <param name="Model">As it was asked for.</param>
/// <param name="Request">What was asked.</param>
/// <param name="Answer">What the model says.</param>
/// <param name="IsChat">A message; else the text of a completion.</param>
/// <param name="OmitsUsage">Nothing is counted.</param>
/// <param name="Now">When it is written.</param>
internal sealed record OllamaReply(string Model, OllamaRequest Request, Answer Answer, bool IsChat, bool OmitsUsage, DateTimeOffset Now)
{
    private const long LoadNanoseconds = 42_000_000;
    private const long NanosecondsEach = 9_000_000;

    public string Reason => Answer.End == AnswerEnd.MaxTokens ? "length" : "stop";

    public JsonObject Whole()
    {
        JsonObject body = Line(Answer.Text + Answer.Refusal, Answer.Thinking, Answer.Calls);
        return End(body);
    }

    public IEnumerable<StreamEvent> Lines()
    {
        foreach (Piece piece in Answer.Pieces.Where(static piece => piece.Kind is PieceKind.Thinking or PieceKind.Text or PieceKind.Refusal))
        {
            bool isThought = piece.Kind == PieceKind.Thinking;
            yield return Event(Line(isThought ? "" : piece.Text, isThought ? piece.Text : "", []), piece.Tokens);
        }

        for (int i = 0; i < Answer.Calls.Count; i++)
        {
            int call = i;
            int tokens = Answer.Pieces.Where(piece => piece.Kind is PieceKind.CallStart or PieceKind.CallArguments && piece.Call == call).Sum(static piece => piece.Tokens);
            yield return Event(Line("", "", [Answer.Calls[i]]), tokens);
        }

        yield return Event(End(Line("", "", [])), 0, isEnding: true);
    }

    private static StreamEvent Event(JsonObject line, int tokens, bool isEnding = false) => new(line.ToJsonString(RelaxedJson.Options), null, isEnding, tokens);

    private JsonObject Line(string text, string thinking, IReadOnlyList<ToolCall> calls)
    {
        JsonObject said = new() { [IsChat ? "content" : "response"] = text };
        if (thinking.Length > 0)
        {
            said["thinking"] = thinking;
        }

        if (calls.Count > 0)
        {
            said["tool_calls"] = new JsonArray([.. calls.Select(static (call, i) => (JsonNode)new JsonObject
            {
                ["id"] = call.Id,
                ["function"] = new JsonObject { ["index"] = i, ["name"] = call.Name, ["arguments"] = ArgumentsOf(call) },
            })]);
        }

        JsonObject body = new()
        {
            ["model"] = Model,
            ["created_at"] = Now.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture),
        };
        if (IsChat)
        {
            said.Insert(0, "role", "assistant");
            body["message"] = said;
        }
        else
        {
            foreach (string name in said.Select(static field => field.Key).ToArray())
            {
                JsonNode? value = said[name];
                said.Remove(name);
                body[name] = value;
            }
        }

        body["done"] = false;
        return body;
    }

    // Arguments that the limit of tokens has broken off are no object: such a model's call comes without them.
    private static JsonNode ArgumentsOf(ToolCall call)
    {
        try
        {
            return JsonNode.Parse(call.Arguments) as JsonObject ?? [];
        }
        catch (System.Text.Json.JsonException)
        {
            return new JsonObject();
        }
    }

    private JsonObject End(JsonObject body)
    {
        body["done"] = true;
        body["done_reason"] = Reason;
        if (OmitsUsage)
        {
            return body;
        }

        long read = Request.InputTokens * NanosecondsEach / 10;
        long written = Answer.OutputTokens * NanosecondsEach;
        body["total_duration"] = LoadNanoseconds + read + written;
        body["load_duration"] = LoadNanoseconds;
        body["prompt_eval_count"] = Request.InputTokens;
        body["prompt_eval_duration"] = read;
        body["eval_count"] = Answer.OutputTokens;
        body["eval_duration"] = written;
        return body;
    }
}
