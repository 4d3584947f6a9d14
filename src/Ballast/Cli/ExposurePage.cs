using System.Globalization;
using System.Net;
using System.Text;
using Ballast.Balance;
using Ballast.Catalog;
using Ballast.Routing.Shares;

namespace Ballast.Cli;

/// <summary>
/// The exposure as one page for those who decide: no script, nothing from elsewhere, pictures drawn within it, made to be printed. All that comes from names is escaped.
/// </summary>
internal sealed class ExposurePage(ExposureAnalysis analysis, SharePolicy? policy, IReadOnlyList<Relaxation> relaxations, string period)
{
    /// <summary>Rows of a table; what is below them matters little.</summary>
    private const int RowsMax = 12;

    private const string Style =
        """
        body{font:14px/1.45 system-ui,sans-serif;color:#1b2430;max-width:980px;margin:32px auto;padding:0 20px}
        h1{font-size:26px;margin:0 0 4px}h2{font-size:18px;margin:30px 0 8px;border-bottom:2px solid #dfe5ec;padding-bottom:4px}
        p.lead{font-size:18px;margin:14px 0}.note{color:#5b6673;font-size:12px}table{border-collapse:collapse;width:100%;margin:6px 0 14px}
        th,td{text-align:left;padding:4px 8px;border-bottom:1px solid #e6ebf0;vertical-align:top}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
        .bad{color:#a3201d;font-weight:600}.good{color:#1d6b3a}li{margin:4px 0}svg{max-width:100%;height:auto;display:block}
        @page{size:A4;margin:16mm}@media print{body{margin:0;max-width:none;font-size:11px}h2{break-after:avoid}table,svg,ul{break-inside:avoid}}
        """;

    private readonly StringBuilder _html = new();

    public string Write()
    {
        _html.Append("<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Exposure</title><style>").Append(Style).Append("</style></head><body>");
        _html.Append("<h1>What we depend on, and what stops without it</h1>");
        Text("p", $"{period} · {ReportFormat.Count(analysis.Requests)} answered requests{(policy is null ? " · no balance policy in force" : $" · policy {policy.Options.Name} version {policy.Options.Version}")}", "note");
        WriteLead();
        WriteDecisions();
        WriteLimits();
        WriteDays();
        foreach (DimensionExposure dimension in analysis.Dimensions.Where(static dimension => dimension.Kind != ComponentKind.Deployment))
        {
            WriteDimension(dimension);
        }

        WriteGraph();
        WriteCuts();
        WriteNotes();
        return _html.Append("</body></html>\n").ToString();
    }

    private void WriteLead()
    {
        ComponentUse? worst = analysis.Dimensions.SelectMany(static dimension => dimension.Components).Where(static use => use.Component.Kind is ComponentKind.Platform or ComponentKind.Vendor)
            .MaxBy(static use => use.Stops);
        Text("p", worst is null ? "There is no traffic in this time."
            : worst.Stops > 0 ? $"If {worst.Component.Name} disappears, {Percent(worst.Stops)} of the critical work stops ({Percent(worst.StopsInterval.Low)} to {Percent(worst.StopsInterval.High)})."
            : "No single vendor or platform stops any of the work: for all of it there is a lawful substitute elsewhere.", "lead");
    }

    private void WriteDecisions()
    {
        List<string> decisions =
        [
            .. analysis.Models.SelectMany(model => model.SinglePoints.Take(3).Select(point => $"{Names(model)} stops without {point}: add a deployment without it, or accept the risk in writing.")).Take(RowsMax),
            .. analysis.SharedFailures.Select(static mode => string.Create(CultureInfo.InvariantCulture, $"{mode.One} and {mode.Other} failed together in {mode.Minutes} minutes (phi {mode.Phi:0.00}): find out what they share.")),
            .. relaxations.Where(static one => one.Cause == RelaxationCause.Eligibility).Select(static one => one.Rule).Distinct(StringComparer.Ordinal)
                .Select(static rule => $"The limit '{rule}' cannot hold for some traffic even with everything up: change it, or add a lawful deployment."),
        ];
        if (analysis.CommonModeGap >= 0.5)
        {
            decisions.Add(string.Create(CultureInfo.InvariantCulture, $"There seem to be {analysis.CommonModeGap:0.0} more vendors than platforms: several vendors stand on the same platform."));
        }

        _html.Append("<h2>What to decide</h2>");
        if (decisions.Count == 0)
        {
            Text("p", "Nothing stands out.", "good");
            return;
        }

        _html.Append("<ul>");
        decisions.ForEach(decision => Text("li", decision));
        _html.Append("</ul>");
    }

    private void WriteLimits()
    {
        _html.Append("<h2>Limits and breaches</h2>");
        if (policy is null || policy.Book.Rules.Count == 0)
        {
            Text("p", "No share is limited.");
            return;
        }

        _html.Append("<table><tr><th>limit</th><th class=n>agreed</th><th class=n>measured, all traffic</th><th class=n>suspended</th></tr>");
        foreach (ShareRule rule in policy.Book.Rules)
        {
            ComponentUse? use = analysis.Dimensions.SelectMany(static dimension => dimension.Components).FirstOrDefault(use => use.Component == rule.Target);
            Relaxation[] own = [.. relaxations.Where(one => one.Rule == rule.Id)];
            Row($"{rule.Id}: {rule.Target}", (rule.IsFloor ? "at least " : "at most ") + Percent(rule.Share), use is null ? "none" : Percent(use.TokenShare),
                own.Length == 0 ? "never" : $"{own.Length} times, {ReportFormat.Count(own.Sum(static one => one.Requests))} requests, last {own[^1].LastAt:yyyy-MM-dd HH:mm}Z ({(own[^1].Cause == RelaxationCause.Health ? "outage" : "no lawful choice")})");
        }

        _html.Append("</table>");
    }

