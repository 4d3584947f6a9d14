using System.Text.Json;
using Ballast.Balance;
using Ballast.Catalog;
using Ballast.Ledger;
using Ballast.Routing;
using Ballast.Routing.Metering;

namespace Ballast.Server;

/// <summary>What <c>/live.json</c> says (docs/administration.md). Money is exact, what is not known is null, and every list has a limit.</summary>
internal static class LiveJson
{
    /// <summary>Deployments and components listed; <c>deployments_in_all</c> says how many there are.</summary>
    public const int ListMax = 500;

    /// <summary>Models named for one component; the counts are of all.</summary>
    public const int ModelsMax = 50;

    public static ReadOnlyMemory<byte> Write(BallastServer server, CatalogSnapshot catalog, IReadOnlyList<ComponentExposure> exposure)
    {
        LiveSnapshot totals = server.Totals.Snapshot();
        MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream))
        {
            json.WriteStartObject();
            json.WriteString("now", server.Time.GetUtcNow().UtcDateTime);
            json.WriteString("started_at", server.StartedAt.UtcDateTime);
            json.WriteString("address", server.Address.GetLeftPart(UriPartial.Authority));
            json.WriteBoolean("ready", server.IsReady);
            json.WriteNumber("revision", catalog.Revision);
            WriteTotals(json, server, totals);
            WriteLedger(json, server.Ledger);
            LiveBalanceJson.Write(json, server);
            WriteComponents(json, "platforms", totals.Platforms, catalog.Providers.Values.Select(provider => provider.Platform));
            WriteComponents(json, "vendors", totals.Vendors, catalog.Deployments.Values.Select(deployment => deployment.Vendor));
            WriteDeployments(json, server, catalog, totals.Deployments);
            WriteExposure(json, exposure);
            WriteModels(json, catalog);
            json.WriteEndObject();
        }

        return stream.ToArray();
    }

    private static void WriteTotals(Utf8JsonWriter json, BallastServer server, LiveSnapshot totals)
    {
        json.WriteNumber("window_seconds", LiveTotals.WindowSeconds);
        json.WriteNumber("requests", totals.Requests);
        json.WriteNumber("requests_per_second", Math.Round(totals.RequestsPerSecond, 3));
        json.WriteNumber("requests_running", server.Guard.Running);
        json.WriteNumber("requests_failed", totals.RequestsFailed);
        json.WriteNumber("requests_turned_away", totals.RequestsTurnedAway);
        json.WriteNumber("failovers", totals.Failovers);
        json.WriteNumber("completed", totals.Completed);
        json.WriteNumber("interrupted", totals.Interrupted);
        json.WriteNumber("cancelled", totals.Cancelled);
        json.WriteNumber("attempts", totals.Attempts);
        json.WriteNumber("attempts_failed", totals.Failed);
        json.WriteNumber("input_tokens", totals.InputTokens);
        json.WriteNumber("output_tokens", totals.OutputTokens);
        json.WriteNumber("cost_usd", totals.CostUsd);
        json.WriteNumber("cost_usd_today", totals.CostUsdToday);
        WriteTimes(json, totals.TtftP50, totals.TtftP95);
    }

    private static void WriteLedger(Utf8JsonWriter json, LedgerWriter ledger)
    {
        json.WriteStartObject("ledger");
        json.WriteNumber("written", ledger.Written);
        json.WriteNumber("pending", ledger.Pending);
        json.WriteNumber("failures", ledger.Failures);
        json.WriteNumber("lost", ledger.Lost);
        json.WriteEndObject();
    }

    /// <summary>What the catalog holds and what has carried traffic, by name: who carries nothing is seen as well.</summary>
    private static void WriteComponents(Utf8JsonWriter json, string name, IReadOnlyList<LiveComponent> active, IEnumerable<string> known)
    {
        Dictionary<string, LiveComponent> byName = active.ToDictionary(component => component.Name, StringComparer.Ordinal);
        json.WriteStartArray(name);
        foreach (string component in byName.Keys.Concat(known).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).Take(ListMax))
        {
            json.WriteStartObject();
            json.WriteString("name", component);
            WriteFigures(json, byName.GetValueOrDefault(component));
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteDeployments(Utf8JsonWriter json, BallastServer server, CatalogSnapshot catalog, IReadOnlyList<LiveComponent> active)
    {
        Dictionary<string, LiveComponent> byName = active.ToDictionary(component => component.Name, StringComparer.Ordinal);
        json.WriteNumber("deployments_in_all", catalog.Deployments.Count);
        json.WriteStartArray("deployments");
        foreach (Deployment deployment in catalog.Deployments.Values.OrderBy(deployment => deployment.Name, StringComparer.Ordinal).Take(ListMax))
        {
            json.WriteStartObject();
            json.WriteString("name", deployment.Name);
            json.WriteString("vendor", deployment.Vendor);
            json.WriteString("platform", deployment.Platform);
            json.WriteString("region", deployment.Region);
            WriteHealth(json, server.Health.Find(deployment), catalog);
            WriteQuota(json, "quota", server.Quotas.StandingOf(deployment));
            WriteQuota(json, "provider_quota", server.Quotas.StandingOf(deployment.Provider));
            WriteFigures(json, byName.GetValueOrDefault(deployment.Name));
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteHealth(Utf8JsonWriter json, DeploymentHealth? health, CatalogSnapshot catalog)
    {
        TimeSpan readyIn = TimeSpan.Zero;
        double share = 1;
        json.WriteString("health", health?.Check(catalog.Limits, out readyIn, out share) switch
        {
            null => "untried",
            Availability.Ready => "ready",
            Availability.Ramping => "ramping",
            Availability.Probe => "probing",
            _ => health.IsOpen ? "open" : "resting",
        });
        json.WriteNumber("share_allowed", Math.Round(share, 3));
        json.WritePropertyName("ready_in_seconds");
        if (readyIn > TimeSpan.Zero)
        {
            json.WriteNumberValue(Math.Round(readyIn.TotalSeconds, 1));
        }
        else
        {
            json.WriteNullValue();
        }
    }

    private static void WriteQuota(Utf8JsonWriter json, string name, QuotaStanding? standing)
    {
        if (standing is null)
        {
            json.WriteNull(name);
            return;
        }

        json.WriteStartObject(name);
        json.WriteNumber("requests", standing.Requests);
        WriteFigure(json, "requests_per_minute", standing.Limits.RequestsPerMinute);
        json.WriteNumber("tokens", standing.Tokens);
        WriteFigure(json, "tokens_per_minute", standing.Limits.TokensPerMinute);
        json.WriteNumber("turned_away", standing.TurnedAway);
        json.WriteBoolean("used_up", standing.IsUsedUp);
        json.WriteEndObject();
    }

    private static void WriteFigure(Utf8JsonWriter json, string name, long? figure)
    {
        if (figure is { } known)
        {
            json.WriteNumber(name, known);
        }
        else
        {
            json.WriteNull(name);
        }
    }

    private static void WriteFigures(Utf8JsonWriter json, LiveComponent? component)
    {
        json.WriteNumber("answered", component?.Answered ?? 0);
        json.WriteNumber("answered_recently", component?.AnsweredRecently ?? 0);
        json.WriteNumber("attempts", component?.Attempts ?? 0);
        json.WriteNumber("attempts_failed", component?.Failed ?? 0);
        json.WriteNumber("cost_usd", component?.CostUsd ?? 0);
        WriteTimes(json, component?.TtftP50, component?.TtftP95);
    }

    private static void WriteTimes(Utf8JsonWriter json, TimeSpan? p50, TimeSpan? p95)
    {
        foreach ((string name, TimeSpan? time) in (ReadOnlySpan<(string, TimeSpan?)>)[("ttft_p50_ms", p50), ("ttft_p95_ms", p95)])
        {
            json.WritePropertyName(name);
            if (time is { } known)
            {
                json.WriteNumberValue(Math.Round(known.TotalMilliseconds, 1));
            }
            else
            {
                json.WriteNullValue();
            }
        }
    }

    private static void WriteExposure(Utf8JsonWriter json, IReadOnlyList<ComponentExposure> exposure)
    {
        json.WriteStartArray("exposure");
        foreach (ComponentExposure component in exposure.Take(ListMax))
        {
            json.WriteStartObject();
            json.WriteString("kind", component.Component.Kind switch { ComponentKind.Vendor => "vendor", ComponentKind.Platform => "platform", _ => "region" });
            json.WriteString("name", component.Component.Name);
            json.WriteNumber("deployments", component.Cut.DeploymentsGone);
            json.WriteNumber("stops_in_all", component.Cut.Stopped.Count);
            json.WriteStartArray("stops");
            foreach (StoppedModel model in component.Cut.Stopped.Take(ModelsMax))
            {
                json.WriteStartObject();
                json.WriteString("model", model.Model);
                json.WriteBoolean("for_all", model.ForAll);
                json.WriteStartArray("apps");
                foreach (string app in model.Apps.Take(ModelsMax))
                {
                    json.WriteStringValue(app);
                }

                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteNumber("thinned_in_all", component.Cut.Thinned.Count);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteModels(Utf8JsonWriter json, CatalogSnapshot catalog)
    {
        json.WriteNumber("models_in_all", catalog.ModelOrder.Count(model => !model.IsDeployment));
        json.WriteStartArray("models");
        foreach (Model model in catalog.ModelOrder.Take(ModelsMax))
        {
            json.WriteStringValue(model.Name);
        }

        json.WriteEndArray();
    }
}
