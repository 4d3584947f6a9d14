using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text;
using Ballast.Protocols.Conversation;

namespace Ballast.Prices;

/// <summary>
/// The book as a file of JSON lines: a head with the version, then a row a line, so that a change of a price is a change of a line. docs/prices.md describes it.
/// </summary>
public static class PriceBookFile
{
    public const int Version = 1;

    /// <summary>Largest file taken, in bytes; the shipped book has about half a mebibyte.</summary>
    public const int BytesMax = 32 * 1024 * 1024;

    /// <summary>Most rows taken.</summary>
    public const int RowsMax = 200_000;

    private const string Resource = "Ballast.Prices.book.jsonl";
    private static readonly JsonWriterOptions s_plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <exception cref="PriceException">It is no price book, or not there, or too large; the message is for people and names the line.</exception>
    public static PriceBook Read(string path)
    {
        try
        {
            using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            return stream.Length > BytesMax ? throw new PriceException($"{path} is larger than {BytesMax / 1024 / 1024} MiB.") : Read(stream, path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new PriceException($"{path} cannot be read: {error.Message}");
        }
    }

    /// <summary>The rows of a platform are read when they are asked for: that they can be is held by a test.</summary>
    public static PriceBook ReadShipped()
    {
        using Stream stream = typeof(PriceBookFile).Assembly.GetManifestResourceStream(Resource)
            ?? throw new InvalidOperationException("The embedded price book is missing.");
        using StreamReader reader = new(stream);
        string[] lines = reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        using JsonDocument head = JsonDocument.Parse(lines[0]);
        return new PriceBook(
            lines.Skip(1).GroupBy(PlatformOf, StringComparer.Ordinal).Select(static group => (group.Key, new Lazy<List<PriceRow>>(() => [.. group.Select(ReadLine)]))),
            ReadHead(head.RootElement));
    }

    public static PriceBook Read(Stream stream, string name)
    {
        using StreamReader reader = new(stream, new UTF8Encoding(false, throwOnInvalidBytes: true));
        List<PriceRow> rows = [];
        Dictionary<string, IReadOnlyList<string>>? fallbacks = null;
        int number = 0;
        try
        {
            while (reader.ReadLine() is { } line)
            {
                number++;
                if (string.IsNullOrWhiteSpace(line))
                {
                    continue;
                }

                using JsonDocument document = JsonDocument.Parse(line);
                if (fallbacks is null)
                {
                    fallbacks = ReadHead(document.RootElement);
                    continue;
                }

                rows.Add(rows.Count < RowsMax ? ReadRow(document.RootElement) : throw new FormatException($"there are more than {RowsMax} rows"));
            }
        }
        catch (Exception error) when (error is JsonException or FormatException or InvalidOperationException or KeyNotFoundException or DecoderFallbackException)
        {
            throw new PriceException($"{name}, line {number}: this is no row of a price book ({error.Message.Split('\n')[0].TrimEnd('.')}).");
        }

        return fallbacks is null ? throw new PriceException($"{name} is empty.") : new PriceBook(rows, fallbacks);
    }

    /// <summary>Written beside it and moved into place: whoever reads it meanwhile sees the old one or the new one.</summary>
    public static void Write(string path, PriceBook book)
    {
        string draft = path + ".draft";
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder)
        {
            Directory.CreateDirectory(folder);
        }

        using (FileStream stream = new(draft, FileMode.Create, FileAccess.Write, FileShare.None))
        {
            Write(stream, book);
            stream.Flush(flushToDisk: true);
        }

        File.Move(draft, path, overwrite: true);
    }

    public static void Write(Stream stream, PriceBook book)
    {
        WriteLine(stream, writer => WriteHead(writer, book));
        foreach (PriceRow row in book.Rows)
        {
            WriteLine(stream, writer => WriteRow(writer, row));
        }
    }

    private static void WriteLine(Stream stream, Action<Utf8JsonWriter> write)
    {
        using (Utf8JsonWriter writer = new(stream, s_plain))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }

