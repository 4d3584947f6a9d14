using System.CommandLine;
using System.Globalization;
using Ballast.Ledger;

namespace Ballast.Cli;

/// <summary><c>ballast explain ID</c>: what became of one request, by the id that its caller was told.</summary>
public static class ExplainCommand
{
    /// <summary>Attempts of one request that are shown.</summary>
    private const int AttemptsMax = 100;

    /// <summary>A row's time is looked for around the id's, so that the whole ledger need not be read.</summary>
    private static readonly TimeSpan ClockSlack = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan AttemptsWithin = TimeSpan.FromDays(1);

    public static Command Create()
    {
        Command command = new(
            "explain",
            """
            What became of one request: its attempts, their errors, what they cost.

            The ID is what a caller finds in 'x-ballast-request-id' and inside every error (req_…); the id of one attempt (req_…-2), or
            the 32 digits of a trace that the gateway began, do as well. A request that was refused before anything was tried has no row: the id tells when it
            came, and with --log the log's own lines are shown.

            Exit code: 0 found, 1 nothing is known of it, 2 wrong arguments or an unreadable ledger.

            Examples:
              ballast explain req_0193f2a4b7c87d1e9a55b0d4c0ffee00
              ballast explain req_0193f2a4b7c87d1e9a55b0d4c0ffee00 --log /var/log/ballast.jsonl --json
            """);
        Argument<string> id = new("ID") { Description = "Of the request, of one of its attempts, or of its trace." };
        Option<string?> log = new("--log") { HelpName = "FILE", Description = "Log file to look for the id in." };
        command.Add(id);
        command.Add(log);
        ReportOptions options = new(command, sinceDefault: "all");
        command.SetAction(async (arguments, cancellation) =>
        {
            bool isKnown = false;
            int code = await ReportRequest.RunAsync(arguments, async () => isKnown = await RunAsync(options.Read(arguments, TimeProvider.System), arguments.GetValue(id) ?? "", arguments.GetValue(log), cancellation).ConfigureAwait(false)).ConfigureAwait(false);
            return code != 0 || isKnown ? code : 1;
        });
        return command;
    }

    private static async Task<bool> RunAsync(ReportRequest request, string id, string? log, CancellationToken cancellation)
    {

        string exchange = ReadId(id);
        LedgerFilter filter = new(TimeOf(exchange) - ClockSlack, TimeOf(exchange) + AttemptsWithin, ExchangeId: exchange);
        IReadOnlyList<LedgerEntry> rows = await ReportSource.OpenLedger(request).EntriesAsync(filter, AttemptsMax, cancellation).ConfigureAwait(false);
        IReadOnlyList<string> lines = log is null ? [] : await FindInLogAsync(log, exchange, cancellation).ConfigureAwait(false);
        Explanation explanation = new(exchange, TimeOf(exchange), rows, lines);
        if (request.Form == ReportForm.Json)
        {
            ReportJson.WriteLine(request.Output, explanation.WriteJson);
        }
        else
        {
            explanation.Write(request);
        }

        return explanation.IsKnown;
    }

    /// <summary>The request's id out of what may be that of an attempt or of a trace.</summary>
    internal static string ReadId(string text)
    {
        string id = text.Trim();
        int attempt = id.IndexOf('-', StringComparison.Ordinal);
        id = attempt > 0 ? id[..attempt] : id;
        id = id.StartsWith("req_", StringComparison.Ordinal) ? id : "req_" + id;
        return id.Length == 36 && id.Skip(4).All(char.IsAsciiHexDigitLower)
            ? id
            : throw new UsageException($"'{text}' is not a request's id: req_ and 32 digits from 0 to f.");
    }

    /// <summary>Ids begin with the moment at which they were made (RFC 9562, version 7).</summary>
    internal static DateTimeOffset TimeOf(string id) =>
        DateTimeOffset.FromUnixTimeMilliseconds(long.Parse(id.AsSpan(4, 12), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));

    private static async Task<IReadOnlyList<string>> FindInLogAsync(string file, string id, CancellationToken cancellation)
    {
        List<string> found = [];
        try
        {
            await foreach (string line in File.ReadLinesAsync(file, cancellation).ConfigureAwait(false))
            {
                if (found.Count < Explanation.LogLinesMax && line.Contains(id, StringComparison.Ordinal))
                {
                    found.Add(line);
                }
            }
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"--log {file}: the file cannot be read.");
        }

        return found;
    }
}
