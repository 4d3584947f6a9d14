namespace Ballast.Configuration;

/// <summary>Line and column of everything that was written, by path. Empty for options that were not read from a file.</summary>
public sealed class SourceMap
{
    private readonly Dictionary<string, (int Line, int Column)> _marks = new(StringComparer.Ordinal);

    internal void Add(string path, int line, int column) => _marks.TryAdd(path, (line, column));

    /// <summary>The file says something at this path, be it right or wrong.</summary>
    public bool Has(string path) => _marks.ContainsKey(path);

    /// <summary>Where the path stands or, where it was left out, the nearest thing around it.</summary>
    public (int Line, int Column) At(string path)
    {
        for (string? place = path; place is not null; place = Parent(place))
        {
            if (_marks.TryGetValue(place, out (int, int) mark))
            {
                return mark;
            }
        }

        return _marks.Count > 0 ? (1, 1) : (0, 0);
    }

    /// <summary>Joins a name to a path; names that are not plain words are bracketed, so that a dot in a model's name parts nothing.</summary>
    public static string Join(string path, string name)
    {
        bool plain = name.Length > 0 && name.All(static c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-');
        return !plain ? $"{path}[\"{name}\"]" : path.Length == 0 ? name : $"{path}.{name}";
    }

    public static string Join(string path, int index) => $"{path}[{index}]";

    private static string? Parent(string path)
    {
        if (path.Length == 0)
        {
            return null;
        }

        int cut = path.EndsWith("\"]", StringComparison.Ordinal) ? path.LastIndexOf("[\"", StringComparison.Ordinal)
            : path[^1] == ']' ? path.LastIndexOf('[')
            : path.LastIndexOf('.');
        return cut < 0 ? "" : path[..cut];
    }
}
