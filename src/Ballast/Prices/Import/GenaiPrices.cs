using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Ballast.Prices.Import;

/// <summary>
/// The list of pydantic/genai-prices, version 2 (MIT; JSON Schema beside it in its repository): dollars per million tokens with tiers by input length, dated prices and
/// hours of the day. A tier begins above its <c>start</c>, and of several dated prices the last that applies counts, as in that project's own calculation.
/// </summary>
internal static class GenaiPrices
{
    public const string Name = "genai-prices";

    /// <summary>Their names of what has a price beside text, ours, and how many pieces or millions of tokens theirs is for.</summary>
    private static readonly (string Theirs, string Ours, int For)[] s_media =
    [
        ("input_audio_mtok", "input_audio", 1), ("cache_audio_read_mtok", "cache_read_audio", 1), ("output_audio_mtok", "output_audio", 1),
        ("input_image_mtok", "input_image", 1), ("cache_image_read_mtok", "cache_read_image", 1), ("output_image_mtok", "output_image", 1),
        ("web_searches_kcount", "per_search", 1000),
    ];

    private static readonly string[] s_taken = ["input_mtok", "output_mtok", "cache_read_mtok", "cache_write_mtok", "cache_write_1h_mtok", "requests_kcount", .. s_media.Select(static one => one.Theirs)];

    public static PriceList Read(JsonElement providers, string revision, DateOnly known)
    {
        List<PriceRow> rows = [];
        List<string> warnings = [];
        Dictionary<string, IReadOnlyList<string>> fallbacks = new(StringComparer.OrdinalIgnoreCase);
        foreach (JsonElement provider in providers.EnumerateArray())
        {
            string platform = PlatformName.Of(provider.GetProperty("id").GetString()!);
            if (provider.TryGetProperty("fallback_model_providers", out JsonElement others))
            {
                fallbacks[platform] = [.. others.EnumerateArray().Select(static other => PlatformName.Of(other.GetString()!))];
            }

            foreach (JsonElement model in provider.GetProperty("models").EnumerateArray())
            {
                rows.AddRange(ReadModel(platform, model, revision, known, warnings));
            }
        }

        return new PriceList(Name, rows, fallbacks, warnings);
    }

    private static List<PriceRow> ReadModel(string platform, JsonElement model, string revision, DateOnly known, List<string> warnings)
    {
        string id = model.GetProperty("id").GetString()!;
        List<ModelPattern> patterns = [];
        ReadMatch(model.GetProperty("match"), patterns, $"{platform}/{id}", warnings);
        JsonElement prices = model.GetProperty("prices");
        List<(DateOnly? From, TimeOnly? DailyFrom, TimeOnly? DailyTo, JsonElement Prices)> parts = prices.ValueKind == JsonValueKind.Array
            ? [.. prices.EnumerateArray().Select(ReadPart)]
            : [(null, null, null, prices)];
        DateOnly?[] starts = [.. parts.Where(static part => part.DailyFrom is null).Select(static part => part.From)];
        List<PriceRow> rows = [];
        int dated = 0;
        foreach ((DateOnly? from, TimeOnly? dailyFrom, TimeOnly? dailyTo, JsonElement figures) in parts)
        {
            DateOnly? next = dailyFrom is null ? starts.ElementAtOrDefault(++dated) : null;
            rows.Add(new PriceRow
            {
                Platform = platform,
                Model = id,
                Patterns = [.. patterns.Where(pattern => !pattern.Text.Equals(id, StringComparison.OrdinalIgnoreCase))],
                ValidFrom = from,
                ValidTo = next,
                DailyFrom = dailyFrom,
                DailyTo = dailyTo,
                KnownFrom = known,
                Price = ReadPrice(figures, revision),
            });
        }

        return rows;
    }

    private static (DateOnly?, TimeOnly?, TimeOnly?, JsonElement) ReadPart(JsonElement part)
    {
        JsonElement prices = part.GetProperty("prices");
        if (!part.TryGetProperty("constraint", out JsonElement constraint) || constraint.ValueKind != JsonValueKind.Object)
        {
            return (null, null, null, prices);
        }

        return constraint.TryGetProperty("start_date", out JsonElement start)
            ? (DateOnly.ParseExact(start.GetString()!, "yyyy-MM-dd", CultureInfo.InvariantCulture), null, null, prices)
            : (null, Time(constraint.GetProperty("start_time")), Time(constraint.GetProperty("end_time")), prices);
    }

    /// <summary>Only times in UTC are published.</summary>
    private static TimeOnly Time(JsonElement time) =>
        TimeOnly.ParseExact(time.GetString()!, ["HH:mm:ss'Z'", "HH:mm'Z'"], CultureInfo.InvariantCulture);

