using System.Text.Json;
using Ballast.Catalog;
using Ballast.Configuration;
using Ballast.Ledger;

namespace Ballast.Balance.Capacity;

/// <summary>What one deployment, or one account with all its deployments, may be asked for in a minute; null is not known.</summary>
public sealed record Quota(double? RequestsPerMinute, double? TokensPerMinute, Provenance Provenance)
{
    public bool IsKnown => RequestsPerMinute is not null || TokensPerMinute is not null;

    /// <summary>In tokens a minute, where a request has so many on average; null where nothing is known.</summary>
    public double? Tokens(double tokensOfARequest) => RequestsPerMinute is { } requests
        ? Math.Min(TokensPerMinute ?? double.PositiveInfinity, requests * tokensOfARequest) : TokensPerMinute;
}

/// <summary>The quotas that are known: what the configuration declares goes before what vendors' headers said.</summary>
public sealed class Quotas
{
    /// <summary>What headers said longer ago than this is forgotten.</summary>
    public static readonly TimeSpan ObservedFor = TimeSpan.FromDays(30);

    /// <summary>Events read at most.</summary>
    public const int EventsMax = 20_000;

    private readonly Dictionary<string, Quota> _observed = new(StringComparer.Ordinal);

    public static Quotas Declared { get; } = new([]);

    /// <param name="events">Of kind <see cref="LedgerEvent.Quota"/>, in order of time.</param>
    public Quotas(IReadOnlyList<LedgerEvent> events)
    {
        foreach (LedgerEvent one in events.Where(static one => one.Kind == LedgerEvent.Quota))
        {
            if (Parse(one.Body) is { } quota)
            {
                _observed[one.Subject] = quota;
            }
        }
    }

    /// <summary>Null where nothing is known.</summary>
    public Quota? Of(Deployment deployment) => Of(deployment.Quota) ?? _observed.GetValueOrDefault(deployment.Name);

    /// <summary>Of all of an account's deployments together; null where nothing is known.</summary>
    public static Quota? Of(Provider provider) => Of(provider.Quota);

    private static Quota? Of(QuotaOptions? declared) =>
        declared is { RequestsPerMinute: null, TokensPerMinute: null } or null ? null : new Quota(declared.RequestsPerMinute, declared.TokensPerMinute, Provenance.Declared);

    private static Quota? Parse(string body)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(body);
            return new Quota(Number(document.RootElement, "requests_per_minute"), Number(document.RootElement, "tokens_per_minute"), Provenance.Observed);
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static double? Number(JsonElement body, string name) => body.TryGetProperty(name, out JsonElement number) && number.ValueKind == JsonValueKind.Number ? number.GetDouble() : null;
}
