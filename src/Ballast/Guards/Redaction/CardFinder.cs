namespace Ballast.Guards.Redaction;

/// <summary>Finds numbers of payment cards: 13 to 19 digits of a known issuer (ISO/IEC 7812) whose check digit is right (Luhn), in groups or not.</summary>
internal static class CardFinder
{
    private const int DigitsMin = 13;
    private const int DigitsMax = 19;

    public static void Find(FoldedText text, List<TextMatch> found)
    {
        ReadOnlySpan<char> chars = text.Chars;
        DigitRun run = new() { Digits = stackalloc char[DigitRun.DigitsMax], Places = stackalloc int[DigitRun.DigitsMax] };
        for (int at = 0; at < chars.Length; at++)
        {
            if (!char.IsAsciiDigit(chars[at]) || (at > 0 && (char.IsLetterOrDigit(chars[at - 1]) || chars[at - 1] is '_')))
            {
                continue;
            }

            run.Take(chars, at, " -./", gapMax: 2);
            for (int length = Math.Min(DigitsMax, run.Count); length >= DigitsMin; length--)
            {
                int end = run.Places[length - 1] + 1;
                if ((end == chars.Length || !(char.IsLetterOrDigit(chars[end]) || chars[end] is '_')) && IsCard(run.Digits[..length]))
                {
                    found.Add(new TextMatch(text.StartOf(at), text.EndOf(end - 1), RedactionKind.Card));
                    at = end - 1;
                    break;
                }
            }
        }
    }

    /// <summary>Digits alone.</summary>
    public static bool IsCard(ReadOnlySpan<char> digits) => digits.Length is >= DigitsMin and <= DigitsMax && IsIssued(digits) && HasCheckDigit(digits);

    private static bool IsIssued(ReadOnlySpan<char> digits)
    {
        int two = Number(digits, 2);
        int three = Number(digits, 3);
        int four = Number(digits, 4);
        return digits.Length switch
        {
            13 => two / 10 == 4,
            14 => two is 36 or 38 or 39 || three is >= 300 and <= 305,
            15 => two is 34 or 37 || four is 2131 or 1800,
            16 => two / 10 == 4 || two is >= 51 and <= 55 or 65 or 35 or 62 || four is >= 2221 and <= 2720 or 6011 || three is >= 644 and <= 649 || two is 50 or >= 56 and <= 58,
            _ => two is 62 or 50 or >= 56 and <= 58 or 67 || (digits.Length == 19 && two / 10 == 4),
        };
    }

    private static int Number(ReadOnlySpan<char> digits, int count)
    {
        int number = 0;
        foreach (char digit in digits[..count])
        {
            number = (number * 10) + (digit - '0');
        }

        return number;
    }

    private static bool HasCheckDigit(ReadOnlySpan<char> digits)
    {
        int sum = 0;
        for (int i = 0; i < digits.Length; i++)
        {
            int value = digits[digits.Length - 1 - i] - '0';
            int doubled = (i & 1) == 0 ? value : value * 2;
            sum += doubled > 9 ? doubled - 9 : doubled;
        }

        return sum % 10 == 0;
    }
}
