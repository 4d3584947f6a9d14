namespace Ballast.Configuration;

/// <summary>What all section readers of one load share.</summary>
internal sealed class LoadContext(string fileName, Func<string, string?> environment)
{
    private readonly Dictionary<string, IReadOnlyCollection<string>> _knownKeys = new(StringComparer.Ordinal);

    public FaultList Faults { get; } = new();
    public SourceMap Source { get; } = new();
    public Func<string, string?> Environment { get; } = environment;
    public IReadOnlyDictionary<string, IReadOnlyCollection<string>> KnownKeys => _knownKeys;

    /// <summary>Relative paths in the file mean: beside the file.</summary>
    public string Locate(string path) => Path.Combine(Path.GetDirectoryName(fileName) ?? "", path);

    public void Know(string section, IReadOnlyCollection<string> keys) => _knownKeys.TryAdd(section, keys);
}
