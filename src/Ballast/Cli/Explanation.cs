using System.Globalization;
using System.Text.Json;
using Ballast.Exchanges;
using Ballast.Ledger;

namespace Ballast.Cli;

/// <summary>What is known of one request.</summary>
internal sealed record Explanation(string Id, DateTimeOffset At, IReadOnlyList<LedgerEntry> Attempts, IReadOnlyList<string> LogLines)
{
    /// <summary>Lines of a log that are shown.</summary>
    public const int LogLinesMax = 1000;

    public bool IsKnown => Attempts.Count + LogLines.Count > 0;

    public void Write(ReportRequest request)
    {
        TextWriter output = request.Output;
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Request {Id}, received {At:yyyy-MM-dd HH:mm:ss.fff} UTC"));
        output.WriteLine($"Trace   {Id["req_".Length..]} (unless its caller brought one that is trusted)");
        if (Attempts.Count == 0)
        {
            output.WriteLine("The ledger has no attempt of it: it was refused before anything was tried, is still running, or belongs to another ledger.");
        }
        else
        {
            LedgerEntry first = Attempts[0];
            output.WriteLine($"By      app {first.App}, key {first.KeyId}{(first.Team is { } team ? $", team {team}" : "")}: {first.Operation} in {first.Protocol}, model {first.RequestedModel}{(first.Stream ? ", streamed" : "")}");
            output.WriteLine($"Ended   {Verdict}");
            output.WriteLine();
            request.Write(Table());
            foreach (LedgerEntry attempt in Attempts)
            {
                WriteMore(output, attempt);
            }
        }

        foreach (string line in LogLines)
        {
            output.WriteLine("log: " + new string([.. line.Where(static one => !char.IsControl(one))]));
        }
    }

