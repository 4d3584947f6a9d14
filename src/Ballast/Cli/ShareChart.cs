using System.Globalization;
using System.Text;
using Ballast.Routing.Shares;

namespace Ballast.Cli;

/// <summary>Shares of platforms over time against their limits, as SVG within the exposure page.</summary>
internal static class ShareChart
{
    private const int Height = 180;
    private const int Left = 54;
    private const int Right = 130;

    /// <summary>Single points are marked up to so many.</summary>
    private const int DotsMax = 32;

    /// <summary>A line for each of the largest platforms, the limits as broken lines, and what happened as upright ones.</summary>
    /// <param name="points">In order of time; shares from 0 to 1.</param>
    /// <param name="limits">Of platforms.</param>
    /// <param name="marks">What happened when, in a word or two.</param>
    /// <param name="order">Platforms in the order of their colours, so that two charts agree; null for the largest first.</param>
    public static string Draw(
        IReadOnlyList<(DateTimeOffset At, IReadOnlyDictionary<string, double> Platforms)> points, IReadOnlyList<ShareRule> limits, IReadOnlyList<(DateTimeOffset At, string Text)> marks, IReadOnlyList<string>? order = null)
    {
        IReadOnlyList<string> platforms = order ?? Order(points);
        StringBuilder svg = ExposurePicture.Open(Height + 26, "Share of tokens of each platform over time, and the limits");
        for (int tenth = 0; tenth <= 10; tenth += 2)
        {
            ExposurePicture.Line(svg, Left, Y(tenth / 10.0), ExposurePicture.Width - Right, Y(tenth / 10.0), "var(--line)", 1, "");
            ExposurePicture.Label(svg, Left - 8, Y(tenth / 10.0) + 4, $"{tenth * 10} %", "s", "end");
        }

        (DateTimeOffset from, DateTimeOffset until) = (points[0].At, points[^1].At);
        foreach ((DateTimeOffset at, string text) in marks)
        {
            ExposurePicture.Line(svg, X(at), Y(0), X(at), Y(1), "var(--soft)", 1, "2 3");
            ExposurePicture.Label(svg, X(at) + 4, Y(1) + 10, text, "s");
        }

        HashSet<string> limited = [.. limits.Select(static rule => rule.Target.Name)];
        Places names = new();
        for (int index = 0; index < platforms.Count; index++)
        {
            string name = platforms[index];
            string colour = ExposurePicture.Colour(index);
            string thickness = limits.Count == 0 || limited.Contains(name) ? "2.5" : "1.2";
            string line = string.Join(' ', points.Select(point => string.Create(CultureInfo.InvariantCulture, $"{X(point.At):0.#},{Y(point.Platforms.GetValueOrDefault(name)):0.#}")));
            svg.Append(CultureInfo.InvariantCulture, $"<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"{thickness}\" stroke-linejoin=\"round\" points=\"{line}\"/>");
            for (int at = 0; at < points.Count && points.Count <= DotsMax; at++)
            {
                svg.Append(CultureInfo.InvariantCulture, $"<circle cx=\"{X(points[at].At):0.#}\" cy=\"{Y(points[at].Platforms.GetValueOrDefault(name)):0.#}\" r=\"{(limited.Contains(name) ? 3 : 2)}\" fill=\"{colour}\"/>");
            }

            double last = points[^1].Platforms.GetValueOrDefault(name);
            ExposurePicture.Label(
                svg, ExposurePicture.Width - Right + 10, names.Take(Y(last) + 4, 14), string.Create(CultureInfo.InvariantCulture, $"{ExposurePicture.Shorten(name, 12)} {100 * last:0} %"), colour: colour);
        }

        DrawLimits(svg, platforms, limits);
        ExposurePicture.Label(svg, Left, Height + 20, Moment(from), "s");
        if (until > from)
        {
            ExposurePicture.Label(svg, ExposurePicture.Width - Right, Height + 20, Moment(until), "s", "end");
        }

        return svg.Append("</svg>").ToString();

        // What happened just before the first point or after the last one stands at the edge.
        double X(DateTimeOffset at) => Left + ((ExposurePicture.Width - Left - Right) * (until == from ? 0.5 : Math.Clamp((at - from) / (until - from), 0, 1)));

        string Moment(DateTimeOffset at) => at.UtcDateTime.ToString(
            until - from >= TimeSpan.FromDays(2) ? "yyyy-MM-dd" : until - from >= TimeSpan.FromHours(1) ? "yyyy-MM-dd HH:mm'Z'" : "HH:mm:ss'Z'", CultureInfo.InvariantCulture);
    }

    /// <summary>The largest first.</summary>
    public static IReadOnlyList<string> Order(IReadOnlyList<(DateTimeOffset At, IReadOnlyDictionary<string, double> Platforms)> points) =>
        [.. points.SelectMany(static point => point.Platforms.Keys).Distinct(StringComparer.Ordinal).OrderByDescending(name => points.Sum(point => point.Platforms.GetValueOrDefault(name))).Take(ExposurePicture.Colours)];

    /// <summary>Words stand at the left and the right by turns, so that limits that lie close to each other can both be read.</summary>
    private static void DrawLimits(StringBuilder svg, IReadOnlyList<string> platforms, IReadOnlyList<ShareRule> limits)
    {
        Places[] sides = [new(), new()];
        int drawn = 0;
        foreach (ShareRule rule in limits.OrderByDescending(static rule => rule.Share))
        {
            int index = platforms.TakeWhile(name => name != rule.Target.Name).Count();
            if (index == platforms.Count)
            {
                continue;
            }

            bool isLeft = drawn++ % 2 == 0;
            ExposurePicture.Line(svg, Left, Y(rule.Share), ExposurePicture.Width - Right, Y(rule.Share), ExposurePicture.Colour(index), 1.5, "6 4");
            ExposurePicture.Label(
                svg, isLeft ? Left + 4 : ExposurePicture.Width - Right - 4, sides[isLeft ? 0 : 1].Take(Y(rule.Share) - 4, 13),
                string.Create(CultureInfo.InvariantCulture, $"{rule.Id}: {(rule.IsFloor ? "at least" : "at most")} {100 * rule.Share:0.#} %"), anchor: isLeft ? null : "end", colour: ExposurePicture.Colour(index));
        }
    }

    private static double Y(double share) => 10 + ((Height - 20) * (1 - share));

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
