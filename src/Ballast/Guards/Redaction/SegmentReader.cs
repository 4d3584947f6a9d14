using System.Buffers;
using System.Text;

namespace Ballast.Guards.Redaction;

/// <summary>
/// Cuts a text that arrives in pieces into segments that no value crosses: a word, or words that may belong together (groups of digits, <c>at</c> and <c>dot</c>,
/// <c>key: …</c>, a private key), or a line. Where it cuts depends on the text alone and never on the pieces it came in: what has left can no longer become part of a
/// match, and a stream is treated as the same text at once would be.
/// </summary>
internal sealed class SegmentReader(bool isLines)
{
    private const int BlanksMax = 3;
    private const int WordLookahead = 24;

    /// <summary>What may stand beside a letter that is a word of its own.</summary>
    private const string Edges = "([{<\"'“”*:)]}>,;.!?";
    private const int IbanGroupsMax = 10;

    private const string CueEdges = ":.#([\"'“‘*";

    private static readonly SearchValues<char> s_signs = SearchValues.Create("+-/(.–—");

    private char[] _text = new char[512];
    private int _from;
    private int _to;

    /// <summary>Where the word begins that was joined last, and how far its end was looked for.</summary>
    private int _word;
    private int _scan;
    private int _ibanGroups;
    private bool _sawPemEnd;
    private bool _isNoted;

    /// <summary>A private key, or another thing in PEM, has begun and not ended.</summary>
    public bool IsInPem { get; private set; }

    /// <summary>Characters that wait.</summary>
    public int Length => _to - _from;

    private int WindowMax => IsInPem ? TextWindow.PemCharactersMax : TextWindow.CharactersMax;

    public void Append(ReadOnlySpan<char> piece)
    {
        if (_from > 0 && (_from == _to || _to + piece.Length > _text.Length))
        {
            _text.AsSpan(_from, _to - _from).CopyTo(_text);
            (_word, _scan, _to, _from) = (_word - _from, _scan - _from, _to - _from, 0);
        }

        if (_to + piece.Length > _text.Length)
        {
            Array.Resize(ref _text, Math.Max(_text.Length * 2, _to + piece.Length));
        }

        piece.CopyTo(_text.AsSpan(_to));
        _to += piece.Length;
    }

    /// <summary>The next segment; false where more of the text is needed.</summary>
    /// <param name="isCompleted">Nothing follows.</param>
    /// <param name="segment">Stands until something is appended. <see cref="Consume"/> it, or a part.</param>
    /// <param name="isForced">It ends because it is too long, not because nothing can cross its end.</param>
    public bool TryPeek(bool isCompleted, out ReadOnlySpan<char> segment, out bool isForced)
    {
        while (true)
        {
            bool isFound = TryEndOfWord(out int end);
            if (end - _from >= WindowMax)
            {
                segment = _text.AsSpan(_from, Math.Min(_to - _from, WindowMax));
                isForced = true;
                return true;
            }

            isForced = false;
            if (!isFound)
            {
                segment = _text.AsSpan(_from, _to - _from);
                return isCompleted && segment.Length > 0;
            }

            int next = EndOfBlanks(end, out bool isApart);
            NotePem(_text.AsSpan(_word, end - _word));
            bool? isJoined = isApart && !IsInPem ? false : next == _to ? (isCompleted ? false : null) : MayJoin(_text.AsSpan(_word, end - _word), next, isCompleted);
            if (isJoined is null)
            {
                segment = default;
                return false;
            }

            if (isJoined == false)
            {
                segment = _text.AsSpan(_from, next - _from);
                return true;
            }

            _word = next;
            _scan = next;
            _isNoted = false;
        }
    }

    /// <summary>The first characters of the segment are done with.</summary>
    public void Consume(int count)
    {
        _from += count;
        _word = _from;
        _scan = _from;
        _ibanGroups = 0;
        _isNoted = false;
    }

    private bool TryEndOfWord(out int end)
    {
        for (end = Math.Max(_scan, _word); end < _to; end++)
        {
            char c = _text[end];
            if (isLines ? c == '\n' && !IsInPem : IsBlank(c) || (IsWide(c) && end > _word) || (end > _word && IsWide(_text[end - 1])))
            {
                _scan = end;
                return true;
            }
        }

        _scan = _to;
        return false;
    }

    /// <param name="isApart">So much lies between that nothing belongs together across it.</param>
    private int EndOfBlanks(int at, out bool isApart)
    {
        int first = at;
        isApart = isLines;
        while (at < _to && IsBlank(_text[at]))
        {
            isApart |= _text[at] is '\n' or '\r';
            at++;
            if (isLines && _text[at - 1] == '\n')
            {
                break;
            }
        }

        isApart |= at - first > BlanksMax || (at == first && at < _to);
        return at;
    }

