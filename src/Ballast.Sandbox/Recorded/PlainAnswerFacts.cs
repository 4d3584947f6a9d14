using System.Text.Json;
using System.Text.Json.Nodes;

namespace Ballast.Sandbox.Recorded;

/// <summary>Reads what answers of Ollama's and Cohere's chat say: one message with its calls. Streams are put together first.</summary>
internal static class PlainAnswerFacts
{
    public static JsonObject WholeOllama(IEnumerable<JsonObject> lines)
    {
        JsonObject whole = [];
        JsonObject message = [];
        foreach (JsonObject line in lines)
        {
            foreach ((string name, JsonNode? value) in line.Where(field => field.Key != "message"))
            {
                whole[name] = value?.DeepClone();
            }

            foreach ((string name, JsonNode? value) in line["message"] as JsonObject ?? [])
            {
                if (value is JsonValue && name is "content" or "thinking")
                {
                    message[name] = (string?)message[name] + (string?)value;
                }
                else if (message[name] is JsonArray known && value is JsonArray more)
                {
                    foreach (JsonNode? item in more)
                    {
                        known.Add(item?.DeepClone());
                    }
                }
                else
                {
                    message[name] = value?.DeepClone();
                }
            }
        }

        whole["message"] = message;
        return whole;
    }

    public static void ReadOllama(JsonElement root, AnswerFacts facts)
    {
        facts.TextPointer = "/message/content";
        facts.FinishPointer = "/done_reason";
        facts.ThinkingPointer = "/message/thinking";
        facts.IsError |= JsonWalk.Get(root, "error") is not null || JsonWalk.Get(root, "message") is null;
        facts.IsComplete = !facts.IsError && JsonWalk.Get(root, "done") is { ValueKind: JsonValueKind.True };
        ReadMessage(JsonWalk.Get(root, "message") ?? default, facts);
        facts.Model = JsonWalk.Text(root, "model");
        if (JsonWalk.Count(root, "prompt_eval_count") is not null || JsonWalk.Count(root, "eval_count") is not null)
        {
            facts.Tokens = new TokenFact(JsonWalk.Count(root, "prompt_eval_count") ?? 0, 0, 0, JsonWalk.Count(root, "eval_count") ?? 0, null);
        }

        // How long it took is no part of the answer.
        facts.OtherFields(root, "",
        [
            "model", "created_at", "message", "done", "done_reason", "prompt_eval_count", "eval_count", "total_duration", "load_duration", "prompt_eval_duration", "eval_duration", "error",
        ]);
        string word = JsonWalk.Text(root, "done_reason") ?? "stop";
        facts.Finish = word == "stop" && facts.Calls.Count > 0 ? "tool_calls" : word;
    }

    public static JsonObject WholeCohere(IEnumerable<JsonObject> events)
    {
        JsonObject message = [];
        JsonObject whole = new() { ["message"] = message };
        SortedDictionary<int, JsonObject> content = [];
        SortedDictionary<int, JsonObject> calls = [];
        JsonArray citations = [];
        foreach (JsonObject data in events)
        {
            int index = (int?)data["index"] ?? 0;
            JsonObject delta = data["delta"] as JsonObject ?? [];
            JsonObject told = delta["message"] as JsonObject ?? [];
            switch ((string?)data["type"])
            {
                case "message-start":
                    whole["id"] = data["id"]?.DeepClone();
                    break;
                case "content-start" when told["content"] is JsonObject start:
                    content[index] = start.DeepClone().AsObject();
                    break;
                case "content-delta" when told["content"] is JsonObject piece && content.TryGetValue(index, out JsonObject? block):
                    foreach ((string name, JsonNode? value) in piece)
                    {
                        block[name] = (string?)block[name] + (string?)value;
                    }

                    break;
                case "tool-plan-delta":
                    message["tool_plan"] = (string?)message["tool_plan"] + (string?)told["tool_plan"];
                    break;
                case "tool-call-start" when told["tool_calls"] is JsonObject call:
                    calls[index] = call.DeepClone().AsObject();
                    break;
                case "tool-call-delta" when calls.TryGetValue(index, out JsonObject? known):
                    known["function"]!["arguments"] = (string?)known["function"]!["arguments"] + (string?)told["tool_calls"]!["function"]!["arguments"];
                    break;
                case "citation-start":
                    citations.Add(told["citations"]?.DeepClone());
                    break;
                case "message-end":
                    foreach ((string name, JsonNode? value) in delta)
                    {
                        whole[name] = value?.DeepClone();
                    }

                    break;
            }
        }

        message["content"] = new JsonArray([.. content.Values]);
        message["tool_calls"] = new JsonArray([.. calls.Values]);
        message["citations"] = citations;
        return whole;
    }

