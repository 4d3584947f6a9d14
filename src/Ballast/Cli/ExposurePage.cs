using System.Globalization;
using System.Net;
using System.Text;
using Ballast.Balance;
using Ballast.Balance.Capacity;
using Ballast.Balance.Shifts;
using Ballast.Balance.Watch;
using Ballast.Catalog;
using Ballast.Routing.Shares;

namespace Ballast.Cli;

/// <summary>
/// The exposure as pages for those who decide: no script, nothing from elsewhere, pictures drawn within it, made to be printed on A4. The first page says what stops, which
/// limits hold and what to decide; what it rests on follows. All that comes from names is escaped.
/// </summary>
internal sealed class ExposurePage(ExposureFindings found, string period, WeightsBeside? beside = null)
{
    /// <summary>Rows of a table; what is below them matters little.</summary>
    private const int RowsMax = 12;
    private const int CapacityRowsMax = 10;

    /// <summary>A table of so many rows is not torn by the end of a page.</summary>
    private const int KeptRowsMax = 5;
    private const int DecisionsMax = 10;
    private const double NoticedFrom = 0.0005;

    /// <summary>Beyond what a bucket of the demo allows in an act.</summary>
    private const double NoticedExcess = 0.02;

    private readonly ExposureAnalysis _analysis = found.Analysis;
    private readonly StringBuilder _html = new();

    public string Write()
    {
        IReadOnlyList<(string Matter, string Choice)> decisions = ExposureDecisions.Of(found);
        _html.Append("<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>Exposure</title><style>").Append(ExposureStyle.Css).Append("</style></head><body>");
        _html.Append("<h1>What we depend on, and what stops without it</h1>");
        Text("p", $"{period} · {ReportFormat.Count(_analysis.Requests)} answered requests · {(found.Policy is null ? "no balance policy in force" : $"policy {found.Policy.Options.Name} version {found.Policy.Options.Version}")}", "note");
        WriteLead();
        WriteCards(decisions.Count);
        WriteLosses();
        WriteDecisions(decisions);
        WriteLimits();
        if (_analysis.Requests > 0)
        {
            WriteTrend();
            WriteShifts();
            WriteGraph();
            WriteCapacity();
            WriteCuts();
            WritePlaces();
            WriteDetails();
        }
        else
        {
            WriteCuts();
        }

        WriteNotes();
        return _html.Append("</body></html>\n").ToString();
    }

    private IEnumerable<ComponentUse> Foremost => _analysis.Dimensions.Where(static dimension => dimension.Kind is ComponentKind.Platform or ComponentKind.Vendor).SelectMany(static dimension => dimension.Components);

    private void WriteLead()
    {
        ComponentUse? worst = Foremost.MaxBy(static use => use.Stops);
        Text("p", worst is null ? "There is no traffic in this time. What stops a model is told from the configuration below."
            : worst.Stops > NoticedFrom ? $"If {Name(worst.Component)} disappears, {Percent(worst.Stops)} of the critical work stops ({Interval(worst.StopsInterval)})."
            : "No single vendor or platform stops any of the work: for all of it there is a lawful substitute elsewhere.", "lead");
    }

    private void WriteCards(int decisions)
    {
        int broken = found.Limits.Count(static limit => limit.State == LimitState.Breached) + _analysis.Survival.Count(static check => check.Holds == false);
        int limits = found.Limits.Count + _analysis.Survival.Count;
        ComponentUse? largest = Foremost.Where(static use => use.Component.Kind == ComponentKind.Platform).MaxBy(static use => use.TokenShare);
        _html.Append("<div class=cards>");
        Card(largest is null ? "–" : Percent(largest.TokenShare), largest is null ? "no traffic" : $"of all tokens on {largest.Component.Name}");
        Card(limits == 0 ? "none" : broken == 0 ? $"{limits} of {limits}" : $"{limits - broken} of {limits}", limits == 0 ? "limits agreed" : "limits hold", limits == 0 ? null : broken == 0 ? "good" : "bad");
        Card(found.Shifts.Count.ToString(CultureInfo.InvariantCulture), "changes at vendors and platforms");
        Card(decisions.ToString(CultureInfo.InvariantCulture), "things to decide", decisions == 0 ? "good" : "warn");
        _html.Append("</div>");

        void Card(string figure, string words, string? style = null)
        {
            _html.Append("<div class=card>");
            Text("b", figure, style);
            Text("span", words);
            _html.Append("</div>");
        }
    }