    public void WriteJson(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("request_id", Id);
        json.WriteString("received_at", At);
        json.WriteString("trace_id", Id["req_".Length..]);
        json.WriteBoolean("found", IsKnown);
        json.WriteNumber("cost_usd", Attempts.Sum(static attempt => attempt.CostUsd ?? 0));
        json.WriteStartArray("attempts");
        foreach (LedgerEntry attempt in Attempts)
        {
            WriteJson(json, attempt);
        }

        json.WriteEndArray();
        json.WriteStartArray("log");
        foreach (string line in LogLines)
        {
            json.WriteStringValue(line);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private string Verdict => Attempts[^1] switch
    {
        { Outcome: AttemptOutcome.Completed } => Attempts.Count == 1 ? "with a whole answer" : $"with a whole answer, by attempt {Attempts.Count}",
        { Outcome: AttemptOutcome.Interrupted } last => $"cut after content had reached the client: {last.Reason}",
        { Outcome: AttemptOutcome.Cancelled } => "by the client, which went away",
        var last => $"with an error: {last.Reason}",
    };

    private ReportTable Table()
    {
        ReportTable table = new("Attempts");
        foreach (string header in (string[])["#", "deployment", "region", "outcome", "reason"])
        {
            table.AddTextColumn(header);
        }

        foreach (string header in (string[])["status", "first token ms", "ms", "input", "output", "USD"])
        {
            table.AddNumberColumn(header);
        }

        foreach (LedgerEntry one in Attempts)
        {
            table.AddRow(
            [
                one.AttemptNumber.ToString(CultureInfo.InvariantCulture), one.Deployment, one.Region, LedgerText.OutcomeName(one.Outcome), one.Reason ?? "", one.UpstreamStatus?.ToString(CultureInfo.InvariantCulture) ?? "",
                one.TimeToFirstToken?.TotalMilliseconds.ToString("0.0", CultureInfo.InvariantCulture) ?? "", one.Duration.TotalMilliseconds.ToString("0.0", CultureInfo.InvariantCulture),
                InputOf(one).ToString(CultureInfo.InvariantCulture), one.OutputTokens.ToString(CultureInfo.InvariantCulture) + (one.IsEstimated ? " (estimated)" : ""),
                one.CostUsd?.ToString(CultureInfo.InvariantCulture) ?? "no price",
            ]);
        }

        return table;
    }

    private static void WriteMore(TextWriter output, LedgerEntry attempt)
    {
        if (ErrorOf(attempt) is { } error)
        {
            output.WriteLine($"{attempt.AttemptId}: {error.Message}{(error.Hint is { } hint ? " " + hint : "")}");
        }

        if (attempt.UpstreamRequestId is { } id)
        {
            output.WriteLine($"{attempt.AttemptId}: {attempt.Platform} calls it {new string([.. id.Where(static one => !char.IsControl(one))])}");
        }

        string[] full = [.. attempt.Losses.Where(IsQuota).Select(static note => note[Exchange.QuotaNote.Length..])];
        if (full.Length > 0)
        {
            output.WriteLine($"{attempt.AttemptId}: at their quotas, and therefore passed over: {string.Join(", ", full)}");
        }

        if (attempt.Losses.Count > full.Length)
        {
            output.WriteLine($"{attempt.AttemptId}: could not cross: {string.Join(", ", attempt.Losses.Where(static note => !IsQuota(note)))}");
        }
    }

    private static void WriteJson(Utf8JsonWriter json, LedgerEntry attempt)
    {
        json.WriteStartObject();
        json.WriteString("attempt_id", attempt.AttemptId);
        json.WriteNumber("number", attempt.AttemptNumber);
        json.WriteString("started_at", attempt.StartedAt);
        json.WriteString("app", attempt.App);
        json.WriteString("key", attempt.KeyId);
        json.WriteString("team", attempt.Team);
        json.WriteString("protocol", attempt.Protocol);
        json.WriteString("operation", attempt.Operation);
        json.WriteBoolean("stream", attempt.Stream);
        json.WriteString("requested_model", attempt.RequestedModel);
        json.WriteString("sent_model", attempt.SentModel);
        json.WriteString("served_model", attempt.ServedModel);
        json.WriteString("deployment", attempt.Deployment);
        json.WriteString("region", attempt.Region);
        json.WriteString("outcome", LedgerText.OutcomeName(attempt.Outcome));
        json.WriteString("reason", attempt.Reason);
        json.WriteString("message", ErrorOf(attempt)?.Message);
        json.WriteString("hint", ErrorOf(attempt)?.Hint);
        json.WriteString("finish", attempt.Finish);
        json.WriteOptional("upstream_status", (double?)attempt.UpstreamStatus);
        json.WriteString("upstream_request_id", attempt.UpstreamRequestId);
        json.WriteMilliseconds("ttft_ms", attempt.TimeToFirstToken);
        json.WriteMilliseconds("duration_ms", attempt.Duration);
        json.WriteNumber("input_tokens", InputOf(attempt));
        json.WriteNumber("output_tokens", attempt.OutputTokens);
        json.WriteBoolean("is_estimated", attempt.IsEstimated);
        if (attempt.CostUsd is { } cost)
        {
            json.WriteNumber("cost_usd", cost);
        }
        else
        {
            json.WriteNull("cost_usd");
        }

        WriteTexts(json, "losses", attempt.Losses.Where(static note => !IsQuota(note)));
        WriteTexts(json, "passed_over_at_quota", attempt.Losses.Where(IsQuota).Select(static note => note[Exchange.QuotaNote.Length..]));
        json.WriteEndObject();
    }

    private static void WriteTexts(Utf8JsonWriter json, string name, IEnumerable<string> texts)
    {
        json.WriteStartArray(name);
        foreach (string text in texts)
        {
            json.WriteStringValue(text);
        }

        json.WriteEndArray();
    }

    private static bool IsQuota(string note) => note.StartsWith(Exchange.QuotaNote, StringComparison.Ordinal);

    private static GatewayError? ErrorOf(LedgerEntry attempt) => attempt.Reason is { } reason ? GatewayError.Find(reason) : null;

    private static long InputOf(LedgerEntry entry) => entry.InputTokens + entry.CacheReadTokens + entry.CacheWriteTokens + entry.CacheWriteLongTokens;
}
