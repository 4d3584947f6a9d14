using System.Text.Json.Nodes;
using Ballast.Sandbox.Generation;

namespace Ballast.Sandbox.OpenAIShape;

/// <summary>All that is known of an answer before it is written.</summary>
internal sealed record ChatReply(ChatRequest Request, IReadOnlyList<Answer> Answers, ChatDialect Dialect)
{
    public required string Id { get; init; }
    public required long Created { get; init; }
    public required string ServedModel { get; init; }
    public required long CachedTokens { get; init; }

    /// <summary>Reasoning that is counted and not shown.</summary>
    public required long HiddenReasoning { get; init; }
    public required bool OmitsUsage { get; init; }

    public long CompletionTokens => HiddenReasoning + Answers.Sum(answer => answer.OutputTokens);

    public static string FinishOf(Answer answer, ChatRequest request) => answer.End switch
    {
        AnswerEnd.MaxTokens => "length",
        AnswerEnd.ToolCalls => request.LegacyFunctions ? "function_call" : "tool_calls",
        _ => "stop",
    };

    public JsonObject Usage()
    {
        long shown = Answers.Sum(answer => answer.ThinkingTokens);
        return new JsonObject
        {
            ["prompt_tokens"] = Request.InputTokens,
            ["completion_tokens"] = CompletionTokens,
            ["total_tokens"] = Request.InputTokens + CompletionTokens,
            ["prompt_tokens_details"] = new JsonObject { ["cached_tokens"] = CachedTokens, ["audio_tokens"] = 0 },
            ["completion_tokens_details"] = new JsonObject
            {
                ["reasoning_tokens"] = HiddenReasoning + shown,
                ["audio_tokens"] = 0,
                ["accepted_prediction_tokens"] = 0,
                ["rejected_prediction_tokens"] = 0,
            },
        };
    }

    /// <summary>Log probabilities of the pieces of an answer; null where they were not asked for.</summary>
    public JsonObject? Logprobs(IEnumerable<Piece> pieces)
    {
        if (!Request.Logprobs)
        {
            return null;
        }

        JsonArray content = [];
        foreach (Piece piece in pieces.Where(piece => piece.Kind == PieceKind.Text))
        {
            JsonObject entry = Probability(piece.Text, 0);
            JsonArray top = [];
            for (int i = 0; i < Request.TopLogprobs; i++)
            {
                top.Add((JsonNode)Probability(i == 0 ? piece.Text : piece.Text + new string('\'', i), i));
            }

            entry["top_logprobs"] = top;
            content.Add((JsonNode)entry);
        }

        return new JsonObject { ["content"] = content, ["refusal"] = null };
    }

    private static JsonObject Probability(string token, int rank)
    {
        JsonArray bytes = [];
        foreach (byte value in System.Text.Encoding.UTF8.GetBytes(token))
        {
            bytes.Add((JsonNode)value);
        }

        return new JsonObject
        {
            ["token"] = token,
            ["logprob"] = -0.01 - (token.Length * 0.003) - (rank * 2.5),
            ["bytes"] = bytes,
        };
    }
}
