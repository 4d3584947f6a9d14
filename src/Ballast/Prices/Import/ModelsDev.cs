using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Prices.Import;

/// <summary>The list of models.dev (MIT): providers, their models, and what they cost in dollars per million tokens. It has no history: what it says is valid always.</summary>
internal static class ModelsDev
{
    public const string Name = "models.dev";

    public static PriceList Read(JsonElement root, string revision, DateOnly known)
    {
        List<PriceRow> rows = [];
        List<string> warnings = [];
        HashSet<(string, string)> seen = [];
        foreach (JsonProperty provider in root.EnumerateObject())
        {
            string platform = PlatformName.Of(provider.Name);
            foreach (JsonProperty model in provider.Value.GetProperty("models").EnumerateObject())
            {
                if (!model.Value.TryGetProperty("cost", out JsonElement cost) || !cost.TryGetProperty("input", out _))
                {
                    continue;
                }

                if (!seen.Add((platform, model.Name)))
                {
                    warnings.Add($"{platform}/{model.Name} is there twice; the first was taken, that of {provider.Name} was not");
                    continue;
                }

                rows.Add(Row(platform, model.Name, ServiceTier.Standard, cost, revision, known));
                if (IsPriority(model.Value, out JsonElement priority))
                {
                    rows.Add(Row(platform, model.Name, ServiceTier.Priority, priority, revision, known));
                }
            }
        }

        return new PriceList(Name, rows, new Dictionary<string, IReadOnlyList<string>>(), warnings);
    }

    private static PriceRow Row(string platform, string model, ServiceTier tier, JsonElement cost, string revision, DateOnly known)
    {
        PriceFigures figures = Figures(cost, cost);
        return new PriceRow
        {
            Platform = platform,
            Model = model,
            Patterns = [],
            ServiceTier = tier,
            KnownFrom = known,
            Price = new Price(figures.Input, figures.CacheRead, figures.CacheWrite, figures.CacheWriteLong, figures.Output, Name)
            {
                Tiers = cost.TryGetProperty("tiers", out JsonElement tiers)
                    ? [.. tiers.EnumerateArray()
                        .Select(part => new PriceTier(part.GetProperty("tier").GetProperty("size").GetInt64(), Figures(part, cost)))
                        .OrderBy(static part => part.Above)]
                    : [],
                Revision = revision,
            },
        };
    }

    /// <summary>A tier that leaves a class out keeps the price below it.</summary>
    private static PriceFigures Figures(JsonElement cost, JsonElement below) => PriceFigures.Of(
        Either(cost, below, "input") ?? 0,
        Either(cost, below, "output") ?? 0,
        Either(cost, below, "cache_read"),
        Either(cost, below, "cache_write"),
        null);

    private static decimal? Either(JsonElement cost, JsonElement below, string name) => PriceJson.Number(cost, name) ?? PriceJson.Number(below, name);

    /// <summary>A mode that is asked for by <c>service_tier: priority</c>.</summary>
    private static bool IsPriority(JsonElement model, out JsonElement cost)
    {
        cost = default;
        if (!model.TryGetProperty("experimental", out JsonElement experimental) || experimental.ValueKind != JsonValueKind.Object
            || !experimental.TryGetProperty("modes", out JsonElement modes))
        {
            return false;
        }

        foreach (JsonProperty mode in modes.EnumerateObject())
        {
            if (mode.Value.TryGetProperty("provider", out JsonElement provider) && provider.TryGetProperty("body", out JsonElement body)
                && body.TryGetProperty("service_tier", out JsonElement tier) && tier.GetString() == "priority" && mode.Value.TryGetProperty("cost", out cost))
            {
                return true;
            }
        }

        return false;
    }
}
