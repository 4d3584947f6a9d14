using System.Globalization;
using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Prices.Import;

/// <summary>
/// LiteLLM's model map (<c>model_prices_and_context_window.json</c>, MIT): dollars per token, tiers as fields named after their edge, service tiers as fields named after
/// them. It has no history: what it says is valid always.
/// </summary>
internal static class LiteLlm
{
    public const string Name = "litellm";

    private const string AboveMark = "_above_";

    private static readonly (ServiceTier Tier, string Suffix)[] s_serviceTiers =
        [(ServiceTier.Standard, ""), (ServiceTier.Batch, "_batches"), (ServiceTier.Flex, "_flex"), (ServiceTier.Priority, "_priority")];

    public static PriceList Read(JsonElement root, string revision, DateOnly known)
    {
        List<PriceRow> rows = [];
        List<string> warnings = [];
        HashSet<(string, string)> seen = [];
        foreach (JsonProperty entry in root.EnumerateObject())
        {
            if (entry.Name == "sample_spec" || entry.Value.ValueKind != JsonValueKind.Object || !entry.Value.TryGetProperty("litellm_provider", out JsonElement provider))
            {
                continue;
            }

            string platform = PlatformName.Of(provider.GetString()!);
            string model = entry.Name.StartsWith(provider.GetString() + "/", StringComparison.Ordinal) ? entry.Name[(provider.GetString()!.Length + 1)..] : entry.Name;
            if (!entry.Value.TryGetProperty("input_cost_per_token", out _))
            {
                continue; // priced by the image, the second or not at all: nothing that is counted here
            }

            if (!seen.Add((platform, model)))
            {
                warnings.Add($"{platform}/{model} is there twice; '{entry.Name}' was not taken");
                continue;
            }

            rows.AddRange(s_serviceTiers
                .Where(tier => entry.Value.TryGetProperty("input_cost_per_token" + tier.Suffix, out _))
                .Select(tier => Row(platform, model, tier.Tier, tier.Suffix, entry.Value, revision, known)));
        }

        return new PriceList(Name, rows, new Dictionary<string, IReadOnlyList<string>>(), warnings);
    }

    private static PriceRow Row(string platform, string model, ServiceTier tier, string suffix, JsonElement entry, string revision, DateOnly known)
    {
        PriceFigures figures = Figures(entry, "", suffix);
        return new PriceRow
        {
            Platform = platform,
            Model = model,
            Patterns = [],
            ServiceTier = tier,
            KnownFrom = known,
            Price = new Price(figures.Input, figures.CacheRead, figures.CacheWrite, figures.CacheWriteLong, figures.Output, Name)
            {
                Tiers = [.. Edges(entry).Where(edge => suffix.Length == 0 || entry.TryGetProperty($"input_cost_per_token{AboveMark}{edge.Text}{suffix}", out _))
                    .Select(edge => new PriceTier(edge.Above, Figures(entry, AboveMark + edge.Text, suffix)))],
                Revision = revision,
            },
        };
    }

    /// <summary>Edges are written into the names: <c>input_cost_per_token_above_200k_tokens</c>.</summary>
    private static IEnumerable<(long Above, string Text)> Edges(JsonElement entry) =>
        entry.EnumerateObject()
            .Where(static field => field.Name.StartsWith("input_cost_per_token" + AboveMark, StringComparison.Ordinal) && field.Name.EndsWith("k_tokens", StringComparison.Ordinal))
            .Select(static field => field.Name[("input_cost_per_token" + AboveMark).Length..])
            .Select(static text => (Edge(text), text))
            .Where(static edge => edge.Item1 > 0)
            .OrderBy(static edge => edge.Item1);

    private static long Edge(string text) =>
        long.TryParse(text.AsSpan(0, text.IndexOf("k_tokens", StringComparison.Ordinal)), NumberStyles.None, CultureInfo.InvariantCulture, out long thousands) ? thousands * 1000 : 0;

    /// <summary>Above an edge, or in a service tier, a class without a figure of its own keeps the one of the whole.</summary>
    private static PriceFigures Figures(JsonElement entry, string above, string suffix) => PriceFigures.Of(
        PerMillion(entry, "input_cost_per_token", above, suffix) ?? 0,
        PerMillion(entry, "output_cost_per_token", above, suffix) ?? 0,
        PerMillion(entry, "cache_read_input_token_cost", above, suffix),
        PerMillion(entry, "cache_creation_input_token_cost", above, suffix),
        PerMillion(entry, "cache_creation_input_token_cost_above_1hr", above, suffix));

    private static decimal? PerMillion(JsonElement entry, string name, string above, string suffix)
    {
        foreach (string field in new[] { name + above + suffix, name + above, name + suffix, name })
        {
            if (entry.TryGetProperty(field, out JsonElement perToken) && perToken.ValueKind == JsonValueKind.Number)
            {
                // Divided by one with many zeros, a decimal loses those at its end: 0.1, not 0.1000000.
                decimal figure = decimal.Parse(perToken.GetRawText(), NumberStyles.Float, CultureInfo.InvariantCulture) * 1_000_000m / 1.0000000000000000000000000000m;
                return figure is >= 0 and <= PriceJson.FigureMax ? figure : throw new FormatException($"'{field}' is out of range");
            }
        }

        return null;
    }
}