    public static void ReadCohere(JsonElement root, AnswerFacts facts)
    {
        facts.TextPointer = "/message/content";
        facts.FinishPointer = "/finish_reason";
        string? word = JsonWalk.Text(root, "finish_reason");
        facts.IsError |= word is "ERROR" or "TIMEOUT" || JsonWalk.Get(root, "message") is not { ValueKind: JsonValueKind.Object };
        facts.IsComplete = !facts.IsError && word is not null;
        if (!facts.IsError)
        {
            ReadMessage(root.GetProperty("message"), facts);
        }

        facts.Finish = word switch { "COMPLETE" or "STOP_SEQUENCE" => facts.Calls.Count > 0 ? "tool_calls" : "stop", "MAX_TOKENS" => "length", "TOOL_CALL" => "tool_calls", _ => word };
        if (JsonWalk.Get(root, "usage") is { } usage)
        {
            JsonElement tokens = JsonWalk.Get(usage, "tokens") ?? default;
            JsonElement billed = JsonWalk.Get(usage, "billed_units") ?? tokens;
            facts.Tokens = new TokenFact(JsonWalk.Count(billed, "input_tokens") ?? 0, 0, 0, JsonWalk.Count(billed, "output_tokens") ?? 0, JsonWalk.Count(tokens, "reasoning_tokens"));
            bool isAllBilled = JsonWalk.Count(billed, "input_tokens") == JsonWalk.Count(tokens, "input_tokens");
            facts.OtherFields(usage, "/usage", isAllBilled ? ["billed_units", "tokens", "cached_tokens"] : ["billed_units"]);
            facts.OtherFields(billed, "/usage/billed_units", ["input_tokens", "output_tokens"]);
        }

        facts.OtherFields(root, "", ["id", "message", "finish_reason", "usage"]);
    }

    private static void ReadMessage(JsonElement message, AnswerFacts facts)
    {
        foreach (JsonProperty field in JsonWalk.Fields(message).Where(field => !JsonWalk.SaysNothing(field.Value)))
        {
            switch (field.Name)
            {
                case "role":
                    break;
                case "content" when field.Value.ValueKind == JsonValueKind.String:
                    facts.Text.Append(JsonWalk.TextOf(field.Value));
                    break;
                case "content":
                    ReadContent(field.Value, facts);
                    break;
                // What is planned is said to the user.
                case "tool_plan":
                    facts.Text.Insert(0, JsonWalk.TextOf(field.Value));
                    break;
                case "thinking" or "reasoning":
                    facts.ThinkingPointer = $"/message/{field.Name}";
                    facts.Thinking.Append(JsonWalk.TextOf(field.Value));
                    break;
                case "tool_calls":
                    ReadCalls(field.Value, facts);
                    break;
                case "citations":
                    int index = 0;
                    foreach (JsonElement citation in JsonWalk.Items(field.Value))
                    {
                        ReadCitation(citation, JsonWalk.Below("/message/citations", index++), facts);
                    }

                    break;
                default:
                    facts.Others[JsonWalk.Below("/message", field.Name)] = "";
                    break;
            }
        }
    }

    private static void ReadContent(JsonElement content, AnswerFacts facts)
    {
        int index = 0;
        foreach (JsonElement part in JsonWalk.Items(content))
        {
            string at = JsonWalk.Below("/message/content", index++);
            facts.Text.Append(JsonWalk.Text(part, "text"));
            facts.Thinking.Append(JsonWalk.Text(part, "thinking"));
            facts.ThinkingPointer = JsonWalk.Get(part, "thinking") is null ? facts.ThinkingPointer : at;
            facts.OtherFields(part, at, ["type", "text", "thinking"]);
        }
    }

    private static void ReadCalls(JsonElement calls, AnswerFacts facts)
    {
        foreach (JsonElement call in JsonWalk.Items(calls))
        {
            JsonElement function = JsonWalk.Get(call, "function") ?? default;
            CallFact fact = new(JsonWalk.Below("/message/tool_calls", facts.Calls.Count)) { Id = JsonWalk.Text(call, "id") ?? "", Name = JsonWalk.Text(function, "name") ?? "" };
            fact.Arguments.Append(JsonWalk.Text(function, "arguments") ?? JsonWalk.Get(function, "arguments")?.GetRawText());
            facts.Calls.Add(fact);
            facts.OtherFields(call, fact.Pointer, ["id", "type", "function"]);
            facts.OtherFields(function, $"{fact.Pointer}/function", ["name", "arguments", "index"]);
        }
    }

    private static void ReadCitation(JsonElement citation, string at, AnswerFacts facts)
    {
        int index = 0;
        foreach (JsonElement source in JsonWalk.Items(JsonWalk.Get(citation, "sources")))
        {
            string here = JsonWalk.Below($"{at}/sources", index++);
            JsonElement document = JsonWalk.Get(source, "document") ?? default;
            facts.Citations.Add(new CitationFact(JsonWalk.Text(document, "url"), JsonWalk.Text(document, "title") ?? JsonWalk.Text(source, "id"), JsonWalk.Text(document, "snippet"), here));
            if (document.ValueKind == JsonValueKind.Object)
            {
                facts.OtherFields(document, $"{here}/document", ["id", "title", "url", "snippet", "text"]);
            }
            else if (JsonWalk.Get(source, "tool_output") is not null)
            {
                facts.Others[$"{here}/tool_output"] = "";
            }
        }

        facts.OtherFields(citation, at, ["start", "end", "text", "sources", "type", "content_index"]);
    }
}
