using System.Text;
using System.Text.Json.Nodes;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Tests.Fuzz;

namespace Ballast.Protocols.Tests.Invariants;

/// <summary>Generated answers as events: text, reasoning with and without signature, refusals, tool calls with ids and names of every kind, citations, usage.</summary>
public static class Answers
{
    private static readonly string[] s_ids = ["call_1", "toolu_01", "call.b/2", "функция", "", "a b", "call_1", new string('i', 90), "{\"x\":1}"];

    private static readonly string[] s_arguments = ["{}", "{\"a\":1}", "{\"a\":\"}{\\\"\"}", "{\"deep\":{\"er\":[1,{\"x\":null}]}}", "{\"ü\":\"日本\"}"];

    public static readonly FinishReason[] Reasons = [FinishReason.Stop, FinishReason.Length, FinishReason.ContentFilter, FinishReason.Refusal];

    private static readonly string[] s_texts = ["", "{", "*** Begin\n+\t\"x\"\r\n", "日本 😀", "{\"input\":\"x\"}", "\\u0041\\"];

    /// <summary>Text of every kind that a tool of free text may be given.</summary>
    public static string FreeText(Dice dice) => string.Concat(Enumerable.Range(0, dice.Below(4)).Select(_ => dice.Pick(s_texts)));

    /// <param name="dice">The choice.</param>
    /// <param name="vendor">Whose reasoning is signed.</param>
    /// <param name="hasFreeText">Tools of free text are called as well.</param>
    public static List<ChatEvent> Generate(Dice dice, string vendor, bool hasFreeText = false)
    {
        List<ChatEvent> events = [new ResponseStarted("msg_" + dice.Below(100), "served-model", 1_700_000_000)];
        int part = 0;
        bool hasCalls = false;
        for (int i = dice.Below(5); i > 0; i--)
        {
            switch (dice.Below(4))
            {
                case 0:
                    events.Add(new ThinkingDelta(part, "Hm " + dice.Text()));
                    if (dice.Chance(60))
                    {
                        events.Add(new ThinkingSigned(part, "c2ln" + part, dice.Pick(vendor, "other")));
                    }

                    events.Add(new PartEnded(part++));
                    break;
                case 1:
                    bool isFreeText = hasFreeText && dice.Chance(50);
                    events.Add(new ToolCallStarted(part, dice.Pick(s_ids), dice.Pick("f", "get_weather")) { IsFreeText = isFreeText });
                    foreach (char[] piece in Chunks(isFreeText ? FreeText(dice) : dice.Pick(s_arguments), dice))
                    {
                        events.Add(new ToolCallDelta(part, new string(piece)));
                    }

                    hasCalls = true;
                    events.Add(new PartEnded(part++));
                    break;
                default:
                    events.Add(new TextDelta(part, "Say " + dice.Text()));
                    events.Add(new TextDelta(part, dice.Pick("x", "ü", "\n")));
                    events.Add(new PartEnded(part++));
                    break;
            }
        }

        events.Add(new Finished(hasCalls ? FinishReason.ToolCalls : dice.Pick(Reasons), null));
        events.Add(new UsageReported(new Usage
        {
            InputTokens = dice.Below(1000), CacheReadTokens = dice.Pick(0, 50), CacheWriteTokens = dice.Pick(0, 7), OutputTokens = dice.Below(500),
        }));
        events.Add(ResponseEnded.Instance);
        return events;
    }

    /// <summary>Pieces of a text; no pair is cut, since each becomes a JSON string of its own.</summary>
    private static IEnumerable<char[]> Chunks(string text, Dice dice) => text.EnumerateRunes().Select(rune => rune.ToString()).Chunk(1 + dice.Below(7)).Select(piece => string.Concat(piece).ToCharArray());

    /// <summary>Shape of a stream as its protocol's own documents give it, checked without any code of the product; null where it is sound.</summary>
    public static string? ShapeFault(string protocol, string stream, bool isWhole) => protocol switch
    {
        "openai-chat" => OpenAIFault(stream, isWhole),
        "bedrock-converse" => ConverseShape.Fault(Frames(stream), isWhole),
        "openai-responses" => ResponsesShape.Fault(stream, isWhole),
        "gemini" => GeminiFault(stream, isWhole),
        "ollama-chat" => PlainShapes.OllamaFault(stream, isWhole),
        "cohere-chat" => PlainShapes.CohereFault([.. Frames(stream)], isWhole),
        _ => AnthropicFault(stream, isWhole),
    };

