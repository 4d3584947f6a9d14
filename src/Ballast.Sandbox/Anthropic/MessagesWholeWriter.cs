using System.Text.Json;
using System.Text.Json.Nodes;
using Ballast.Sandbox.Generation;

namespace Ballast.Sandbox.Anthropic;

/// <summary>Writes a whole <c>message</c>.</summary>
internal static class MessagesWholeWriter
{
    public static JsonObject Write(MessagesReply reply)
    {
        Answer answer = reply.Answer;
        JsonArray content = [];
        if (answer.Thinking.Length > 0)
        {
            content.Add((JsonNode)new JsonObject
            {
                ["type"] = "thinking",
                ["thinking"] = reply.ShownThinking,
                ["signature"] = reply.Signature.Sign(reply.ShownThinking),
            });
        }

        string text = answer.Text + answer.Refusal;
        if (text.Length > 0)
        {
            content.Add((JsonNode)new JsonObject { ["type"] = "text", ["text"] = text });
        }

        foreach (ToolCall call in answer.Calls)
        {
            // A call that max_tokens cut off has no valid input and is left out.
            if (Parse(call.Arguments) is { } input)
            {
                content.Add((JsonNode)new JsonObject { ["type"] = "tool_use", ["id"] = call.Id, ["name"] = call.Name, ["input"] = input });
            }
        }

        JsonObject message = reply.Envelope(content, isEnded: true);
        if (!reply.OmitsUsage)
        {
            message["usage"] = reply.Usage(answer.OutputTokens);
        }

        return message;
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
