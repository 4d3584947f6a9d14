namespace Ballast.Upstream;

/// <summary>
/// The one place where upstream headers are written. What is added goes to the wire as it is, so a value with a control character is refused here, whoever wrote it.
/// </summary>
public static class HeaderWriter
{
    /// <summary>Longest value sent, in characters.</summary>
    public const int ValueCharactersMax = 8 * 1024;

    /// <exception cref="InvalidOperationException">The value cannot be a header's; the message does not repeat it.</exception>
    public static void Add(UpstreamHeaders headers, string name, string value)
    {
        if (!IsSafe(value))
        {
            throw new InvalidOperationException($"The value for header '{name}' holds control characters or is too long.");
        }

        headers.Append(name, value);
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
