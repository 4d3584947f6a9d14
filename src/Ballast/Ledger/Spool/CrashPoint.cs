namespace Ballast.Ledger.Spool;

/// <summary>
/// Places where a test lets the process be killed, as the system kills it: <c>BALLAST_CRASH_AT=name:count</c> ends it when the named place is reached for the
/// count-th time. Without the variable nothing happens.
/// </summary>
internal static class CrashPoint
{
    private static readonly (string Name, int Count)? s_armed = Read(Environment.GetEnvironmentVariable("BALLAST_CRASH_AT"));
    private static int s_reached;

    public static void Reach(string name)
    {
        if (s_armed is { } armed && armed.Name == name && Interlocked.Increment(ref s_reached) == armed.Count)
        {
            DiskCalls.KillSelf();
            Thread.Sleep(Timeout.InfiniteTimeSpan);
        }
    }

    private static (string Name, int Count)? Read(string? armed)
    {
        int colon = armed?.IndexOf(':', StringComparison.Ordinal) ?? -1;
        return colon > 0 && int.TryParse(armed.AsSpan(colon + 1), System.Globalization.CultureInfo.InvariantCulture, out int count) ? (armed![..colon], count) : null;
    }
}
