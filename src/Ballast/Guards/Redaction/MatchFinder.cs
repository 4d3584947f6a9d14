using System.Buffers;
using System.Text.RegularExpressions;

namespace Ballast.Guards.Redaction;

/// <summary>Finds all that a policy wants replaced in one segment of a text. Used again and again, by one at a time.</summary>
internal sealed class MatchFinder(RedactionPolicy policy)
{
    private static readonly SearchValues<char> s_signs = SearchValues.Create("0123456789@%&\\=:([{<-");

    private readonly FoldedText _folded = new();
    private readonly FoldedText _inner = new();
    private readonly LooseText _loose = new();
    private readonly List<TextMatch> _found = [];
    private readonly List<TextMatch> _nested = [];

    /// <summary>Most words can be passed over at a glance.</summary>
    public bool MayMatch(ReadOnlySpan<char> segment) =>
        policy.Patterns.Count > 0 || segment.Length >= EncodedFinder.LengthMin || segment.IndexOfAny(s_signs) >= 0 || segment.IndexOfAnyExceptInRange('\0', '\u007F') >= 0;

    /// <summary>Adds what is found, sorted and without overlaps; places count from the segment's beginning plus <paramref name="offset"/>.</summary>
    public void Find(ReadOnlySpan<char> segment, int offset, List<TextMatch> matches)
    {
        _found.Clear();
        _folded.Take(segment);
        FindIn(_folded, _found);
        if (policy.Kinds.Contains(RedactionKind.Email) && _loose.TryTake(_folded))
        {
            EmailFinder.FindLoose(_loose, _found);
        }

        FindEncoded(segment);
        if (_found.Count == 0)
        {
            return;
        }

        _found.Sort(static (one, other) => one.Start != other.Start ? one.Start.CompareTo(other.Start) : other.End.CompareTo(one.End));
        TextMatch last = _found[0];
        foreach (TextMatch match in _found)
        {
            if (match.Start < last.End)
            {
                last = last with { End = Math.Max(last.End, match.End) }; // nothing of either stays
                continue;
            }

            matches.Add(new TextMatch(last.Start + offset, last.End + offset, last.Label));
            last = match;
        }

        matches.Add(new TextMatch(last.Start + offset, last.End + offset, last.Label));
    }

    private void FindIn(FoldedText text, List<TextMatch> found)
    {
        ReadOnlySpan<char> chars = text.Chars;
        bool hasDigits = chars.IndexOfAnyInRange('0', '9') >= 0;
        if (policy.Kinds.Contains(RedactionKind.Email))
        {
            EmailFinder.Find(text, found);
        }

        if (hasDigits && policy.Kinds.Contains(RedactionKind.Iban))
        {
            IbanFinder.Find(text, found);
        }

        if (hasDigits && policy.Kinds.Contains(RedactionKind.Card))
        {
            CardFinder.Find(text, found);
        }

        if (policy.Kinds.Contains(RedactionKind.Secret))
        {
            SecretFinder.Find(text, found);
        }

        if (hasDigits && policy.Kinds.Contains(RedactionKind.Phone))
        {
            FindPhones(text, found);
        }

        foreach ((string label, Regex pattern) in policy.Patterns)
        {
            foreach (ValueMatch match in pattern.EnumerateMatches(chars))
            {
                if (match.Length is > 0 and <= TextWindow.MatchCharactersMax)
                {
                    found.Add(new TextMatch(text.StartOf(match.Index), text.EndOf(match.Index + match.Length - 1), label));
                }
            }
        }
    }

    /// <summary>Digits of an account, a card or a key are no phone number, whatever they look like.</summary>
    private static void FindPhones(FoldedText text, List<TextMatch> found)
    {
        int others = found.Count;
        PhoneFinder.Find(text, found);
        for (int i = found.Count - 1; i >= others; i--)
        {
            TextMatch phone = found[i];
            for (int other = 0; other < others; other++)
            {
                if (found[other].Start <= phone.Start && found[other].End >= phone.End)
                {
                    found.RemoveAt(i);
                    break;
                }
            }
        }
    }

    private void FindEncoded(ReadOnlySpan<char> segment)
    {
        int from = 0;
        while (segment.Length - from >= EncodedFinder.LengthMin && EncodedFinder.TryNext(segment, from, out int start, out int end, out string decoded))
        {
            _nested.Clear();
            _inner.Take(decoded);
            FindIn(_inner, _nested);
            if (_nested.Count > 0)
            {
                _found.Add(new TextMatch(start, end, _nested[0].Label));
            }

            from = end;
        }
    }
}
