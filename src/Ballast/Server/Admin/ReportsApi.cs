using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Ballast.Configuration;
using Ballast.Ledger;
using Ballast.Ledger.Export;
using Ballast.Tenancy;
using Microsoft.AspNetCore.Http;

namespace Ballast.Server.Admin;

/// <summary>What administration tells of the ledger: to tokens that reach everything, since its rows are everybody's.</summary>
public sealed class ReportsApi(LedgerReader ledger, Func<IReadOnlyList<CommitmentOptions>> commitments, TimeProvider time)
{
    private static readonly string[] s_forms = ["yyyy-MM-dd", "yyyy-MM-ddTHH:mm:ssK"];

    /// <summary>Used, pace, forecast and shortfall of what was promised to platforms.</summary>
    public async Task CommitmentsAsync(HttpContext http, AdminIdentity who)
    {
        Require(who);
        DateTimeOffset now = time.GetUtcNow();
        IReadOnlyList<CommitmentFigures> figures = await AskAsync(() => CommitmentFigures.OfAsync(ledger, commitments(), now, http.RequestAborted)).ConfigureAwait(false);
        ArrayBufferWriter<byte> bytes = new();
        using (Utf8JsonWriter writer = new(bytes))
        {
            CommitmentJson.Write(writer, figures, now);
        }

        await AdminHandler.BytesAsync(http.Response, bytes.WrittenMemory, "application/json").ConfigureAwait(false);
    }

    /// <summary>Requests, tokens, media, cost and times of a period, by up to four words.</summary>
    public async Task UsageAsync(HttpContext http, AdminIdentity who)
    {
        Require(who);
        string by = http.Request.Query["by"].ToString() is { Length: > 0 } named ? named : "model";
        IReadOnlyList<UsageDimension> dimensions = UsageJson.Read(by) ?? throw Invalid("by", $"'by' is up to four of {string.Join(", ", UsageJson.Names)}, separated by commas, or none.");
        LedgerFilter filter = new(Moment(http, "from"), Moment(http, "to"), Name(http, "app"), Name(http, "key"));
        UsageReport report = await AskAsync(() => ledger.UsageAsync(dimensions, filter, http.RequestAborted)).ConfigureAwait(false);
        ArrayBufferWriter<byte> bytes = new();
        using (Utf8JsonWriter writer = new(bytes))
        {
            UsageJson.Write(writer, report, filter);
        }

        await AdminHandler.BytesAsync(http.Response, bytes.WrittenMemory, "application/json").ConfigureAwait(false);
    }

    /// <summary>The rows of a period, written while they are read.</summary>
    public async Task ExportAsync(HttpContext http, AdminIdentity who)
    {
        Require(who);
        string format = http.Request.Query["format"].ToString() is { Length: > 0 } named ? named : "csv";
        if (!LedgerExport.Formats.Contains(format))
        {
            throw Invalid("format", $"'format' is one of {string.Join(", ", LedgerExport.Formats)}.");
        }

        LedgerFilter filter = new(Moment(http, "from") ?? throw Invalid("from", "'from' is missing: a day such as 2026-11-01, or a moment such as 2026-11-01T08:00:00Z."), Moment(http, "to"));
        _ = await AskAsync(() => ledger.PageAsync(filter, null, 1, http.RequestAborted)).ConfigureAwait(false); // what is wrong is told before the first byte
        http.Response.ContentType = "text/csv; charset=utf-8";
        http.Response.Headers.ContentDisposition = $"attachment; filename=\"ballast-{format}.csv\"";
        try
        {
            await LedgerExport.WriteAsync(ledger, format, filter, http.Response.Body, http.RequestAborted).ConfigureAwait(false);
        }
        catch (LedgerException)
        {
            http.Abort(); // a file that ends in its middle must not look whole
        }
    }

    private static void Require(AdminIdentity who)
    {
        if (!who.IsUnbound)
        {
            throw new TenancyProblemException(StatusCodes.Status403Forbidden, "forbidden", "This token is for a part; the ledger is everybody's.");
        }
    }

    private static async Task<T> AskAsync<T>(Func<Task<T>> ask)
    {
        try
        {
            return await ask().ConfigureAwait(false);
        }
        catch (LedgerException)
        {
            throw new TenancyProblemException(StatusCodes.Status503ServiceUnavailable, "ledger_unavailable", "The ledger cannot be read now.");
        }
    }

    private static string? Name(HttpContext http, string name) => http.Request.Query[name].ToString() is { Length: > 0 } text ? text : null;

    private static DateTimeOffset? Moment(HttpContext http, string name)
    {
        string text = http.Request.Query[name].ToString();
        return text.Length == 0 ? null
            : DateTimeOffset.TryParseExact(text, s_forms, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset moment) ? moment
            : throw Invalid(name, $"'{name}' is a day such as 2026-11-01, or a moment such as 2026-11-01T08:00:00Z.");
    }

    private static TenancyProblemException Invalid(string field, string message) => new(StatusCodes.Status422UnprocessableEntity, "invalid", message, field);
}
