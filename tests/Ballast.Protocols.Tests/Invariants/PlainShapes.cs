using System.Text.Json.Nodes;

namespace Ballast.Protocols.Tests.Invariants;

/// <summary>Shapes of Ollama's and Cohere's streams as their documents give them, checked without any code of the product; null where a stream is sound.</summary>
public static class PlainShapes
{
    public static string? OllamaFault(string stream, bool isWhole)
    {
        bool isDone = false;
        int calls = 0;
        foreach (string line in stream.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            JsonNode data = JsonNode.Parse(line)!;
            if (isDone || (string?)data["message"]?["role"] != "assistant" || data["message"]!["content"] is null || (string?)data["model"] is null || data["created_at"] is null)
            {
                return "a line after the last, or without message, model or time";
            }

            foreach (JsonNode? call in data["message"]!["tool_calls"]?.AsArray() ?? [])
            {
                if ((int?)call!["function"]!["index"] != calls++ || call["function"]!["arguments"] is not JsonObject)
                {
                    return "a tool call's index is wrong, or its arguments are no object";
                }
            }

            isDone = (bool)data["done"]!;
            if (isDone != (data["done_reason"] is not null))
            {
                return "an end without its reason, or a reason without an end";
            }
        }

        return isDone == isWhole ? null : "done is missing or false";
    }

    public static string? CohereFault(IReadOnlyList<(string Name, string Data)> frames, bool isWhole)
    {
        string? open = null;
        int contents = 0;
        int calls = 0;
        string last = "";
        foreach ((string name, string text) in frames)
        {
            if (last == "[DONE]" || (text == "[DONE]" && last != "message-end"))
            {
                return "[DONE] stands in a wrong place";
            }

            last = text == "[DONE]" ? text : name;
            if (text == "[DONE]")
            {
                continue;
            }

            JsonNode data = JsonNode.Parse(text)!;
            int index = (int?)data["index"] ?? -1;
            JsonNode? message = data["delta"]?["message"];
            string? fault = (string?)data["type"] != name ? "has another type" : name switch
            {
                "content-start" => open is not null || index != contents++ || message!["content"]!["type"] is null ? "overlaps, skips or has no type" : null,
                "content-delta" => open != $"content {index}" ? "belongs to no block" : null,
                "content-end" => open != $"content {index}" ? "ends another block" : null,
                "tool-call-start" => open is not null || index != calls++ || message!["tool_calls"]!["function"]!["name"] is null ? "overlaps or skips" : null,
                "tool-call-delta" or "tool-call-end" => index >= calls ? "belongs to no call" : null,
                "message-end" => open is not null || data["delta"]!["finish_reason"] is null ? "leaves a block open or has no reason" : null,
                _ => null,
            };
            if (fault is not null)
            {
                return $"{name} {index} {fault}";
            }

            open = name == "content-start" ? $"content {index}" : name == "content-end" ? null : open;
        }

        return (last == "[DONE]") == isWhole ? null : "[DONE] is missing or false";
    }
}
