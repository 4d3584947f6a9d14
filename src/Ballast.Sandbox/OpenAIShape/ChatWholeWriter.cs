using System.Text.Json.Nodes;
using Ballast.Sandbox.Generation;

namespace Ballast.Sandbox.OpenAIShape;

/// <summary>Writes a <c>chat.completion</c>.</summary>
internal static class ChatWholeWriter
{
    public static JsonObject Write(ChatReply reply)
    {
        JsonArray choices = [];
        for (int i = 0; i < reply.Answers.Count; i++)
        {
            choices.Add((JsonNode)Choice(reply, reply.Answers[i], i));
        }

        JsonObject body = new()
        {
            ["id"] = reply.Id,
            ["object"] = "chat.completion",
            ["created"] = reply.Created,
            ["model"] = reply.ServedModel,
            ["choices"] = choices,
        };
        if (!reply.OmitsUsage)
        {
            body["usage"] = reply.Usage();
        }

        if (reply.Dialect.FiltersContent)
        {
            body["prompt_filter_results"] = ContentFilter.PromptResults();
        }

        if (reply.Dialect.ServiceTier is { } tier)
        {
            body["service_tier"] = tier;
            body["system_fingerprint"] = reply.Dialect.Fingerprint;
        }

        return body;
    }

    private static JsonObject Choice(ChatReply reply, Answer answer, int index)
    {
        JsonObject choice = new()
        {
            ["index"] = index,
            ["message"] = Message(reply, answer),
            ["logprobs"] = reply.Logprobs(answer.Pieces),
            ["finish_reason"] = ChatReply.FinishOf(answer, reply.Request),
        };
        if (reply.Dialect.FiltersContent)
        {
            choice["content_filter_results"] = ContentFilter.AnswerResults();
        }

        return choice;
    }

    private static JsonObject Message(ChatReply reply, Answer answer)
    {
        bool isRefused = answer.End == AnswerEnd.Refusal;
        bool isCalling = answer.Calls.Count > 0;
        JsonObject message = new()
        {
            ["role"] = "assistant",
            ["content"] = isRefused || isCalling ? null : answer.Text,
            ["refusal"] = isRefused ? answer.Refusal : null,
        };
        if (reply.Dialect.ShowsReasoning)
        {
            message[reply.Dialect.ReasoningField] = answer.Thinking.Length > 0 ? answer.Thinking : null;
        }
        else
        {
            message["annotations"] = new JsonArray();
        }

        if (isCalling && reply.Request.LegacyFunctions)
        {
            message["function_call"] = new JsonObject { ["name"] = answer.Calls[0].Name, ["arguments"] = answer.Calls[0].Arguments };
        }
        else if (isCalling)
        {
            JsonArray calls = [];
            foreach (ToolCall call in answer.Calls)
            {
                calls.Add((JsonNode)Call(call));
            }

            message["tool_calls"] = calls;
        }

        return message;
    }

    private static JsonObject Call(ToolCall call) => call.FreeText
        ? new JsonObject
        {
            ["id"] = call.Id,
            ["type"] = "custom",
            ["custom"] = new JsonObject { ["name"] = call.Name, ["input"] = call.Arguments },
        }
        : new JsonObject
        {
            ["id"] = call.Id,
            ["type"] = "function",
            ["function"] = new JsonObject { ["name"] = call.Name, ["arguments"] = call.Arguments },
        };
}
