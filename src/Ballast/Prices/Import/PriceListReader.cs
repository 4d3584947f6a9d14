using System.Text.Json;

namespace Ballast.Prices.Import;

/// <summary>Reads a price list of another project, told by its shape: genai-prices v2, models.dev, LiteLLM's model map, or a book of Ballast's own.</summary>
public static class PriceListReader
{
    /// <summary>Largest file taken, in bytes.</summary>
    public const int BytesMax = PriceBookFile.BytesMax;

    private static readonly JsonDocumentOptions s_bounded = new() { MaxDepth = 32 };

    /// <param name="path">The file.</param>
    /// <param name="revision">Which state of the source it is, for people.</param>
    /// <param name="known">The day from which its figures are known.</param>
    /// <exception cref="PriceException">It cannot be read, or is none of the known shapes.</exception>
    public static PriceList Read(string path, string revision, DateOnly known)
    {
        byte[] bytes;
        try
        {
            bytes = new FileInfo(path).Length <= BytesMax ? File.ReadAllBytes(path) : throw new PriceException($"{path} is larger than {BytesMax / 1024 / 1024} MiB.");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new PriceException($"{path} cannot be read: {error.Message}");
        }

        try
        {
            return Read(bytes, path, revision, known);
        }
        catch (Exception error) when (error is JsonException or FormatException or InvalidOperationException or KeyNotFoundException or OverflowException)
        {
            throw new PriceException($"{path} is no price list that is known here ({error.Message.Split('\n')[0].TrimEnd('.')}).");
        }
    }

    private static PriceList Read(byte[] bytes, string path, string revision, DateOnly known)
    {
        ReadOnlySpan<byte> start = bytes.AsSpan(0, Math.Min(bytes.Length, 64));
        if (start.IndexOf("\"ballast_price_book\""u8) >= 0)
        {
            PriceBook book = PriceBookFile.Read(new MemoryStream(bytes), path);
            return new PriceList("ballast", [.. book.Rows.Where(static row => row.KnownTo is null)], book.Fallbacks, []);
        }

        using JsonDocument document = JsonDocument.Parse(bytes, s_bounded);
        JsonElement root = document.RootElement;
        return root.ValueKind switch
        {
            JsonValueKind.Array => GenaiPrices.Read(root, revision, known),
            JsonValueKind.Object when root.TryGetProperty("providers", out JsonElement providers) => GenaiPrices.Read(providers, revision, known),
            JsonValueKind.Object when root.EnumerateObject().Any(static entry => Has(entry.Value, "models")) => ModelsDev.Read(root, revision, known),
            JsonValueKind.Object when root.EnumerateObject().Any(static entry => Has(entry.Value, "litellm_provider")) => LiteLlm.Read(root, revision, known),
            _ => throw new PriceException($"{path} is no price list that is known here: genai-prices v2, models.dev, LiteLLM's model map, or a book of Ballast's own."),
        };
    }

    private static bool Has(JsonElement element, string name) => element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out _);
}
