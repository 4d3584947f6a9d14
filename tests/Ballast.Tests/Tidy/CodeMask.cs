namespace Ballast.Tests.Tidy;

/// <summary>
/// C# source with everything that is not code (comments, string and character literals, preprocessor lines) replaced by spaces; lines and columns stay where they
/// were. An interpolated string is blanked with its holes: no rule looks into them.
/// </summary>
public static class CodeMask
{
    public static string Apply(string source)
    {
        char[] masked = source.ToCharArray();
        int at = 0;
        while (at < source.Length)
        {
            int end = EndOfNonCode(source, at);
            if (end == at)
            {
                at++;
                continue;
            }

            for (; at < end; at++)
            {
                masked[at] = source[at] is '\n' or '\r' ? source[at] : ' ';
            }
        }

        return new string(masked);
    }

    /// <summary>Where the comment or literal that begins at <paramref name="at"/> ends; <paramref name="at"/> itself where code stands there.</summary>
    private static int EndOfNonCode(string source, int at)
    {
        ReadOnlySpan<char> rest = source.AsSpan(at);
        switch (rest[0])
        {
            case '/' when rest.StartsWith("//"):
                return EndOfLine(source, at);
            case '/' when rest.StartsWith("/*"):
                int close = source.IndexOf("*/", at + 2, StringComparison.Ordinal);
                return close < 0 ? source.Length : close + 2;
            case '#' when IsFirstOnLine(source, at):
                return EndOfLine(source, at);
            case '\'':
                return EndOfEscaped(source, at + 1, '\'');
            case '"' or '$' or '@':
                return EndOfString(source, at);
            default:
                return at;
        }
    }

    private static int EndOfString(string source, int at)
    {
        int dollars = 0;
        bool isVerbatim = false;
        int open = at;
        for (; open < source.Length && source[open] is '$' or '@'; open++)
        {
            dollars += source[open] == '$' ? 1 : 0;
            isVerbatim |= source[open] == '@';
        }

        int quotes = CountOf(source, open, '"');
        if (quotes == 0)
        {
            return at; // an identifier such as @class
        }

        if (quotes >= 3 && !isVerbatim)
        {
            return EndOfRaw(source, open + quotes, quotes, dollars);
        }

        return quotes == 2 ? open + 2 : EndOfPlain(source, open + 1, isVerbatim, dollars > 0);
    }

    private static int EndOfPlain(string source, int at, bool isVerbatim, bool isInterpolated)
    {
        while (at < source.Length)
        {
            char c = source[at];
            if (c == '"')
            {
                if (!isVerbatim || CountOf(source, at, '"') < 2)
                {
                    return at + 1;
                }

                at += 2;
            }
            else if (c == '\\' && !isVerbatim)
            {
                at += 2;
            }
            else if (c == '{' && isInterpolated)
            {
                at = CountOf(source, at, '{') >= 2 ? at + 2 : EndOfHole(source, at + 1, 1);
            }
            else
            {
                at++;
            }
        }

        return source.Length;
    }

    private static int EndOfRaw(string source, int at, int quotes, int dollars)
    {
        while (at < source.Length)
        {
            if (source[at] == '"' && CountOf(source, at, '"') is int run && run >= quotes)
            {
                return at + run;
            }

            int braces = dollars == 0 ? 0 : CountOf(source, at, '{');
            at = braces > 0 && braces >= dollars ? EndOfHole(source, at + braces, dollars) : at + Math.Max(1, braces);
        }

        return source.Length;
    }

    /// <summary>An interpolation's hole is code, strings in it included, up to as many closing braces as opened it.</summary>
    private static int EndOfHole(string source, int at, int braces)
    {
        int depth = 0;
        while (at < source.Length)
        {
            int end = EndOfNonCode(source, at);
            if (end > at)
            {
                at = end;
                continue;
            }

            if (source[at] == '}' && depth == 0)
            {
                return at + braces;
            }

            depth += source[at] switch { '{' => 1, '}' => -1, _ => 0 };
            at++;
        }

        return source.Length;
    }

    private static int EndOfEscaped(string source, int at, char close)
    {
        while (at < source.Length && source[at] != close)
        {
            at += source[at] == '\\' ? 2 : 1;
        }

        return Math.Min(source.Length, at + 1);
    }

    private static int EndOfLine(string source, int at)
    {
        int end = source.IndexOf('\n', at);
        return end < 0 ? source.Length : end;
    }

    private static bool IsFirstOnLine(string source, int at) => source.AsSpan(0, at).TrimEnd([' ', '\t']) is [] or [.., '\n'];

    private static int CountOf(string source, int at, char c)
    {
        int end = at;
        while (end < source.Length && source[end] == c)
        {
            end++;
        }

        return end - at;
    }
}