    private void WriteLosses()
    {
        ComponentUse[] uses = [.. Foremost.OrderByDescending(static use => use.Stops).ThenByDescending(static use => use.TokenShare).Take(RowsMax)];
        if (uses.Length == 0)
        {
            return;
        }

        _html.Append("<h2>If one of them disappears</h2>");
        Head(("", false), ("share now", true), ("trend", true), ("critical work that stops", false), ("requests/h", true), ("or unproven", true), ("models that stop", false));
        foreach (ComponentUse use in uses)
        {
            string[] models = [.. _analysis.Models.Where(model => model.SinglePoints.Contains(use.Component)).Select(static model => model.Model).Distinct(StringComparer.Ordinal)];
            _html.Append("<tr><td><b>").Append(Escape(use.Component.Name)).Append("</b> <span class=note>").Append(ComponentKindName.Of(use.Component.Kind)).Append("</span></td>");
            Cell(Percent(use.TokenShare), "n");
            Cell(Trend(use.Trend), "n");
            _html.Append(CultureInfo.InvariantCulture, $"<td><span class=bar style=\"width:{Math.Max(use.Stops > NoticedFrom ? 2 : 0, 44 * use.Stops):0}px\"></span>");
            Text("span", use.Stops > NoticedFrom ? $"{Percent(use.Stops)} ({Interval(use.StopsInterval)})" : "nothing", use.Stops > NoticedFrom ? "bad d" : "good");
            _html.Append("</td>");
            Cell(use.StopsPerHour < 0.05 ? "–" : use.StopsPerHour.ToString("N0", CultureInfo.InvariantCulture), "n");
            Cell(Percent(use.Unproven), "n");
            Cell(models.Length == 0 ? "none" : string.Join(", ", models.Take(5)) + (models.Length > 5 ? $" and {models.Length - 5} more" : "") + (use.Stops > NoticedFrom ? "" : " (nobody asked for them there)"));
            _html.Append("</tr>");
        }

        End();
    }

    private void WriteDecisions(IReadOnlyList<(string Matter, string Choice)> decisions)
    {
        _html.Append("<h2>What to decide</h2>");
        if (decisions.Count == 0)
        {
            Text("p", "Nothing stands out.", "good");
            return;
        }

        _html.Append("<ol>");
        foreach ((string matter, string choice) in decisions.Take(DecisionsMax))
        {
            _html.Append("<li>").Append(Escape(matter)).Append(" <b>").Append(Escape(choice)).Append("</b></li>");
        }

        _html.Append("</ol>");
        if (decisions.Count > DecisionsMax)
        {
            Text("p", $"{decisions.Count - DecisionsMax} more of the kind are in the tables below.", "note");
        }
    }

    private void WriteLimits()
    {
        _html.Append("<div class=keep><h2>Limits and breaches</h2>");
        if (found.Limits.Count + _analysis.Survival.Count == 0)
        {
            Text("p", "No share is limited: nothing keeps the traffic from gathering in one place.", "empty");
            _html.Append("</div>");
            return;
        }

        Head(("limit", false), ("agreed", true), ("measured", true), ("worst day", true), ("suspended", false), ("", false));
        foreach (LimitCheck limit in found.Limits)
        {
            Row($"{limit.Rule.Id}: {Name(limit.Rule.Target)}", Number((limit.Rule.IsFloor ? "≥ " : "≤ ") + Percent(limit.Rule.Share)), Number(limit.Share is { } share ? Percent(share) : "–"), Number(limit.DayShare is { } day ? Percent(day) : "–"),
                limit.Suspensions.Count == 0 ? "never" : string.Create(CultureInfo.InvariantCulture, $"{limit.Suspensions.Count} times, {ReportFormat.Count(limit.Suspensions.Sum(static one => one.Requests))} requests, last {limit.Suspensions[^1].LastAt:yyyy-MM-dd HH:mm}Z ({(limit.Suspensions[^1].CauseName == "health" ? "outage" : "no lawful choice")})"),
                State(ExposureAnalysisView.Word(limit.State), limit.State switch { LimitState.Held => "good", LimitState.Breached => "bad", LimitState.Suspended => "warn", _ => "empty" }));
        }

        foreach (SurvivalCheck check in _analysis.Survival)
        {
            Row($"{check.Rule}: go on without any one", Number("≥ " + Percent(check.Keep)), Number(check.Worst is null ? "–" : Room(check.Left)), "", check.Worst is { } worst ? $"worst without {Name(worst)}" : "no traffic",
                State(ExposureAnalysisView.Word(check.Holds), check.Holds switch { true => "good", false => "bad", null => "warn" }));
        }

        End();
        _html.Append("</div>");
    }

