using System.Text.RegularExpressions;

namespace Ballast.Sandbox.Generation;

/// <summary>Decides which tools a prompt makes the model call, and how many times.</summary>
internal static partial class ToolChooser
{
    /// <summary>A prompt that names more things still gets this many calls.</summary>
    private const int MaxCalls = 5;

    /// <summary>The tools to call, in order; each is paired with the thing it is called about.</summary>
    public static IReadOnlyList<(ToolSpec Tool, string? Subject)> Choose(Prompt prompt, PromptWords words)
    {
        if (prompt.Tools.Count == 0 || prompt.ToolUse == ToolUse.Never)
        {
            return [];
        }

        List<ToolSpec> fitting = prompt.ToolUse == ToolUse.Named
            ? [prompt.Tools.First(tool => tool.Name == prompt.NamedTool)]
            : [.. prompt.Tools.Where(tool => Fits(tool, words))];
        if (prompt.ToolUse == ToolUse.Auto && (fitting.Count == 0 || prompt.FreshResults.Count > 0 || Forbidden().IsMatch(words.Text)))
        {
            return [];
        }

        if (fitting.Count == 0)
        {
            fitting = [prompt.Tools[0]];
        }

        return prompt.ParallelCalls ? Spread(fitting, words) : [(fitting[0], null)];
    }

    private static List<(ToolSpec Tool, string? Subject)> Spread(List<ToolSpec> fitting, PromptWords words)
    {
        List<string> subjects = Enumerated(words);
        if (fitting.Count > 1)
        {
            return [.. fitting.Take(MaxCalls).Select((tool, i) => (tool, subjects.Count > i ? subjects[i] : null))];
        }

        int asked = AskedTwice().IsMatch(words.Text) ? 2 : 1;
        int count = Math.Clamp(Math.Max(asked, subjects.Count), 1, MaxCalls);
        return [.. Enumerable.Range(0, count).Select(i => (fitting[0], subjects.Count > i ? subjects[i] : null))];
    }

    /// <summary>"Paris and London", "Paris, London and Rome": the names that the prompt puts side by side, else none.</summary>
    private static List<string> Enumerated(PromptWords words)
    {
        Match match = SideBySide().Match(words.Text);
        return match.Success
            ? [.. Separator().Split(match.Value).Select(name => name.Trim()).Where(name => name.Length > 0).Distinct()]
            : [];
    }

    private static bool Fits(ToolSpec tool, PromptWords words)
    {
        HashSet<string> asked = [.. words.All.Where(PromptWords.IsSignificant).Select(PromptWords.Stem)];
        if (words.Text.Contains(tool.Name, StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }

        IEnumerable<string> nameWords = NamePart().Matches(tool.Name).Select(match => match.Value).Where(PromptWords.IsSignificant);
        if (nameWords.Any(word => asked.Contains(PromptWords.Stem(word))))
        {
            return true;
        }

        IEnumerable<string> described = new PromptWords(tool.Description).Significant.Select(PromptWords.Stem).Distinct();
        return described.Count(asked.Contains) >= 2;
    }

    [GeneratedRegex(@"\b(?:do not|don't|don’t|never|without)\b[^.\n]{0,30}\b(?:tools?|functions?)\b", RegexOptions.IgnoreCase)]
    private static partial Regex Forbidden();

    [GeneratedRegex(
        @"\b(?:both|twice|two (?:calls|times|cities|places|things|tools|functions)|call\w* .{0,40}\btwo\b|in parallel|parallel)\b",
        RegexOptions.IgnoreCase)]
    private static partial Regex AskedTwice();

    [GeneratedRegex(
        @"\p{Lu}[\p{L}'’-]+(?: \p{Lu}[\p{L}'’-]+)*(?:, ?(?:and )?\p{Lu}[\p{L}'’-]+(?: \p{Lu}[\p{L}'’-]+)*)*"
        + @",? (?:and|&|or) (?:in |for |of |the )*\p{Lu}[\p{L}'’-]+(?: \p{Lu}[\p{L}'’-]+)*")]
    private static partial Regex SideBySide();

    [GeneratedRegex(@",? (?:and|&|or) (?:in |for |of |the )*|, ?(?:and )?")]
    private static partial Regex Separator();

    [GeneratedRegex(@"\p{Lu}?[\p{Ll}\p{N}]+|\p{Lu}+(?!\p{Ll})")]
    private static partial Regex NamePart();
}
