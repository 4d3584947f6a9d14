using System.Text;

namespace Ballast.Guards.Redaction;

/// <summary>What a screen does with a text.</summary>
internal enum ScreenMode
{
    /// <summary>A request's: values are taken out.</summary>
    Hide,

    /// <summary>An answer's: values of the request are put back.</summary>
    Restore,

    /// <summary>An answer's: values of the request are put back, others are taken out.</summary>
    RestoreAndHide,
}

/// <summary>
/// One text on its way, at once or in pieces. What comes out does not depend on the pieces, and no character leaves that can still become part of a value or of a
/// placeholder. What waits is bounded by <see cref="TextWindow"/>.
/// </summary>
/// <param name="policy">What is looked for.</param>
/// <param name="values">The request's.</param>
/// <param name="finder">May be shared by the screens of one request.</param>
/// <param name="mode">What is done.</param>
/// <param name="isJson">The text is JSON: what is put back is escaped, and a number that is taken out becomes a string.</param>
internal sealed class TextScreen(RedactionPolicy policy, RedactedValues values, MatchFinder finder, ScreenMode mode, bool isJson = false)
{
    private readonly SegmentReader _segments = new(policy.IsByLine);
    private readonly List<TextMatch> _matches = [];
    private readonly StringBuilder _tail = new();
    private bool _isKeyOpen;
    private bool _isInString;
    private bool _isEscaped;

    /// <summary>A whole text at once; the same text where nothing is replaced.</summary>
    public static string Run(RedactionPolicy policy, RedactedValues values, MatchFinder finder, ScreenMode mode, string text, bool isJson = false)
    {
        StringBuilder output = new(text.Length);
        TextScreen screen = new(policy, values, finder, mode, isJson);
        screen.Push(text, output);
        screen.End(output);
        return output.Equals(text) ? text : output.ToString();
    }

    /// <summary>Takes a piece and gives what may go on.</summary>
    public void Push(ReadOnlySpan<char> piece, StringBuilder output)
    {
        if (mode == ScreenMode.Restore)
        {
            Restore(piece, isCompleted: false, output);
            return;
        }

        _segments.Append(piece);
        Drain(isCompleted: false, output);
    }

    /// <summary>Gives what has waited: the text is complete.</summary>
    public void End(StringBuilder output)
    {
        if (mode == ScreenMode.Restore)
        {
            Restore([], isCompleted: true, output);
            return;
        }

        Drain(isCompleted: true, output);
    }

    private void Restore(ReadOnlySpan<char> piece, bool isCompleted, StringBuilder output)
    {
        if (values.IsEmpty)
        {
            output.Append(piece);
            return;
        }

        _tail.Append(piece);
        string text = _tail.ToString();
        int from = 0;
        while (Placeholder.TryNext(text, from, policy.Labels, out int start, out int after))
        {
            output.Append(text, from, start - from);
            Reveal(text.AsSpan(start, after - start), output);
            from = after;
        }

        int end = text.Length - (isCompleted ? 0 : Placeholder.Pending(text.AsSpan(from), policy.Labels));

        output.Append(text, from, end - from);
        _tail.Clear().Append(text, end, text.Length - end);
    }

    private void Drain(bool isCompleted, StringBuilder output)
    {
        while (_segments.TryPeek(isCompleted, out ReadOnlySpan<char> segment, out bool isForced))
        {
            _segments.Consume(Screen(segment, isForced, output));
        }
    }

    /// <summary>Gives a segment, or as much of a forced one as no value can reach back into.</summary>
    private int Screen(ReadOnlySpan<char> segment, bool isForced, StringBuilder output)
    {
        if (!isForced && !_isKeyOpen && !finder.MayMatch(segment))
        {
            Append(segment, output);
            return segment.Length;
        }

        FindAll(segment, isForced);
        int end = isForced && !_segments.IsInPem ? EndOfForced(segment) : segment.Length;
        int from = 0;
        foreach (TextMatch match in _matches)
        {
            if (match.Start >= end)
            {
                break;
            }

            Append(segment[from..match.Start], output);
            Replace(segment[match.Start..match.End], match.Label, output);
            from = match.End;
        }

        Append(segment[from..Math.Max(from, end)], output);
        return Math.Max(from, end);
    }

    private void FindAll(ReadOnlySpan<char> segment, bool isForced)
    {
        _matches.Clear();
        int from = 0;
        if (_isKeyOpen)
        {
            // A private key longer than a window: all up to its end is a part of it.
            int close = segment.IndexOf(SecretFinder.PemEnd, StringComparison.Ordinal);
            int end = close < 0 ? -1 : segment[(close + SecretFinder.PemEnd.Length)..].IndexOf("-----", StringComparison.Ordinal);
            from = end < 0 ? segment.Length : close + SecretFinder.PemEnd.Length + end + 5;
            _matches.Add(new TextMatch(0, from, RedactionKind.Secret));
        }

        while (Placeholder.TryNext(segment, from, policy.Labels, out int start, out int after))
        {
            finder.Find(segment[from..start], from, _matches);
            _matches.Add(new TextMatch(start, after, ""));
            from = after;
        }

        finder.Find(segment[from..], from, _matches);
        _isKeyOpen = isForced && _segments.IsInPem && _matches is [.., { Label: RedactionKind.Secret } last] && last.End == segment.Length;
    }

    private int EndOfForced(ReadOnlySpan<char> segment)
    {
        int end = segment.Length - TextWindow.MatchCharactersMax;
        foreach (TextMatch match in _matches)
        {
            if (match.Start < end && match.End > end)
            {
                end = match.Start > 0 ? match.Start : match.End;
                break;
            }
        }

        return end > 0 && end < segment.Length && char.IsLowSurrogate(segment[end]) ? end + 1 : end;
    }

    private void Replace(ReadOnlySpan<char> text, string label, StringBuilder output)
    {
        if (label.Length == 0)
        {
            if (mode == ScreenMode.Hide)
            {
                Append(text, output); // of an earlier answer, or somebody's own words
            }
            else
            {
                Reveal(text, output);
            }

            return;
        }

        string value = text.ToString();
        string? made = mode == ScreenMode.Hide ? values.Hide(label, value) : values.Veil(label, value);
        if (made is null)
        {
            Append(text, output);
        }
        else if (isJson && !_isInString)
        {
            output.Append('"').Append(made).Append('"');
        }
        else
        {
            output.Append(made);
        }
    }

    private void Reveal(ReadOnlySpan<char> placeholder, StringBuilder output)
    {
        string? value = values.Reveal(placeholder);
        if (value is null)
        {
            output.Append(placeholder);
        }
        else if (isJson)
        {
            output.Append(System.Text.Json.JsonEncodedText.Encode(value, System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping).ToString());
        }
        else
        {
            output.Append(value);
        }
    }

    private void Append(ReadOnlySpan<char> text, StringBuilder output)
    {
        output.Append(text);
        if (!isJson || mode == ScreenMode.Restore)
        {
            return;
        }

        foreach (char c in text)
        {
            _isInString ^= c == '"' && !_isEscaped;
            _isEscaped = c == '\\' && !_isEscaped;
        }
    }
}
