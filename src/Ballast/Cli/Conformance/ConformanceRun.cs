namespace Ballast.Cli.Conformance;

/// <summary>Tries one check after the other: nothing but <c>parallel</c> itself puts load on the server.</summary>
internal static class ConformanceRun
{
    public static IEnumerable<Check> ChecksOf(Surface surface) => surface.Checks.Concat(ErrorChecks.Of(surface));

    public static async Task<IReadOnlyList<CheckResult>> RunAsync(
        Subject subject, IEnumerable<Surface> surfaces, Action<CheckResult> report, CancellationToken cancellation)
    {
        List<CheckResult> results = [];
        foreach (Surface surface in surfaces)
        {
            string? absent = await AbsentAsync(subject, surface, cancellation).ConfigureAwait(false);
            foreach (Check check in ChecksOf(surface))
            {
                CheckResult result = absent is null
                    ? await TryAsync(check, subject, cancellation).ConfigureAwait(false)
                    : new CheckResult(check, CheckOutcome.NotOffered, absent, TimeSpan.Zero);
                report(result);
                results.Add(result);
            }
        }

        return results;
    }

    /// <summary>Null where the server has the surface: it takes the smallest request, or refuses it in another way than by not knowing or not supporting it.</summary>
    private static async Task<string?> AbsentAsync(Subject subject, Surface surface, CancellationToken cancellation)
    {
        try
        {
            Reply reply = await subject.PostAsync(surface, surface.Ask(subject.Model), cancellation).ConfigureAwait(false);
            bool isAbsent = reply.Status is 404 or 405 or 501 || (reply.Status >= 400 && reply.Text.Contains("not supported", StringComparison.OrdinalIgnoreCase));
            return isAbsent ? $"the surface is not offered: status {reply.Status}: {reply.Excerpt}" : null;
        }
        catch (NonconformanceException)
        {
            return null; // the checks themselves will say what is wrong
        }
    }

    /// <summary>Tries one check and says how it ended; throws only where the caller cancels.</summary>
    public static async Task<CheckResult> TryAsync(Check check, Subject subject, CancellationToken cancellation)
    {
        long start = TimeProvider.System.GetTimestamp();
        (CheckOutcome outcome, string? detail) = (CheckOutcome.Passed, (string?)null);
        try
        {
            await check.TryAsync(subject, cancellation).ConfigureAwait(false);
        }
        catch (NonconformanceException fault)
        {
            (outcome, detail) = (CheckOutcome.Failed, fault.Message);
        }
        catch (RefusedException refusal)
        {
            (outcome, detail) = (check.IsOptional ? CheckOutcome.NotOffered : CheckOutcome.Failed, refusal.Message);
        }

        return new CheckResult(check, outcome, detail, TimeProvider.System.GetElapsedTime(start));
    }
}
