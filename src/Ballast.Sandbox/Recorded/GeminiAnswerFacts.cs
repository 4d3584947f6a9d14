using System.Text.Json;
using System.Text.Json.Nodes;

namespace Ballast.Sandbox.Recorded;

/// <summary>Reads what a GenerateContent answer says. Each piece of a stream is an answer: parts follow one another, of everything else the last word counts.</summary>
internal static class GeminiAnswerFacts
{
    private const string Candidate = "/candidates/0";

    private static readonly string[] FilterWords =
    [
        "SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR", "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION",
    ];

    public static JsonObject Whole(IEnumerable<JsonObject> pieces)
    {
        JsonObject whole = [];
        foreach (JsonObject piece in pieces)
        {
            foreach ((string name, JsonNode? value) in piece)
            {
                if (name == "candidates" && whole["candidates"] is JsonArray { Count: > 0 } known && value is JsonArray more)
                {
                    Grow(known, more);
                }
                else
                {
                    whole[name] = value?.DeepClone();
                }
            }
        }

        return whole;
    }

    private static void Grow(JsonArray known, JsonArray more)
    {
        foreach (JsonObject candidate in more.OfType<JsonObject>())
        {
            int index = (int?)candidate["index"] ?? 0;
            if (known.OfType<JsonObject>().FirstOrDefault(one => ((int?)one["index"] ?? 0) == index) is not { } grown)
            {
                known.Add(candidate.DeepClone());
                continue;
            }

            foreach ((string name, JsonNode? value) in candidate)
            {
                if (name == "content" && grown["content"] is JsonObject content && value is JsonObject added)
                {
                    content["parts"] ??= new JsonArray();
                    foreach (JsonNode? part in added["parts"] as JsonArray ?? [])
                    {
                        AddPart(content["parts"]!.AsArray(), part);
                    }
                }
                else
                {
                    grown[name] = value?.DeepClone();
                }
            }
        }
    }

    /// <summary>Text goes on in the part that is open, unless a signature lies between.</summary>
    private static void AddPart(JsonArray parts, JsonNode? part)
    {
        bool isPlain = part is JsonObject { Count: > 0 } added && added.All(field => field.Key is "text" or "thought");
        if (isPlain && parts.Count > 0 && parts[^1] is JsonObject last && last.All(field => field.Key is "text" or "thought") && (bool?)last["thought"] == (bool?)part!["thought"])
        {
            last["text"] = (string?)last["text"] + (string?)part["text"];
        }
        else
        {
            parts.Add(part?.DeepClone());
        }
    }

    public static void Read(JsonElement root, bool isWhole, AnswerFacts facts)
    {
        facts.TextPointer = $"{Candidate}/content/parts";
        facts.FinishPointer = $"{Candidate}/finishReason";
        facts.IsError |= JsonWalk.Get(root, "error") is not null;
        foreach (JsonProperty field in root.EnumerateObject().Where(field => !JsonWalk.SaysNothing(field.Value)))
        {
            switch (field.Name)
            {
                case "responseId" or "createTime":
                    break;
                case "modelVersion":
                    facts.Model = JsonWalk.TextOf(field.Value);
                    break;
                case "candidates":
                    ReadCandidates(field.Value, facts);
                    break;
                case "usageMetadata":
                    ReadUsage(field.Value, facts);
                    break;
                case "promptFeedback" when JsonWalk.Text(field.Value, "blockReason") is not null:
                    facts.Finish = "content_filter";
                    facts.FinishPointer = "/promptFeedback/blockReason";
                    facts.OtherFields(field.Value, "/promptFeedback", ["blockReason"]);
                    break;
                default:
                    facts.Others[JsonWalk.Below("", field.Name)] = "";
                    break;
            }
        }

        facts.Finish ??= isWhole && JsonWalk.Get(root, "candidates") is not null ? "stop" : null;
        facts.IsComplete = !facts.IsError && facts.Finish is not null;
        facts.Finish = facts.Finish == "stop" && facts.Calls.Count > 0 ? "tool_calls" : facts.Finish;
    }

