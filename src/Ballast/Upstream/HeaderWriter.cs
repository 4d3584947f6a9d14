using System.Net.Http.Headers;

namespace Ballast.Upstream;

/// <summary>
/// The one place where upstream headers are written. <c>TryAddWithoutValidation</c> lets CR, LF and NUL through to the wire, so a value with a control character is
/// refused here, whoever wrote it.
/// </summary>
public static class HeaderWriter
{
    /// <summary>Longest value sent, in characters.</summary>
    public const int ValueCharactersMax = 8 * 1024;

    /// <exception cref="InvalidOperationException">The value cannot be a header's; the message does not repeat it.</exception>
    public static void Add(HttpRequestHeaders headers, string name, string value)
    {
        if (!IsSafe(value))
        {
            throw new InvalidOperationException($"The value for header '{name}' holds control characters or is too long.");
        }

        headers.TryAddWithoutValidation(name, value);
    }

    public static bool IsSafe(string value)
    {
        if (value.Length > ValueCharactersMax)
        {
            return false;
        }

        ReadOnlySpan<char> rest = value;
        int unusual = rest.IndexOfAnyExceptInRange(' ', '~');
        while (unusual >= 0 && rest[unusual] == '\t')
        {
            rest = rest[(unusual + 1)..];
            unusual = rest.IndexOfAnyExceptInRange(' ', '~');
        }

        return unusual < 0;
    }
}
