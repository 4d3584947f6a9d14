using System.Text.RegularExpressions;

namespace Ballast.Sandbox.Generation;

/// <summary>What can be picked out of a prompt's text: names, quotations, numbers and the words that carry its meaning.</summary>
internal sealed partial class PromptWords
{
    /// <summary>Only so much of a text is looked at: an answer needs no more.</summary>
    private const int LookedAt = 4000;

    private static readonly HashSet<string> Common = new(StringComparer.OrdinalIgnoreCase)
    {
        "a", "about", "after", "again", "all", "also", "always", "an", "and", "another", "answer", "any", "are", "as", "ask",
        "at", "be", "been", "before", "between", "both", "but", "by", "call", "can", "could", "day", "did", "do", "does", "each",
        "else", "every", "exactly", "example", "explain", "first", "for", "from", "function", "functions", "get", "gets", "give",
        "given", "had", "has", "have", "he", "hello", "her", "here", "hey", "hi", "his", "how", "i", "if", "in", "into", "is",
        "it", "its", "just", "know", "last", "let", "like", "list", "look", "make", "many", "may", "me", "more", "most", "much",
        "must", "my", "name", "need", "new", "no", "not", "now", "of", "off", "on", "one", "only", "or", "other", "our", "out",
        "over", "own", "please", "provide", "put", "reply", "respond", "return", "returns", "right", "said", "same", "say",
        "second", "see", "set", "she", "should", "show", "so", "some", "such", "sure", "take", "tell", "than", "thank", "thanks",
        "that", "the", "their", "them", "then", "there", "these", "they", "this", "those", "to", "today", "too", "tool", "tools",
        "two", "up", "us", "use", "used", "uses", "using", "very", "want", "was", "way", "we", "well", "were", "what", "when",
        "where", "which", "while", "who", "why", "will", "with", "word", "words", "would", "write", "yes", "you", "your",
    };

    public PromptWords(string text)
    {
        string head = text.Length > LookedAt ? text[..LookedAt] : text;
        Text = head;
        Quoted = [.. QuotedText().Matches(head).Select(match => match.Groups[1].Value.Trim()).Where(value => value.Length > 0)];
        Numbers = [.. NumberText().Matches(head).Select(match => match.Value)];
        Names = FindNames(head);
        All = [.. WordText().Matches(head).Select(match => match.Value)];
        Significant =
        [
            .. All.Where(word => IsSignificant(word) && !word.EndsWith("ly", StringComparison.OrdinalIgnoreCase))
                .Distinct(StringComparer.OrdinalIgnoreCase),
        ];
    }

    public string Text { get; }

    public IReadOnlyList<string> All { get; }

    /// <summary>In the order of the text, each once.</summary>
    public IReadOnlyList<string> Significant { get; }

    /// <summary>Capitalised words within a sentence, neighbours joined: cities, people, products.</summary>
    public IReadOnlyList<string> Names { get; }

    public IReadOnlyList<string> Quoted { get; }

    public IReadOnlyList<string> Numbers { get; }

    /// <summary>The last sentence that asks or tells something, for parameters that want the question itself.</summary>
    public string LastSentence
    {
        get
        {
            string[] sentences = SentenceEnd().Split(Text.Trim());
            return sentences.LastOrDefault(sentence => sentence.Trim().Length > 0)?.Trim() ?? "";
        }
    }

    public static bool IsSignificant(string word) => word.Length > 2 && !Common.Contains(word);

    /// <summary>A word without the endings that differ between a tool's name and a sentence.</summary>
    public static string Stem(string word)
    {
        string lower = word.ToLowerInvariant();
        foreach (string ending in (ReadOnlySpan<string>)["ing", "ies", "es", "s", "ed", "y", "e"])
        {
            if (lower.Length - ending.Length >= 3 && lower.EndsWith(ending, StringComparison.Ordinal))
            {
                return lower[..^ending.Length];
            }
        }

        return lower;
    }

    private static List<string> FindNames(string text)
    {
        List<string> names = [];
        foreach (Match match in NameText().Matches(text))
        {
            string name = match.Groups[1].Value;
            bool opensSentence = match.Index == 0 || SentenceOpening().IsMatch(text[..match.Groups[1].Index]);
            string[] words = name.Split(' ');
            if (opensSentence && (words.Length == 1 || Common.Contains(words[0])))
            {
                name = string.Join(' ', words.Skip(1));
            }

            if (name.Length > 1 && !Common.Contains(name) && !names.Contains(name))
            {
                names.Add(name);
            }
        }

        return names;
    }

    [GeneratedRegex("""["'“‘`]([^"'”’`\n]{1,80})["'”’`]""")]
    private static partial Regex QuotedText();

    [GeneratedRegex(@"(?<![\w.])-?\d+(?:\.\d+)?(?!\w)")]
    private static partial Regex NumberText();

    [GeneratedRegex(@"(?<![\w'’])(\p{Lu}[\p{L}'’-]*(?: \p{Lu}[\p{L}'’-]*)*)")]
    private static partial Regex NameText();

    [GeneratedRegex(@"(?:^|[.!?:\n]\s*|[""“]\s*)$")]
    private static partial Regex SentenceOpening();

    [GeneratedRegex(@"[\p{L}\p{N}][\p{L}\p{N}'’_-]*")]
    private static partial Regex WordText();

    [GeneratedRegex(@"(?<=[.!?])\s+|\n+")]
    private static partial Regex SentenceEnd();
}
