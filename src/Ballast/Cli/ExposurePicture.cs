using System.Globalization;
using System.Net;
using System.Text;
using Ballast.Balance;
using Ballast.Catalog;
using Ballast.Routing.Shares;

namespace Ballast.Cli;

/// <summary>The exposure page's drawings, as SVG within the page; colours are the page's, so that they follow a dark screen.</summary>
internal static class ExposurePicture
{
    private const int Width = 780;
    private const int Colours = 8;
    private const int GraphRowsMax = 24;
    private const int CutRowsMax = 16;

    // The chart of days.
    private const int Height = 210;
    private const int Left = 54;
    private const int Right = 130;

    /// <summary>Share of each platform by day, with the limits as broken lines.</summary>
    public static string Days(IReadOnlyList<(DateOnly Day, IReadOnlyDictionary<string, double> Platforms)> days, IReadOnlyList<ShareRule> limits)
    {
        string[] platforms = [.. days.SelectMany(static day => day.Platforms.Keys).Distinct(StringComparer.Ordinal).OrderByDescending(name => days.Sum(day => day.Platforms.GetValueOrDefault(name))).Take(Colours)];
        StringBuilder svg = Open(Height + 26, "Share of tokens of each platform by day, and the limits");
        for (int tenth = 0; tenth <= 10; tenth += 2)
        {
            Line(svg, Left, Y(tenth / 10.0), Width - Right, Y(tenth / 10.0), "var(--line)", 1, "");
            Label(svg, Left - 8, Y(tenth / 10.0) + 4, $"{tenth * 10} %", "s", "end");
        }

        Places names = new();
        for (int index = 0; index < platforms.Length; index++)
        {
            string colour = Colour(index);
            string points = string.Join(' ', days.Select((day, at) => string.Create(CultureInfo.InvariantCulture, $"{X(at, days.Count):0.#},{Y(day.Platforms.GetValueOrDefault(platforms[index])):0.#}")));
            svg.Append(CultureInfo.InvariantCulture, $"<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"2.5\" points=\"{points}\"/>");
            for (int at = 0; at < days.Count; at++)
            {
                svg.Append(CultureInfo.InvariantCulture, $"<circle cx=\"{X(at, days.Count):0.#}\" cy=\"{Y(days[at].Platforms.GetValueOrDefault(platforms[index])):0.#}\" r=\"3\" fill=\"{colour}\"/>");
            }

            double last = days[^1].Platforms.GetValueOrDefault(platforms[index]);
            Label(svg, Width - Right + 10, names.Take(Y(last) + 4, 14), string.Create(CultureInfo.InvariantCulture, $"{Shorten(platforms[index], 12)} {100 * last:0} %"), colour: colour);
        }

        DrawLimits(svg, platforms, limits);
        Label(svg, Left, Height + 20, Day(days[0].Day), "s");
        if (days.Count > 1)
        {
            Label(svg, Width - Right, Height + 20, Day(days[^1].Day), "s", "end");
        }

        return svg.Append("</svg>").ToString();
    }

    /// <summary>Vendors at the left, deployments in the middle, platforms at the right; lines as thick as their share of the tokens.</summary>
    public static string Graph(DimensionExposure vendors, DimensionExposure deployments, DimensionExposure platforms, Func<string, (string Vendor, string Platform)?> linkOf)
    {
        ComponentUse[] middle = [.. deployments.Components.Take(GraphRowsMax)];
        int rows = Math.Max(middle.Length, Math.Max(vendors.Components.Count, platforms.Components.Count));
        int height = 12 + (28 * rows);
        StringBuilder svg = Open(height, "Which deployment stands on which vendor and platform");
        for (int index = 0; index < middle.Length; index++)
        {
            if (linkOf(middle[index].Component.Name) is not { } link)
            {
                continue;
            }

            double thickness = 1 + (10 * middle[index].TokenShare);
            int vendor = IndexOf(vendors, link.Vendor);
            int platform = IndexOf(platforms, link.Platform);
            Line(svg, 150, Row(vendor, vendors.Components.Count, height), 250, Row(index, middle.Length, height), Colour(Math.Max(vendor, 0)), thickness, "");
            Line(svg, 530, Row(index, middle.Length, height), 630, Row(platform, platforms.Components.Count, height), Colour(Math.Max(platform, 0)), thickness, "");
        }

        Boxes(svg, vendors.Components, 2, 148, height);
        Boxes(svg, middle, 250, 280, height);
        Boxes(svg, platforms.Components, 630, 148, height);
        return svg.Append("</svg>").ToString();
    }

