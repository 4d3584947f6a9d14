using System.Runtime.CompilerServices;

namespace Ballast.EndToEnd.Tests;

/// <summary>A test of the long tier: it runs with <c>./test --long</c> and otherwise says that it skipped.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class LongFactAttribute : FactAttribute
{
    public LongFactAttribute([CallerFilePath] string? sourceFilePath = null, [CallerLineNumber] int sourceLineNumber = -1)
        : base(sourceFilePath, sourceLineNumber)
    {
        if (Environment.GetEnvironmentVariable("BALLAST_LONG") != "1")
        {
            Skip = "long tier: run ./test --long";
        }
    }
}