    private void WriteDays()
    {
        if (analysis.Days.Count == 0)
        {
            return;
        }

        _html.Append("<h2>Shares over time against the limits</h2>").Append(ExposurePicture.Days(analysis.Days, [.. policy?.Book.Rules.Where(static rule => rule.Target.Kind == ComponentKind.Platform) ?? []]));
    }

    private void WriteDimension(DimensionExposure dimension)
    {
        string kind = ComponentKindName.Of(dimension.Kind);
        _html.Append(CultureInfo.InvariantCulture, $"<h2>By {kind}</h2>");
        Text("p", string.Create(CultureInfo.InvariantCulture, $"As concentrated as {dimension.EffectiveNumber:0.00} of equal size (HHI {dimension.Hhi:0})."), "note");
        _html.Append(CultureInfo.InvariantCulture, $"<table><tr><th>{kind}</th><th class=n>tokens</th><th class=n>requests</th><th class=n>cost</th><th class=n>critical</th><th class=n>busiest hour</th><th class=n>stops</th><th class=n>not proven</th><th>known by</th></tr>");
        foreach (ComponentUse use in dimension.Components.Take(RowsMax))
        {
            Row(use.Component.Name, Percent(use.TokenShare), Percent(use.RequestShare), use.CostShare is { } cost ? Percent(cost) : "unknown", Percent(use.CriticalShare),
                use.HourlyMax is { } most ? Percent(most) : "–", $"{Percent(use.Stops)} ({Percent(use.StopsInterval.Low)}–{Percent(use.StopsInterval.High)})", Percent(use.Unproven), use.Provenance.ToString().ToLowerInvariant());
        }

        _html.Append("</table>");
    }

    private void WriteGraph()
    {
        DimensionExposure? platforms = analysis.Dimensions.FirstOrDefault(static dimension => dimension.Kind == ComponentKind.Platform);
        DimensionExposure? vendors = analysis.Dimensions.FirstOrDefault(static dimension => dimension.Kind == ComponentKind.Vendor);
        DimensionExposure? deployments = analysis.Dimensions.FirstOrDefault(static dimension => dimension.Kind == ComponentKind.Deployment);
        if (platforms is not null && vendors is not null && deployments is not null)
        {
            _html.Append("<h2>Who stands on whom</h2>").Append(ExposurePicture.Graph(vendors, deployments, platforms, analysis.LinkOf));
        }
    }

    private void WriteCuts()
    {
        _html.Append("<h2>What stops a model</h2><table><tr><th>model</th><th>apps</th><th>alone</th><th>two together</th><th>three together</th></tr>");
        foreach (ModelCuts model in analysis.Models)
        {
            Row(model.Model, string.Join(", ", model.Apps), Cuts(model, 1), Cuts(model, 2), Cuts(model, 3));
        }

        _html.Append("</table>");
    }

    private void WriteNotes()
    {
        _html.Append("<h2>How to read this</h2><ul>");
        Text("li", "Shares are measured: every answered request counts. 'critical' weighs requests by how critical their app is.");
        Text("li", "'stops' is modelled: critical work for which no lawful deployment is left without the component; substitutes are assumed to be able to do it and to have room. In brackets the 90 % interval, by resampling hours.");
        Text("li", "'not proven' is what nobody has shown that a substitute can do: it stops or may degrade.");
        Text("li", "'known by': declared, by contract, observed in traffic, or assumed from names.");
        Text("li", analysis.Gateway.Count == 0 ? "What Ballast itself runs on is not declared (policies/components.yaml, gateway): it is a single point of failure that this page cannot see."
            : $"Ballast itself runs on {string.Join(", ", analysis.Gateway.Select(static edge => edge.Component.ToString()))}: if that goes, everything stops.");
        _html.Append("</ul>");
    }

    private static string Names(ModelCuts model) => model.Apps.Count == 0 ? model.Model : $"{model.Model} (for {string.Join(", ", model.Apps.Take(4))}{(model.Apps.Count > 4 ? " …" : "")})";

    private static string Cuts(ModelCuts model, int size)
    {
        CutSet[] cuts = [.. model.Cuts.Where(cut => cut.Components.Count == size)];
        return cuts.Length == 0 ? "–" : string.Join("; ", cuts.Take(4).Select(static cut => cut.ToString())) + (cuts.Length > 4 ? $"; {cuts.Length - 4} more" : "");
    }

    private static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{100 * share:0.0} %");

    private void Row(params ReadOnlySpan<string> cells)
    {
        _html.Append("<tr>");
        foreach (string cell in cells)
        {
            bool isNumber = cell.Length > 0 && char.IsAsciiDigit(cell[0]) && cell.Contains('%', StringComparison.Ordinal);
            _html.Append(isNumber ? "<td class=n>" : "<td>").Append(WebUtility.HtmlEncode(cell)).Append("</td>");
        }

        _html.Append("</tr>");
    }

    private void Text(string tag, string text, string? style = null) =>
        _html.Append('<').Append(tag).Append(style is null ? "" : $" class=\"{style}\"").Append('>').Append(WebUtility.HtmlEncode(text)).Append("</").Append(tag).Append('>');
}
