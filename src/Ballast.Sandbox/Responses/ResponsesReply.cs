using System.Text.Json.Nodes;
using Ballast.Sandbox.Generation;

namespace Ballast.Sandbox.Responses;

/// <summary>What an item of the output is.</summary>
internal enum OutputKind
{
    Reasoning,
    Message,
    Function,
    Custom,
}

/// <summary>An item of the output.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Id">Its id; a call has a second one, by which its output refers to it.</param>
/// <param name="Pieces">What it is made of.</param>
/// <param name="Call">The call, where it is one.</param>
/// <param name="IsWhole">It did not break off.</param>
internal sealed record OutputItem(OutputKind Kind, string Id, IReadOnlyList<Piece> Pieces, ToolCall? Call, bool IsWhole)
{
    public string Text => string.Concat(Pieces.Select(static piece => piece.Text));

    public string Status => IsWhole ? "completed" : "incomplete";

    public int Tokens => Pieces.Sum(static piece => piece.Tokens);

    public bool IsRefusal => Pieces.Count > 0 && Pieces[0].Kind == PieceKind.Refusal;
}

/// <summary>All that is known of an answer before it is written.</summary>
internal sealed record ResponsesReply(ResponsesRequest Request, Answer Answer, ResponsesSeal Seal)
{
    public required string Id { get; init; }
    public required long CreatedAt { get; init; }
    public required string ServedModel { get; init; }
    public required long CachedTokens { get; init; }
    public required bool OmitsUsage { get; init; }
    public required IReadOnlyList<OutputItem> Items { get; init; }

    /// <summary>How it ended.</summary>
    public string Status => Answer.End == AnswerEnd.MaxTokens ? "incomplete" : "completed";

    /// <summary>The output's items of an answer, each with an id of its own.</summary>
    public static IReadOnlyList<OutputItem> ItemsOf(Answer answer, ref Dice dice)
    {
        List<OutputItem> items = [];
        foreach (IGrouping<(OutputKind Kind, int Call), Piece> group in answer.Pieces.GroupBy(piece => (KindOf(piece, answer), piece.Call)))
        {
            string prefix = group.Key.Kind switch { OutputKind.Reasoning => "rs_", OutputKind.Function => "fc_", OutputKind.Custom => "ctc_", _ => "msg_" };
            ToolCall? call = group.Key.Kind is OutputKind.Function or OutputKind.Custom ? answer.Calls[group.Key.Call] : null;
            items.Add(new OutputItem(group.Key.Kind, prefix + dice.NextHex(48), [.. group], call, IsWhole: true));
        }

        if (answer.End == AnswerEnd.MaxTokens && items.Count > 0)
        {
            items[^1] = items[^1] with { IsWhole = false };
        }

        return items;
    }

    public JsonObject Usage() => new()
    {
        ["input_tokens"] = Request.InputTokens,
        ["input_tokens_details"] = new JsonObject { ["cached_tokens"] = CachedTokens },
        ["output_tokens"] = Answer.OutputTokens,
        ["output_tokens_details"] = new JsonObject { ["reasoning_tokens"] = Answer.ThinkingTokens },
        ["total_tokens"] = Request.InputTokens + Answer.OutputTokens,
    };

    /// <summary>The answer as it stands in a status.</summary>
    public JsonObject Describe(string status)
    {
        bool isEnded = status is "completed" or "incomplete";
        JsonObject body = new()
        {
            ["id"] = Id,
            ["object"] = "response",
            ["created_at"] = CreatedAt,
            ["status"] = status,
            ["background"] = Request.Background,
            ["completed_at"] = status == "completed" ? CreatedAt : null,
            ["error"] = null,
            ["incomplete_details"] = status == "incomplete" ? new JsonObject { ["reason"] = "max_output_tokens" } : null,
            ["model"] = ServedModel,
            ["output"] = isEnded ? new JsonArray([.. Items.Select(item => (JsonNode)Describe(item))]) : [],
        };
        foreach ((string name, JsonNode? value) in Request.Echo)
        {
            body[name] = value?.DeepClone();
        }

        body["usage"] = isEnded && !OmitsUsage ? Usage() : null;
        return body;
    }

    /// <summary>An item at its end.</summary>
    public JsonObject Describe(OutputItem item) => item.Kind switch
    {
        OutputKind.Reasoning => Reasoning(item, Request.Summarises ? item.Text : null),
        OutputKind.Message => Message(item, item.Status, new JsonArray(Part(item, item.Text))),
        _ => CallOf(item, item.Status, item.Text),
    };

    /// <summary>An item at its beginning, with nothing in it yet.</summary>
    public JsonObject Begin(OutputItem item) => item.Kind switch
    {
        OutputKind.Reasoning => Reasoning(item, null),
        OutputKind.Message => Message(item, "in_progress", []),
        _ => CallOf(item, "in_progress", ""),
    };

    /// <summary>A message's one part.</summary>
    public JsonObject Part(OutputItem item, string text) => item.IsRefusal
        ? new JsonObject { ["type"] = "refusal", ["refusal"] = text }
        : new JsonObject
        {
            ["type"] = "output_text",
            ["annotations"] = new JsonArray(),
            ["logprobs"] = text.Length > 0 ? Logprobs(item.Pieces) : [],
            ["text"] = text,
        };

    public JsonArray Logprobs(IEnumerable<Piece> pieces) => !Request.GivesLogprobs ? [] : [.. pieces.Select(static piece => (JsonNode)new JsonObject
    {
        ["token"] = piece.Text,
        ["logprob"] = -0.01 - (piece.Text.Length * 0.003),
        ["bytes"] = new JsonArray([.. System.Text.Encoding.UTF8.GetBytes(piece.Text).Select(static value => (JsonNode)value)]),
        ["top_logprobs"] = new JsonArray(),
    })];

    private static OutputKind KindOf(Piece piece, Answer answer) => piece.Kind switch
    {
        PieceKind.Thinking => OutputKind.Reasoning,
        PieceKind.Text or PieceKind.Refusal => OutputKind.Message,
        _ => answer.Calls[piece.Call].FreeText ? OutputKind.Custom : OutputKind.Function,
    };

    private JsonObject Reasoning(OutputItem item, string? summary)
    {
        JsonObject body = new()
        {
            ["id"] = item.Id,
            ["type"] = "reasoning",
            ["summary"] = summary is null ? [] : new JsonArray(new JsonObject { ["type"] = "summary_text", ["text"] = summary }),
        };
        if (Request.GivesEncrypted)
        {
            body["encrypted_content"] = Seal.Seal(item.Text);
        }

        return body;
    }

    private static JsonObject Message(OutputItem item, string status, JsonArray content) => new()
    {
        ["id"] = item.Id,
        ["type"] = "message",
        ["status"] = status,
        ["content"] = content,
        ["role"] = "assistant",
    };

    private static JsonObject CallOf(OutputItem item, string status, string given)
    {
        JsonObject call = new()
        {
            ["id"] = item.Id,
            ["type"] = item.Kind == OutputKind.Custom ? "custom_tool_call" : "function_call",
            ["status"] = status,
            [item.Kind == OutputKind.Custom ? "input" : "arguments"] = given,
            ["call_id"] = item.Call!.Id,
            ["name"] = item.Call.Name,
        };
        if (item.Call.Group is { } group)
        {
            call["namespace"] = group;
        }

        return call;
    }
}