    private static Price ReadPrice(JsonElement prices, string revision)
    {
        PriceFigures figures = Figures(prices, long.MinValue);
        string[] others = [.. prices.EnumerateObject().Select(static meter => meter.Name).Where(static name => !s_taken.Contains(name)).Order(StringComparer.Ordinal)];
        long[] edges = [.. prices.EnumerateObject().SelectMany(static meter => Tiers(meter.Value)).Select(static tier => tier.Start).Distinct().Order()];
        return new Price(figures.Input, figures.CacheRead, figures.CacheWrite, figures.CacheWriteLong, figures.Output, Name)
        {
            Tiers = [.. edges.Select(edge => new PriceTier(edge, Figures(prices, edge)))],
            Media = MediaPrices.Of(name => s_media.FirstOrDefault(one => one.Ours == name) is { Theirs: { } theirs } found ? Meter(prices, theirs, long.MinValue) / found.For : null),
            PerRequest = prices.TryGetProperty("requests_kcount", out JsonElement perThousand) ? perThousand.GetDecimal() / 1000 : 0,
            Revision = others.Length == 0 ? revision : $"{revision}; not counted here: {string.Join(", ", others)}",
        };
    }

    /// <summary>The figures above an edge; a class without a tier there keeps what it was.</summary>
    private static PriceFigures Figures(JsonElement prices, long above) => PriceFigures.Of(
        Meter(prices, "input_mtok", above) ?? 0,
        Meter(prices, "output_mtok", above) ?? 0,
        Meter(prices, "cache_read_mtok", above),
        Meter(prices, "cache_write_mtok", above),
        Meter(prices, "cache_write_1h_mtok", above));

    private static decimal? Meter(JsonElement prices, string name, long above)
    {
        if (!prices.TryGetProperty(name, out JsonElement meter) || meter.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        if (meter.ValueKind == JsonValueKind.Number)
        {
            return meter.GetDecimal();
        }

        decimal price = meter.GetProperty("base").GetDecimal();
        foreach ((long start, decimal dearer) in Tiers(meter))
        {
            price = start <= above ? dearer : price;
        }

        return price;
    }

    private static IEnumerable<(long Start, decimal Price)> Tiers(JsonElement meter) =>
        meter.ValueKind == JsonValueKind.Object && meter.TryGetProperty("tiers", out JsonElement tiers)
            ? tiers.EnumerateArray().Select(static tier => (tier.GetProperty("start").GetInt64(), tier.GetProperty("price").GetDecimal())).OrderBy(static tier => tier.Item1)
            : [];

    private static void ReadMatch(JsonElement match, List<ModelPattern> patterns, string model, List<string> warnings)
    {
        foreach (JsonProperty clause in match.EnumerateObject())
        {
            string? pattern = clause.Name switch
            {
                "equals" => clause.Value.GetString(),
                "starts_with" => clause.Value.GetString() + "*",
                "ends_with" => "*" + clause.Value.GetString(),
                "contains" => "*" + clause.Value.GetString() + "*",
                "regex" => OfExpression(clause.Value.GetString()!),
                _ => null,
            };
            if (clause.Name is "or" or "and")
            {
                // Of rules that must all hold, those that can be said here are taken: the others only narrow them, mostly to leave out names that have a price of their own.
                foreach (JsonElement part in clause.Value.EnumerateArray())
                {
                    ReadMatch(part, patterns, model, warnings);
                }
            }
            else if (pattern is { Length: <= ModelPattern.LengthMax })
            {
                patterns.Add(new ModelPattern(pattern));
            }
            else
            {
                warnings.Add($"{model}: the rule '{clause.Name}: {clause.Value.GetRawText()}' has no pattern here; ids that only it takes are not priced");
            }
        }
    }

    /// <summary>A regular expression of plain text, <c>\d</c> and <c>\d{n}</c> as a pattern; null for any other.</summary>
    private static string? OfExpression(string expression)
    {
        bool isAnchored = expression.StartsWith('^'), isClosed = expression.EndsWith('$');
        string body = expression[(isAnchored ? 1 : 0)..^(isClosed ? 1 : 0)];
        StringBuilder pattern = new(isAnchored ? "" : "*");
        for (int i = 0; i < body.Length; i++)
        {
            if (body[i] == '\\' && i + 1 < body.Length && body[i + 1] == 'd')
            {
                i++;
                int count = 1;
                int close = i + 1 < body.Length && body[i + 1] == '{' ? body.IndexOf('}', i) : -1;
                if (close > 0 && (!int.TryParse(body.AsSpan(i + 2, close - i - 2), NumberStyles.None, CultureInfo.InvariantCulture, out count) || count is 0 or > 32))
                {
                    return null;
                }

                pattern.Append('#', count);
                i = close > 0 ? close : i;
            }
            else if (body[i] == '\\' && i + 1 < body.Length && char.IsPunctuation(body[i + 1]))
            {
                pattern.Append(body[++i]);
            }
            else if (char.IsAsciiLetterOrDigit(body[i]) || body[i] is '-' or '/' or '_' or ':')
            {
                pattern.Append(body[i]);
            }
            else
            {
                return null;
            }
        }

        return pattern.Append(isClosed ? "" : "*").ToString();
    }
}
