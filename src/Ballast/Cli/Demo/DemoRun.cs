namespace Ballast.Cli.Demo;

/// <summary>The demo from its first line to its last: start, play, settle, tell, and hold if asked to.</summary>
internal static class DemoRun
{
    /// <summary>Ended by a signal before the story was over, as shells number it.</summary>
    private const int Interrupted = 130;

    /// <returns>The process' exit code.</returns>
    public static async Task<int> RunAsync(DemoSettings settings, StopSignal stop, TextWriter output, TextWriter errors)
    {
        IReadOnlyList<DemoRequest>? recorded = LoadRecorded(settings, errors);
        DemoHouse house = await DemoHouse.StartAsync(settings, stop.Token).ConfigureAwait(false);
        await using (house.ConfigureAwait(false))
        {
            DemoSummary summary;
            try
            {
                summary = await PlayAsync(settings, house, recorded, output, errors, stop.Token).ConfigureAwait(false);
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

    private static IReadOnlyList<DemoRequest>? LoadRecorded(DemoSettings settings, TextWriter errors)
    {
        if (settings.RequestsFolder is not { } folder)
        {
            return null;
        }

        (IReadOnlyList<DemoRequest> requests, int withoutBody) = RecordedRequests.Load(folder, settings.RequestsMax, settings.Seed);
        string left = withoutBody == 0 ? "" : $"; {withoutBody} recordings hold an answer but not what was sent";
        errors.WriteLine($"{requests.Count} recorded requests, {requests.Count(request => request.WasRefused)} of which their provider had refused{left}");
        return requests;
    }

    private static async Task<DemoSummary> PlayAsync(
        DemoSettings settings, DemoHouse house, IReadOnlyList<DemoRequest>? recorded, TextWriter output, TextWriter errors, CancellationToken cancellation)
    {
        LineLog log = new(errors, isHeld: settings.IsLive);
        DemoTally tally = new(log);
        using DemoClient client = new(house.Server.Address, tally, house.Server.Time);
        string key = house.Configuration.KeyOf("recorded");
        IReadOnlyList<Func<CancellationToken, Task>> conversations = recorded is not null
            ? DemoTraffic.Recorded(client, [.. recorded.Select(request => request with { Key = key })])
            : DemoTraffic.Samples(client, house.Configuration, settings);
        DemoStory story = new(house, new DemoTraffic(conversations, TimeSpan.FromSeconds(settings.Seconds), house.Server.Time) { MixMoves = recorded is null });
        DemoScene scene = new(settings, house, story, tally, log);
        Task playing = story.PlayAsync(cancellation);
        await DemoPicture.ShowAsync(scene, playing, output, errors).ConfigureAwait(false);
        await playing.ConfigureAwait(false);
        house.Watch.Complete();
        DemoBooks books = await DemoBooks.ReadAsync(house).ConfigureAwait(false);
        return new DemoSummary(tally.Counts, books, house.Watch.Standing(), SuspendedRequests(house), await DemoReport.WriteAsync(settings, house, errors).ConfigureAwait(false), house.Server.Time.GetElapsedTime(story.StartedTimestamp));
    }

    private static long SuspendedRequests(DemoHouse house) => house.Server.Shares.Save()?.Buckets.Sum(static bucket => bucket.RelaxedRequests) ?? 0;

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
