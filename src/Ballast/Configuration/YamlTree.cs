namespace Ballast.Configuration;

/// <summary>A YAML node with its 1-based place in the file. Only what a configuration needs: scalars, lists, maps.</summary>
internal abstract record YamlTree(int Line, int Column)
{
    /// <summary>What to call it in a message.</summary>
    public string Describe() => this switch
    {
        YamlMap => "a mapping",
        YamlList => "a list",
        YamlScalar { IsNull: true } => "nothing",
        _ => "a single value",
    };
}

internal sealed record YamlScalar(int Line, int Column, string Text, bool IsPlain) : YamlTree(Line, Column)
{
    public bool IsNull => IsPlain && Text is ("" or "~" or "null");
}

internal sealed record YamlList(int Line, int Column, IReadOnlyList<YamlTree> Items) : YamlTree(Line, Column);

internal sealed record YamlMap(int Line, int Column, IReadOnlyList<YamlEntry> Entries) : YamlTree(Line, Column);

/// <summary>One key of a map with the key's own place.</summary>
internal sealed record YamlEntry(string Key, int Line, int Column, YamlTree Value);