        stream.WriteByte((byte)'\n');
    }

    private static void WriteHead(Utf8JsonWriter writer, PriceBook book)
    {
        writer.WriteNumber("ballast_price_book", Version);
        writer.WriteString("currency", "USD");
        writer.WriteString("per", "1000000 tokens");
        writer.WriteStartObject("fallbacks");
        foreach ((string platform, IReadOnlyList<string> others) in book.Fallbacks.OrderBy(static pair => pair.Key, StringComparer.Ordinal))
        {
            WriteTexts(writer, platform, others);
        }

        writer.WriteEndObject();
    }

    private static void WriteRow(Utf8JsonWriter writer, PriceRow row)
    {
        writer.WriteString("platform", row.Platform);
        writer.WriteString("model", row.Model);
        if (row.Patterns.Count > 0)
        {
            WriteTexts(writer, "ids", row.Patterns.Select(static pattern => pattern.Text));
        }

        if (row.ServiceTier != ServiceTier.Standard)
        {
            writer.WriteString("service_tier", ServiceTierName.Of(row.ServiceTier));
        }

        WriteDay(writer, "valid_from", row.ValidFrom);
        WriteDay(writer, "valid_to", row.ValidTo);
        if (row is { DailyFrom: { } from, DailyTo: { } to })
        {
            writer.WriteString("daily_from", from.ToString("HH:mm", CultureInfo.InvariantCulture));
            writer.WriteString("daily_to", to.ToString("HH:mm", CultureInfo.InvariantCulture));
        }

        WriteDay(writer, "known_from", row.KnownFrom);
        WriteDay(writer, "known_to", row.KnownTo);
        WriteFigures(writer, row.Price.For(0));
        if (row.Price.PerRequest > 0)
        {
            writer.WriteNumber("per_request", row.Price.PerRequest);
        }

        if (row.Price.Media is { } media)
        {
            foreach ((string name, Func<MediaPrices, decimal?> read, _) in MediaPrices.Figures)
            {
                if (read(media) is { } figure)
                {
                    writer.WriteNumber(name, figure);
                }
            }
        }

        if (row.Price.Tiers.Count > 0)
        {
            writer.WriteStartArray("tiers");
            foreach (PriceTier tier in row.Price.Tiers)
            {
                writer.WriteStartObject();
                writer.WriteNumber("above", tier.Above);
                WriteFigures(writer, tier.Figures);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
        }

        writer.WriteString("source", row.Price.Source);
        writer.WriteString("revision", row.Price.Revision);
    }

    /// <summary>A cache class that stands where it would be put if it were left out is left out.</summary>
    private static void WriteFigures(Utf8JsonWriter writer, PriceFigures figures)
    {
        PriceFigures filled = PriceFigures.Of(figures.Input, figures.Output, null, null, null);
        writer.WriteNumber("input", figures.Input);
        writer.WriteNumber("output", figures.Output);
        WriteUnless(writer, "cache_read", figures.CacheRead, filled.CacheRead);
        WriteUnless(writer, "cache_write", figures.CacheWrite, filled.CacheWrite);
        WriteUnless(writer, "cache_write_1h", figures.CacheWriteLong, filled.CacheWriteLong);
    }

    private static void WriteUnless(Utf8JsonWriter writer, string name, decimal figure, decimal filled)
    {
        if (figure != filled)
        {
            writer.WriteNumber(name, figure);
        }
    }

    private static void WriteDay(Utf8JsonWriter writer, string name, DateOnly? day)
    {
        if (day is { } value)
        {
            writer.WriteString(name, value.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
        }
    }

    private static void WriteTexts(Utf8JsonWriter writer, string name, IEnumerable<string> texts)
    {
        writer.WriteStartArray(name);
        foreach (string text in texts)
        {
            writer.WriteStringValue(text);
        }

        writer.WriteEndArray();
    }

    private static Dictionary<string, IReadOnlyList<string>> ReadHead(JsonElement head)
    {
        if (head.ValueKind != JsonValueKind.Object || !head.TryGetProperty("ballast_price_book", out JsonElement version) || version.GetInt32() != Version)
        {
            throw new FormatException($"the first line must be the head of a book of version {Version}");
        }

        return head.TryGetProperty("fallbacks", out JsonElement fallbacks)
            ? fallbacks.EnumerateObject().ToDictionary(static pair => pair.Name, static pair => (IReadOnlyList<string>)[.. pair.Value.EnumerateArray().Select(static other => other.GetString()!)], StringComparer.OrdinalIgnoreCase)
            : [];
    }

    /// <summary>The writer puts the platform first.</summary>
    private static string PlatformOf(string line)
    {
        const string start = "{\"platform\":\"";
        return line[start.Length..line.IndexOf('"', start.Length)];
    }

    private static PriceRow ReadLine(string line)
    {
        using JsonDocument document = JsonDocument.Parse(line);
        return ReadRow(document.RootElement);
    }

    private static PriceRow ReadRow(JsonElement row)
    {
        Price price = PriceJson.Read(row) with
        {
            Source = PriceJson.Text(row, "source"),
            Revision = PriceJson.Text(row, "revision"),
        };
        return new PriceRow
        {
            Platform = row.GetProperty("platform").GetString()!,
            Model = row.GetProperty("model").GetString()!,
            Patterns = row.TryGetProperty("ids", out JsonElement ids) ? [.. ids.EnumerateArray().Select(static id => ReadPattern(id.GetString()!))] : [],
            ServiceTier = ServiceTierName.Read(PriceJson.Text(row, "service_tier") ?? ServiceTierName.Of(ServiceTier.Standard)),
            ValidFrom = PriceJson.Day(row, "valid_from"),
            ValidTo = PriceJson.Day(row, "valid_to"),
            DailyFrom = PriceJson.Time(row, "daily_from"),
            DailyTo = PriceJson.Time(row, "daily_to"),
            KnownFrom = PriceJson.Day(row, "known_from") ?? throw new FormatException("'known_from' is missing"),
            KnownTo = PriceJson.Day(row, "known_to"),
            Price = price,
        };
    }

    private static ModelPattern ReadPattern(string text) =>
        text.Length is > 0 and <= ModelPattern.LengthMax ? new ModelPattern(text) : throw new FormatException($"an id has more than {ModelPattern.LengthMax} characters");
}
