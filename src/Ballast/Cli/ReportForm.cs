namespace Ballast.Cli;

/// <summary>How a report is written.</summary>
internal enum ReportForm
{
    Terminal,
    Markdown,
    Json,
}
