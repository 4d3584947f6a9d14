namespace Ballast.Guards.Redaction;

/// <summary>Finds account numbers (ISO 13616): the length of the country, and a right check number (mod 97), in groups or not.</summary>
internal static class IbanFinder
{
    private const int LengthMax = 34;

    /// <summary>Countries of the registry and the lengths of their numbers.</summary>
    private const string Lengths =
        "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28EE20EG29ES24FI18FK18FO18FR27GB22GE22GI23GL18GR27GT28HN28HR21HU28IE22IL23IQ23IS26IT27"
        + "JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22MK19MN20MR27MT31MU30NI28NL18NO15OM23PK24PL28PS29PT25QA29RO24RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23ST25SV28"
        + "TL23TN24TR26UA29VA22VG24XK20YE30";

    public static void Find(FoldedText text, List<TextMatch> found)
    {
        ReadOnlySpan<char> chars = text.Chars;
        Span<char> number = stackalloc char[LengthMax];
        for (int at = 0; at + 4 < chars.Length; at++)
        {
            if (!char.IsAsciiLetter(chars[at]) || !char.IsAsciiLetter(chars[at + 1]) || (at > 0 && (char.IsLetterOrDigit(chars[at - 1]) || chars[at - 1] == '_')))
            {
                continue;
            }

            int length = LengthOf(chars[at], chars[at + 1]);
            if (length > 0 && TryTake(chars, at, number[..length], out int end) && IsRight(number[..length]))
            {
                found.Add(new TextMatch(text.StartOf(at), text.EndOf(end - 1), RedactionKind.Iban));
                at = end - 1;
            }
        }
    }

    /// <summary>A word that ends as the first group of a number does: with a country and two digits.</summary>
    public static bool MayBegin(ReadOnlySpan<char> word)
    {
        Span<char> four = stackalloc char[4];
        int count = 4;
        while (count > 0 && !word.IsEmpty)
        {
            System.Text.Rune.DecodeLastFromUtf16(word, out System.Text.Rune rune, out int length);
            if (FoldTable.Of(rune) is not FoldTable.Dropped and char folded)
            {
                four[--count] = folded;
            }

            word = word[..^length];
        }

        return count == 0 && char.IsAsciiDigit(four[2]) && char.IsAsciiDigit(four[3]) && LengthOf(four[0], four[1]) > 0;
    }

    private static int LengthOf(char first, char second)
    {
        first = char.ToUpperInvariant(first);
        second = char.ToUpperInvariant(second);
        for (int i = 0; i < Lengths.Length; i += 4)
        {
            if (Lengths[i] == first && Lengths[i + 1] == second)
            {
                return ((Lengths[i + 2] - '0') * 10) + (Lengths[i + 3] - '0');
            }
        }

        return 0;
    }

    private static bool TryTake(ReadOnlySpan<char> chars, int at, Span<char> number, out int end)
    {
        int count = 0;
        int gap = 0;
        for (end = at; end < chars.Length; end++)
        {
            char c = chars[end];
            if (char.IsAsciiLetterOrDigit(c))
            {
                if (count == number.Length)
                {
                    break;
                }

                if (count is 2 or 3 && !char.IsAsciiDigit(c))
                {
                    return false;
                }

                number[count++] = char.ToUpperInvariant(c);
                gap = 0;
                if (count == number.Length)
                {
                    end++;
                    break;
                }
            }
            else if (c is not (' ' or '-' or '.' or '/') || ++gap > 2)
            {
                return false;
            }
        }

        return count == number.Length && (end >= chars.Length || !(char.IsLetterOrDigit(chars[end]) || chars[end] == '_'));
    }

    private static bool IsRight(ReadOnlySpan<char> number)
    {
        int rest = 0;
        for (int i = 0; i < number.Length; i++)
        {
            char c = number[(i + 4) % number.Length];
            rest = char.IsAsciiDigit(c) ? ((rest * 10) + (c - '0')) % 97 : ((rest * 100) + (c - 'A' + 10)) % 97;
        }

        return rest == 1;
    }
}
