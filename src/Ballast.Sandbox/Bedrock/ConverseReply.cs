using System.Text.Json;
using System.Text.Json.Nodes;
using Ballast.Sandbox.Anthropic;
using Ballast.Sandbox.Generation;

namespace Ballast.Sandbox.Bedrock;

/// <summary>All that is known of an answer before it is written, and the whole answer.</summary>
internal sealed record ConverseReply(ConverseRequest Request, Answer Answer, CacheUse Cache, ThinkingSignature? Signature, bool OmitsUsage)
{
    public string StopReason => Answer.End switch
    {
        AnswerEnd.MaxTokens => "max_tokens",
        AnswerEnd.StopSequence => "stop_sequence",
        AnswerEnd.ToolCalls => "tool_use",
        AnswerEnd.Refusal => "content_filtered",
        _ => "end_turn",
    };

    public long FreshTokens => Request.InputTokens - Cache.Read - Cache.Written;

    public string ShownThinking => Request.OmitsThinking ? "" : Answer.Thinking;

    public JsonObject Usage()
    {
        JsonObject usage = new()
        {
            ["inputTokens"] = FreshTokens,
            ["outputTokens"] = Answer.OutputTokens,
            ["totalTokens"] = Request.InputTokens + Answer.OutputTokens,
            ["cacheReadInputTokens"] = Cache.Read,
            ["cacheWriteInputTokens"] = Cache.Written,
        };
        JsonArray details = [];
        AddDetail(details, "5m", Cache.WrittenShort);
        AddDetail(details, "1h", Cache.WrittenLong);
        if (details.Count > 0)
        {
            usage["cacheDetails"] = details;
        }

        return usage;
    }

    public JsonObject Whole()
    {
        JsonArray content = [];
        if (Answer.Thinking.Length > 0)
        {
            JsonObject thought = new() { ["text"] = ShownThinking, ["signature"] = Signature!.Sign(ShownThinking) };
            content.Add((JsonNode)new JsonObject { ["reasoningContent"] = new JsonObject { ["reasoningText"] = thought } });
        }

        if (Answer.Text.Length + Answer.Refusal.Length > 0)
        {
            content.Add((JsonNode)new JsonObject { ["text"] = Answer.Text + Answer.Refusal });
        }

        foreach (ToolCall call in Answer.Calls)
        {
            // A call that the limit cut off has no valid input and is left out.
            if (Parse(call.Arguments) is { } input)
            {
                content.Add((JsonNode)new JsonObject { ["toolUse"] = new JsonObject { ["toolUseId"] = call.Id, ["name"] = call.Name, ["input"] = input } });
            }
        }

        JsonObject whole = new()
        {
            ["metrics"] = new JsonObject { ["latencyMs"] = 7 },
            ["output"] = new JsonObject { ["message"] = new JsonObject { ["content"] = content, ["role"] = "assistant" } },
            ["stopReason"] = StopReason,
        };
        if (Answer.StopSequence is { } stop)
        {
            whole["additionalModelResponseFields"] = new JsonObject { ["stop_sequence"] = stop };
        }

        if (!OmitsUsage)
        {
            whole["usage"] = Usage();
        }

        return whole;
    }

    private static void AddDetail(JsonArray details, string ttl, long tokens)
    {
        if (tokens > 0)
        {
            details.Add((JsonNode)new JsonObject { ["ttl"] = ttl, ["inputTokens"] = tokens });
        }
    }

    private static JsonNode? Parse(string arguments)
    {
        try
        {
            return JsonNode.Parse(arguments);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
