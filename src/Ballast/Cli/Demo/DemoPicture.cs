using System.Globalization;
using Ballast.Ledger;

namespace Ballast.Cli.Demo;

/// <summary>Shows the running demo until it ends: in place on a terminal, else as a line every few seconds.</summary>
internal static class DemoPicture
{
    private static readonly TimeSpan LineEvery = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(100);

    public static Task ShowAsync(DemoScene scene, Task playing, TextWriter output, TextWriter errors) =>
        ShowLinesAsync(scene, playing, errors);

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
