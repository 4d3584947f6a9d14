using System.Globalization;
using Ballast.Balance.Watch;
using Ballast.Catalog;
using Ballast.Ledger;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Ballast.Cli.Demo;

/// <summary>
/// Draws one moment of the demo for a terminal: where the story stands, what the applications saw, and for each platform its share against its cap, as kept and as
/// weights alone would have made it.
/// </summary>
internal static class LivePicture
{
    /// <summary>Narrower terminals get lines cut off at their right.</summary>
    private const int WidthMin = 37;
    private const int RoomForEcho = 3;

    /// <summary>Wider ones leave the rest empty: a bar of a hundred columns is hard to read against its name.</summary>
    private const int WidthMax = 120;
    private const int NameWidth = 11;
    private const int CapWidth = 9;
    private const int ShareWidth = 6;
    private const int WarningWidth = 6;

    /// <summary>Below it there is room for one row of bars only.</summary>
    private const int TwoBarsWidthMin = 66;

    /// <summary>A full bar: shares above it are not met here, and the others are told apart better.</summary>
    private const double ScaleMax = 0.7;
    private const int NotesMax = 4;

    /// <summary>A share that is over its cap by less is not called so: a window is short.</summary>
    private const double OverMin = 0.02;

    /// <summary>Percentage points; what a bucket's burst is of a window.</summary>
    private const double WorstGood = 3;

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
            Header(width),
        ];
        lines.AddRange(frame.Platforms.Select((platform, index) => Shares(frame, platform, BarColors[index % BarColors.Length], width, isUnicode)));
        lines.Add(Vendors(frame, width));
        lines.Add(Text.Empty);
        lines.Add(Worst(frame.Balance, width));
        lines.Add(Text.Empty);
        lines.AddRange(frame.Notes.TakeLast(NotesMax).Select(note => new PictureLine(width)
            .Add(string.Create(CultureInfo.InvariantCulture, $"{note.At.TotalSeconds,5:0.0} s  "), Faint).Add(note.Text, Plain).ToRenderable()));
        lines.Add(new PictureLine(width).Add(frame.Footer, frame.HasFailure ? Bad : Faint).ToRenderable());
        return new Rows(lines);
    }

    private static IRenderable Headline(PictureFrame frame, int width)
    {
        (Color color, string mark) = frame.Phase switch
        {
            StoryPhase.Outage => (Color.Red, "!!"),
            StoryPhase.Shift or StoryPhase.Recovery => (Color.Yellow, ">>"),
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

    private static IRenderable Header(int width)
    {
        PictureLine line = new PictureLine(width).Add(Fit(string.Create(CultureInfo.InvariantCulture, $"last {BalanceWatch.Window} requests"), NameWidth + CapWidth + 1), Faint);
        string kept = "tokens, by share credits";
        return width < TwoBarsWidthMin
            ? line.Add(kept, Faint).ToRenderable()
            : line.Add(Fit(kept, BarWidth(width) + ShareWidth + 2), Strong).Add("by weights alone", Faint).ToRenderable();
    }

    private static IRenderable Shares(PictureFrame frame, string platform, Color color, int width, bool isUnicode)
    {
        bool isGone = platform == frame.Gone;
        double? cap = frame.Balance.Rules.FirstOrDefault(rule => rule.Rule is { IsFloor: false, Target.Kind: ComponentKind.Platform } && rule.Rule.Target.Name == platform)?.Rule.Share;
        double kept = frame.Balance.Kept.GetValueOrDefault(platform);
        double weighted = frame.Balance.Weighted.GetValueOrDefault(platform);
        PictureLine line = new PictureLine(width)
            .Add(Fit(platform, NameWidth), isGone ? Bad : Plain)
            .Add((isGone ? "gone" : cap is { } most ? string.Create(CultureInfo.InvariantCulture, $"max {100 * most:0}%") : "").PadRight(CapWidth + 1), isGone ? Bad : Faint);
        AddBar(line, kept, cap, color, BarWidth(width), isUnicode);
        line.Add(Percent(kept), Strong);
        if (width < TwoBarsWidthMin)
        {
            return line.ToRenderable();
        }

        line.Add("  ", Plain);
        AddBar(line, weighted, cap, Color.Grey, BarWidth(width), isUnicode);
        bool isOver = weighted > cap + OverMin;
        return line.Add(Percent(weighted), isOver ? Bad : Plain).Add(isOver ? " OVER" : "", Bad).ToRenderable();
    }

    /// <summary>A bar with a mark where its cap is; what is above the cap is red.</summary>
    private static void AddBar(PictureLine line, double share, double? cap, Color color, int width, bool isUnicode)
    {
        string bar = Bar(share / ScaleMax, width, isUnicode);
        if (cap is not { } most)
        {
            line.Add(bar, new Style(color));
            return;
        }

        int mark = Math.Min((int)Math.Round(most / ScaleMax * (width - 1)), width - 1);
        line.Add(bar[..mark], new Style(color)).Add(isUnicode ? "│" : "|", Strong).Add(bar[Math.Min(mark + 1, bar.Length)..], Bad);
    }

    private static IRenderable Vendors(PictureFrame frame, int width)
    {
        double all = Math.Max(frame.Live.Vendors.Sum(vendor => vendor.AnsweredRecently), 1);
        string shares = string.Join("  ", frame.Vendors.Select(name => string.Create(CultureInfo.InvariantCulture,
            $"{name} {100 * (frame.Live.Vendors.FirstOrDefault(vendor => vendor.Name == name)?.AnsweredRecently ?? 0) / all:0}%")));
        return new PictureLine(width).Add(Fit("vendors", NameWidth), Faint).Add(shares, Faint).ToRenderable();
    }

    private static IRenderable Worst(BalanceStanding balance, int width) =>
        new PictureLine(width)
            .Add("over a cap at worst: ", Plain).Add(Points(balance.WorstExcess), balance.WorstExcess > WorstGood ? Bad : Good).Add(" kept, ", Plain)
            .Add(Points(balance.WeightedWorstExcess), balance.WeightedWorstExcess > WorstGood ? Bad : Plain).Add(" by weights alone", Plain).ToRenderable();

    private static string Points(double excess) => excess <= 0 ? "never" : string.Create(CultureInfo.InvariantCulture, $"{excess:+0.0} points");

    private static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{100 * share,5:0.0}%");

    private static int BarWidth(int width) => width < TwoBarsWidthMin
        ? Math.Max(width - NameWidth - CapWidth - 1 - ShareWidth, 5)
        : (width - NameWidth - CapWidth - 1 - (2 * ShareWidth) - 2 - WarningWidth) / 2;

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