    private static IEnumerable<(string Name, string Data)> Frames(string stream)
    {
        foreach (string frame in stream.Split("\n\n", StringSplitOptions.RemoveEmptyEntries))
        {
            string[] lines = frame.Split('\n');
            string name = lines.FirstOrDefault(line => line.StartsWith("event: ", StringComparison.Ordinal))?[7..] ?? "";
            string? data = lines.FirstOrDefault(line => line.StartsWith("data: ", StringComparison.Ordinal))?[6..];
            if (data is not null)
            {
                yield return (name, data);
            }
        }
    }

    private static string? OpenAIFault(string stream, bool isWhole)
    {
        List<string> data = [.. Frames(stream).Select(frame => frame.Data)];
        int done = data.IndexOf("[DONE]");
        if (isWhole ? done != data.Count - 1 : done >= 0)
        {
            return "[DONE] is missing, early or false";
        }

        int calls = 0;
        bool isFirst = true;
        bool isFinished = false;
        string? id = null;
        foreach (JsonNode chunk in data.Where(one => one != "[DONE]").Select(one => JsonNode.Parse(one)!))
        {
            string here = (string?)chunk["id"] ?? "";
            if (here.Length == 0 || (id is not null && id != here) || (string?)chunk["object"] != "chat.completion.chunk")
            {
                return "a chunk has another id or object";
            }

            id = here;
            if (chunk["choices"]!.AsArray() is not [JsonNode choice, ..])
            {
                if (chunk["usage"] is null || !isFinished)
                {
                    return "no choice and no usage";
                }

                continue;
            }

            if (isFinished || (isFirst && (string?)choice["delta"]!["role"] != "assistant"))
            {
                return "content behind the finish, or no role first";
            }

            isFirst = false;
            isFinished = choice["finish_reason"] is not null;
            foreach (JsonNode? call in choice["delta"]!["tool_calls"]?.AsArray() ?? [])
            {
                int index = (int)call!["index"]!;
                if (call["id"] is not null ? index != calls++ || (string?)(call["function"] ?? call["custom"])!["name"] is null : index >= calls || index < 0)
                {
                    return "a tool call's index, id or name is wrong";
                }
            }
        }

        return isWhole && !isFinished ? "no finish" : null;
    }

    private static string? AnthropicFault(string stream, bool isWhole)
    {
        int open = -1;
        int next = 0;
        string last = "";
        StringBuilder json = new();
        foreach ((string name, string text) in Frames(stream))
        {
            JsonNode data = JsonNode.Parse(text)!;
            if ((string?)data["type"] != name || last == "message_stop" || (name != "message_start" && last.Length == 0))
            {
                return $"{name} stands in a wrong place";
            }

            int index = (int?)data["index"] ?? -1;
            switch (name)
            {
                case "content_block_start" when open >= 0 || index != next:
                case "content_block_delta" or "content_block_stop" when index != open || open < 0:
                case "message_delta" when open >= 0:
                case "message_start" when last.Length > 0:
                    return $"{name} {index} overlaps or skips";
                case "content_block_start":
                    (open, next) = (index, next + 1);
                    json.Clear();
                    break;
                case "content_block_delta":
                    json.Append((string?)data["delta"]!["partial_json"]);
                    break;
                case "content_block_stop":
                    open = -1;
                    if (json.Length > 0 && JsonNode.Parse(json.ToString()) is not JsonObject)
                    {
                        return "arguments are no object";
                    }

                    break;
            }

            last = name == "ping" ? last : name;
        }

        return (last == "message_stop") == isWhole ? null : "message_stop is missing or false";
    }

    private static string? GeminiFault(string stream, bool isWhole)
    {
        bool isFinished = false;
        string? id = null;
        foreach ((string name, string text) in Frames(stream))
        {
            JsonNode chunk = JsonNode.Parse(text)!;
            if (name.Length > 0 || isFinished || chunk["candidates"] is not JsonArray { Count: 1 } candidates)
            {
                return "an event has a name, no candidate, or stands behind the finish";
            }

            JsonNode candidate = candidates[0]!;
            string here = (string?)chunk["responseId"] ?? "";
            if (here.Length == 0 || (id is not null && id != here) || (string?)candidate["content"]!["role"] != "model" || (int?)candidate["index"] != 0)
            {
                return "a chunk has another id, role or index";
            }

            id = here;
            isFinished = candidate["finishReason"] is not null;
            foreach (JsonNode? part in candidate["content"]!["parts"]!.AsArray())
            {
                bool isCall = part!["functionCall"] is JsonObject call && call["name"] is not null && call["args"] is JsonObject;
                if (!isCall && part["text"] is null)
                {
                    return "a part is neither text nor a whole call";
                }
            }
        }

        return isFinished == isWhole ? null : "the finish is missing or false";
    }
}
