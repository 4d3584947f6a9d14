namespace Ballast.Prices;

/// <summary>
/// Which model ids a price is for: plain text, <c>*</c> for any text and <c>#</c> for one digit, without regard to case. <c>gpt-5.6-luna-####-##-##</c> is a dated
/// edition, <c>*anthropic.claude-sonnet-5*</c> any profile of it.
/// </summary>
public readonly record struct ModelPattern(string Text)
{
    /// <summary>Longest pattern taken, in characters.</summary>
    public const int LengthMax = 200;

    /// <summary>Linear in time but for the last star, to which alone it goes back: no pattern of a book can be made slow.</summary>
    public bool Matches(ReadOnlySpan<char> model)
    {
        ReadOnlySpan<char> pattern = Text;
        int p = 0, m = 0, star = -1, retry = 0;
        while (m < model.Length)
        {
            if (p < pattern.Length && pattern[p] == '*')
            {
                star = p++;
                retry = m;
            }
            else if (p < pattern.Length && IsSame(pattern[p], model[m]))
            {
                p++;
                m++;
            }
            else if (star >= 0)
            {
                p = star + 1;
                m = ++retry;
            }
            else
            {
                return false;
            }
        }

        return pattern[p..].Trim('*').IsEmpty;
    }

    public override string ToString() => Text;

    private static bool IsSame(char pattern, char character) =>
        pattern == '#' ? char.IsAsciiDigit(character) : char.ToLowerInvariant(pattern) == char.ToLowerInvariant(character);
}
