namespace Ballast.Cli.Demo;

/// <summary>The demo from its first line to its last: start, play, settle, tell, and hold if asked to.</summary>
internal static class DemoRun
{
    /// <summary>Ended by a signal before the story was over, as shells number it.</summary>
    private const int Interrupted = 130;

    /// <returns>The process' exit code.</returns>
    public static async Task<int> RunAsync(DemoSettings settings, StopSignal stop, TextWriter output, TextWriter errors)
    {
        DemoHouse house = await DemoHouse.StartAsync(settings, stop.Token).ConfigureAwait(false);
        await using (house.ConfigureAwait(false))
        {
            DemoSummary summary;
            try
            {
                summary = await PlayAsync(settings, house, output, errors, stop.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (stop.Token.IsCancellationRequested)
            {
                errors.WriteLine("stopped before the story was over");
                return Interrupted;
            }

            if (settings.Hold)
            {
                await house.OpenAsync().ConfigureAwait(false);
            }

            Tell(settings, house, summary, output, errors);
            if (settings.Hold)
            {
                await stop.WaitAsync().ConfigureAwait(false);
            }

            return summary.IsGood ? 0 : 1;
        }
    }

    private static async Task<DemoSummary> PlayAsync(
        DemoSettings settings, DemoHouse house, TextWriter output, TextWriter errors, CancellationToken cancellation)
    {
        DemoTally tally = new(errors);
        using DemoClient client = new(house.Server.Address, tally, house.Server.Time);
        IReadOnlyList<Func<CancellationToken, Task>> conversations = settings.RequestsFolder is { } folder
            ? DemoTraffic.Recorded(client, RecordedRequests.Load(folder, house.Configuration.KeyOf("recorded"), settings.RequestsMax, settings.Seed))
            : DemoTraffic.Samples(client, house.Configuration, settings);
        DemoStory story = new(house, new DemoTraffic(conversations, TimeSpan.FromSeconds(settings.Seconds), house.Server.Time));
        DemoScene scene = new(settings, house, story, tally);
        Task playing = story.PlayAsync(cancellation);
        await DemoPicture.ShowAsync(scene, playing, output, errors).ConfigureAwait(false);
        await playing.ConfigureAwait(false);
        DemoBooks books = await DemoBooks.ReadAsync(house).ConfigureAwait(false);
        return new DemoSummary(tally.Counts, books, house.Server.Time.GetElapsedTime(story.StartedTimestamp));
    }

    private static void Tell(DemoSettings settings, DemoHouse house, DemoSummary summary, TextWriter output, TextWriter errors)
    {
        TextWriter prose = settings.Json ? errors : output;
        ClosingTable.Write(settings, house, summary, prose);
        if (settings.Json)
        {
            output.WriteLine(summary.ToJson());
            output.Flush();
        }
    }
}