    private IReadOnlyList<ShareRule> Limits => [.. found.Policy?.Book.Rules.Where(static rule => rule.Target.Kind == ComponentKind.Platform) ?? []];

    private void WriteTrend()
    {
        IReadOnlyList<string> order = ShareChart.Order(_analysis.Timeline);
        _html.Append("<div class=keep><h2>Shares over time against the limits</h2>").Append(ShareChart.Draw(_analysis.Timeline, Limits, beside?.Marks ?? [], order)).Append("</div>");
        if (beside is { Timeline.Count: > 0 })
        {
            _html.Append("<div class=keep><h2>The same requests, by weights alone</h2>");
            Text("p", "Every answered request was routed a second time, on paper, by its model's weights: the same sizes, the same platforms gone.", "note");
            _html.Append(ShareChart.Draw(beside.Timeline, Limits, beside.Marks, order));
            WriteActs(beside.Standing);
            _html.Append("</div>");
        }
    }

    private void WriteActs(BalanceStanding standing)
    {
        List<(string, bool)> columns = [("", false)];
        foreach (BalanceStanding.RuleShares rule in standing.Rules)
        {
            columns.Add(($"{rule.Rule.Target.Name}, {(rule.Rule.IsFloor ? "at least" : "at most")} {Percent(rule.Rule.Share)}", true));
            columns.Add(("by weights", true));
        }

        Head([.. columns]);
        foreach (BalanceStanding.Act act in standing.Acts)
        {
            Row([act.Name, .. standing.Rules.SelectMany(rule => (Content[])[Share(act.Kept, rule.Rule), Share(act.Weighted, rule.Rule)])]);
        }

        Row(["over a limit at worst, in any " + BalanceWatch.Window.ToString(CultureInfo.InvariantCulture) + " requests", Points(standing.WorstExcess), Points(standing.WeightedWorstExcess), .. Enumerable.Repeat<Content>("", Math.Max(0, (2 * standing.Rules.Count) - 2))]);
        End();

        static Content Share(IReadOnlyDictionary<string, double> shares, ShareRule rule) =>
            shares.GetValueOrDefault(rule.Target.Name) is var share && !rule.IsFloor && share > rule.Share + NoticedExcess ? new Content(Percent(share), "n bad") : Number(Percent(share));
        static Content Points(double excess) => Number(string.Create(CultureInfo.InvariantCulture, $"{excess:+0.0;-0.0;0.0} pp"));
    }

    private void WriteShifts()
    {
        _html.Append(found.Shifts.Count > KeptRowsMax ? "<div>" : "<div class=keep>").Append("<h2>What has changed at vendors and platforms</h2>");
        if (found.Shifts.Count == 0)
        {
            Text("p", beside is null ? "Nothing is known to have changed. ('ballast shifts' compares a window with the one before and keeps what it finds.)" : $"No figure of a vendor or platform is found to have changed: {beside.Compared}.", "empty");
            _html.Append("</div>");
            return;
        }

        if (beside is not null)
        {
            Text("p", $"Compared were {beside.Compared}.", "note");
        }

        Head(("when", false), ("what", false), ("figure", false), ("change", false), ("p", true), ("apps", false));
        foreach (RecordedShift shift in found.Shifts.Take(RowsMax))
        {
            Row(new Content(shift.At.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), "d"), Subject(shift.Subject), shift.Kind.Replace('_', ' '),
                shift.Text + (shift.Change is { } change ? string.Create(CultureInfo.InvariantCulture, $" ({100 * change:+0;-0}\u00a0%)") : ""),
                Number(shift.Probability is { } p ? p < 1e-6 ? "<0.000001" : p.ToString("0.######", CultureInfo.InvariantCulture) : ""), string.Join(", ", shift.Apps.Take(5)));
        }

