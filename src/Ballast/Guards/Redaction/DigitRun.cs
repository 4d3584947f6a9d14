namespace Ballast.Guards.Redaction;

/// <summary>Digits that belong together, with the signs between them: what cards and phone numbers are looked for in.</summary>
internal ref struct DigitRun
{
    /// <summary>Digits looked at from one beginning.</summary>
    public const int DigitsMax = 24;

    /// <summary>The digits' values.</summary>
    public Span<char> Digits;

    /// <summary>For each digit, where it stands in the folded text.</summary>
    public Span<int> Places;

    public int Count;

    /// <summary>
    /// Takes the digits that begin at <paramref name="at"/>, with at most <paramref name="gapMax"/> signs out of <paramref name="signs"/> between two of them.
    /// </summary>
    public void Take(ReadOnlySpan<char> chars, int at, ReadOnlySpan<char> signs, int gapMax)
    {
        Count = 0;
        int gap = 0;
        for (int i = at; i < chars.Length && Count < DigitsMax; i++)
        {
            if (char.IsAsciiDigit(chars[i]))
            {
                Digits[Count] = chars[i];
                Places[Count++] = i;
                gap = 0;
            }
            else if (++gap > gapMax || !signs.Contains(chars[i]))
            {
                return;
            }
        }
    }

    /// <summary>The text before the digit is a sign or nothing: a number does not begin in the middle of a word or of another number.</summary>
    public static bool MayBegin(ReadOnlySpan<char> chars, int at) =>
        at == 0 || !(char.IsLetterOrDigit(chars[at - 1]) || chars[at - 1] is '_' or '#' or '$' or '€' or '£' || (chars[at - 1] is '.' or ',' && at > 1 && char.IsAsciiDigit(chars[at - 2])));

    public static bool MayEnd(ReadOnlySpan<char> chars, int end) =>
        end >= chars.Length || !(char.IsLetterOrDigit(chars[end]) || chars[end] is '_' or '%' || (chars[end] is '.' or ',' or ':' && end + 1 < chars.Length && char.IsAsciiDigit(chars[end + 1])));
}
