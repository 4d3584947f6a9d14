using System.Text.Json.Nodes;
using Ballast.Sandbox.Generation;

namespace Ballast.Sandbox.Anthropic;

/// <summary>All that is known of an answer before it is written.</summary>
internal sealed record MessagesReply(MessagesRequest Request, Answer Answer, CacheUse Cache, ThinkingSignature Signature)
{
    public required string Id { get; init; }
    public required string ServedModel { get; init; }
    public required bool OmitsUsage { get; init; }

    public string StopReason => Answer.End switch
    {
        AnswerEnd.MaxTokens => "max_tokens",
        AnswerEnd.StopSequence => "stop_sequence",
        AnswerEnd.ToolCalls => "tool_use",
        AnswerEnd.Refusal => "refusal",
        _ => "end_turn",
    };

    public long FreshTokens => Request.InputTokens - Cache.Read - Cache.Written;

    public string ShownThinking => Request.OmitsThinkingText ? "" : Answer.Thinking;

    /// <param name="outputTokens">What is produced so far.</param>
    public JsonObject Usage(long outputTokens) => new()
    {
        ["input_tokens"] = FreshTokens,
        ["cache_creation_input_tokens"] = Cache.Written,
        ["cache_read_input_tokens"] = Cache.Read,
        ["cache_creation"] = new JsonObject
        {
            ["ephemeral_5m_input_tokens"] = Cache.WrittenShort,
            ["ephemeral_1h_input_tokens"] = Cache.WrittenLong,
        },
        ["output_tokens"] = outputTokens,
        ["service_tier"] = "standard",
        ["inference_geo"] = "not_available",
    };

    /// <summary>The message without its usage.</summary>
    public JsonObject Envelope(JsonArray content, bool isEnded) => new()
    {
        ["model"] = ServedModel,
        ["id"] = Id,
        ["type"] = "message",
        ["role"] = "assistant",
        ["content"] = content,
        ["stop_reason"] = isEnded ? StopReason : null,
        ["stop_sequence"] = isEnded ? Answer.StopSequence : null,
        ["stop_details"] = null,
    };
}
