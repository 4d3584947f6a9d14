using System.Runtime.CompilerServices;

namespace Ballast.EndToEnd.Tests;

/// <summary>A theory of the long tier: see <see cref="LongFactAttribute"/>.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class LongTheoryAttribute : TheoryAttribute
{
    public LongTheoryAttribute([CallerFilePath] string? sourceFilePath = null, [CallerLineNumber] int sourceLineNumber = -1)
        : base(sourceFilePath, sourceLineNumber) => Skip = LongFactAttribute.Reason;
}
