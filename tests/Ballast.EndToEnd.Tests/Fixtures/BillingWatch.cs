using System.Diagnostics;
using Ballast.Sandbox;

namespace Ballast.EndToEnd.Tests.Fixtures;

/// <summary>Waits for rows of a billing log.</summary>
internal static class BillingWatch
{
    /// <summary>The row that fits, as soon as the log has it; null where it has none within the time.</summary>
    public static async Task<BillingRow?> WaitAsync(this BillingLog log, Func<BillingRow, bool> fits, TimeSpan within)
    {
        long start = Stopwatch.GetTimestamp();
        while (true)
        {
            if (log.Rows.FirstOrDefault(fits) is { } row)
            {
                return row;
            }

            if (Stopwatch.GetElapsedTime(start) > within)
            {
                return null;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
        }
    }

    /// <summary>The row belongs to the request that a client or the gateway's exchange has named so.</summary>
    public static bool IsOf(this BillingRow row, string id) =>
        row.ClientRequestId is { } named && (named == id || named.StartsWith(id + "-", StringComparison.Ordinal));
}