    private void NotePem(ReadOnlySpan<char> word)
    {
        if (_isNoted)
        {
            return; // it waited for what follows
        }

        _isNoted = true;
        if (_sawPemEnd && word.IndexOf("-----", StringComparison.Ordinal) >= 0)
        {
            IsInPem = false;
            _sawPemEnd = false;
        }
        else if (IsInPem && word.IndexOf(SecretFinder.PemEnd, StringComparison.Ordinal) >= 0)
        {
            _sawPemEnd = true;
        }
        else if (!IsInPem && word.IndexOf(SecretFinder.PemBegin, StringComparison.Ordinal) >= 0)
        {
            IsInPem = true;
            _sawPemEnd = word.IndexOf(SecretFinder.PemEnd, StringComparison.Ordinal) >= 0;
        }
    }

    /// <summary>Whether a value may go on from one word to the next; null where too little of the next is known.</summary>
    private bool? MayJoin(ReadOnlySpan<char> word, int next, bool isCompleted)
    {
        if (IsInPem)
        {
            return true;
        }

        if (word.IsEmpty)
        {
            return false;
        }

        ReadOnlySpan<char> ahead = _text.AsSpan(next, Math.Min(_to - next, WordLookahead));
        int blank = ahead.IndexOfAny(" \t\r\n");
        bool isWhole = isCompleted || blank >= 0 || ahead.Length == WordLookahead;
        ahead = blank >= 0 ? ahead[..blank] : ahead;
        char last = LastOf(word);
        if (FirstOf(ahead) is not { } first)
        {
            return isWhole ? false : null;
        }

        if (MayJoinDigits(word, last, first) || MayJoinName(word, last, first) || last == '@' || first == '@' || HiddenSigns.Ends(word))
        {
            return true;
        }

        bool? isHidden = HiddenSigns.Begins(ahead, isWhole);
        bool? isLink = PhoneFinder.IsCue(word.Trim(CueEdges)) ? Begins(ahead, isWhole, "number", "no", "nr") : false;
        bool? isSingle = word.Trim(Edges).Length == 1 ? (ahead.TrimEnd(Edges).Length > 1 ? false : isWhole ? true : null) : false;
        return isHidden == true || isLink == true || isSingle == true ? true : isHidden is null || isLink is null || isSingle is null ? null : false;
    }

    private bool MayJoinDigits(ReadOnlySpan<char> word, char last, char first)
    {
        bool isNumber = char.IsAsciiDigit(last) || last == ')' || (last == ';' && word.Contains("&#", StringComparison.Ordinal));
        bool isSign = word.IndexOfAnyExcept(s_signs) < 0;
        if ((isNumber || isSign) && (char.IsAsciiDigit(first) || first is '+' or '(' or '-' or '/' or '.' or '&' or '%'))
        {
            return true;
        }

        if (_ibanGroups > 0)
        {
            return ++_ibanGroups <= IbanGroupsMax && char.IsAsciiLetterOrDigit(first);
        }

        if (word.Length >= 4 && char.IsAsciiLetterOrDigit(first) && IbanFinder.MayBegin(word))
        {
            _ibanGroups = 1;
            return true;
        }

        return (PhoneFinder.IsCue(word.Trim(CueEdges)) || PhoneFinder.IsLink(word.TrimEnd(":.#"))) && (char.IsAsciiDigit(first) || first is '+' or '(' or '#' or ':');
    }

    private static bool MayJoinName(ReadOnlySpan<char> word, char last, char first) =>
        last == '=' || first == '=' || (first == ':' && SecretFinder.IsName(word)) || ((last is ':' or '"' or '\'' or '>' || char.IsLetter(last)) && SecretFinder.IsName(word));

    private static bool? Begins(ReadOnlySpan<char> ahead, bool isWhole, params ReadOnlySpan<string> words)
    {
        foreach (string word in words)
        {
            if (isWhole ? ahead.TrimEnd(":.").Equals(word, StringComparison.OrdinalIgnoreCase) : word.AsSpan().StartsWith(ahead.TrimEnd(":."), StringComparison.OrdinalIgnoreCase))
            {
                return isWhole ? true : null;
            }
        }

        return false;
    }

    private static char LastOf(ReadOnlySpan<char> word)
    {
        while (!word.IsEmpty)
        {
            Rune.DecodeLastFromUtf16(word, out Rune rune, out int length);
            if (FoldTable.Of(rune) is not FoldTable.Dropped and char folded)
            {
                return folded;
            }

            word = word[..^length];
        }

        return ' ';
    }

    private static char? FirstOf(ReadOnlySpan<char> word)
    {
        while (!word.IsEmpty)
        {
            if (Rune.DecodeFromUtf16(word, out Rune rune, out int length) == OperationStatus.NeedMoreData)
            {
                return null;
            }

            if (FoldTable.Of(rune) is not FoldTable.Dropped and char folded)
            {
                return folded;
            }

            word = word[length..];
        }

        return null;
    }

    private static bool IsBlank(char c) => c is ' ' or '\t' or '\n' or '\r';

    /// <summary>Writing that has no blanks: each of its characters stands for itself.</summary>
    private static bool IsWide(char c) => c >= 0x3001 && (c is >= (char)0x3041 and <= (char)0x30FA or >= (char)0x3400 and <= (char)0x9FFF or >= (char)0xAC00 and <= (char)0xD7AF or (char)0x3001);
}
