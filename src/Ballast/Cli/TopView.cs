using System.Globalization;
using System.Text.Json;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Ballast.Cli;

/// <summary>One moment of a running gateway, for a terminal: what its live page says (docs/administration.md), in tables. Names are text, never markup.</summary>
internal static class TopView
{
    /// <summary>A budget or a share that is nearer to its limit is marked.</summary>
    private const double NearLimit = 0.9;

    public static IRenderable Of(JsonElement live)
    {
        List<IRenderable> parts = [Head(live), Platforms(live)];
        if (live.GetProperty("policy") is { ValueKind: JsonValueKind.Object } policy)
        {
            parts.Add(Shares(policy));
        }

        if (live.GetProperty("budgets") is { ValueKind: JsonValueKind.Array } budgets && budgets.GetArrayLength() > 0)
        {
            parts.Add(Budgets(budgets));
        }

        return new Rows(parts);
    }

    private static Text Head(JsonElement live)
    {
        JsonElement ledger = live.GetProperty("ledger");
        string ready = live.GetProperty("ready").GetBoolean() ? "ready" : "not ready";
        return new Text(string.Create(CultureInfo.InvariantCulture,
            $"{live.GetProperty("address").GetString()}  {ready}  {live.GetProperty("requests_per_second").GetDouble():0.0} requests/s  {live.GetProperty("requests_running").GetInt64()} running  "
            + $"{live.GetProperty("requests").GetInt64()} in all, {live.GetProperty("requests_failed").GetInt64()} failed, {live.GetProperty("failovers").GetInt64()} failed over  "
            + $"today {ReportFormat.Usd(live.GetProperty("cost_usd_today").GetDecimal())}  ledger {ledger.GetProperty("pending").GetInt64()} pending"));
    }

    private static Table Platforms(JsonElement live)
    {
        Table table = NewTable("platform", "share now", "answered", "failed attempts", "first token p50", "cost");
        JsonElement[] all = [.. live.GetProperty("platforms").EnumerateArray()];
        long recently = all.Sum(static one => one.GetProperty("answered_recently").GetInt64());
        foreach (JsonElement one in all)
        {
            long own = one.GetProperty("answered_recently").GetInt64();
            Add(table, false, one.GetProperty("name").GetString(), recently == 0 ? ReportFormat.Unknown : ReportFormat.Percent((double)own / recently),
                ReportFormat.Count(one.GetProperty("answered").GetInt64()), ReportFormat.Count(one.GetProperty("attempts_failed").GetInt64()),
                one.GetProperty("ttft_p50_ms") is { ValueKind: JsonValueKind.Number } time ? ReportFormat.Time(TimeSpan.FromMilliseconds(time.GetDouble())) : ReportFormat.Unknown,
                ReportFormat.Usd(one.GetProperty("cost_usd").GetDecimal()));
        }

        return table;
    }

    private static Table Shares(JsonElement policy)
    {
        Table table = NewTable("rule", "of", "share", "limit", "");
        foreach (JsonElement rule in policy.GetProperty("rules").EnumerateArray())
        {
            double limit = rule.GetProperty("limit").GetDouble();
            double? share = rule.GetProperty("share") is { ValueKind: JsonValueKind.Number } known ? known.GetDouble() : null;
            bool isCap = rule.GetProperty("bound").GetString() == "cap";
            bool isSuspended = rule.GetProperty("suspended").GetBoolean();
            bool isBroken = share is { } kept && (isCap ? kept > limit : kept < limit);
            Add(table, isSuspended || isBroken, rule.GetProperty("id").GetString(), $"{rule.GetProperty("kind").GetString()} {rule.GetProperty("name").GetString()}",
                ReportFormat.Percent(share), (isCap ? "at most " : "at least ") + ReportFormat.Percent(limit), isSuspended ? "suspended" : isBroken ? isCap ? "above" : "below" : "");
        }

        return table;
    }

    private static Table Budgets(JsonElement budgets)
    {
        Table table = NewTable("budget", "of", "spent", "reserved", "limit", "ends");
        foreach (JsonElement budget in budgets.EnumerateArray())
        {
            bool isMoney = budget.GetProperty("unit").GetString() == "usd";
            decimal spent = budget.GetProperty("spent").GetDecimal(), reserved = budget.GetProperty("reserved").GetDecimal(), limit = budget.GetProperty("limit").GetDecimal();
            Add(table, spent + reserved >= limit * (decimal)NearLimit, budget.GetProperty("id").GetString(), $"{budget.GetProperty("of").GetString()} {budget.GetProperty("subject").GetString()}",
                Amount(spent, isMoney), Amount(reserved, isMoney), Amount(limit, isMoney), budget.GetProperty("ends_at").GetDateTimeOffset().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
        }

        return table;
    }

    private static string Amount(decimal amount, bool isMoney) => isMoney ? ReportFormat.Usd(amount) : ReportFormat.Tokens((long)amount);

    private static Table NewTable(params ReadOnlySpan<string> headers)
    {
        Table table = new Table().Border(TableBorder.Simple);
        foreach (string header in headers)
        {
            table.AddColumn(new TableColumn(new Text(header, new Style(decoration: Decoration.Bold))).NoWrap());
        }

        return table;
    }

    private static void Add(Table table, bool isMarked, params ReadOnlySpan<string?> cells)
    {
        List<IRenderable> row = [];
        foreach (string? cell in cells)
        {
            row.Add(new Text(ReportTable.Clean(cell ?? ""), isMarked ? new Style(Color.Red) : Style.Plain));
        }

        table.AddRow(row);
    }
}
