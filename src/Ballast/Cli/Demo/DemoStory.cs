using Ballast.Balance.Watch;

namespace Ballast.Cli.Demo;

/// <summary>Where the story is.</summary>
internal enum StoryPhase
{
    /// <summary>All platforms are there, and requests are what they were when the weights were written.</summary>
    Calm,

    /// <summary>All platforms are there, but the mix of requests has moved.</summary>
    Shift,

    /// <summary>Azure has disappeared.</summary>
    Outage,

    /// <summary>Azure is back and takes its share again.</summary>
    Recovery,

    /// <summary>No new requests; the last answers come in and the books are closed.</summary>
    Closing,
    Over,
}

/// <summary>Plays the story: the applications' traffic, and above it a cloud that goes and comes back.</summary>
internal sealed class DemoStory(DemoHouse house, DemoTraffic traffic)
{
    /// <summary>The platform that disappears, by its name in the sandbox.</summary>
    public const string Platform = "azure";

    /// <summary>As parts of the story, from 0 to 1.</summary>
    public const double ShiftsAt = 0.25;
    public const double DisappearsAt = 0.50;
    public const double ReturnsAt = 0.75;

    /// <summary>How the acts are called in the summary.</summary>
    public const string Steady = "steady";
    public const string Shifted = "shifted";
    public const string Outage = "outage";
    public const string Recovered = "recovered";
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(10);

    private volatile StoryPhase _phase;

    public StoryPhase Phase => _phase;

    public long StartedTimestamp { get; } = house.Server.Time.GetTimestamp();

    /// <summary>From 0 to 1.</summary>
    public double Progress => traffic.Progress(StartedTimestamp);

    public async Task PlayAsync(CancellationToken cancellation)
    {
        BalanceWatch watch = house.Watch;
        Task sending = traffic.RunAsync(StartedTimestamp, cancellation);
        try
        {
            watch.BeginAct(Steady, "All clouds are there; the weights meet every cap in expectation.");
            await WaitForAsync(ShiftsAt, sending, cancellation).ConfigureAwait(false);
            if (traffic.MixMoves)
            {
                _phase = StoryPhase.Shift;
                watch.BeginAct(Shifted, "The mix moves: three times as many contracts, which stay in the EU.");
            }

            await WaitForAsync(DisappearsAt, sending, cancellation).ConfigureAwait(false);
            _phase = StoryPhase.Outage;
            watch.Lose(Platform);
            watch.BeginAct(Outage, "Azure disappears in the middle of its answers.");
            await house.Sandbox.DisappearAsync(Platform).ConfigureAwait(false);
            await WaitForAsync(ReturnsAt, sending, cancellation).ConfigureAwait(false);
            await house.Sandbox.ReturnAsync(Platform).ConfigureAwait(false);
            watch.Regain(Platform);
            watch.BeginAct(Recovered, "Azure is back and earns its share again, step by step.");
            _phase = StoryPhase.Recovery;
            await WaitForAsync(1, sending, cancellation).ConfigureAwait(false);
            _phase = StoryPhase.Closing;
        }
        finally
        {
            await sending.ConfigureAwait(false);
        }

        await house.SettleAsync().ConfigureAwait(false);
        _phase = StoryPhase.Over;
    }

    private async Task WaitForAsync(double progress, Task sending, CancellationToken cancellation)
    {
        while (Progress < progress && !sending.IsCompleted)
        {
            await Task.Delay(Step, house.Server.Time, cancellation).ConfigureAwait(false);
        }
    }
}
