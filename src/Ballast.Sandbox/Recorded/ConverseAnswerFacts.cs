using System.Text.Json;
using System.Text.Json.Nodes;

namespace Ballast.Sandbox.Recorded;

/// <summary>Reads what an answer of Converse says; a stream is put together to the message it stands for first.</summary>
internal static class ConverseAnswerFacts
{
    public static JsonObject Whole(IEnumerable<(string Name, JsonObject Data)> events)
    {
        SortedDictionary<int, JsonObject> blocks = [];
        JsonObject whole = [];
        foreach ((string name, JsonObject data) in events)
        {
            int index = (int?)data["contentBlockIndex"] ?? 0;
            switch (name)
            {
                case "messageStart":
                    break;
                case "contentBlockStart" when data["start"] is JsonObject start:
                    blocks[index] = start.DeepClone().AsObject();
                    break;
                case "contentBlockDelta" when data["delta"] is JsonObject delta:
                    Grow(blocks.TryGetValue(index, out JsonObject? block) ? block : blocks[index] = [], delta);
                    break;
                case "messageStop" or "metadata":
                    foreach ((string field, JsonNode? value) in data.Where(field => field.Key != "p"))
                    {
                        whole[field] = value?.DeepClone();
                    }

                    break;
            }
        }

        whole["output"] = new JsonObject { ["message"] = new JsonObject { ["content"] = new JsonArray([.. blocks.Values]) } };
        return whole;
    }

    private static void Grow(JsonObject block, JsonObject delta)
    {
        foreach ((string name, JsonNode? value) in delta)
        {
            switch (name)
            {
                case "text":
                    block["text"] = (string?)block["text"] + (string?)value;
                    break;
                case "toolUse":
                    block["toolUse"]!["input"] = (string?)block["toolUse"]!["input"] + (string?)value!["input"];
                    break;
                case "reasoningContent" when value is JsonObject piece:
                    JsonObject thinking = block["reasoningContent"] as JsonObject ?? [];
                    block["reasoningContent"] ??= thinking;
                    GrowThinking(thinking, piece);
                    break;
                case "citation":
                    block["citations"] ??= new JsonArray();
                    block["citations"]!.AsArray().Add(value?.DeepClone());
                    break;
                default:
                    block[name] = value?.DeepClone();
                    break;
            }
        }
    }

    private static void GrowThinking(JsonObject thinking, JsonObject piece)
    {
        if (piece["redactedContent"] is { } redacted)
        {
            thinking["redactedContent"] = (string?)thinking["redactedContent"] + (string?)redacted;
        }

        if (piece["text"] is not null || piece["signature"] is not null)
        {
            JsonObject text = thinking["reasoningText"] as JsonObject ?? [];
            thinking["reasoningText"] ??= text;
            foreach (string name in (string[])["text", "signature"])
            {
                text[name] = (string?)text[name] + (string?)piece[name];
            }
        }
    }

    public static void Read(JsonElement root, AnswerFacts facts)
    {
        facts.TextPointer = "/output/message/content";
        facts.FinishPointer = "/stopReason";
        foreach (JsonProperty field in root.EnumerateObject().Where(field => !JsonWalk.SaysNothing(field.Value)))
        {
            switch (field.Name)
            {
                // How long it took is no part of the answer.
                case "metrics":
                    break;
                case "output" when JsonWalk.Get(field.Value, "message") is { } message:
                    int index = 0;
                    foreach (JsonElement block in JsonWalk.Items(JsonWalk.Get(message, "content")))
                    {
                        ReadBlock(block, JsonWalk.Below("/output/message/content", index++), facts);
                    }

                    break;
                case "stopReason":
                    facts.Finish = JsonWalk.TextOf(field.Value) switch
                    {
                        "end_turn" or "stop_sequence" => "stop",
                        "max_tokens" => "length",
                        "tool_use" => "tool_calls",
                        "guardrail_intervened" or "content_filtered" or "refusal" => "content_filter",
                        string word => word,
                    };
                    break;
                case "usage":
                    long read = JsonWalk.Count(field.Value, "cacheReadInputTokens") ?? 0;
                    long written = JsonWalk.Count(field.Value, "cacheWriteInputTokens") ?? 0;
                    facts.Tokens = new TokenFact((JsonWalk.Count(field.Value, "inputTokens") ?? 0) + read + written, read, written, JsonWalk.Count(field.Value, "outputTokens") ?? 0, null);
                    facts.OtherFields(field.Value, "/usage",
                        ["inputTokens", "outputTokens", "totalTokens", "cacheReadInputTokens", "cacheWriteInputTokens", "cacheReadInputTokenCount", "cacheWriteInputTokenCount", "cacheDetails", "serverToolUsage"]);
                    break;
                case "serviceTier" when JsonWalk.Get(field.Value, "type") is { } tier:
                    facts.TellTier("/serviceTier", tier);
                    break;
                default:
                    facts.Others[JsonWalk.Below("", field.Name)] = "";
                    break;
            }
        }

        facts.IsComplete = facts.Finish is not null;
        facts.IsError |= JsonWalk.Get(root, "output") is null;
    }

