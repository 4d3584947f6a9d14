using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.BedrockConverse;

/// <summary>The text of blocks that have no neutral form but say something that any model can read.</summary>
internal static class BedrockConverseBlockText
{
    /// <summary>Null where nothing in the block is text.</summary>
    public static string? Of(string kind, RawJson block)
    {
        if (kind is not ("json" or "guardContent" or "citationsContent" or "searchResult"))
        {
            return null;
        }

        using JsonDocument document = JsonDocument.Parse(block.Utf8, new JsonDocumentOptions { MaxDepth = JsonFields.DepthMax });
        JsonElement value = document.RootElement.GetProperty(kind);
        return kind switch
        {
            "json" => value.GetRawText(),
            "guardContent" => TextOf(Field(Field(value, "text"), "text")),
            "searchResult" => Join([Field(value, "title"), Field(value, "source"), .. Texts(value)]),
            _ => string.Concat(Texts(value).Select(TextOf)) is { Length: > 0 } text ? text : null,
        };
    }

    private static IEnumerable<JsonElement> Texts(JsonElement value) =>
        Field(value, "content") is { ValueKind: JsonValueKind.Array } content ? [.. content.EnumerateArray().Select(one => Field(one, "text"))] : [];

    private static string? Join(IEnumerable<JsonElement> lines)
    {
        string text = string.Join('\n', lines.Select(TextOf).OfType<string>());
        return text.Length == 0 ? null : text;
    }

    private static JsonElement Field(JsonElement value, string name) =>
        value.ValueKind == JsonValueKind.Object && value.TryGetProperty(name, out JsonElement field) ? field : default;

    private static string? TextOf(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
