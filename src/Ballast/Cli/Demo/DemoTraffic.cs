namespace Ballast.Cli.Demo;

/// <summary>Sends a known number of conversations, evenly over the story, with bounded concurrency. None is ever left out: a slow machine makes the story longer.</summary>
internal sealed class DemoTraffic(IReadOnlyList<Func<CancellationToken, Task>> conversations, TimeSpan length, TimeProvider time)
{
    private const int ConcurrencyMax = 64;

    /// <summary>Conversations of a story of usual length; longer ones have more, at <see cref="PerSecondMin"/>.</summary>
    private const double ConversationsUsual = 1500;
    private const double PerSecondMin = 25;
    private const double PerSecondMax = 40;

    private int _begun;

    /// <summary>The sample applications ask for something else from <see cref="DemoStory.ShiftsAt"/> on; recorded requests come as they are.</summary>
    public bool MixMoves { get; init; }

    /// <summary>How far the story is, from 0 to 1: as far as its time has gone, but never ahead of its traffic.</summary>
    public double Progress(long startedTimestamp)
    {
        double timePart = time.GetElapsedTime(startedTimestamp) / length;
        double trafficPart = conversations.Count == 0 ? 1 : (double)Volatile.Read(ref _begun) / conversations.Count;
        return Math.Min(Math.Min(timePart, trafficPart), 1);
    }

    /// <summary>Completes when the last conversation has ended.</summary>
    public async Task RunAsync(long startedTimestamp, CancellationToken cancellation)
    {
        using SemaphoreSlim room = new(ConcurrencyMax);
        List<Task> running = [];
        try
        {
            for (int i = 0; i < conversations.Count; i++)
            {
                TimeSpan wait = (length * i / conversations.Count) - time.GetElapsedTime(startedTimestamp);
                if (wait > TimeSpan.Zero)
                {
                    await Task.Delay(wait, time, cancellation).ConfigureAwait(false);
                }

                await room.WaitAsync(cancellation).ConfigureAwait(false);
                running.RemoveAll(task => task.IsCompletedSuccessfully);
                running.Add(RunOneAsync(conversations[i], room, cancellation));
                Interlocked.Increment(ref _begun);
            }
        }
        finally
        {
            await Task.WhenAll(running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await Task.WhenAll(running).ConfigureAwait(false);
    }

    /// <summary>The conversations of the three sample applications, mixed in the order in which they are held; at a quarter of the story contracts become three times as many.</summary>
    public static IReadOnlyList<Func<CancellationToken, Task>> Samples(DemoClient client, DemoConfiguration configuration, DemoSettings settings)
    {
        SampleApplication chat = new SupportChat(configuration.KeyOf("support-chat"), settings.Seed);
        SampleApplication contracts = new ContractReview(configuration.KeyOf("contract-review"), settings.Seed);
        SampleApplication code = new CodeAssistant(configuration.KeyOf("code-assistant"), settings.Seed);
        SampleApplication[] usual = [chat, code, chat, contracts, code, chat, contracts, code, chat, code];
        SampleApplication[] moved = [contracts, chat, contracts, contracts, code, contracts, chat, contracts, contracts, code];
        double perSecond = Math.Clamp(ConversationsUsual / settings.Seconds, PerSecondMin, PerSecondMax);
        int count = (int)Math.Max(perSecond * settings.Seconds, usual.Length);
        return
        [
            .. Enumerable.Range(0, count).Select(i => new Func<CancellationToken, Task>(
                cancellation => (i < count * DemoStory.ShiftsAt ? usual : moved)[i % usual.Length].ConverseAsync(client, i, cancellation))),
        ];
    }

    /// <summary>Recorded requests, each sent once.</summary>
    public static IReadOnlyList<Func<CancellationToken, Task>> Recorded(DemoClient client, IReadOnlyList<DemoRequest> requests) =>
        [.. requests.Select(request => new Func<CancellationToken, Task>(cancellation => client.SendAsync(request, cancellation)))];

    private static async Task RunOneAsync(Func<CancellationToken, Task> conversation, SemaphoreSlim room, CancellationToken cancellation)
    {
        try
        {
            await conversation(cancellation).ConfigureAwait(false);
        }
        finally
        {
            room.Release();
        }
    }
}