    /// <summary>A row for each model: what stops it alone, then the smallest sets that do together.</summary>
    public static string Cuts(IReadOnlyList<ModelCuts> models)
    {
        ModelCuts[] shown = [.. models.OrderByDescending(static model => model.SinglePoints.Any()).Take(CutRowsMax)];
        StringBuilder body = new();
        double y = 6;
        foreach (ModelCuts model in shown)
        {
            y = CutRow(body, model, y) + 8;
        }

        if (models.Count > shown.Length)
        {
            Label(body, 2, y + 10, $"{models.Count - shown.Length} more models", "s");
            y += 20;
        }

        return Open((int)Math.Ceiling(y), "What stops each model: single components in red, sets of them in amber").Append(body).Append("</svg>").ToString();
    }

    private static double CutRow(StringBuilder svg, ModelCuts model, double y)
    {
        const int names = 190;
        Label(svg, 2, y + 14, Shorten(model.Model, 26));
        double below = y + 16;
        if (model.Apps.Count > 0)
        {
            Label(svg, 2, y + 28, Shorten("for " + string.Join(", ", model.Apps), 30), "s");
            below = y + 30;
        }

        double x = names, line = y;
        int left = model.Cuts.Count;
        foreach (CutSet cut in model.Cuts)
        {
            string text = string.Join(" + ", cut.Components.Select(static component => component.Kind is ComponentKind.Platform or ComponentKind.Vendor ? component.ToString() : $"{ComponentKindName.Of(component.Kind)}:{Shorten(component.Name, 24)}"));
            double width = 14 + (6.6 * text.Length);
            if (x > names && x + width > Width - 70)
            {
                // Two lines for a model: what is left is counted.
                if (line > y)
                {
                    break;
                }

                (x, line) = (names, line + 24);
            }

            bool isAlone = cut.Components.Count == 1;
            svg.Append(CultureInfo.InvariantCulture, $"<rect x=\"{x:0.#}\" y=\"{line:0.#}\" width=\"{Math.Min(width, Width - x - 2):0.#}\" height=\"20\" rx=\"4\" fill=\"var(--{(isAlone ? "bad" : "warn")}paper)\" stroke=\"var(--{(isAlone ? "bad" : "warn")})\"/>");
            Label(svg, x + 7, line + 14, Shorten(text, (int)((Width - x - 16) / 6.4)), "b");
            x += width + 6;
            left--;
        }

        if (left > 0)
        {
            Label(svg, Math.Min(x + 2, Width - 62), line + 14, $"{left} more", "s");
        }
        else if (model.Cuts.Count == 0)
        {
            Label(svg, names, y + 14, "no three components together", colour: "var(--good)");
        }

        return Math.Max(below, line + 22);
    }

    private static void DrawLimits(StringBuilder svg, string[] platforms, IReadOnlyList<ShareRule> limits)
    {
        Places words = new();
        foreach (ShareRule rule in limits.OrderByDescending(static rule => rule.Share))
        {
            int index = Array.IndexOf(platforms, rule.Target.Name);
            if (index >= 0)
            {
                Line(svg, Left, Y(rule.Share), Width - Right, Y(rule.Share), Colour(index), 1.5, "6 4");
                Label(svg, Left + 4, words.Take(Y(rule.Share) - 4, 13), string.Create(CultureInfo.InvariantCulture, $"{rule.Id}: {(rule.IsFloor ? "at least" : "at most")} {100 * rule.Share:0.#} %"), colour: Colour(index));
            }
        }
    }

