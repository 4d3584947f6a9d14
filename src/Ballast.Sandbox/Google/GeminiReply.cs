using System.Text.Json.Nodes;
using Ballast.Sandbox.Generation;

namespace Ballast.Sandbox.Google;

/// <summary>All that is known of an answer before it is written.</summary>
internal sealed record GeminiReply(GeminiRequest Request, Answer Answer, ThoughtSignature Signature)
{
    public required string Id { get; init; }
    public required long CachedTokens { get; init; }
    public required bool OmitsUsage { get; init; }

    /// <summary>Fields that one of the platforms adds to every answer, and to its usage.</summary>
    public required bool IsVertex { get; init; }

    public required string CreatedAt { get; init; }

    /// <summary>The prompt was not let through: there is no candidate.</summary>
    public bool IsBlocked => Answer.End == AnswerEnd.Refusal;

    public string FinishReason => Answer.End == AnswerEnd.MaxTokens ? "MAX_TOKENS" : "STOP";

    /// <summary>A model that thought, and any of the third generation, signs.</summary>
    public bool Signs => Answer.ThinkingTokens > 0 || Request.Model.IsThird;

    public string SignatureOf(string kind) => Signature.Sign(kind, Id);

    /// <param name="outputTokens">What of the answer is produced so far, thoughts left out.</param>
    /// <param name="thoughtTokens">What is thought so far.</param>
    public JsonObject Usage(long outputTokens, long thoughtTokens)
    {
        JsonObject usage = new() { ["promptTokenCount"] = Request.InputTokens };
        if (outputTokens > 0)
        {
            usage["candidatesTokenCount"] = outputTokens;
        }

        usage["totalTokenCount"] = Request.InputTokens + outputTokens + thoughtTokens;
        if (CachedTokens > 0)
        {
            usage["cachedContentTokenCount"] = CachedTokens;
        }

        usage["promptTokensDetails"] = new JsonArray(new JsonObject { ["modality"] = "TEXT", ["tokenCount"] = Request.InputTokens });
        if (thoughtTokens > 0)
        {
            usage["thoughtsTokenCount"] = thoughtTokens;
        }

        if (IsVertex)
        {
            usage["trafficType"] = "ON_DEMAND";
        }

        return usage;
    }

    /// <param name="parts">Of the one candidate; null where the prompt was blocked.</param>
    /// <param name="isLast">With it the answer is whole.</param>
    /// <param name="outputTokens">What of the answer is produced so far, thoughts left out.</param>
    /// <param name="thoughtTokens">What is thought so far.</param>
    public JsonObject Envelope(JsonArray? parts, bool isLast, long outputTokens, long thoughtTokens)
    {
        JsonObject answer = [];
        if (parts is null)
        {
            answer["promptFeedback"] = new JsonObject { ["blockReason"] = "PROHIBITED_CONTENT" };
        }
        else
        {
            JsonObject candidate = new() { ["content"] = new JsonObject { ["parts"] = parts, ["role"] = "model" } };
            if (isLast)
            {
                candidate["finishReason"] = FinishReason;
            }

            candidate["index"] = 0;
            answer["candidates"] = new JsonArray(candidate);
        }

        if (!OmitsUsage)
        {
            answer["usageMetadata"] = Usage(outputTokens, thoughtTokens);
        }

        answer["modelVersion"] = Request.Model.Name;
        if (IsVertex)
        {
            answer["createTime"] = CreatedAt;
        }

        answer["responseId"] = Id;
        return answer;
    }

    /// <summary>The part of a call; null where its arguments were cut off.</summary>
    public JsonObject? CallPart(int index)
    {
        ToolCall call = Answer.Calls[index];
        if (Parse(call.Arguments) is not { } arguments)
        {
            return null;
        }

        JsonObject function = new() { ["name"] = call.Name, ["args"] = arguments };
        if (Request.Model.IsThird)
        {
            function["id"] = call.Id;
        }

        JsonObject part = new() { ["functionCall"] = function };
        if (index == 0 && Signs)
        {
            part["thoughtSignature"] = SignatureOf("call " + call.Name);
        }

        return part;
    }

    private static JsonNode? Parse(string arguments)
    {
        try
        {
            return JsonNode.Parse(arguments);
        }
        catch (System.Text.Json.JsonException)
        {
            return null;
        }
    }
}
