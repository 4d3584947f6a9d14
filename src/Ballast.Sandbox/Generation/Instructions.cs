using System.Globalization;
using System.Text.RegularExpressions;

namespace Ballast.Sandbox.Generation;

/// <summary>Simple instructions that any model obeys: reply with exactly this, count from here to there, what is my name.</summary>
internal static partial class Instructions
{
    /// <summary>Longest run of numbers that counting gives.</summary>
    private const int MaxCounted = 2000;

    /// <summary>The text that the instruction asks for; null where the prompt holds no such instruction.</summary>
    public static string? Obey(Prompt prompt)
    {
        string text = prompt.LastUserText;
        return Exactly(text) ?? Counting(text) ?? Sum(text) ?? Memory(prompt) ?? Exactly(prompt.System);
    }

    private static string? Exactly(string text)
    {
        Match match = QuotedReply().Match(text);
        if (!match.Success)
        {
            match = ExactReply().Match(text);
        }

        if (!match.Success)
        {
            match = PlainSay().Match(text);
        }

        string wanted = match.Success ? match.Groups[1].Value.Trim().TrimEnd(':') : "";
        return wanted.Length > 0 ? wanted : null;
    }

    private static string? Counting(string text)
    {
        Match match = CountText().Match(text);
        if (!match.Success
            || !int.TryParse(match.Groups[1].ValueSpan, out int from)
            || !int.TryParse(match.Groups[2].ValueSpan, out int to)
            || Math.Abs((long)to - from) > MaxCounted)
        {
            return null;
        }

        int step = to < from ? -1 : 1;
        IEnumerable<int> steps = Enumerable.Range(0, Math.Abs(to - from) + 1);
        return string.Join(", ", steps.Select(i => (from + (i * step)).ToString(CultureInfo.InvariantCulture)));
    }

    private static string? Sum(string text)
    {
        Match match = SumText().Match(text);
        if (!match.Success
            || !decimal.TryParse(match.Groups[1].ValueSpan, NumberStyles.Number, CultureInfo.InvariantCulture, out decimal left)
            || !decimal.TryParse(match.Groups[3].ValueSpan, NumberStyles.Number, CultureInfo.InvariantCulture, out decimal right)
            || Math.Abs(left) > 1_000_000_000 || Math.Abs(right) > 1_000_000_000)
        {
            return null;
        }

        string sign = match.Groups[2].Value;
        if (sign is "/" or "÷" && right == 0)
        {
            return "Division by zero has no result.";
        }

        decimal result = sign switch { "+" => left + right, "-" => left - right, "/" or "÷" => left / right, _ => left * right };
        return string.Create(CultureInfo.InvariantCulture, $"{left} {sign} {right} = {result:0.######}");
    }

    private static string? Memory(Prompt prompt)
    {
        if (!AskedName().IsMatch(prompt.LastUserText))
        {
            return null;
        }

        string? name = prompt.Turns
            .Where(turn => turn.Role == TurnRole.User)
            .Select(turn => ToldName().Match(turn.Text))
            .LastOrDefault(match => match.Success)?.Groups[1].Value;
        return name is null ? null : $"Your name is {name}, as you told me before.";
    }

    [GeneratedRegex(
        @"\b(?:reply|respond|answer|say|output|return|print|repeat)\b[^\n""'“`]{0,60}?(?:exactly|only|just|with|the words?|the phrase|this|:)?\s*"
        + @"[""“'`]([^""”'`\n]{1,400})[""”'`](?=\s*(?:$|[.!]|and nothing|,? (?:exactly|only|verbatim)))",
        RegexOptions.IgnoreCase)]
    private static partial Regex QuotedReply();

    [GeneratedRegex(
        @"\b(?:reply|respond|answer|say|output|print|repeat)\b(?: back| to this| to me)?(?: with)? (?:exactly|only|just)(?: with)?"
        + @"(?: this| the words?| the phrase| the text)?:?\s+([^\n]{1,400}?)(?:(?<=\w)[.!](?=\s|$)| and nothing (?:else|more)|, nothing|\n|$)",
        RegexOptions.IgnoreCase)]
    private static partial Regex ExactReply();

    [GeneratedRegex(@"(?:^|[.!?]\s+|\bplease )say (?!something|anything|it|that|what|how|why)([^\n.!?]{1,200})", RegexOptions.IgnoreCase)]
    private static partial Regex PlainSay();

    [GeneratedRegex(@"\bcount\b[^\d\n]{0,20}(-?\d{1,6})\s*(?:to|-|\.\.|through|until)\s*(-?\d{1,6})", RegexOptions.IgnoreCase)]
    private static partial Regex CountText();

    [GeneratedRegex(@"(?<![\w.])(-?\d+(?:\.\d+)?)\s*([+\-*/×÷x])\s*(-?\d+(?:\.\d+)?)(?![\w-])")]
    private static partial Regex SumText();

    [GeneratedRegex(@"\b(?:what(?:'s|’s| is) my name|(?:remember|know|recall) my name|who am i)\b", RegexOptions.IgnoreCase)]
    private static partial Regex AskedName();

    [GeneratedRegex(@"\b[Mm]y name(?: is|'s|’s) (\p{Lu}[\p{L}'’-]+)")]
    private static partial Regex ToldName();
}
