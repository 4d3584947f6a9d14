using System.Globalization;
using System.Text.Json;

namespace Ballast.Prices;

/// <summary>Reads the parts of a row of the book. What is not as it should be is a <see cref="FormatException"/>.</summary>
internal static class PriceJson
{
    /// <summary>A price above this, in dollars per million tokens, is not believed.</summary>
    public const decimal FigureMax = 100_000m;

    public static Price Read(JsonElement row)
    {
        PriceFigures figures = Figures(row);
        PriceTier[] tiers = row.TryGetProperty("tiers", out JsonElement written)
            ? [.. written.EnumerateArray().Select(static tier => new PriceTier(tier.GetProperty("above").GetInt64(), Figures(tier))).OrderBy(static tier => tier.Above)]
            : [];
        return tiers.Length > Price.TiersMax
            ? throw new FormatException($"a price has more than {Price.TiersMax} tiers")
            : new Price(figures.Input, figures.CacheRead, figures.CacheWrite, figures.CacheWriteLong, figures.Output, null)
            {
                Tiers = tiers,
                PerRequest = Number(row, "per_request") ?? 0,
                Media = MediaPrices.Of(name => Number(row, name)),
            };
    }

    public static string? Text(JsonElement row, string name) => row.TryGetProperty(name, out JsonElement text) ? text.GetString() : null;

    public static DateOnly? Day(JsonElement row, string name) =>
        Text(row, name) is not { } text ? null
        : DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out DateOnly day) ? day
        : throw new FormatException($"'{name}' must be a day, as 2026-11-30");

    public static TimeOnly? Time(JsonElement row, string name) =>
        Text(row, name) is not { } text ? null
        : TimeOnly.TryParseExact(text, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out TimeOnly time) ? time
        : throw new FormatException($"'{name}' must be a time of day, as 16:30");

    public static decimal? Number(JsonElement row, string name)
    {
        if (!row.TryGetProperty(name, out JsonElement number) || number.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        decimal value = number.GetDecimal();
        return value is >= 0 and <= FigureMax ? value : throw new FormatException($"'{name}' must be between 0 and {FigureMax}");
    }

    private static PriceFigures Figures(JsonElement row) => PriceFigures.Of(
        Number(row, "input") ?? throw new FormatException("'input' is missing"),
        Number(row, "output") ?? throw new FormatException("'output' is missing"),
        Number(row, "cache_read"),
        Number(row, "cache_write"),
        Number(row, "cache_write_1h"));
}
