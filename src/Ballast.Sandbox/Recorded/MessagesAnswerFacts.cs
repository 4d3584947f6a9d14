using System.Text.Json;
using System.Text.Json.Nodes;

namespace Ballast.Sandbox.Recorded;

/// <summary>Reads what a Messages answer says. A stream is put together to the message it stands for first, as the vendor's client does.</summary>
internal static class MessagesAnswerFacts
{
    public static AnswerFacts ReadWhole(ReadOnlyMemory<byte> body)
    {
        using JsonDocument? document = JsonWalk.TryParse(body);
        if (document is null || JsonWalk.Text(document.RootElement, "type") != "message")
        {
            return new AnswerFacts { IsError = true };
        }

        AnswerFacts facts = new() { IsComplete = true };
        ReadMessage(document.RootElement, facts);
        return facts;
    }

    public static AnswerFacts ReadStream(List<EventText> frames)
    {
        JsonObject message = [];
        AnswerFacts facts = new();
        foreach (EventText frame in frames)
        {
            if (frame.Data.Length == 0 || frame.Data == "[DONE]" || facts.IsComplete || facts.IsError)
            {
                continue;
            }

            if (frame.Name == "exception" || Parse(frame.Data) is not JsonObject data)
            {
                facts.IsError = true;
                continue;
            }

            Apply(data, message, facts);
        }

        using JsonDocument? document = JsonWalk.TryParse(message.ToJsonString());
        ReadMessage(document!.RootElement, facts);
        return facts;
    }

