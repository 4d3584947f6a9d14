namespace Ballast.Guards.Redaction;

/// <summary>Finds e-mail addresses (RFC 5321 without quoted names and address literals; letters of any script), also those written so that no program should see them.</summary>
internal static class EmailFinder
{
    private const int LocalMax = 64;
    private const int DomainMax = 255;

    /// <summary>Ends of names that an address is taken for although there are blanks in it.</summary>
    private static readonly string[] s_common =
        ["com", "org", "net", "edu", "gov", "mil", "int", "info", "biz", "io", "de", "fr", "uk", "eu", "us", "ca", "au", "jp", "in", "br", "it", "es", "nl", "ch", "at", "se", "pl", "example", "test"];

    private static readonly string[] s_files = ["png", "jpg", "jpeg", "gif", "svg", "webp"];

    public static void Find(FoldedText text, List<TextMatch> found)
    {
        ReadOnlySpan<char> chars = text.Chars;
        for (int at = chars.IndexOf('@'); at >= 0; at = Next(chars, at))
        {
            if (TryAround(chars, at, out int start, out int end) && !IsOfMachines(chars, start, at, end))
            {
                found.Add(new TextMatch(text.StartOf(start), text.EndOf(end - 1), RedactionKind.Email));
            }
        }
    }

    /// <summary>Finds addresses in <see cref="LooseText"/>.</summary>
    public static void FindLoose(LooseText text, List<TextMatch> found)
    {
        ReadOnlySpan<char> chars = text.Folded.Chars;
        for (int at = chars.IndexOf('@'); at >= 0; at = Next(chars, at))
        {
            if (!TryAround(chars, at, out int start, out int end))
            {
                continue;
            }

            bool isSpaced = false;
            bool hasDotWord = false;
            for (int i = start; i < end; i++)
            {
                isSpaced |= text.MarkOf(i) == LooseText.Mark.Spaced;
                hasDotWord |= i != at && text.MarkOf(i) is LooseText.Mark.Word or LooseText.Mark.Bracketed;
            }

            // "meet me at example.com" is a place; with the dot in words too it is an address.
            bool isAddress = text.MarkOf(at) switch
            {
                LooseText.Mark.Word => hasDotWord,
                LooseText.Mark.Bracketed => true,
                _ => hasDotWord || (isSpaced && s_common.Contains(chars[(chars[..end].LastIndexOf('.') + 1)..end].ToString(), StringComparer.OrdinalIgnoreCase)),
            };
            if (isAddress)
            {
                found.Add(new TextMatch(text.Folded.StartOf(start), text.Folded.EndOf(end - 1), RedactionKind.Email));
            }
        }
    }

    private static int Next(ReadOnlySpan<char> chars, int at)
    {
        int next = chars[(at + 1)..].IndexOf('@');
        return next < 0 ? -1 : at + 1 + next;
    }

    private static bool TryAround(ReadOnlySpan<char> chars, int at, out int start, out int end)
    {
        start = at;
        while (start > 0 && at - start < LocalMax && IsLocal(chars[start - 1]))
        {
            start--;
        }

        while (start < at && chars[start] is '.' or '-' or '\'' or '+')
        {
            start++;
        }

        end = at + 1;
        while (end < chars.Length && end - at <= DomainMax && IsDomain(chars[end]) && !(chars[end] == '.' && chars[end - 1] is '.' or '@'))
        {
            end++;
        }

        while (end > at + 1)
        {
            while (end > at + 1 && chars[end - 1] is '.' or '-')
            {
                end--;
            }

            int dot = chars[..end].LastIndexOf('.');
            if (dot <= at + 1 || start == at)
            {
                return false;
            }

            if (IsTop(chars[(dot + 1)..end]))
            {
                return true;
            }

            end = dot; // "…@example.com.12": the name may end before
        }

        return false;
    }

    private static bool IsTop(ReadOnlySpan<char> label)
    {
        if (label.Length is < 2 or > 24)
        {
            return false;
        }

        bool isCoded = label.StartsWith("xn--", StringComparison.OrdinalIgnoreCase);
        foreach (char c in label)
        {
            if (!char.IsLetter(c) && !(isCoded && (char.IsAsciiDigit(c) || c == '-')))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Names of files for dense screens, and the account that a repository is fetched by.</summary>
    private static bool IsOfMachines(ReadOnlySpan<char> chars, int start, int at, int end)
    {
        ReadOnlySpan<char> top = chars[(chars[..end].LastIndexOf('.') + 1)..end];
        return (char.IsAsciiDigit(chars[at + 1]) && chars[at + 2] == 'x' && s_files.Contains(top.ToString(), StringComparer.OrdinalIgnoreCase))
            || (chars[start..at].SequenceEqual("git") && end < chars.Length && chars[end] is ':' or '/');
    }

    private static bool IsLocal(char c) => char.IsLetterOrDigit(c) || c is '.' or '_' or '+' or '-' or '\'';

    private static bool IsDomain(char c) => char.IsLetterOrDigit(c) || c is '.' or '-';
}
