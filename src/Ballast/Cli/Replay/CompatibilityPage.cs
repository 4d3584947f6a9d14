using System.Text.RegularExpressions;

namespace Ballast.Cli.Replay;

/// <summary>
/// <c>docs/compatibility.md</c> as the replay reads it: for each direction the JSON pointers that may be lost. A number in a pointer stands there as <c>{n}</c>;
/// everything else must agree letter for letter.
/// </summary>
internal sealed partial class CompatibilityPage
{
    private readonly Dictionary<string, HashSet<string>> _pointers = new(StringComparer.Ordinal);

    private CompatibilityPage()
    {
    }

    /// <summary>The page as it was when the program was built.</summary>
    public static CompatibilityPage Embedded { get; } = Parse(Text());

    public static CompatibilityPage Parse(string markdown)
    {
        CompatibilityPage page = new();
        HashSet<string>? section = null;
        foreach (string line in markdown.Split('\n'))
        {
            if (line.StartsWith("## ", StringComparison.Ordinal))
            {
                page._pointers[line[3..].Trim()] = section = new HashSet<string>(StringComparer.Ordinal);
            }
            else if (section is not null && line.StartsWith("| `", StringComparison.Ordinal))
            {
                section.UnionWith(Quoted().Matches(line[..Math.Max(0, line.IndexOf('|', 2))]).Select(match => match.Groups[1].Value));
            }
        }

        return page;
    }

    /// <summary>Headings of the sections that name pointers; the page has others, which say nothing of losses.</summary>
    public IEnumerable<string> Sections => _pointers.Where(section => section.Value.Count > 0).Select(section => section.Key);

    public IReadOnlySet<string> PointersOf(string section) => _pointers.GetValueOrDefault(section) ?? [];

    /// <param name="section">The direction: a heading of the page.</param>
    /// <param name="pointer">A pointer with its numbers.</param>
    public bool Holds(string section, string pointer) =>
        _pointers.TryGetValue(section, out HashSet<string>? pointers) && pointers.Contains(General(pointer));

    /// <summary>The pointer with <c>{n}</c> for every number.</summary>
    public static string General(string pointer) => Index().Replace(pointer, "/{n}");

    private static string Text()
    {
        using Stream stream = typeof(CompatibilityPage).Assembly.GetManifestResourceStream("Ballast.Cli.Replay.compatibility.md")!;
        using StreamReader reader = new(stream);
        return reader.ReadToEnd();
    }

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"/[0-9]+(?=/|$)")]
    private static partial Regex Index();
}
