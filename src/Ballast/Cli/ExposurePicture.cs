using System.Globalization;
using System.Net;
using System.Text;
using Ballast.Balance;
using Ballast.Catalog;

namespace Ballast.Cli;

/// <summary>The exposure page's drawings, as SVG within the page; colours are the page's, so that they follow a dark screen.</summary>
internal static class ExposurePicture
{
    internal const int Width = 780;
    internal const int Colours = 8;
    private const int GraphRowsMax = 24;
    private const int CutRowsMax = 16;

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

    /// <summary>A picture for each model, so that a page may end between two of them: what stops it alone, then the smallest sets that do together.</summary>
    public static string Cuts(IReadOnlyList<ModelCuts> models)
    {
        ModelCuts[] shown = [.. models.OrderByDescending(static model => model.SinglePoints.Any()).Take(CutRowsMax)];
        StringBuilder pictures = new();
        foreach (ModelCuts model in shown)
        {
            StringBuilder body = new();
            double height = CutRow(body, model, 4);
            pictures.Append(Open((int)Math.Ceiling(height) + 2, $"What stops {model.Model}: single components in red, sets of them in amber")).Append(body).Append("</svg>");
        }

        return pictures.ToString();
    }

    /// <summary>Models that are not drawn.</summary>
    public static int CutsLeft(IReadOnlyList<ModelCuts> models) => Math.Max(0, models.Count - CutRowsMax);

    private static double CutRow(StringBuilder svg, ModelCuts model, double y)
    {
        const int names = 190;
        Label(svg, 2, y + 14, Shorten(model.Model, 26));
        double below = y + 16;
        if (model.Apps.Count > 0)
        {
            Label(svg, 2, y + 28, Shorten(model.Apps.Count <= 2 ? "for " + string.Join(", ", model.Apps) : $"for {model.Apps[0]} and {model.Apps.Count - 1} more", 30), "s");
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

    internal static string Shorten(string name, int length) => name.Length <= length ? name : string.Concat(name.AsSpan(0, Math.Max(length - 1, 1)), "…");

    internal static string Colour(int index) => $"var(--c{index % Colours})";

    internal static StringBuilder Open(int height, string title) => new StringBuilder()
        .Append(CultureInfo.InvariantCulture, $"<svg viewBox=\"0 0 {Width} {height}\" role=\"img\"><title>{WebUtility.HtmlEncode(title)}</title>");

    internal static void Line(StringBuilder svg, double x1, double y1, double x2, double y2, string colour, double thickness, string dashes) => svg.Append(CultureInfo.InvariantCulture,
        $"<line x1=\"{x1:0.#}\" y1=\"{y1:0.#}\" x2=\"{x2:0.#}\" y2=\"{y2:0.#}\" stroke=\"{colour}\" stroke-width=\"{thickness:0.#}\"{(dashes.Length == 0 ? "" : $" stroke-dasharray=\"{dashes}\"")} stroke-opacity=\"0.75\"/>");

    internal static void Label(StringBuilder svg, double x, double y, string text, string? style = null, string? anchor = null, string? colour = null) =>
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{x:0.#}\" y=\"{y:0.#}\"{(style is null ? "" : $" class=\"{style}\"")}{(anchor is null ? "" : $" text-anchor=\"{anchor}\"")}{(colour is null ? "" : $" style=\"fill:{colour}\"")}>{WebUtility.HtmlEncode(text)}</text>");
}
