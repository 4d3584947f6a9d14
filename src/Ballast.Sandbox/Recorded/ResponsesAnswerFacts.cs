using System.Text.Json;
using System.Text.Json.Nodes;

namespace Ballast.Sandbox.Recorded;

/// <summary>Reads what an answer of the Responses interface says. Of a stream the last event holds the answer, but for what a server leaves out of it.</summary>
internal static class ResponsesAnswerFacts
{
    /// <summary>What an answer repeats of its request, or of the vendor's defaults for what the request left out.</summary>
    private static readonly string[] Repeated =
    [
        "id", "object", "created_at", "completed_at", "output_text", "instructions", "max_output_tokens", "max_tool_calls", "parallel_tool_calls", "previous_response_id",
        "conversation", "prompt", "prompt_cache_key", "prompt_cache_retention", "reasoning", "safety_identifier", "store", "background", "temperature", "text", "tool_choice",
        "tools", "top_logprobs", "top_p", "truncation", "user", "metadata", "presence_penalty", "frequency_penalty", "include", "prompt_cache_options",
    ];

    public static JsonObject Whole(IEnumerable<JsonObject> events, AnswerFacts facts)
    {
        JsonObject whole = [];
        SortedDictionary<int, JsonObject> items = [];
        Dictionary<(int Item, int Part), string> told = [];
        foreach (JsonObject data in events.TakeWhile(_ => whole.Count == 0))
        {
            switch ((string?)data["type"])
            {
                case "response.output_item.done" when data["item"] is JsonObject item:
                    items[(int?)data["output_index"] ?? items.Count] = item.DeepClone().AsObject();
                    break;
                case "response.completed" or "response.incomplete" or "response.failed" when data["response"] is JsonObject response:
                    whole = response.DeepClone().AsObject();
                    break;
                case "response.output_text.delta":
                    (int, int) place = ((int?)data["output_index"] ?? 0, (int?)data["content_index"] ?? 0);
                    told[place] = told.GetValueOrDefault(place) + (string?)data["delta"];
                    break;
                case "error":
                    facts.IsError = true;
                    break;
            }
        }

        if (whole.Count > 0 && whole["output"] is not JsonArray { Count: > 0 })
        {
            whole["output"] = new JsonArray([.. items.Values]);
        }

        // A seal is made anew each time it is told; the item's own came first.
        foreach ((int place, JsonObject item) in items)
        {
            if (item["encrypted_content"] is { } seal && whole["output"] is JsonArray output && place < output.Count && output[place]?["encrypted_content"] is not null)
            {
                output[place]!["encrypted_content"] = seal.DeepClone();
            }
        }

        // Where the pieces and the whole say different things, the pieces were heard first.
        foreach (((int item, int part), string text) in told)
        {
            if (whole["output"] is JsonArray output && item < output.Count && output[item]?["content"] is JsonArray contents && part < contents.Count && contents[part]?["text"] is not null)
            {
                contents[part]!["text"] = text;
            }
        }

        return whole;
    }

    public static void Read(JsonElement root, AnswerFacts facts)
    {
        facts.TextPointer = "/output";
        facts.FinishPointer = "/status";
        string status = JsonWalk.Text(root, "status") ?? "";
        facts.IsError |= status == "failed" || JsonWalk.Get(root, "error") is not null || JsonWalk.Get(root, "output") is null;
        facts.IsComplete = !facts.IsError && status is "completed" or "incomplete";
        foreach (JsonProperty field in root.EnumerateObject().Where(field => !JsonWalk.SaysNothing(field.Value) && !Repeated.Contains(field.Name)))
        {
            switch (field.Name)
            {
                case "status" or "error":
                    break;
                case "model":
                    facts.Model = JsonWalk.TextOf(field.Value);
                    break;
                case "output":
                    int index = 0;
                    foreach (JsonElement item in JsonWalk.Items(field.Value))
                    {
                        ReadItem(item, JsonWalk.Below("/output", index++), facts);
                    }

                    break;
                case "incomplete_details":
                    facts.Finish = JsonWalk.Text(field.Value, "reason") switch { "max_output_tokens" or "max_tokens" => "length", "content_filter" => "content_filter", string word => word, _ => null };
                    facts.FinishPointer = "/incomplete_details/reason";
                    break;
                case "usage":
                    ReadUsage(field.Value, facts);
                    break;
                case "service_tier":
                    facts.TellTier("/service_tier", field.Value);
                    break;
                default:
                    if (!JsonWalk.IsZero(field.Value))
                    {
                        facts.Others[JsonWalk.Below("", field.Name)] = "";
                    }

                    break;
            }
        }

        facts.Finish ??= facts.IsComplete ? "stop" : null;
        facts.Finish = facts.Finish == "stop" ? facts.IsRefusal ? "content_filter" : facts.Calls.Count > 0 ? "tool_calls" : "stop" : facts.Finish;
    }