        End();
        _html.Append("</div>");
    }

    private void WriteGraph()
    {
        DimensionExposure? platforms = _analysis.Dimensions.FirstOrDefault(static dimension => dimension.Kind == ComponentKind.Platform);
        DimensionExposure? vendors = _analysis.Dimensions.FirstOrDefault(static dimension => dimension.Kind == ComponentKind.Vendor);
        DimensionExposure? deployments = _analysis.Dimensions.FirstOrDefault(static dimension => dimension.Kind == ComponentKind.Deployment);
        if (platforms is not null && vendors is not null && deployments is not null)
        {
            _html.Append("<div class=keep><h2>Who stands on whom</h2>");
            Text("p", "Vendors, deployments, platforms; lines as thick as their share of the tokens, red where critical work stops without it.", "note");
            _html.Append(ExposurePicture.Graph(vendors, deployments, platforms, _analysis.LinkOf)).Append("</div>");
        }
    }

    private void WriteCuts()
    {
        _html.Append("<h2>What stops a model</h2>");
        if (_analysis.Models.Count == 0)
        {
            Text("p", "No model is named in the configuration.", "empty");
            return;
        }

        Text("p", "Alone (red), or two or three together (amber): every way in which a model is left without a lawful deployment.", "note");
        _html.Append(ExposurePicture.Cuts(_analysis.Models));
        if (ExposurePicture.CutsLeft(_analysis.Models) is > 0 and int left)
        {
            Text("p", left == 1 ? "One more model is not drawn." : $"{left} more models are not drawn.", "note");
        }

        if (_analysis.Gateway.Count > 0)
        {
            Text("p", $"Ballast itself runs on {string.Join(", ", _analysis.Gateway.Select(static edge => Name(edge.Component)))}: without it every model stops.", "bad");
        }
    }

    private void WriteCapacity()
    {
        _html.Append("<h2>Is there room elsewhere?</h2>");
        Text("p", $"What the quotas that are left carry of the demand. Busiest: the minute of the 99th percentile, {ReportFormat.Count((long)_analysis.PeakTokens)} tokens. {(_analysis.UnknownQuotas.Count == 0 ? "" : $"Unknown quotas: {string.Join(", ", _analysis.UnknownQuotas.Take(8))}{(_analysis.UnknownQuotas.Count > 8 ? " …" : "")}; the lower figure takes them to carry no more than they did, the upper one anything.")}", "note");
        Head(("without", false), ("median minute", true), ("busiest minutes", true));
        foreach (CapacityLeft left in _analysis.Capacity.Where(static left => left.Gone.All(static gone => gone.Kind is ComponentKind.Platform or ComponentKind.Vendor) && (left.Gone.Count == 1 || left.Gone.All(static gone => gone.Kind == ComponentKind.Platform))).Take(CapacityRowsMax))
        {
            Row(string.Join(" + ", left.Gone.Select(Name)), Number(Room(left.Median)), Number(Room(left.Peak)));
        }

        End();
    }

    private void WritePlaces()
    {
        if (found.Places.Count == 0)
        {
            return;
        }

        _html.Append("<div class=keep><h2>Where accounts' addresses lie</h2>");
        Head(("account", false), ("address", false), ("lies in", false), ("configured as", false), ("", false));
        foreach (ObservedPlace place in found.Places.Take(RowsMax))
        {
            bool isOff = place.Mismatches.Any();
            Row(place.Provider.Name, place.Host, place.Fault ?? (place.Found.Count == 0 ? "none of the ranges" : string.Join(", ", place.Found.Select(Name))), $"{place.Provider.Platform}, {place.Provider.Region}",
                State(place.Fault is not null ? "unknown" : isOff ? "differs" : place.Found.Count == 0 ? "" : "agrees", isOff ? "bad" : place.Fault is not null ? "warn" : "good"));
        }

        End();
        _html.Append("</div>");
    }

    private void WriteDetails()
    {
        _html.Append("<h2>Shares in detail</h2>");
        foreach (DimensionExposure dimension in _analysis.Dimensions.Where(static dimension => dimension.Kind != ComponentKind.Deployment))
        {
            string kind = ComponentKindName.Of(dimension.Kind);
            _html.Append("<div class=keep>");
            Text("h3", string.Create(CultureInfo.InvariantCulture, $"By {kind}: as concentrated as {dimension.EffectiveNumber:0.00} of equal size (HHI {dimension.Hhi:0}; by entropy {dimension.EntropyNumber:0.00})"));
            Head((kind, false), ("tokens", true), ("requests", true), ("cost", true), ("critical", true), ("hours", true), ("room", true), ("stops", true), ("stops or unproven", true), ("known by", false));
            foreach (ComponentUse use in dimension.Components.Take(RowsMax))
            {
                Row(use.Component.Name, Number(Percent(use.TokenShare)), Number(Percent(use.RequestShare)), Number(use.CostShare is { } cost ? Percent(cost) : "unknown"), Number(Percent(use.CriticalShare)),
                    Number(use.HourlyMax is { } most ? $"{Percent(use.HourlyMin ?? 0)}–{Percent(most)}" : "–"), Number(Percent(use.Room)), Number(Percent(use.Stops)), Number($"{Percent(use.Unproven)} ({Interval(use.UnprovenInterval)})"),
                    use.Provenance.ToString().ToLowerInvariant());
            }

            End();
            if (dimension.Components.Count > RowsMax)
            {
                Text("p", $"{dimension.Components.Count - RowsMax} more carry less.", "note");
            }

            _html.Append("</div>");
        }
    }

    private void WriteNotes()
    {
        _html.Append("<div class=keep><h2>How to read this</h2><ul>");
        Text("li", "Measured: shares, trends, limits, suspensions, hours. Every answered request counts; 'critical' weighs requests by how critical their app is (tier 1 four times, tier 2 twice). 'trend' is the second half of the time less the first. 'hours': lowest and highest share in any hour.");
        Text("li", "Modelled: 'stops' and 'room'. What stops is critical work without a lawful deployment, or without room in the quotas left at the busiest minutes; substitutes are assumed to be able to do the work, and unknown quotas to have room. Intervals hold 90 %, by resampling " + ExposureAnalysisView.Stretches(_analysis.Stretch) + ".");
        Text("li", "'stops or unproven' adds what nobody has shown that a substitute can do: it stops or may degrade.");
        Text("li", "Changes at vendors: Welch's t-test, p below 0.001 and at least 5 %. Many figures are compared at once: about one in 1,000 would show without any change.");
        Text("li", "'known by': declared in a file, by contract, observed in traffic or addresses, or assumed from names." + (found.Places.Count > 0 ? "" : " Addresses were not looked up: no range files are named (policies/components.yaml, ranges)."));
        Text("li", _analysis.Gateway.Count == 0 ? "What Ballast itself runs on is not declared (policies/components.yaml, gateway): it is a single point of failure that this page cannot see."
            : $"Ballast itself runs on {string.Join(", ", _analysis.Gateway.Select(static edge => Name(edge.Component)))}: if that goes, everything stops.");
        _html.Append("</ul></div>");
    }

    /// <summary>As people name it: the name, and what it is.</summary>
    private static string Name(Component component) => $"{component.Name} ({ComponentKindName.Of(component.Kind)})";

    /// <summary>What an event names as <c>kind:name</c>.</summary>
    private static string Subject(string subject) => subject.Split(':', 2) is [string kind, string name] ? $"{name} ({kind})" : subject;

    private static string Interval((double Low, double High) interval) => string.Create(CultureInfo.InvariantCulture, $"{100 * interval.Low:0.#}–{100 * interval.High:0.#} %");

    private static string Room(Survived left) => left.IsKnown ? Percent(left.High) : $"unknown ({Percent(left.Low)} to {Percent(left.High)})";

    private static string Trend(double? change) => change is not { } value ? "–" : Math.Abs(value) < 0.005 ? "steady" : string.Create(CultureInfo.InvariantCulture, $"{(value > 0 ? "▲" : "▼")} {100 * Math.Abs(value):0.#} pp");

    private static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{100 * share:0.#} %");

    private static Content Number(string text) => new(text, "n");

    private static Content State(string text, string style) => new(text, style);

    private void Head(params ReadOnlySpan<(string Text, bool IsNumber)> columns)
    {
        _html.Append("<div class=wide><table><thead><tr>");
        foreach ((string text, bool isNumber) in columns)
        {
            _html.Append(isNumber ? "<th class=n>" : "<th>").Append(Escape(text)).Append("</th>");
        }

        _html.Append("</tr></thead><tbody>");
    }

    private void End() => _html.Append("</tbody></table></div>");

    private void Row(params ReadOnlySpan<Content> cells)
    {
        _html.Append("<tr>");
        foreach (Content cell in cells)
        {
            Cell(cell.Text, cell.Style);
        }

        _html.Append("</tr>");
    }

    private void Cell(string text, string? style = null) => Text("td", text, style);

    private void Text(string tag, string text, string? style = null) =>
        _html.Append('<').Append(tag).Append(style is null ? "" : $" class=\"{style}\"").Append('>').Append(Escape(text)).Append("</").Append(tag).Append('>');

    private static string Escape(string text) => WebUtility.HtmlEncode(text);

    private readonly record struct Content(string Text, string? Style)
    {
        public static implicit operator Content(string text) => new(text, null);
    }
}
