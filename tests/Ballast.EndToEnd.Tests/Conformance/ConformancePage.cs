using Ballast.Cli.Conformance;

namespace Ballast.EndToEnd.Tests.Conformance;

/// <summary>The tables of <c>docs/compatibility.md</c> that tell what <c>ballast conformance</c> finds: a table a surface, a row a check, a column for who speaks to whom.</summary>
internal sealed class ConformancePage(string text)
{
    private static readonly Dictionary<string, string> s_titles = new(StringComparer.Ordinal)
    {
        ["chat"] = "Chat Completions", ["messages"] = "Messages", ["responses"] = "Responses", ["gemini"] = "Gemini", ["bedrock"] = "Bedrock's Converse",
    };

    private readonly List<string> _lines = [.. text.Split('\n')];

    public string Text => string.Join('\n', _lines);

    /// <summary>The heads of a surface's columns, those of the gateway and of the sandbox.</summary>
    public IReadOnlyList<string> Columns(string surface) =>
        [.. Cells(_lines[Head(surface)]).Skip(2).Where(static name => name.StartsWith("Ballast", StringComparison.Ordinal) || name.StartsWith("sandbox", StringComparison.Ordinal))];

    /// <summary>Writes what was found into a column, a row for each check, and the sum below.</summary>
    public void Fill(string surface, string column, IReadOnlyList<CheckResult> results)
    {
        int head = Head(surface);
        int place = Array.IndexOf(Cells(_lines[head]), column);
        int sum = _lines.FindIndex(head, static line => line.StartsWith("| **passed**", StringComparison.Ordinal));
        for (int i = 0; i < results.Count; i++)
        {
            CheckResult result = results[i];
            int at = _lines.FindIndex(head, sum - head, line => line.StartsWith($"| {result.Check.Name} |", StringComparison.Ordinal));
            if (at < 0)
            {
                at = head + 2 + i;
                _lines.Insert(at, $"| {string.Join(" | ", [result.Check.Name, result.Check.Requirement, .. Enumerable.Repeat("?", Cells(_lines[head]).Length - 2)])} |");
                sum++;
            }

            Set(at, 1, result.Check.Requirement);
            Set(at, place, result.Outcome switch { CheckOutcome.Passed => "yes", CheckOutcome.NotOffered => "not offered", _ => "**fails**" });
        }

        Set(sum, place, $"**{results.Count(static result => result.Outcome == CheckOutcome.Passed)} of {results.Count}**");
    }

    /// <summary>The checks that a surface's table has rows for.</summary>
    public IReadOnlyList<string> Rows(string surface)
    {
        int head = Head(surface);
        return [.. _lines.Skip(head + 2).TakeWhile(static line => !line.StartsWith("| **passed**", StringComparison.Ordinal)).Select(static line => Cells(line)[0])];
    }

    private int Head(string surface)
    {
        int title = _lines.IndexOf($"### {s_titles[surface]}");
        return _lines.FindIndex(title, static line => line.StartsWith("| check |", StringComparison.Ordinal));
    }

    private void Set(int line, int place, string cell)
    {
        string[] cells = Cells(_lines[line]);
        cells[place] = cell;
        _lines[line] = $"| {string.Join(" | ", cells)} |".Replace("|  |", "| |", StringComparison.Ordinal);
    }

    private static string[] Cells(string line) => [.. line.Trim().Trim('|').Split('|').Select(static cell => cell.Trim())];
}
