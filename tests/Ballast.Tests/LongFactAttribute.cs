using System.Runtime.CompilerServices;

namespace Ballast.Tests;

/// <summary>A test of the long tier: it runs with <c>./test --long</c> and otherwise says that it skipped.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class LongFactAttribute : FactAttribute
{
    public LongFactAttribute([CallerFilePath] string? sourceFilePath = null, [CallerLineNumber] int sourceLineNumber = -1)
        : base(sourceFilePath, sourceLineNumber) => Skip = Reason;

    /// <summary>Why the long tier skips now; null where it runs.</summary>
    internal static string? Reason { get; } = Environment.GetEnvironmentVariable("BALLAST_LONG") == "1" ? null : "long tier: run ./test --long";
}