    private static void ReadBlock(JsonElement block, string at, AnswerFacts facts)
    {
        foreach (JsonProperty field in JsonWalk.Fields(block))
        {
            switch (field.Name)
            {
                case "text":
                    facts.Text.Append(JsonWalk.TextOf(field.Value));
                    break;
                // What the platform runs itself is not the caller's to run.
                case "toolUse" when JsonWalk.Text(field.Value, "type") == "server_tool_use":
                    facts.Others[at] = "";
                    break;
                case "toolUse":
                    CallFact call = new($"{at}/toolUse") { Id = JsonWalk.Text(field.Value, "toolUseId") ?? "", Name = JsonWalk.Text(field.Value, "name") ?? "" };
                    call.Arguments.Append(JsonWalk.Text(field.Value, "input") ?? JsonWalk.Get(field.Value, "input")?.GetRawText());
                    facts.Calls.Add(call);
                    facts.OtherFields(field.Value, $"{at}/toolUse", ["toolUseId", "name", "input", "type"]);
                    break;
                case "reasoningContent":
                    ReadThinking(field.Value, at, facts);
                    break;
                case "citationsContent":
                    facts.Text.Append(string.Concat(JsonWalk.Items(JsonWalk.Get(field.Value, "content")).Select(piece => JsonWalk.Text(piece, "text"))));
                    ReadCitations(JsonWalk.Get(field.Value, "citations"), $"{at}/citationsContent/citations", facts);
                    break;
                case "citations":
                    ReadCitations(field.Value, $"{at}/citationsContent/citations", facts);
                    break;
                default:
                    facts.Others[at] = "";
                    break;
            }
        }
    }

    private static void ReadThinking(JsonElement thinking, string at, AnswerFacts facts)
    {
        facts.ThinkingPointer = at;
        if (JsonWalk.Get(thinking, "reasoningText") is { } text)
        {
            facts.Thinking.Append(JsonWalk.Text(text, "text"));
            if (JsonWalk.Text(text, "signature") is { Length: > 0 } signature)
            {
                facts.Signatures.Add((signature, at));
            }
        }

        if (JsonWalk.Text(thinking, "redactedContent") is { Length: > 0 } redacted)
        {
            facts.Redacted.Add((ConverseBlob.TextOf(redacted), at));
        }
    }

    private static void ReadCitations(JsonElement? citations, string at, AnswerFacts facts)
    {
        int index = 0;
        foreach (JsonElement citation in JsonWalk.Items(citations))
        {
            string here = JsonWalk.Below(at, index++);
            string quoted = string.Concat(JsonWalk.Items(JsonWalk.Get(citation, "sourceContent")).Select(piece => JsonWalk.Text(piece, "text")));
            string? url = JsonWalk.Get(citation, "location") is { } location && JsonWalk.Get(location, "web") is { } web ? JsonWalk.Text(web, "url") : null;
            facts.Citations.Add(new CitationFact(url ?? JsonWalk.Text(citation, "source"), JsonWalk.Text(citation, "title"), quoted.Length == 0 ? null : quoted, here));
            if (url is null && JsonWalk.Get(citation, "location") is { } other)
            {
                facts.Others[$"{here}/location"] = JsonWalk.Canonical(other);
            }
        }
    }
}
