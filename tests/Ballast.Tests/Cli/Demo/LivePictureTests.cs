using Ballast.Balance.Watch;
using Ballast.Catalog;
using Ballast.Cli.Demo;
using Ballast.Ledger;
using Ballast.Routing.Shares;
using Spectre.Console;

namespace Ballast.Tests.Cli.Demo;

public sealed class LivePictureTests
{
    [Theory]
    [InlineData(40)]
    [InlineData(80)]
    [InlineData(140)]
    public void Draw_AnyWidth_FillsNoLineToTheEdgeAndFitsAnOldTerminal(int width)
    {
        string[] lines = Draw(Frame(StoryPhase.Outage), width, isUnicode: true, ColorSystemSupport.NoColors);

        Assert.All(lines, line => Assert.True(line.Length < width, $"{line.Length} of {width}: {line}"));
        Assert.InRange(lines.Length, 15, 23);
    }

    [Fact]
    public void Draw_AtEightyColumns_ShowsEveryFigureWhole()
    {
        string picture = string.Join('\n', Draw(Frame(StoryPhase.Outage), 80, isUnicode: true, ColorSystemSupport.NoColors));

        Assert.All(
            [
                "Azure has disappeared", "20.0 s of 45 s", "12,345 answered requests", "failed over 16", "interrupted 2", "failed 0", "first token", "cost $12.34", "gone",
                "max 45%", " 44.0%", " 62.5% OVER", "openai", "+1.2 points kept, +17.5 points by weights alone", "20.0 s  Azure disappears",
            ],
            expected => Assert.Contains(expected, picture, StringComparison.Ordinal));
    }

    [Fact]
    public void Draw_PlatformIsGone_SaysSoInRedWhereThereAreColours()
    {
        string outage = string.Join('\n', Draw(Frame(StoryPhase.Outage), 80, isUnicode: true, ColorSystemSupport.Standard));
        string plain = string.Join('\n', Draw(Frame(StoryPhase.Outage), 80, isUnicode: true, ColorSystemSupport.NoColors));

        Assert.Contains("\u001b[1;91m!! Azure has disappeared", outage, StringComparison.Ordinal);
        Assert.DoesNotContain("[1;91m", plain, StringComparison.Ordinal);
    }

    [Fact]
    public void Draw_ShareWithACap_HasAMarkWhereTheCapIs()
    {
        string[] lines = Draw(Frame(StoryPhase.Calm), 140, isUnicode: true, ColorSystemSupport.NoColors);
        string capped = lines.Single(line => line.StartsWith("aws", StringComparison.Ordinal));

        Assert.Equal(2, capped.Count(character => character == '│'));
        int mark = capped.LastIndexOf('│');
        Assert.Equal('█', capped[mark + 1]); // what weights alone would have made of it goes beyond
        Assert.DoesNotContain('│', lines.Single(line => line.StartsWith("openai", StringComparison.Ordinal)));
    }

    [Fact]
    public void Draw_TerminalWithoutUnicode_UsesAsciiAlone()
    {
        string picture = string.Join('\n', Draw(Frame(StoryPhase.Calm), 80, isUnicode: false, ColorSystemSupport.NoColors));

        Assert.All(picture, character => Assert.True(char.IsAscii(character)));
        Assert.Contains("####", picture, StringComparison.Ordinal);
    }

    private static string[] Draw(PictureFrame frame, int width, bool isUnicode, ColorSystemSupport colors)
    {
        using StringWriter output = new();
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(output),
            Ansi = colors == ColorSystemSupport.NoColors ? AnsiSupport.No : AnsiSupport.Yes,
            ColorSystem = colors,
        });
        console.Profile.Width = width;
        console.Write(LivePicture.Draw(frame, width, isUnicode));
        return output.ToString().TrimEnd().Split('\n');
    }

    private static PictureFrame Frame(StoryPhase phase) => new()
    {
        Phase = phase,
        Headline = phase == StoryPhase.Outage ? "Azure has disappeared" : "all clouds are there",
        Elapsed = TimeSpan.FromSeconds(20),
        Length = TimeSpan.FromSeconds(45),
        Progress = 0.44,
        Counts = new DemoCounts(12_400, 12_343, 0, 2, 16, 0, 0),
        Live = new LiveSnapshot
        {
            Requests = 12_400,
            RequestsFailed = 0,
            RequestsTurnedAway = 0,
            Attempts = 12_420,
            Completed = 12_343,
            Failed = 20,
            Interrupted = 2,
            Cancelled = 0,
            Failovers = 16,
            InputTokens = 12_345_678,
            OutputTokens = 9_876_543,
            CostUsd = 12.34m,
            RequestsPerSecond = 123.4,
            TtftP50 = TimeSpan.FromMilliseconds(210),
            TtftP95 = TimeSpan.FromMilliseconds(1250),
            Ttft = new LiveTimes([], 0, TimeSpan.Zero),
            Platforms = [Component("aws", 75), Component("azure", 5), Component("openai", 20)],
            Vendors = [Component("meta", 30), Component("openai", 70)],
            Deployments = [],
        },
        Platforms = ["anthropic", "aws", "azure", "local", "openai"],
        Vendors = ["anthropic", "meta", "openai"],
        Balance = new BalanceStanding
        {
            Rules = [Rule("azure", 0.50), Rule("aws", 0.45)],
            Kept = new Dictionary<string, double> { ["aws"] = 0.44, ["openai"] = 0.56 },
            Weighted = new Dictionary<string, double> { ["aws"] = 0.625, ["openai"] = 0.375 },
            Acts = [],
            WorstExcess = 1.2,
            WeightedWorstExcess = 17.5,
            Notes = [],
        },
        Notes = [.. Enumerable.Range(0, 9).Select(_ => (TimeSpan.FromSeconds(20), "Azure disappears in the middle of its answers."))],
        Gone = phase == StoryPhase.Outage ? "azure" : null,
        Footer = new string('x', 200),
        HasFailure = false,
    };

    private static BalanceStanding.RuleShares Rule(string platform, double share) =>
        new(new ShareRule { Id = platform, Target = new Component(ComponentKind.Platform, platform), Share = share, Burst = 1 }, null, null);

    private static LiveComponent Component(string name, long recently) => new()
    {
        Name = name,
        Attempts = 4_000,
        Answered = 3_990,
        Failed = 10,
        CostUsd = 4.11m,
        AnsweredRecently = recently,
        TtftP50 = TimeSpan.FromMilliseconds(310),
        TtftP95 = TimeSpan.FromMilliseconds(900),
    };
}