    private static void ReadItem(JsonElement item, string at, AnswerFacts facts)
    {
        switch (JsonWalk.Text(item, "type") ?? "message")
        {
            case "message":
                int index = 0;
                foreach (JsonElement part in JsonWalk.Items(JsonWalk.Get(item, "content")))
                {
                    ReadPart(part, JsonWalk.Below($"{at}/content", index++), facts);
                }

                facts.OtherFields(item, at, ["id", "type", "status", "role", "content"]);
                break;
            case "function_call" or "custom_tool_call":
                bool isFreeText = JsonWalk.Text(item, "type") == "custom_tool_call";
                string given = isFreeText ? "input" : "arguments";
                CallFact call = new(at) { Id = JsonWalk.Text(item, "call_id") ?? "", Name = JsonWalk.Text(item, "name") ?? "", IsFreeText = isFreeText };
                call.Arguments.Append(JsonWalk.Text(item, given));
                facts.Calls.Add(call);
                facts.OtherFields(item, at, ["id", "type", "status", "call_id", "name", given]);
                break;
            case "reasoning":
                IEnumerable<JsonElement> pieces = JsonWalk.Items(JsonWalk.Get(item, "summary")).Concat(JsonWalk.Items(JsonWalk.Get(item, "content")));
                List<string?> texts = [.. pieces.Select(piece => JsonWalk.Text(piece, "text"))];
                facts.ThinkingPointer = at;
                facts.Thinking.Append(string.Join("\n\n", texts));
                if (JsonWalk.Text(item, "encrypted_content") is { Length: > 0 } sealedText)
                {
                    facts.Signatures.Add((sealedText, at));
                }

                facts.OtherFields(item, at, ["id", "type", "status", "summary", "content", "encrypted_content"]);
                break;
            default:
                facts.Others[at] = "";
                break;
        }
    }

    private static void ReadPart(JsonElement part, string at, AnswerFacts facts)
    {
        if ((JsonWalk.Text(part, "text") ?? JsonWalk.Text(part, "refusal")) is not { } text)
        {
            facts.Others[at] = "";
            return;
        }

        facts.Text.Append(text);
        facts.IsRefusal |= JsonWalk.Text(part, "refusal") is { Length: > 0 };
        facts.OtherFields(part, at, ["type", "text", "refusal", "annotations"]);
        int index = 0;
        foreach (JsonElement annotation in JsonWalk.Items(JsonWalk.Get(part, "annotations")))
        {
            string here = JsonWalk.Below($"{at}/annotations", index++);
            if (JsonWalk.Text(annotation, "url") is not { } url)
            {
                facts.Others[here] = "";
                continue;
            }

            facts.Citations.Add(new CitationFact(url, JsonWalk.Text(annotation, "title"), null, here));
        }
    }

    private static void ReadUsage(JsonElement usage, AnswerFacts facts)
    {
        JsonElement before = JsonWalk.Get(usage, "input_tokens_details") ?? default;
        JsonElement after = JsonWalk.Get(usage, "output_tokens_details") ?? default;
        facts.Tokens = new TokenFact(
            JsonWalk.Count(usage, "input_tokens") ?? 0,
            JsonWalk.Count(before, "cached_tokens") ?? 0,
            JsonWalk.Count(before, "cache_write_tokens") ?? 0,
            JsonWalk.Count(usage, "output_tokens") ?? 0,
            JsonWalk.Count(after, "reasoning_tokens"));
        facts.OtherFields(usage, "/usage", ["input_tokens", "output_tokens", "total_tokens", "input_tokens_details", "output_tokens_details"]);
        facts.OtherFields(before, "/usage/input_tokens_details", ["cached_tokens", "cache_write_tokens"]);
        facts.OtherFields(after, "/usage/output_tokens_details", ["reasoning_tokens"]);
    }
}
