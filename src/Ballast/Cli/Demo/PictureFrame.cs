using Ballast.Balance.Watch;
using Ballast.Ledger;

namespace Ballast.Cli.Demo;

/// <summary>One moment of the running demo: plain figures, all that a drawing needs.</summary>
internal sealed record PictureFrame
{
    public required StoryPhase Phase { get; init; }
    public required string Headline { get; init; }
    public required TimeSpan Elapsed { get; init; }
    public required TimeSpan Length { get; init; }

    /// <summary>Of the story, from 0 to 1.</summary>
    public required double Progress { get; init; }
    public required DemoCounts Counts { get; init; }
    public required LiveSnapshot Live { get; init; }

    /// <summary>Every platform of the catalog, with or without traffic.</summary>
    public required IReadOnlyList<string> Platforms { get; init; }
    public required IReadOnlyList<string> Vendors { get; init; }

    /// <summary>Shares against the policy's caps, as kept and as weights alone would have made them.</summary>
    public required BalanceStanding Balance { get; init; }

    /// <summary>What happened, the oldest first, and how far into the story.</summary>
    public required IReadOnlyList<(TimeSpan At, string Text)> Notes { get; init; }

    /// <summary>The platform that is not there now; null where all are.</summary>
    public required string? Gone { get; init; }

    /// <summary>Addresses to look at, or what went wrong last.</summary>
    public required string Footer { get; init; }
    public required bool HasFailure { get; init; }

    public static PictureFrame Of(DemoScene scene)
    {
        Catalog.CatalogSnapshot catalog = scene.House.Server.Catalog.Current;
        string? failure = scene.Log.Latest;
        BalanceStanding balance = scene.House.Watch.Standing();
        TimeSpan elapsed = scene.House.Server.Time.GetElapsedTime(scene.Story.StartedTimestamp);
        DateTimeOffset started = scene.House.Server.Time.GetUtcNow() - elapsed;
        return new PictureFrame
        {
            Phase = scene.Story.Phase,
            Headline = scene.Headline,
            Elapsed = elapsed,
            Length = TimeSpan.FromSeconds(scene.Settings.Seconds),
            Progress = scene.Story.Progress,
            Counts = scene.Tally.Counts,
            Live = scene.House.Server.Totals.Snapshot(),
            Platforms = [.. catalog.Deployments.Values.Select(deployment => deployment.Platform).Distinct().Order(StringComparer.Ordinal)],
            Vendors = [.. catalog.Deployments.Values.Select(deployment => deployment.Vendor).Distinct().Order(StringComparer.Ordinal)],
            Balance = balance,
            Notes = [.. balance.Notes.Select(note => (note.At > started ? note.At - started : TimeSpan.Zero, note.Text))],
            Gone = scene.Story.Phase == StoryPhase.Outage ? DemoStory.Platform : null,
            Footer = failure ?? $"gateway {scene.House.Server.Address}   page {scene.House.Server.AdminAddress}   Ctrl-C ends",
            HasFailure = failure is not null,
        };
    }
}
