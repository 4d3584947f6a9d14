using System.Text.Json;

namespace Ballast.Protocols.Gemini;

/// <summary>The lists in <c>usageMetadata</c> that tell tokens by what they were of. One that tells of text alone, and of as many tokens as the count beside it, says nothing more.</summary>
internal static class GeminiModalities
{
    private static readonly (string List, string Count)[] s_lists =
    [
        ("promptTokensDetails", "promptTokenCount"), ("candidatesTokensDetails", "candidatesTokenCount"), ("cacheTokensDetails", "cachedContentTokenCount"),
        ("toolUsePromptTokensDetails", "toolUsePromptTokenCount"),
    ];

    /// <summary>Adds the names of those lists that say nothing more to <paramref name="names"/>.</summary>
    public static void AddPlain(ReadOnlySpan<byte> usage, List<string> names)
    {
        Utf8JsonReader json = new(usage, GeminiCursor.ReaderOptions);
        using JsonDocument document = JsonDocument.ParseValue(ref json);
        foreach ((string list, string count) in s_lists)
        {
            if (document.RootElement.TryGetProperty(list, out JsonElement entries) && entries.ValueKind == JsonValueKind.Array
                && TextTokens(entries) is { } tokens && tokens == CountOf(document.RootElement, count))
            {
                names.Add(list);
            }
        }
    }

    /// <summary>Null where something else than text is told of, or more is said of it than its tokens.</summary>
    private static long? TextTokens(JsonElement entries)
    {
        long tokens = 0;
        foreach (JsonElement entry in entries.EnumerateArray())
        {
            if (entry.ValueKind != JsonValueKind.Object || entry.EnumerateObject().Any(field => !field.NameEquals("modality"u8) && !field.NameEquals("tokenCount"u8)))
            {
                return null;
            }

            long count = CountOf(entry, "tokenCount");
            if (count != 0 && !(entry.TryGetProperty("modality"u8, out JsonElement modality) && IsText(modality)))
            {
                return null;
            }

            tokens += count;
        }

        return tokens;
    }

    /// <summary>By its word or, from some servers, its number.</summary>
    private static bool IsText(JsonElement modality) => modality.ValueKind switch
    {
        JsonValueKind.String => modality.ValueEquals("TEXT"u8),
        JsonValueKind.Number => modality.TryGetInt32(out int number) && number == 1,
        _ => false,
    };

    private static long CountOf(JsonElement element, string name) =>
        element.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long count) ? count : 0;
}
