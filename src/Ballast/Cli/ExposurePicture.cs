using System.Globalization;
using System.Net;
using System.Text;
using Ballast.Balance;
using Ballast.Routing.Shares;

namespace Ballast.Cli;

/// <summary>The exposure page's drawings, as SVG within the page.</summary>
internal static class ExposurePicture
{
    private const int Width = 940;
    private const int Height = 240;
    private const int Left = 46;
    private const int Right = 150;
    private const int GraphRowsMax = 24;

    private static readonly string[] s_colours = ["#2563a8", "#d07b1f", "#2d8a57", "#8a4fa3", "#b3433f", "#4b8f9b", "#7a6a3a", "#5b6673"];

    /// <summary>Share of each platform by day, with the limits as broken lines.</summary>
    public static string Days(IReadOnlyList<(DateOnly Day, IReadOnlyDictionary<string, double> Platforms)> days, IReadOnlyList<ShareRule> limits)
    {
        string[] platforms = [.. days.SelectMany(static day => day.Platforms.Keys).Distinct(StringComparer.Ordinal).OrderByDescending(name => days.Sum(day => day.Platforms.GetValueOrDefault(name))).Take(s_colours.Length)];
        StringBuilder svg = Open(Height + 30, "Share of tokens of each platform by day, and the limits");
        for (int tenth = 0; tenth <= 10; tenth += 2)
        {
            Line(svg, Left, Y(tenth / 10.0), Width - Right, Y(tenth / 10.0), "#e6ebf0", 1, "");
            Label(svg, 6, Y(tenth / 10.0) + 4, $"{tenth * 10} %", "#5b6673");
        }

        for (int index = 0; index < platforms.Length; index++)
        {
            string colour = s_colours[index];
            string points = string.Join(' ', days.Select((day, at) => string.Create(CultureInfo.InvariantCulture, $"{X(at, days.Count):0.#},{Y(day.Platforms.GetValueOrDefault(platforms[index])):0.#}")));
            svg.Append(CultureInfo.InvariantCulture, $"<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"2.5\" points=\"{points}\"/>");
            for (int at = 0; at < days.Count; at++)
            {
                svg.Append(CultureInfo.InvariantCulture, $"<circle cx=\"{X(at, days.Count):0.#}\" cy=\"{Y(days[at].Platforms.GetValueOrDefault(platforms[index])):0.#}\" r=\"3\" fill=\"{colour}\"/>");
            }

            Label(svg, Width - Right + 12, 16 + (18 * index), platforms[index], colour);
            foreach (ShareRule rule in limits.Where(rule => rule.Target.Name == platforms[index]))
            {
                Line(svg, Left, Y(rule.Share), Width - Right, Y(rule.Share), colour, 1.5, "6 4");
                Label(svg, Left + 4, Y(rule.Share) - 4, rule.Id, colour);
            }
        }

        Label(svg, Left, Height + 20, days[0].Day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), "#5b6673");
        if (days.Count > 1)
        {
            Label(svg, Width - Right - 70, Height + 20, days[^1].Day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), "#5b6673");
        }

        return svg.Append("</svg>").ToString();
    }

    /// <summary>Vendors at the left, deployments in the middle, platforms at the right; lines as thick as their share of the tokens.</summary>
    public static string Graph(DimensionExposure vendors, DimensionExposure deployments, DimensionExposure platforms, Func<string, (string Vendor, string Platform)?> linkOf)
    {
        ComponentUse[] middle = [.. deployments.Components.Take(GraphRowsMax)];
        int rows = Math.Max(middle.Length, Math.Max(vendors.Components.Count, platforms.Components.Count));
        int height = 20 + (30 * rows);
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
            Line(svg, 170, Row(vendor, vendors.Components.Count, height), 330, Row(index, middle.Length, height), s_colours[Math.Max(vendor, 0) % s_colours.Length], thickness, "");
            Line(svg, 620, Row(index, middle.Length, height), 770, Row(platform, platforms.Components.Count, height), s_colours[Math.Max(platform, 0) % s_colours.Length], thickness, "");
        }

        Boxes(svg, vendors.Components, 10, 160, height);
        Boxes(svg, middle, 330, 290, height);
        Boxes(svg, platforms.Components, 770, 160, height);
        return svg.Append("</svg>").ToString();
    }

    private static void Boxes(StringBuilder svg, IReadOnlyList<ComponentUse> uses, int x, int width, int height)
    {
        for (int index = 0; index < uses.Count; index++)
        {
            double y = Row(index, uses.Count, height);
            string stroke = uses[index].Stops > 0 ? "#a3201d" : "#9aa7b4";
            svg.Append(CultureInfo.InvariantCulture, $"<rect x=\"{x}\" y=\"{y - 12:0.#}\" width=\"{width}\" height=\"24\" rx=\"4\" fill=\"#f6f8fa\" stroke=\"{stroke}\"/>");
            Label(svg, x + 8, y + 4, string.Create(CultureInfo.InvariantCulture, $"{Shorten(uses[index].Component.Name, width / 9)} {100 * uses[index].TokenShare:0} %"), "#1b2430");
        }
    }

    private static int IndexOf(DimensionExposure dimension, string name) => dimension.Components.TakeWhile(use => use.Component.Name != name).Count() is int index && index < dimension.Components.Count ? index : -1;

    private static double Row(int index, int count, int height) => height / 2.0 + ((index - ((count - 1) / 2.0)) * Math.Min(30, (height - 20.0) / Math.Max(count, 1)));

    private static string Shorten(string name, int length) => name.Length <= length ? name : name[..(length - 1)] + "…";

    private static double X(int index, int count) => Left + ((Width - Left - Right) * (count == 1 ? 0.5 : (double)index / (count - 1)));

    private static double Y(double share) => 10 + ((Height - 20) * (1 - share));

    private static StringBuilder Open(int height, string title) => new StringBuilder()
        .Append(CultureInfo.InvariantCulture, $"<svg viewBox=\"0 0 {Width} {height}\" role=\"img\" font-family=\"system-ui,sans-serif\" font-size=\"12\"><title>{WebUtility.HtmlEncode(title)}</title>");

    private static void Line(StringBuilder svg, double x1, double y1, double x2, double y2, string colour, double thickness, string dashes) => svg.Append(CultureInfo.InvariantCulture,
        $"<line x1=\"{x1:0.#}\" y1=\"{y1:0.#}\" x2=\"{x2:0.#}\" y2=\"{y2:0.#}\" stroke=\"{colour}\" stroke-width=\"{thickness:0.#}\" stroke-dasharray=\"{dashes}\" stroke-opacity=\"0.7\"/>");

    private static void Label(StringBuilder svg, double x, double y, string text, string colour) =>
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{x:0.#}\" y=\"{y:0.#}\" fill=\"{colour}\">{WebUtility.HtmlEncode(text)}</text>");
}
