using Microsoft.Extensions.Logging;

namespace Ballast.Telemetry;

/// <summary>Every log line there is. Fields are chosen one by one: no prompt, no answer, no key, no upstream address.</summary>
public static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "Serving on {Gateway}, administration on {Admin}")]
    public static partial void Serving(this ILogger log, string gateway, string admin);

    [LoggerMessage(2, LogLevel.Warning, "{ExchangeId} refused: {Code} ({Status})")]
    public static partial void Refused(this ILogger log, string exchangeId, string code, int status);

    [LoggerMessage(3, LogLevel.Warning, "{ExchangeId} attempt {Number} at {Deployment} failed: {Code}")]
    public static partial void AttemptFailed(this ILogger log, string exchangeId, int number, string deployment, string code);

    [LoggerMessage(4, LogLevel.Warning, "{ExchangeId} interrupted at {Deployment} after content was sent: {Code}")]
    public static partial void Interrupted(this ILogger log, string exchangeId, string deployment, string code);

    [LoggerMessage(5, LogLevel.Error, "{ExchangeId} failed inside the gateway")]
    public static partial void Internal(this ILogger log, Exception exception, string exchangeId);

    [LoggerMessage(6, LogLevel.Information, "Configuration revision {Revision} is in force")]
    public static partial void Reloaded(this ILogger log, int revision);

    [LoggerMessage(7, LogLevel.Error, "Configuration refused, the last good one stays in force: {Fault}")]
    public static partial void ReloadRefused(this ILogger log, string fault);

    [LoggerMessage(8, LogLevel.Error, "The ledger's store does not take rows, {Pending} wait in the spool")]
    public static partial void LedgerFailed(this ILogger log, Exception exception, long pending);

    [LoggerMessage(9, LogLevel.Error, "No credential for provider {Provider} could be fetched ({Reason}); next try after {Seconds} s")]
    public static partial void CredentialsUnavailable(this ILogger log, string provider, string reason, int seconds);

    [LoggerMessage(10, LogLevel.Error, "What is kept of conversations could not be read or written")]
    public static partial void ConversationsFailed(this ILogger log, Exception exception);

    [LoggerMessage(11, LogLevel.Warning, "The clock of provider {Provider} differs from this machine's by {Seconds} s: requests are signed for its time from now on")]
    public static partial void ClockSkewed(this ILogger log, string provider, int seconds);

    [LoggerMessage(20, LogLevel.Information, "Balance policy {Name} version {Version} is in force ({Digest})")]
    public static partial void PolicyInForce(this ILogger log, string name, int version, string digest);

    [LoggerMessage(21, LogLevel.Error, "Balance policy refused, the last good one stays in force: {Fault}")]
    public static partial void PolicyRefused(this ILogger log, string fault);

    [LoggerMessage(22, LogLevel.Warning, "Share rule {Rule} is suspended since {Since:O} (cause: {Cause})")]
    public static partial void RuleSuspended(this ILogger log, string rule, DateTimeOffset since, string cause);

    [LoggerMessage(23, LogLevel.Information, "Share rule {Rule} holds again: it was suspended from {Since:O} to {Until:O} for {Requests} requests of {Volume} units (cause: {Cause})")]
    public static partial void RuleHolds(this ILogger log, string rule, DateTimeOffset since, DateTimeOffset until, long requests, double volume, string cause);

    [LoggerMessage(45, LogLevel.Error, "What budgets hold for batches that run could not be read: until their results are read they count for nothing")]
    public static partial void HoldsUnreadable(this ILogger log, Exception exception);

    [LoggerMessage(25, LogLevel.Error, "A suspension could not be kept in the ledger; it is in the file beside it and is tried again")]
    public static partial void SuspensionNotKept(this ILogger log, Exception exception);

    [LoggerMessage(24, LogLevel.Error, "Share credits could not be saved")]
    public static partial void SharesNotSaved(this ILogger log, Exception exception);

    [LoggerMessage(30, LogLevel.Error, "The store of keys and budgets could not be used")]
    public static partial void TenancyFailed(this ILogger log, Exception exception);

    [LoggerMessage(31, LogLevel.Warning, "Budget {Budget} of {Kind} {Subject} has reached {Share} %")]
    public static partial void BudgetReached(this ILogger log, string budget, string kind, string subject, int share);

    [LoggerMessage(32, LogLevel.Error, "An alert could not be delivered and was given up ({Reason})")]
    public static partial void AlertFailed(this ILogger log, string reason);

    [LoggerMessage(12, LogLevel.Error, "The ledger's spool cannot be written: requests are refused until it can")]
    public static partial void SpoolFailed(this ILogger log, Exception exception);

    [LoggerMessage(14, LogLevel.Error, "The answer to {ExchangeId} could not be kept for repetitions of its Idempotency-Key")]
    public static partial void AnswerNotKept(this ILogger log, Exception exception, string exchangeId);

    [LoggerMessage(15, LogLevel.Information, "{ExchangeId} was given the answer of {Original}")]
    public static partial void Replayed(this ILogger log, string exchangeId, string original);

    [LoggerMessage(13, LogLevel.Warning, "{Count} attempts of an earlier run never ended: their rows are estimates, upwards")]
    public static partial void OrphansSettled(this ILogger log, int count);

    [LoggerMessage(40, LogLevel.Warning, "The telemetry collector takes nothing: {What} were dropped")]
    public static partial void TelemetryFailed(this ILogger log, string what);

    [LoggerMessage(41, LogLevel.Information, "The certificate {Subject} is in use from now on; it ends at {End}")]
    public static partial void TlsReloaded(this ILogger log, string subject, DateTimeOffset end);

    [LoggerMessage(42, LogLevel.Warning, "The certificate's files have changed and cannot be used, the last good one stays in use: {Fault}")]
    public static partial void TlsRefused(this ILogger log, string fault);

    [LoggerMessage(43, LogLevel.Warning, "The certificate in use ends soon, at {End}")]
    public static partial void TlsExpires(this ILogger log, DateTimeOffset end);

    [LoggerMessage(44, LogLevel.Error, "The certificate in use has expired, at {End}: clients refuse it")]
    public static partial void TlsExpired(this ILogger log, DateTimeOffset end);

    [LoggerMessage(46, LogLevel.Warning, "The database of keys is away: going by its last view, of {SeenAt}")]
    public static partial void ServingLastView(this ILogger log, Exception exception, DateTimeOffset seenAt);
}
