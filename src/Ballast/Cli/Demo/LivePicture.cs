using System.Globalization;
using Ballast.Ledger;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Ballast.Cli.Demo;

/// <summary>Draws one moment of the demo for a terminal: where the story stands, what the applications saw, and a bar for each platform and vendor.</summary>
internal static class LivePicture
{
    /// <summary>Narrower terminals get lines cut off at their right.</summary>
    private const int WidthMin = 37;
    private const int RoomForEcho = 3;

    /// <summary>Wider ones leave the rest empty: a bar of a hundred columns is hard to read against its name.</summary>
    private const int WidthMax = 120;
    private const int NameWidth = 11;
    private const int FiguresWidth = 38;

    private static readonly Style Plain = Style.Plain;
    private static readonly Style Faint = new(Color.Grey);
    private static readonly Style Strong = new(decoration: Decoration.Bold);
    private static readonly Style Bad = new(Color.Red, decoration: Decoration.Bold);
    private static readonly Style Good = new(Color.Green);
    private static readonly Color[] BarColors = [Color.DodgerBlue1, Color.Orange1, Color.MediumPurple1, Color.SeaGreen2, Color.Gold1, Color.HotPink];

    /// <param name="frame">What to show.</param>
    /// <param name="terminalWidth">In columns; no line is longer.</param>
    /// <param name="isUnicode">Whether bars may be drawn with blocks.</param>
    public static IRenderable Draw(PictureFrame frame, int terminalWidth, bool isUnicode)
    {
        // The cursor rests behind the last line: there a terminal shows ^C, and without room for it the picture would move by a line.
        int width = Math.Clamp(terminalWidth - RoomForEcho, WidthMin, WidthMax);
        List<IRenderable> lines =
        [
            Headline(frame, width),
            TimeLine(frame, width, isUnicode),
            Text.Empty,
            Requests(frame, width),
            Times(frame.Live, width),
            Text.Empty,
            Header("platform", width),
        ];
        lines.AddRange(Bars(frame.Platforms, frame.Live.Platforms, frame.Gone, width, isUnicode));
        lines.Add(Text.Empty);
        lines.Add(Header("vendor", width));
        lines.AddRange(Bars(frame.Vendors, frame.Live.Vendors, gone: null, width, isUnicode));
        lines.Add(Text.Empty);
        lines.Add(new PictureLine(width).Add(frame.Footer, frame.HasFailure ? Bad : Faint).ToRenderable());
        return new Rows(lines);
    }

    private static IRenderable Headline(PictureFrame frame, int width)
    {
        (Color color, string mark) = frame.Phase switch
        {
            StoryPhase.Outage => (Color.Red, "!!"),
            StoryPhase.Recovery => (Color.Yellow, ">>"),
            _ => (Color.Green, "=="),
        };
        string clock = string.Create(CultureInfo.InvariantCulture, $"{frame.Elapsed.TotalSeconds,5:0.0} s of {frame.Length.TotalSeconds:0} s");
        string headline = $"{mark} {frame.Headline}";
        return new PictureLine(width)
            .Add(headline, new Style(color, decoration: Decoration.Bold))
            .Add(new string(' ', Math.Max(width - headline.Length - clock.Length, 1)), Plain)
            .Add(clock, Faint).ToRenderable();
    }

    private static IRenderable TimeLine(PictureFrame frame, int width, bool isUnicode)
    {
        (string passed, string ahead) = isUnicode ? ("━", "─") : ("=", "-");
        PictureLine line = new(width);
        int now = (int)Math.Round(frame.Progress * width);
        for (int column = 0; column < width; column++)
        {
            double at = (column + 0.5) / width;
            bool isOutage = at is >= DemoStory.DisappearsAt and < DemoStory.ReturnsAt;
            line.Add(column < now ? passed : ahead, isOutage ? Bad : column < now ? Good : Faint);
        }

        return line.ToRenderable();
    }

