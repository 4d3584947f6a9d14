using System.Globalization;
using Ballast.Ledger;
using Spectre.Console;

namespace Ballast.Cli.Demo;

/// <summary>Shows the running demo until it ends: in place on a terminal, else as a line every few seconds.</summary>
internal static class DemoPicture
{
    private static readonly TimeSpan LineEvery = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan RedrawEvery = TimeSpan.FromMilliseconds(250);

    /// <summary>Whether standard output is a terminal that can be drawn on.</summary>
    public static bool IsPossible(TextWriter output) =>
        new AnsiConsoleOutput(output).IsTerminal && CreateConsole(output).Profile.Capabilities.Ansi
        && Environment.GetEnvironmentVariable("TERM") is not (null or "" or "dumb");

    public static Task ShowAsync(DemoScene scene, Task playing, TextWriter output, TextWriter errors) =>
        scene.Settings.IsLive ? ShowInPlaceAsync(scene, playing, output) : ShowLinesAsync(scene, playing, errors);

    internal static IAnsiConsole CreateConsole(TextWriter output) => AnsiConsole.Create(new AnsiConsoleSettings
    {
        Out = new AnsiConsoleOutput(output),
        ColorSystem = string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")) ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
        Interactive = InteractionSupport.No,
    });

    private static async Task ShowInPlaceAsync(DemoScene scene, Task playing, TextWriter output)
    {
        TimeProvider time = scene.House.Server.Time;
        IAnsiConsole console = CreateConsole(output);
        (int Width, int Height) size = (console.Profile.Width, console.Profile.Height);
        // Live shows the cursor again however it ends: a signal ends the story, and with it this loop.
        await console.Live(Text.Empty).AutoClear(false).Overflow(VerticalOverflow.Crop).Cropping(VerticalOverflowCropping.Bottom).StartAsync(async live =>
        {
            while (!playing.IsCompleted)
            {
                if (size != (console.Profile.Width, console.Profile.Height))
                {
                    // The terminal has wrapped the old picture by its own rules: where its lines stand now, nobody can tell.
                    size = (console.Profile.Width, console.Profile.Height);
                    console.Clear(home: true);
                }

                live.UpdateTarget(Draw(scene, console));
                await Task.WhenAny(playing, Task.Delay(RedrawEvery, time)).ConfigureAwait(false);
            }

            live.UpdateTarget(Draw(scene, console));
        }).ConfigureAwait(false);
        scene.Log.Release();
    }

    private static Spectre.Console.Rendering.IRenderable Draw(DemoScene scene, IAnsiConsole console) =>
        LivePicture.Draw(PictureFrame.Of(scene), console.Profile.Width, console.Profile.Capabilities.Unicode);

    private static async Task ShowLinesAsync(DemoScene scene, Task playing, TextWriter errors)
    {
        TimeProvider time = scene.House.Server.Time;
        errors.WriteLine($"gateway {scene.House.Server.Address}  live page {scene.House.Server.AdminAddress}  sandbox {scene.House.Sandbox.Control}");
        StoryPhase? told = null;
        long toldAt = time.GetTimestamp();
        while (!playing.IsCompleted)
        {
            StoryPhase phase = scene.Story.Phase;
            if (phase != told || time.GetElapsedTime(toldAt) >= LineEvery)
            {
                errors.WriteLine(Line(scene));
                told = phase;
                toldAt = time.GetTimestamp();
            }

            await Task.WhenAny(playing, Task.Delay(Step, time)).ConfigureAwait(false);
        }
    }

    private static string Line(DemoScene scene)
    {
        DemoCounts counts = scene.Tally.Counts;
        LiveSnapshot live = scene.House.Server.Totals.Snapshot();
        double all = Math.Max(live.Platforms.Sum(platform => platform.AnsweredRecently), 1);
        string shares = string.Join("  ", live.Platforms.Select(
            platform => string.Create(CultureInfo.InvariantCulture, $"{platform.Name} {platform.AnsweredRecently / all:0%}")));
        double seconds = scene.House.Server.Time.GetElapsedTime(scene.Story.StartedTimestamp).TotalSeconds;
        return string.Create(CultureInfo.InvariantCulture,
            $"{seconds,5:0.0} s  {scene.Headline}: {counts.Ended} answered, {live.Failovers} failovers, {counts.Interrupted} interrupted, {counts.Failed} failed; last 10 s: {shares}");
    }
}