    private static void ReadCandidates(JsonElement candidates, AnswerFacts facts)
    {
        int place = 0;
        foreach (JsonElement candidate in JsonWalk.Items(candidates))
        {
            if (place++ > 0)
            {
                facts.Others[JsonWalk.Below("/candidates", (int)(JsonWalk.Count(candidate, "index") ?? place - 1))] = "";
                continue;
            }

            foreach (JsonProperty field in JsonWalk.Fields(candidate).Where(field => !JsonWalk.SaysNothing(field.Value)))
            {
                switch (field.Name)
                {
                    case "index":
                        break;
                    case "content":
                        ReadParts(field.Value, facts);
                        break;
                    case "finishReason":
                        string word = field.Value.ValueKind == JsonValueKind.Number ? field.Value.GetInt32() switch { 1 => "STOP", 2 => "MAX_TOKENS", _ => "OTHER" } : JsonWalk.TextOf(field.Value);
                        facts.Finish = word switch { "STOP" => "stop", "MAX_TOKENS" => "length", _ when FilterWords.Contains(word) => "content_filter", _ => word };
                        break;
                    case "groundingMetadata":
                        ReadGrounding(field.Value, facts);
                        break;
                    case "citationMetadata":
                        int index = 0;
                        foreach (JsonElement citation in JsonWalk.Items(JsonWalk.Get(field.Value, "citations")))
                        {
                            string at = JsonWalk.Below($"{Candidate}/citationMetadata/citations", index++);
                            if (JsonWalk.SaysNothing(citation))
                            {
                                continue;
                            }

                            facts.Citations.Add(new CitationFact(JsonWalk.Text(citation, "uri"), JsonWalk.Text(citation, "title"), null, at));
                            facts.OtherFields(citation, at, ["uri", "title", "startIndex", "endIndex"]);
                        }

                        break;
                    default:
                        facts.Others[JsonWalk.Below(Candidate, field.Name)] = "";
                        break;
                }
            }
        }
    }

    private static void ReadParts(JsonElement content, AnswerFacts facts)
    {
        int index = 0;
        foreach (JsonElement part in JsonWalk.Items(JsonWalk.Get(content, "parts")))
        {
            string at = JsonWalk.Below($"{Candidate}/content/parts", index++);
            bool isThought = JsonWalk.Get(part, "thought") is { ValueKind: JsonValueKind.True };
            if (JsonWalk.Get(part, "functionCall") is { } call)
            {
                CallFact fact = new($"{at}/functionCall") { Id = JsonWalk.Text(call, "id") ?? "", Name = JsonWalk.Text(call, "name") ?? "" };
                fact.Arguments.Append(JsonWalk.Get(call, "args") is { } arguments ? arguments.GetRawText() : "{}");
                facts.Calls.Add(fact);
                facts.OtherFields(call, $"{at}/functionCall", ["id", "name", "args"]);
            }
            else if (JsonWalk.Text(part, "text") is { } text)
            {
                (isThought ? facts.Thinking : facts.Text).Append(text);
                facts.ThinkingPointer = isThought ? at : facts.ThinkingPointer;
            }
            else if (JsonWalk.Fields(part).Any(field => field.Name is not ("thought" or "thoughtSignature")))
            {
                facts.Others[at] = "";
                continue;
            }

            if (JsonWalk.Text(part, "thoughtSignature") is { Length: > 0 } signature)
            {
                facts.Signatures.Add((signature, $"{at}/thoughtSignature"));
            }

            facts.OtherFields(part, at, ["text", "thought", "thoughtSignature", "functionCall"]);
        }
    }

