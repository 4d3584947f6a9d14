using System.Text.Json;
using Ballast.Balance.Watch;
using Ballast.Catalog;
using Ballast.Configuration.Policies;
using Ballast.Guards;
using Ballast.Ledger;
using Ballast.Routing.Shares;

namespace Ballast.Server;

/// <summary>The part of <c>/live.json</c> about shares and what they are held against: the policy in force, the last minutes, suspensions, budgets (docs/administration.md).</summary>
internal static class LiveBalanceJson
{
    /// <summary>Lines of the timeline: the largest ones, the others are summed as <c>other</c>.</summary>
    public const int SeriesMax = 12;

    /// <summary>Notes of whoever watches: the newest.</summary>
    public const int NotesMax = 20;

    public static void Write(Utf8JsonWriter json, BallastServer server)
    {
        LiveTimeline timeline = server.Totals.Timeline();
        json.WriteStartObject("timeline");
        json.WriteNumber("step_seconds", TokenRing.StepSeconds);
        WriteSeries(json, "platforms", timeline.Platforms);
        WriteSeries(json, "vendors", timeline.Vendors);
        json.WriteEndObject();
        WritePolicy(json, server.Shares);
        WriteWatch(json, server.Watch, timeline.Second);
        WriteSuspensions(json, server.Shares.Suspensions());
        WriteBudgets(json, server.Guard.Meters);
    }

    private static void WriteSeries(Utf8JsonWriter json, string name, IReadOnlyList<LiveSeries> series)
    {
        json.WriteStartArray(name);
        LiveSeries[] largest = [.. series.OrderByDescending(static one => one.Tokens.Sum()).Take(SeriesMax)];
        foreach (LiveSeries one in largest.OrderBy(static one => one.Name, StringComparer.Ordinal))
        {
            WriteOne(json, one.Name, one.Tokens);
        }

        LiveSeries[] rest = [.. series.Except(largest)];
        if (rest.Length > 0)
        {
            WriteOne(json, "other", [.. Enumerable.Range(0, rest[0].Tokens.Count).Select(slot => rest.Sum(one => one.Tokens[slot]))]);
        }

        json.WriteEndArray();
    }

    private static void WriteOne(Utf8JsonWriter json, string name, IReadOnlyList<long> tokens)
    {
        json.WriteStartObject();
        json.WriteString("name", name);
        json.WriteStartArray("tokens");
        foreach (long slot in tokens)
        {
            json.WriteNumberValue(slot);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WritePolicy(Utf8JsonWriter json, ShareControl shares)
    {
        if (shares.Current is not { } policy || shares.Save() is not { } saved)
        {
            json.WriteNull("policy");
            return;
        }

        json.WriteStartObject("policy");
        json.WriteString("name", policy.Options.Name);
        json.WriteNumber("version", policy.Options.Version);
        json.WriteString("unit", policy.Options.Unit switch { ShareUnit.Usd => "usd", ShareUnit.Requests => "requests", _ => "tokens" });
        json.WriteStartArray("rules");
        foreach (ShareSnapshot.Bucket bucket in saved.Buckets.Where(static bucket => bucket.Rule is not null))
        {
            ShareRule rule = bucket.Rule!;
            json.WriteStartObject();
            json.WriteString("id", rule.Id);
            json.WriteString("scope", rule.Scope);
            json.WriteBoolean("all_traffic", policy.Options.Scopes.FirstOrDefault(scope => scope.Id == rule.Scope)?.Match is { } match && IsEverything(match));
            json.WriteString("kind", ComponentKindName.Of(rule.Target.Kind));
            json.WriteString("name", rule.Target.Name);
            json.WriteString("bound", rule.IsFloor ? "floor" : "cap");
            json.WriteBoolean("hard", rule.IsHard);
            json.WriteNumber("limit", Math.Round(rule.Share, 6));
            json.WritePropertyName("share");
            WriteShare(json, bucket.Share);
            json.WriteNumber("credit", Math.Round(bucket.Credit, 1));
            json.WriteNumber("burst", Math.Round(rule.Burst, 1));
            json.WriteNumber("suspended_requests", bucket.RelaxedRequests);
            json.WriteBoolean("suspended", bucket.IsRelaxed);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static bool IsEverything(PolicyMatch match) => match.Apps.Count + match.Keys.Count + match.Models.Count + match.Tiers.Count == 0;

    private static void WriteWatch(Utf8JsonWriter json, BalanceWatch? watch, long second)
    {
        if (watch is null)
        {
            json.WriteNull("by_weights");
            return;
        }

        BalanceStanding standing = watch.Standing();
        json.WriteStartObject("by_weights");
        json.WriteNumber("window_requests", BalanceWatch.Window);
        json.WriteNumber("worst_excess_pp", Math.Round(standing.WeightedWorstExcess, 2));
        json.WriteNumber("kept_worst_excess_pp", Math.Round(standing.WorstExcess, 2));
        json.WriteStartArray("rules");
        foreach (BalanceStanding.RuleShares rule in standing.Rules)
        {
            json.WriteStartObject();
            json.WriteString("id", rule.Rule.Id);
            json.WritePropertyName("share");
            WriteShare(json, rule.Weighted);
            json.WritePropertyName("kept_share");
            WriteShare(json, rule.Kept);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        WriteSeries(json, "platforms", watch.Timeline(second));
        json.WriteStartArray("notes");
        foreach (BalanceNote note in standing.Notes.TakeLast(NotesMax))
        {
            json.WriteStartObject();
            json.WriteString("at", note.At.UtcDateTime);
            json.WriteString("text", note.Text);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteShare(Utf8JsonWriter json, double? share)
    {
        if (share is { } known)
        {
            json.WriteNumberValue(Math.Round(known, 4));
        }
        else
        {
            json.WriteNullValue();
        }
    }

    private static void WriteSuspensions(Utf8JsonWriter json, IReadOnlyList<Relaxation> suspensions)
    {
        json.WriteStartArray("suspensions");
        foreach (Relaxation one in suspensions)
        {
            json.WriteStartObject();
            json.WriteString("rule", one.Rule);
            json.WriteString("cause", one.CauseName);
            json.WriteString("started_at", one.StartedAt.UtcDateTime);
            json.WriteString("last_at", one.LastAt.UtcDateTime);
            json.WriteNumber("requests", one.Requests);
            json.WriteBoolean("over", one.IsOver);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteBudgets(Utf8JsonWriter json, MeterBook meters)
    {
        json.WriteStartArray("budgets");
        foreach (BudgetMeter budget in meters.Budgets.Take(LiveJson.ListMax))
        {
            (decimal spent, decimal reserved, BudgetPeriod period) = budget.Standing;
            json.WriteStartObject();
            json.WriteString("id", budget.Options.Id);
            json.WriteString("of", budget.Options.SubjectKind);
            json.WriteString("subject", budget.Options.Subject);
            json.WriteString("unit", budget.IsMoney ? "usd" : "tokens");
            json.WriteBoolean("hard", budget.Options.IsHard);
            json.WriteNumber("limit", budget.Limit);
            json.WriteNumber("spent", spent);
            json.WriteNumber("reserved", reserved);
            json.WriteString("period", budget.Options.Period);
            json.WriteString("ends_at", period.To.UtcDateTime);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
