namespace Ballast.Guards.Redaction;

/// <summary>
/// Finds phone numbers: international ones (E.164, <c>+</c> or <c>00</c>), and national ones that look like nothing else: North America's three groups, a leading zero
/// with groups, or any that a word such as <c>tel</c> stands before.
/// </summary>
internal static class PhoneFinder
{
    private const int InternationalMin = 7;
    private const int InternationalMax = 15;

    /// <summary>More groups than this are a table.</summary>
    private const int GroupsMax = 6;

    private static readonly string[] s_cues =
        ["tel", "telephone", "phone", "mobile", "cell", "fax", "call", "whatsapp", "telefon", "mobil", "handy", "sms", "ruf", "rufnummer", "telefono", "móvil", "tél"];

    public static bool IsCue(ReadOnlySpan<char> word)
    {
        foreach (string cue in s_cues)
        {
            if (word.Equals(cue, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }

    public static void Find(FoldedText text, List<TextMatch> found)
    {
        ReadOnlySpan<char> chars = text.Chars;
        DigitRun run = new() { Digits = stackalloc char[DigitRun.DigitsMax], Places = stackalloc int[DigitRun.DigitsMax] };
        for (int at = 0; at < chars.Length; at++)
        {
            bool isPlus = chars[at] == '+';
            bool isBracket = chars[at] == '(';
            if (!(isPlus || isBracket || char.IsAsciiDigit(chars[at])) || !DigitRun.MayBegin(chars, at))
            {
                continue;
            }

            run.Take(chars, isPlus || isBracket ? at + 1 : at, " -./()", gapMax: 3);
            int digits = LengthOf(chars, at, isPlus, ref run);
            if (digits > 0)
            {
                int end = run.Places[digits - 1] + 1;
                found.Add(new TextMatch(text.StartOf(at), text.EndOf(end - 1), RedactionKind.Phone));
                at = end - 1;
            }
            else if (run.Count > 0)
            {
                // What begins in the middle of these digits is no number of its own; the next group may be.
                while (at + 1 < chars.Length && char.IsAsciiDigit(chars[at + 1]))
                {
                    at++;
                }
            }
        }
    }

    /// <summary>How many of the digits are a number; 0 where they are none.</summary>
    private static int LengthOf(ReadOnlySpan<char> chars, int at, bool isPlus, ref DigitRun run)
    {
        if (run.Count < InternationalMin)
        {
            return 0;
        }

        if (isPlus)
        {
            return run.Digits[0] == '0' ? 0 : Ending(chars, ref run, InternationalMin, InternationalMax);
        }

        if (IsOther(chars, ref run) || (at > 1 && chars[at - 1] is '-' or '/' && char.IsAsciiDigit(chars[at - 2])))
        {
            return 0;
        }

        if (run.Digits is ['0', '0', >= '1' and <= '9', ..])
        {
            return Ending(chars, ref run, 10, InternationalMax + 2);
        }

        if (IsNorthAmerican(chars, at, ref run, out int length))
        {
            return length;
        }

        bool isGrouped = Groups(ref run) is > 1 and <= GroupsMax;
        if (run.Digits is ['0', >= '1' and <= '9', ..] && (isGrouped || HasCue(chars, at)))
        {
            return Ending(chars, ref run, 9, 12);
        }

        return HasCue(chars, at) ? Ending(chars, ref run, InternationalMin, InternationalMax) : 0;
    }

    /// <summary>The longest beginning of the digits that ends where a number may.</summary>
    private static int Ending(ReadOnlySpan<char> chars, ref DigitRun run, int min, int max)
    {
        for (int length = Math.Min(run.Count, max); length >= min; length--)
        {
            int end = run.Places[length - 1] + 1;
            if (DigitRun.MayEnd(chars, end) && (length == run.Count || run.Places[length] > end))
            {
                return length;
            }
        }

        return 0;
    }

    private static bool IsNorthAmerican(ReadOnlySpan<char> chars, int at, ref DigitRun run, out int length)
    {
        int first = run.Digits[0] == '1' && run.Count >= 11 && run.Places[1] > run.Places[0] + 1 ? 1 : 0;
        length = first + 10;
        return run.Count >= length && run.Digits[first] >= '2' && run.Digits[first + 3] >= '2' && IsTogether(ref run, first, 3) && IsTogether(ref run, first + 3, 3)
            && IsTogether(ref run, first + 6, 4) && run.Places[first + 3] > run.Places[first + 2] + 1 && run.Places[first + 6] > run.Places[first + 5] + 1
            && DigitRun.MayEnd(chars, run.Places[length - 1] + 1) && (at == 0 || chars[at - 1] != '.');
    }

    private static bool IsTogether(ref DigitRun run, int first, int count) => run.Places[first + count - 1] == run.Places[first] + count - 1;

    private static int Groups(ref DigitRun run)
    {
        int groups = 1;
        for (int i = 1; i < run.Count; i++)
        {
            groups += run.Places[i] > run.Places[i - 1] + 1 ? 1 : 0;
        }

        return groups;
    }

    /// <summary>Dates and addresses of machines have groups, too.</summary>
    private static bool IsOther(ReadOnlySpan<char> chars, ref DigitRun run)
    {
        Span<int> lengths = stackalloc int[DigitRun.DigitsMax];
        Span<char> signs = stackalloc char[DigitRun.DigitsMax];
        int groups = 0;
        for (int i = 0; i < run.Count; i++)
        {
            if (i > 0 && run.Places[i] > run.Places[i - 1] + 1)
            {
                signs[groups++] = chars[run.Places[i - 1] + 1];
            }

            lengths[groups]++;
        }

        groups++;
        bool isSame = groups >= 3 && signs[0] == signs[1] && signs[0] is '.' or '-' or '/';
        bool isDate = isSame && ((lengths[0] <= 2 && lengths[1] <= 2 && lengths[2] is 2 or 4) || (lengths[0] == 4 && lengths[1] <= 2 && lengths[2] <= 2));
        bool isMachine = groups >= 4 && signs[0] == '.' && signs[1] == '.' && signs[2] == '.' && lengths[0] <= 3 && lengths[1] <= 3 && lengths[2] <= 3 && lengths[3] <= 3;
        return isDate || isMachine;
    }

    private static bool HasCue(ReadOnlySpan<char> chars, int at)
    {
        ReadOnlySpan<char> before = chars[..at].TrimEnd(" .:#=(");
        for (int words = 0; words < 2; words++)
        {
            int start = before.Length;
            while (start > 0 && char.IsLetter(before[start - 1]))
            {
                start--;
            }

            ReadOnlySpan<char> word = before[start..];
            if (IsCue(word))
            {
                return true;
            }

            if (!IsLink(word))
            {
                return false;
            }

            before = before[..start].TrimEnd(" .:#=(");
        }

        return false;
    }

    /// <summary>Words that may stand between the cue and its number.</summary>
    public static bool IsLink(ReadOnlySpan<char> word) =>
        word.Equals("number", StringComparison.OrdinalIgnoreCase) || word.Equals("no", StringComparison.OrdinalIgnoreCase) || word.Equals("nr", StringComparison.OrdinalIgnoreCase);
}
