using System.Text;
using System.Text.Json.Nodes;

namespace Ballast.Protocols.Tests.Invariants;

/// <summary>Shape of a ConverseStream answer, as AWS's reference of its events gives it.</summary>
public static class ConverseShape
{
    /// <summary>What is wrong with it; null where it is sound.</summary>
    public static string? Fault(IEnumerable<(string Name, string Data)> frames, bool isWhole)
    {
        int next = 0;
        bool isOpen = false;
        bool isCall = false;
        string last = "";
        StringBuilder input = new();
        foreach ((string name, string text) in frames)
        {
            JsonNode data = JsonNode.Parse(text)!;
            int index = (int?)data["contentBlockIndex"] ?? -1;
            string? fault = name switch
            {
                "messageStart" => last.Length > 0 ? "starts twice" : (string?)data["role"] != "assistant" ? "has no role" : null,
                "contentBlockStart" => isOpen || index != next || data["start"]!["toolUse"]!["toolUseId"] is null ? "a call overlaps, skips or has no id" : null,
                "contentBlockDelta" => index != next || (data["delta"]!["toolUse"] is not null) != isCall ? "a delta lies outside its block" : null,
                "contentBlockStop" => index != next ? "stops another block" : null,
                "messageStop" => isOpen || data["stopReason"] is null ? "stops inside a block or without a reason" : null,
                "metadata" => last != "messageStop" || data["usage"]!["totalTokens"] is null ? "metadata is early or empty" : null,
                _ => $"unknown event {name}",
            };
            if (fault is not null || (last.Length == 0 && name != "messageStart") || last == "metadata")
            {
                return $"{name} {index}: {fault ?? "out of order"}";
            }

            isCall = name == "contentBlockStart" || (isCall && name == "contentBlockDelta");
            isOpen = name is "contentBlockStart" or "contentBlockDelta";
            input.Append((string?)data["delta"]?["toolUse"]?["input"]);
            if (name == "contentBlockStop")
            {
                if (input.Length > 0 && JsonNode.Parse(input.ToString()) is not JsonObject)
                {
                    return "input is no object";
                }

                next++;
                input.Clear();
            }

            last = name;
        }

        return (last == "metadata") == isWhole ? null : "metadata is missing or false";
    }
}
