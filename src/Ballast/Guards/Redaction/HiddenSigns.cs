namespace Ballast.Guards.Redaction;

/// <summary>Words that people write for the signs of an address, with or without brackets.</summary>
internal static class HiddenSigns
{
    private static readonly string[] s_words = ["at", "ät", "dot", "punkt", ".", "@"];
    private static readonly string[] s_all = [.. s_words, .. from open in "([{<" from word in s_words.Append("") select open + word];

    /// <summary>The word ends in such a sign, so that the next belongs to it.</summary>
    public static bool Ends(ReadOnlySpan<char> word)
    {
        foreach (string sign in s_words)
        {
            if (word.Equals(sign, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        if (word.Length == 1)
        {
            return word[0] is '(' or '[' or '{' or '<' or ')' or ']' or '}' or '>';
        }

        int open = word[^1] is ')' or ']' or '}' or '>' ? word.LastIndexOfAny("([{<") : -1;
        return open >= 0 && IsSign(word[(open + 1)..^1]);
    }

    /// <summary>The word begins with such a sign; null where too little of it is known.</summary>
    public static bool? Begins(ReadOnlySpan<char> word, bool isWhole)
    {
        bool isOpen = word[0] is '(' or '[' or '{' or '<';
        bool isUnknown = false;
        foreach (string sign in s_all)
        {
            bool isBracket = sign.Length > 0 && "([{<".Contains(sign[0], StringComparison.Ordinal);
            if (isBracket != isOpen)
            {
                continue;
            }

            if (word.StartsWith(sign, StringComparison.OrdinalIgnoreCase) && (isBracket ? sign.Length > 1 || (isWhole && word.Length == 1) : isWhole && word.Length == sign.Length))
            {
                return true;
            }

            isUnknown |= !isWhole && sign.AsSpan().StartsWith(word, StringComparison.OrdinalIgnoreCase);
        }

        return isUnknown ? null : word[0] is ')' or ']' or '}' or '>' ? true : false;
    }

    private static bool IsSign(ReadOnlySpan<char> inner)
    {
        foreach (string sign in s_words)
        {
            if (inner.Equals(sign, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }
}
