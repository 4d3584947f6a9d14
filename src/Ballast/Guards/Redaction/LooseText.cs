namespace Ballast.Guards.Redaction;

/// <summary>
/// A folded text with the habits undone by which people hide addresses from programs: <c>joe (at) example [dot] com</c>, <c>joe at example dot com</c>,
/// <c>joe @ example . com</c>, <c>j o e @ …</c>. Only addresses are looked for in it.
/// </summary>
internal sealed class LooseText
{
    private const int BlanksMax = 3;

    private static readonly (string Word, char Sign)[] s_words =
        [("at", '@'), ("ät", '@'), ("dot", '.'), ("punkt", '.'), ("@", '@'), (".", '.')];

    private Mark[] _marks = new Mark[256];

    /// <summary>What a character was written as.</summary>
    public enum Mark : byte
    {
        Itself,

        /// <summary>A word or sign in brackets.</summary>
        Bracketed,

        /// <summary>A bare word.</summary>
        Word,

        /// <summary>A sign with blanks around it.</summary>
        Spaced,
    }

    public FoldedText Folded { get; } = new();

    public Mark MarkOf(int index) => _marks[index];

    /// <summary>Takes another text; false where there is nothing to undo in it.</summary>
    public bool TryTake(FoldedText text)
    {
        Folded.Clear();
        bool isChanged = false;
        ReadOnlySpan<char> chars = text.Chars;
        int at = 0;
        while (at < chars.Length)
        {
            if (TrySign(chars, at, out int end, out char sign, out Mark mark))
            {
                Add(sign, text.StartOf(at), text.EndOf(end - 1), mark);
                at = end;
                isChanged = true;
            }
            else if (chars[at] == ' ' && IsAlone(chars, at - 1) && IsAlone(chars, at + 1))
            {
                at++; // l e t t e r s
                isChanged = true;
            }
            else
            {
                Add(chars[at], text.StartOf(at), text.EndOf(at), at > 0 && chars[at - 1] == ' ' && IsAlone(chars, at - 2) && IsAlone(chars, at) ? Mark.Spaced : Mark.Itself);
                at++;
            }
        }

        return isChanged;
    }

    private void Add(char c, int start, int end, Mark mark)
    {
        if (Folded.Length == _marks.Length)
        {
            Array.Resize(ref _marks, Folded.Length * 2);
        }

        _marks[Folded.Length] = mark;
        Folded.Add(c, start, end);
    }

    private static bool TrySign(ReadOnlySpan<char> chars, int at, out int end, out char sign, out Mark mark)
    {
        (end, sign, mark) = (at, '\0', Mark.Itself);
        if (at == 0 || chars[at] is not (' ' or '(' or '[' or '{' or '<' or '-' or '_' or '@' or '.'))
        {
            return false;
        }

        int open = SkipBlanks(chars, at);
        if (open >= chars.Length)
        {
            return false;
        }

        int close = ")]}>".IndexOf(chars[open] switch { '(' => ')', '[' => ']', '{' => '}', '<' => '>', _ => '\0' }, StringComparison.Ordinal);
        if (close >= 0)
        {
            int word = SkipBlanks(chars, open + 1);
            if (!TryWord(chars, word, out int length, out sign))
            {
                return false;
            }

            int closing = SkipBlanks(chars, word + length);
            if (closing >= chars.Length || chars[closing] != ")]}>"[close])
            {
                return false;
            }

            end = SkipBlanks(chars, closing + 1);
            mark = Mark.Bracketed;
            return true;
        }

        return TryBare(chars, at, open, out end, out sign, out mark);
    }

    /// <summary>A word between blanks or hyphens, or a sign with a blank before or behind it.</summary>
    private static bool TryBare(ReadOnlySpan<char> chars, int at, int word, out int end, out char sign, out Mark mark)
    {
        char border = chars[at];
        (end, sign, mark) = (at, '\0', Mark.Word);
        if (word == at && border is '-' or '_')
        {
            word++;
        }

        if (!TryWord(chars, word, out int length, out sign))
        {
            return false;
        }

        end = word + length;
        if (length == 1)
        {
            int behind = SkipBlanks(chars, end);
            bool hasBlank = word > at || behind > end;
            mark = Mark.Spaced;
            // A full stop with a blank behind it ends a sentence: only one with blanks on both sides is part of a name.
            bool isSign = hasBlank && (sign == '@' || (word > at && behind > end)) && border is ' ' or '@' or '.';
            end = behind;
            return isSign;
        }

        if (border == ' ' && word > at && end < chars.Length && chars[end] == ' ')
        {
            end = SkipBlanks(chars, end);
            return true;
        }

        if (border is '-' or '_' && end < chars.Length && chars[end] == border)
        {
            end++;
            return true;
        }

        return false;
    }

    private static bool TryWord(ReadOnlySpan<char> chars, int at, out int length, out char sign)
    {
        foreach ((string word, char stands) in s_words)
        {
            if (at < chars.Length && chars[at..].StartsWith(word, StringComparison.OrdinalIgnoreCase))
            {
                (length, sign) = (word.Length, stands);
                return true;
            }
        }

        (length, sign) = (0, '\0');
        return false;
    }

    private static int SkipBlanks(ReadOnlySpan<char> chars, int at)
    {
        int first = at;
        while (at < chars.Length && chars[at] == ' ' && at - first < BlanksMax)
        {
            at++;
        }

        return at;
    }

    /// <summary>A character with nothing beside it but blanks, an end, or what opens and closes.</summary>
    private static bool IsAlone(ReadOnlySpan<char> chars, int at) =>
        at >= 0 && at < chars.Length && chars[at] != ' ' && (at == 0 || chars[at - 1] is ' ' or '\n' or '(' or '[' or '{' or '<' or '"' or '\'' or '*' or ':')
        && (at == chars.Length - 1 || chars[at + 1] is ' ' or '\n' or ')' or ']' or '}' or '>' or '"' or '\'' or ',' or ';' or '.' or '!' or '?');
}