    private static IRenderable Requests(PictureFrame frame, int width)
    {
        DemoCounts counts = frame.Counts;
        return new PictureLine(width)
            .Add(ReportFormat.Count(counts.Ended), Strong).Add(counts.Ended == 1 ? " answered request" : " answered requests", Plain)
            .Add("   failed over ", Plain).Add(ReportFormat.Count(counts.Failovers), counts.Failovers > 0 ? new Style(Color.Yellow) : Plain)
            .Add("   interrupted ", Plain).Add(ReportFormat.Count(counts.Interrupted), counts.Interrupted > 0 ? new Style(Color.Yellow) : Plain)
            .Add("   failed ", Plain).Add(ReportFormat.Count(counts.Failed), counts.Failed > 0 ? Bad : Good)
            .Add(string.Create(CultureInfo.InvariantCulture, $"   {frame.Live.RequestsPerSecond:0.0}/s"), Faint).ToRenderable();
    }

    private static IRenderable Times(LiveSnapshot live, int width) =>
        new PictureLine(width)
            .Add("first token ", Plain).Add(ReportFormat.Time(live.TtftP50), Strong).Add(" median, ", Plain).Add(ReportFormat.Time(live.TtftP95), Strong).Add(" p95", Plain)
            .Add("   cost ", Plain).Add(ReportFormat.Usd(live.CostUsd), Strong)
            .Add(string.Create(CultureInfo.InvariantCulture, $"   tokens {ReportFormat.Tokens(live.InputTokens)} + {ReportFormat.Tokens(live.OutputTokens)}"), Faint).ToRenderable();

    private static IRenderable Header(string kind, int width) =>
        new PictureLine(width)
            .Add(kind.PadRight(NameWidth), Faint)
            .Add("share of the last 10 s".PadRight(BarWidth(width)), Faint)
            .Add($"{"",6}{"answers",9}{"median",10}{"cost",13}", Faint).ToRenderable();

    private static IEnumerable<IRenderable> Bars(
        IReadOnlyList<string> names, IReadOnlyList<LiveComponent> components, string? gone, int width, bool isUnicode)
    {
        double all = Math.Max(components.Sum(component => component.AnsweredRecently), 1);
        for (int i = 0; i < names.Count; i++)
        {
            LiveComponent? component = components.FirstOrDefault(candidate => candidate.Name == names[i]);
            bool isGone = names[i] == gone;
            double share = (component?.AnsweredRecently ?? 0) / all;
            string bar = Bar(share, BarWidth(width), isUnicode);
            bar = isGone ? $"{bar.TrimEnd()} gone".TrimStart().PadRight(BarWidth(width)) : bar;
            yield return new PictureLine(width)
                .Add(Fit(names[i], NameWidth), isGone ? Bad : Plain)
                .Add(Fit(bar, BarWidth(width)), isGone ? Bad : new Style(BarColors[i % BarColors.Length]))
                .Add(string.Create(CultureInfo.InvariantCulture, $"{share * 100,5:0}%"), Strong)
                .Add($"{ReportFormat.Count(component?.Answered ?? 0),9}{ReportFormat.Time(component?.TtftP50),10}{ReportFormat.Usd(component?.CostUsd ?? 0),13}", Plain)
                .ToRenderable();
        }
    }

    private static int BarWidth(int width) => Math.Max(width - NameWidth - FiguresWidth, 5);

    /// <summary>Blocks come in eighths, so that a share moves smoothly.</summary>
    private static string Bar(double share, int width, bool isUnicode)
    {
        int eighths = (int)Math.Round(Math.Clamp(share, 0, 1) * (width - 1) * 8);
        string bar = isUnicode
            ? new string('█', eighths / 8) + (eighths % 8 == 0 ? "" : ((char)('█' + 8 - (eighths % 8))).ToString())
            : new string('#', (eighths + 4) / 8);
        return bar.PadRight(width);
    }

    private static string Fit(string text, int width) => text.Length <= width ? text.PadRight(width) : text[..width];

}
