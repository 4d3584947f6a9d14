namespace Ballast.Cli.Demo;

/// <summary>What <c>ballast demo</c> was asked for.</summary>
internal sealed record DemoSettings
{
    public const int SecondsDefault = 45;

    /// <summary>Length of the story.</summary>
    public int Seconds { get; init; } = SecondsDefault;
    public bool Headless { get; init; }
    public bool Json { get; init; }

    /// <summary>The story is drawn in place on a terminal.</summary>
    public bool IsLive { get; init; }

    /// <summary>Keep serving others after the story.</summary>
    public bool Hold { get; init; }

    /// <summary>Folder of recorded requests to send in place of the sample applications' own.</summary>
    public string? RequestsFolder { get; init; }

    /// <summary>Of the recorded requests, at most so many; null sends all.</summary>
    public int? RequestsMax { get; init; }
    public int Port { get; init; } = 8080;
    public int AdminPort { get; init; } = 8081;
    public int SandboxPort { get; init; } = 9100;

    /// <summary>Null keeps the ledger in a temporary folder that is removed at the end.</summary>
    public string? LedgerPath { get; init; }
    public int Seed { get; init; } = 1;

    /// <summary>Where the closing report goes; null puts it where the demo was started.</summary>
    public string? ReportPath { get; init; }

    /// <summary>Simulated waits shrink with the story: at the usual length they are what real platforms show.</summary>
    public double LatencyScale => Math.Clamp(Seconds / (double)SecondsDefault, 0.02, 1);
}