    private static void Boxes(StringBuilder svg, IReadOnlyList<ComponentUse> uses, int x, int width, int height)
    {
        for (int index = 0; index < uses.Count; index++)
        {
            double y = Row(index, uses.Count, height);
            string stroke = uses[index].Stops > 0 ? "var(--bad)" : "var(--soft)";
            svg.Append(CultureInfo.InvariantCulture, $"<rect x=\"{x}\" y=\"{y - 11:0.#}\" width=\"{width}\" height=\"22\" rx=\"4\" fill=\"var(--box)\" stroke=\"{stroke}\"/>");
            string share = string.Create(CultureInfo.InvariantCulture, $"{100 * uses[index].TokenShare:0} %");
            Label(svg, x + 7, y + 4, Shorten(uses[index].Component.Name, (int)((width - 54) / 6.6)), "b");
            Label(svg, x + width - 7, y + 4, share, "s b", "end");
        }
    }

    private static int IndexOf(DimensionExposure dimension, string name) => dimension.Components.TakeWhile(use => use.Component.Name != name).Count() is int index && index < dimension.Components.Count ? index : -1;

    private static double Row(int index, int count, int height) => height / 2.0 + ((index - ((count - 1) / 2.0)) * Math.Min(28, (height - 12.0) / Math.Max(count, 1)));

    private static string Shorten(string name, int length) => name.Length <= length ? name : string.Concat(name.AsSpan(0, Math.Max(length - 1, 1)), "…");

    private static string Day(DateOnly day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static string Colour(int index) => $"var(--c{index % Colours})";

    private static double X(int index, int count) => Left + ((Width - Left - Right) * (count == 1 ? 0.5 : (double)index / (count - 1)));

    private static double Y(double share) => 10 + ((Height - 20) * (1 - share));

    private static StringBuilder Open(int height, string title) => new StringBuilder()
        .Append(CultureInfo.InvariantCulture, $"<svg viewBox=\"0 0 {Width} {height}\" role=\"img\"><title>{WebUtility.HtmlEncode(title)}</title>");

    private static void Line(StringBuilder svg, double x1, double y1, double x2, double y2, string colour, double thickness, string dashes) => svg.Append(CultureInfo.InvariantCulture,
        $"<line x1=\"{x1:0.#}\" y1=\"{y1:0.#}\" x2=\"{x2:0.#}\" y2=\"{y2:0.#}\" stroke=\"{colour}\" stroke-width=\"{thickness:0.#}\"{(dashes.Length == 0 ? "" : $" stroke-dasharray=\"{dashes}\"")} stroke-opacity=\"0.75\"/>");

    private static void Label(StringBuilder svg, double x, double y, string text, string? style = null, string? anchor = null, string? colour = null) =>
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{x:0.#}\" y=\"{y:0.#}\"{(style is null ? "" : $" class=\"{style}\"")}{(anchor is null ? "" : $" text-anchor=\"{anchor}\"")}{(colour is null ? "" : $" style=\"fill:{colour}\"")}>{WebUtility.HtmlEncode(text)}</text>");

    /// <summary>Keeps labels from lying on each other: each takes the nearest free height.</summary>
    private sealed class Places
    {
        private readonly List<double> _taken = [];

        public double Take(double wanted, double apart)
        {
            double free = wanted;
            for (int step = 0; _taken.Exists(taken => Math.Abs(taken - free) < apart) && step < 40; step++)
            {
                free = wanted + (((step / 2) + 1) * (step % 2 == 0 ? 4 : -4));
            }

            _taken.Add(free);
            return free;
        }
    }
}
