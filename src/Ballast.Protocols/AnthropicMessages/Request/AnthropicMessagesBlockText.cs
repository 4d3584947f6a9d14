using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.AnthropicMessages;

/// <summary>The text of blocks that are made of blocks: search results, and documents whose source is their content.</summary>
internal static class AnthropicMessagesBlockText
{
    /// <summary>Title, origin and text, a line each; null where there is no text.</summary>
    public static string? Of(RawJson block)
    {
        using JsonDocument document = JsonDocument.Parse(block.Utf8);
        JsonElement root = document.RootElement;
        List<string> lines = [];
        JsonElement origin = Field(root, "source");
        JsonElement content = origin.ValueKind == JsonValueKind.Object ? Field(origin, "content") : Field(root, "content");
        foreach (JsonElement inner in content.ValueKind == JsonValueKind.Array ? [.. content.EnumerateArray()] : (JsonElement[])[content])
        {
            Add(lines, inner.ValueKind == JsonValueKind.Object ? Field(inner, "text") : inner);
        }

        if (lines.Count == 0)
        {
            return null;
        }

        List<string> head = [];
        Add(head, Field(root, "title"));
        Add(head, origin);
        return string.Join('\n', head.Concat(lines));
    }

    private static JsonElement Field(JsonElement block, string name) =>
        block.ValueKind == JsonValueKind.Object && block.TryGetProperty(name, out JsonElement value) ? value : default;

    private static void Add(List<string> lines, JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.String)
        {
            return;
        }

        try
        {
            if (value.GetString() is { Length: > 0 } text)
            {
                lines.Add(text);
            }
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair: its own vendor may take it, here it is no text.
        }
    }
}
