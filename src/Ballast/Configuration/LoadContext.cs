namespace Ballast.Configuration;

/// <summary>What all section readers of one load share.</summary>
internal sealed class LoadContext(string fileName, Func<string, string?> environment, TimeProvider time)
{
    private static readonly string[] SecretWords = ["KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIAL"];

    private readonly Dictionary<string, IReadOnlyCollection<string>> _knownKeys = new(StringComparer.Ordinal);

    private readonly List<string> _watched = [];

    public FaultList Faults { get; } = new();
    public TimeProvider Time => time;

    /// <summary>Further files that the configuration was made of: a change of one calls for a reload.</summary>
    public IReadOnlyList<string> Watched => _watched;
    public SourceMap Source { get; } = new();
    public IReadOnlyDictionary<string, IReadOnlyCollection<string>> KnownKeys => _knownKeys;

    /// <summary>A variable's value; one whose name speaks of a credential will not be shown in any fault, wherever it was put.</summary>
    public string? Environment(string name)
    {
        string? value = environment(name);
        if (value is not null && SecretWords.Any(word => name.Contains(word, StringComparison.OrdinalIgnoreCase)))
        {
            Faults.Conceal(value);
        }

        return value;
    }

    /// <summary>Relative paths in the file mean: beside the file.</summary>
    public string Locate(string path) => Path.Combine(Path.GetDirectoryName(fileName) ?? "", path);

    public void Watch(string path) => _watched.Add(path);

    public void Know(string section, IReadOnlyCollection<string> keys) => _knownKeys.TryAdd(section, keys);
}
