using System.CommandLine;
using Ballast.Ledger;

namespace Ballast.Cli;

/// <summary>The options that <c>usage</c>, <c>compare</c> and <c>exposure</c> share, and what they come to.</summary>
internal sealed class ReportOptions
{
    private readonly Option<string?> _ledger = new("--ledger")
    {
        Description = "Ledger file. Without it: the one named in the configuration, else ballast.db here.",
        HelpName = "FILE",
    };

    private readonly Option<string?> _config = new("--config", "-c")
    {
        Description = "Configuration file. Without it: ballast.yaml here, if there is one.",
        HelpName = "FILE",
    };

    private readonly Option<string> _since = new("--since")
    {
        Description = $"Attempts that started since then: {Period.Forms}.",
        HelpName = "WHEN",
    };

    private readonly Option<string> _until = new("--until")
    {
        Description = "Attempts that started before then; the same forms.",
        HelpName = "WHEN",
        DefaultValueFactory = _ => "all",
    };

    private readonly Option<string?> _app = new("--app") { Description = "Only this application.", HelpName = "APP" };
    private readonly Option<string?> _key = new("--key") { Description = "Only this API key (its id in the configuration, not the key).", HelpName = "ID" };
    private readonly Option<bool> _json = new("--json") { Description = "Exactly one line of JSON on standard output." };
    private readonly Option<bool> _markdown = new("--md") { Description = "Markdown, to paste into a document." };

    /// <param name="command">Gets the options.</param>
    /// <param name="sinceDefault">How far back it looks where nobody says.</param>
    public ReportOptions(Command command, string sinceDefault = "30d")
    {
        _since.DefaultValueFactory = _ => sinceDefault;
        foreach (Option option in (Option[])[_since, _until, _app, _key, _ledger, _config, _json, _markdown])
        {
            command.Add(option);
        }
    }

    /// <summary>What the user wrote, checked. Throws <see cref="UsageException"/>.</summary>
    public ReportRequest Read(ParseResult arguments, TimeProvider time)
    {
        bool json = arguments.GetValue(_json);
        bool markdown = arguments.GetValue(_markdown);
        if (json && markdown)
        {
            throw new UsageException("--json and --md exclude each other.");
        }

        DateTimeOffset now = time.GetUtcNow();
        DateTimeOffset? since = Period.Read(_since.Name, arguments.GetValue(_since) ?? "all", now);
        DateTimeOffset? until = Period.Read(_until.Name, arguments.GetValue(_until) ?? "all", now);
        Period.Check(since, _since.Name, until, now);
        return new ReportRequest
        {
            LedgerPath = arguments.GetValue(_ledger),
            ConfigPath = arguments.GetValue(_config),
            Filter = new LedgerFilter(since, until, arguments.GetValue(_app), arguments.GetValue(_key)),
            Form = json ? ReportForm.Json : markdown ? ReportForm.Markdown : ReportForm.Terminal,
            Output = arguments.InvocationConfiguration.Output,
            Error = arguments.InvocationConfiguration.Error,
        };
    }
}
