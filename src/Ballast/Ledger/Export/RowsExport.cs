namespace Ballast.Ledger.Export;

/// <summary>The ledger's rows as CSV, every column, one line for each attempt.</summary>
internal sealed class RowsExport : ILedgerExport
{
    private static readonly (string Name, Action<CsvWriter, LedgerEntry> Write)[] s_columns =
    [
        ("attempt_id", static (csv, row) => csv.Text(row.AttemptId)),
        ("exchange_id", static (csv, row) => csv.Text(row.ExchangeId)),
        ("attempt_number", static (csv, row) => csv.Number(row.AttemptNumber)),
        ("started_at", static (csv, row) => csv.Moment(row.StartedAt)),
        ("key_id", static (csv, row) => csv.Text(row.KeyId)),
        ("app", static (csv, row) => csv.Text(row.App)),
        ("team", static (csv, row) => csv.Text(row.Team)),
        ("organisation", static (csv, row) => csv.Text(row.Organisation)),
        ("protocol", static (csv, row) => csv.Text(row.Protocol)),
        ("operation", static (csv, row) => csv.Text(row.Operation)),
        ("stream", static (csv, row) => csv.Flag(row.Stream)),
        ("requested_model", static (csv, row) => csv.Text(row.RequestedModel)),
        ("sent_model", static (csv, row) => csv.Text(row.SentModel)),
        ("served_model", static (csv, row) => csv.Text(row.ServedModel)),
        ("deployment", static (csv, row) => csv.Text(row.Deployment)),
        ("vendor", static (csv, row) => csv.Text(row.Vendor)),
        ("platform", static (csv, row) => csv.Text(row.Platform)),
        ("region", static (csv, row) => csv.Text(row.Region)),
        ("input_tokens", static (csv, row) => csv.Number(row.InputTokens)),
        ("cache_read_tokens", static (csv, row) => csv.Number(row.CacheReadTokens)),
        ("cache_write_tokens", static (csv, row) => csv.Number(row.CacheWriteTokens)),
        ("cache_write_long_tokens", static (csv, row) => csv.Number(row.CacheWriteLongTokens)),
        ("output_tokens", static (csv, row) => csv.Number(row.OutputTokens)),
        ("reasoning_tokens", static (csv, row) => csv.Number(row.ReasoningTokens)),
        ("is_estimated", static (csv, row) => csv.Flag(row.IsEstimated)),
        ("cost_usd", static (csv, row) => csv.Number(row.CostUsd)),
        ("input_cost_usd", static (csv, row) => csv.Number(row.InputCostUsd)),
        ("ttft_ms", static (csv, row) => csv.Milliseconds(row.TimeToFirstToken)),
        ("duration_ms", static (csv, row) => csv.Milliseconds(row.Duration)),
        ("outcome", static (csv, row) => csv.Text(LedgerText.OutcomeName(row.Outcome))),
        ("reason", static (csv, row) => csv.Text(row.Reason)),
        ("finish", static (csv, row) => csv.Text(row.Finish)),
        ("upstream_status", static (csv, row) => csv.Number(row.UpstreamStatus)),
        ("upstream_request_id", static (csv, row) => csv.Text(row.UpstreamRequestId)),
        ("reached", static (csv, row) => csv.Flag(row.Reached)),
        .. MediaText.Counts.Select(static count => (count.Name, (Action<CsvWriter, LedgerEntry>)((csv, row) => csv.Number(row.Media is { } media ? count.Read(media) : 0)))),
        ("losses", static (csv, row) => csv.Text(LedgerText.WriteLosses(row.Losses))),
    ];

    public void WriteHeader(CsvWriter csv) => csv.Header(s_columns.Select(static column => column.Name));

    public bool Write(CsvWriter csv, LedgerEntry row)
    {
        foreach ((_, Action<CsvWriter, LedgerEntry> write) in s_columns)
        {
            write(csv, row);
        }

        csv.EndLine();
        return true;
    }
}