    private static JsonNode? Parse(string data)
    {
        try
        {
            return JsonNode.Parse(data);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static void Apply(JsonObject data, JsonObject message, AnswerFacts facts)
    {
        switch ((string?)data["type"])
        {
            case "message_start":
                Merge(data["message"], message);
                break;
            case "content_block_start" when message["content"] is JsonArray content && data["content_block"] is JsonObject block:
                content.Add(block.DeepClone());
                break;
            case "content_block_delta" when message["content"] is JsonArray content && data["delta"] is JsonObject delta
                && content.Count > (int?)data["index"] && content[(int)data["index"]!] is JsonObject block:
                Grow(block, delta);
                break;
            case "message_delta":
                Merge(data["delta"], message);
                if (data["usage"] is JsonObject usage)
                {
                    message["usage"] ??= new JsonObject();
                    Merge(usage, (JsonObject)message["usage"]!);
                }

                foreach ((string name, JsonNode? value) in data.Where(field => field.Key is not ("type" or "delta" or "usage")).ToList())
                {
                    message[name] = value?.DeepClone();
                }

                break;
            case "message_stop":
                facts.IsComplete = true;
                break;
            case "error":
                facts.IsError = true;
                break;
        }
    }

    private static void Merge(JsonNode? from, JsonObject into)
    {
        foreach ((string name, JsonNode? value) in from as JsonObject ?? [])
        {
            if (value is not null || !into.ContainsKey(name))
            {
                into[name] = value?.DeepClone();
            }
        }
    }

    private static void Grow(JsonObject block, JsonObject delta)
    {
        switch ((string?)delta["type"])
        {
            case "text_delta":
                block["text"] = (string?)block["text"] + (string?)delta["text"];
                break;
            case "thinking_delta":
                block["thinking"] = (string?)block["thinking"] + (string?)delta["thinking"];
                break;
            case "signature_delta":
                block["signature"] = (string?)block["signature"] + (string?)delta["signature"];
                break;
            case "input_json_delta":
                block["partial_json"] = (string?)block["partial_json"] + (string?)delta["partial_json"];
                break;
            case "citations_delta":
                block["citations"] ??= new JsonArray();
                (block["citations"] as JsonArray)?.Add(delta["citation"]?.DeepClone());
                break;
        }
    }

    private static void ReadMessage(JsonElement message, AnswerFacts facts)
    {
        facts.TextPointer = "/content";
        facts.FinishPointer = "/stop_reason";
        foreach (JsonProperty field in message.EnumerateObject().Where(field => !JsonWalk.SaysNothing(field.Value)))
        {
            switch (field.Name)
            {
                case "id" or "type" or "role":
                // Bedrock adds how long it took.
                case "amazon-bedrock-invocationMetrics":
                    break;
                case "model":
                    facts.Model = JsonWalk.TextOf(field.Value);
                    break;
                case "content":
                    int index = 0;
                    foreach (JsonElement block in JsonWalk.Items(field.Value))
                    {
                        ReadBlock(block, JsonWalk.Below("/content", index++), facts);
                    }

                    break;
                case "stop_reason":
                    facts.Finish = JsonWalk.TextOf(field.Value) switch
                    {
                        "end_turn" or "stop_sequence" => "stop",
                        "max_tokens" => "length",
                        "tool_use" => "tool_calls",
                        "refusal" => "content_filter",
                        string word => word,
                    };
                    break;
                case "stop_sequence":
                    facts.StopSequence = JsonWalk.TextOf(field.Value);
                    break;
                case "stop_details" when JsonWalk.Text(field.Value, "explanation") is { Length: > 0 } explanation:
                    facts.Text.Append(explanation);
                    OtherFields(field.Value, "/stop_details", ["type", "explanation"], facts);
                    break;
                case "usage":
                    ReadUsage(field.Value, facts);
                    break;
                default:
                    facts.Others[JsonWalk.Below("", field.Name)] = "";
                    break;
            }
        }
    }

    private static void ReadBlock(JsonElement block, string at, AnswerFacts facts)
    {
        switch (JsonWalk.Text(block, "type"))
        {
            case "text":
                facts.Text.Append(JsonWalk.Text(block, "text"));
                int index = 0;
                foreach (JsonElement citation in JsonWalk.Items(JsonWalk.Get(block, "citations")))
                {
                    ReadCitation(citation, JsonWalk.Below($"{at}/citations", index++), facts);
                }

                OtherFields(block, at, ["type", "text", "citations"], facts);
                break;
            case "thinking":
                facts.ThinkingPointer = at;
                facts.Thinking.Append(JsonWalk.Text(block, "thinking"));
                if (JsonWalk.Text(block, "signature") is { Length: > 0 } signature)
                {
                    facts.Signatures.Add((signature, at));
                }

                OtherFields(block, at, ["type", "thinking", "signature"], facts);
                break;
            case "redacted_thinking":
                facts.Redacted.Add((JsonWalk.Text(block, "data") ?? "", at));
                OtherFields(block, at, ["type", "data"], facts);
                break;
            case "tool_use":
                CallFact call = new(at) { Id = JsonWalk.Text(block, "id") ?? "", Name = JsonWalk.Text(block, "name") ?? "" };
                string? whole = JsonWalk.Get(block, "input") is { } input && !JsonWalk.SaysNothing(input) ? input.GetRawText() : null;
                call.Arguments.Append(JsonWalk.Text(block, "partial_json") is { Length: > 0 } pieces ? pieces : whole);
                facts.Calls.Add(call);
                OtherFields(block, at, ["type", "id", "name", "input", "partial_json"], facts);
                break;
            default:
                facts.Others[at] = "";
                break;
        }
    }

    private static void ReadCitation(JsonElement citation, string at, AnswerFacts facts)
    {
        facts.Citations.Add(new CitationFact(
            JsonWalk.Text(citation, "url") ?? JsonWalk.Text(citation, "source"),
            JsonWalk.Text(citation, "title") ?? JsonWalk.Text(citation, "document_title"),
            JsonWalk.Text(citation, "cited_text"),
            at));
        if (JsonWalk.Text(citation, "url") is not null)
        {
            OtherFields(citation, at, ["type", "url", "title", "cited_text"], facts);
        }
    }

    private static void ReadUsage(JsonElement usage, AnswerFacts facts)
    {
        JsonElement created = JsonWalk.Get(usage, "cache_creation") ?? default;
        JsonElement details = JsonWalk.Get(usage, "output_tokens_details") ?? default;
        long cacheRead = JsonWalk.Count(usage, "cache_read_input_tokens") ?? 0;
        long split = (JsonWalk.Count(created, "ephemeral_5m_input_tokens") ?? 0) + (JsonWalk.Count(created, "ephemeral_1h_input_tokens") ?? 0);
        long cacheWrite = Math.Max(JsonWalk.Count(usage, "cache_creation_input_tokens") ?? 0, split);
        long input = (JsonWalk.Count(usage, "input_tokens") ?? 0) + cacheRead + cacheWrite;
        facts.Tokens = new TokenFact(input, cacheRead, cacheWrite, JsonWalk.Count(usage, "output_tokens") ?? 0, JsonWalk.Count(details, "thinking_tokens"));
        string[] known = ["input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens", "cache_creation", "output_tokens_details"];
        foreach (JsonProperty field in JsonWalk.Fields(usage).Where(field => !known.Contains(field.Name) && !JsonWalk.IsZero(field.Value)))
        {
            if (field.Name == "service_tier")
            {
                facts.TellTier("/usage/service_tier", field.Value);
            }
            else if (field.Name == "inference_geo" && JsonWalk.TextOf(field.Value) is { Length: > 0 } place)
            {
                facts.Places["/usage/inference_geo"] = place;
            }
            else
            {
                facts.Others[JsonWalk.Below("/usage", field.Name)] = "";
            }
        }
    }

    private static void OtherFields(JsonElement block, string at, string[] known, AnswerFacts facts)
    {
        foreach (JsonProperty field in block.EnumerateObject().Where(field => !known.Contains(field.Name) && !JsonWalk.SaysNothing(field.Value)))
        {
            facts.Others[JsonWalk.Below(at, field.Name)] = "";
        }
    }
}