    private static void ReadGrounding(JsonElement grounding, AnswerFacts facts)
    {
        const string at = $"{Candidate}/groundingMetadata";
        JsonElement[] sources = [.. JsonWalk.Items(JsonWalk.Get(grounding, "groundingChunks")).Select(chunk => JsonWalk.Get(chunk, "web") ?? JsonWalk.Get(chunk, "retrievedContext") ?? JsonWalk.Get(chunk, "maps") ?? chunk)];
        HashSet<int> used = [];
        int index = 0;
        foreach (JsonElement support in JsonWalk.Items(JsonWalk.Get(grounding, "groundingSupports")))
        {
            string here = JsonWalk.Below($"{at}/groundingSupports", index++);
            string? quoted = JsonWalk.Get(support, "segment") is { } segment ? JsonWalk.Text(segment, "text") : null;
            foreach (JsonElement number in JsonWalk.Items(JsonWalk.Get(support, "groundingChunkIndices")))
            {
                if (number.TryGetInt32(out int source) && source >= 0 && source < sources.Length)
                {
                    used.Add(source);
                    facts.Citations.Add(new CitationFact(JsonWalk.Text(sources[source], "uri"), JsonWalk.Text(sources[source], "title"), quoted, here));
                }
            }
        }

        for (int i = 0; i < sources.Length; i++)
        {
            if (!used.Contains(i))
            {
                facts.Citations.Add(new CitationFact(JsonWalk.Text(sources[i], "uri"), JsonWalk.Text(sources[i], "title"), JsonWalk.Text(sources[i], "text"), JsonWalk.Below($"{at}/groundingChunks", i)));
            }
        }

        facts.OtherFields(grounding, at, ["groundingChunks", "groundingSupports"]);
    }

    private static readonly (string List, string Count)[] s_lists =
    [
        ("promptTokensDetails", "promptTokenCount"), ("candidatesTokensDetails", "candidatesTokenCount"),
        ("cacheTokensDetails", "cachedContentTokenCount"), ("toolUsePromptTokensDetails", "toolUsePromptTokenCount"),
    ];

    /// <summary>All of the tokens beside the list are of text, and nothing else is told of them: nothing is said that the count does not say.</summary>
    private static bool IsAllText(JsonElement usage, string list, string count)
    {
        long sum = 0;
        foreach (JsonElement entry in JsonWalk.Items(JsonWalk.Get(usage, list)))
        {
            bool isText = JsonWalk.Text(entry, "modality") == "TEXT" || JsonWalk.Count(entry, "modality") == 1;
            if (JsonWalk.Fields(entry).Any(field => field.Name is not ("modality" or "tokenCount")) || (!isText && JsonWalk.Count(entry, "tokenCount") is not (null or 0)))
            {
                return false;
            }

            sum += JsonWalk.Count(entry, "tokenCount") ?? 0;
        }

        return sum == (JsonWalk.Count(usage, count) ?? 0);
    }

    private static void ReadUsage(JsonElement usage, AnswerFacts facts)
    {
        long prompt = (JsonWalk.Count(usage, "promptTokenCount") ?? 0) + (JsonWalk.Count(usage, "toolUsePromptTokenCount") ?? 0);
        long thoughts = JsonWalk.Count(usage, "thoughtsTokenCount") ?? 0;
        long output = (JsonWalk.Count(usage, "candidatesTokenCount") ?? 0) + thoughts;
        facts.Tokens = new TokenFact(prompt, JsonWalk.Count(usage, "cachedContentTokenCount") ?? 0, 0, output, thoughts);
        string[] plain = [.. s_lists.Where(list => IsAllText(usage, list.List, list.Count)).Select(list => list.List)];
        facts.OtherFields(usage, "/usageMetadata",
            [.. plain, "promptTokenCount", "toolUsePromptTokenCount", "thoughtsTokenCount", "candidatesTokenCount", "cachedContentTokenCount", "totalTokenCount", "serviceTier", "trafficType"]);
        foreach (string name in (ReadOnlySpan<string>)["serviceTier", "trafficType"])
        {
            if (JsonWalk.Get(usage, name) is { } word)
            {
                facts.TellTier(JsonWalk.Below("/usageMetadata", name), word);
            }
        }
    }
}
