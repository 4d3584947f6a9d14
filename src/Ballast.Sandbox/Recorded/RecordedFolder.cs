using System.Text.Json;

namespace Ballast.Sandbox;

/// <summary>One line of a folder's index: enough to choose by, before the file is read.</summary>
public sealed record RecordedEntry(string Id, string Provider, string Api, string File);

/// <summary>A folder of recordings: <c>index.jsonl</c> names the files, each file holds one <see cref="RecordedExchange"/>.</summary>
public static class RecordedFolder
{
    public const string IndexFile = "index.jsonl";

    /// <summary>The environment variable that names the folder.</summary>
    public const string Variable = "BALLAST_WIRE";

    /// <summary>The folder that is named, else the variable's, else <c>shared/wire</c> beside the checkout; null where it has no index.</summary>
    public static string? Find(string? named)
    {
        named ??= Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } variable ? variable : null;
        if (named is not null)
        {
            return HasIndex(named) ? named : null;
        }

        foreach (string start in (ReadOnlySpan<string>)[Environment.CurrentDirectory, AppContext.BaseDirectory])
        {
            for (DirectoryInfo? folder = new(start); folder is not null; folder = folder.Parent)
            {
                string beside = Path.Combine(folder.FullName, "shared", "wire");
                if (HasIndex(beside))
                {
                    return beside;
                }
            }
        }

        return null;
    }

    /// <summary>All entries in the index's order.</summary>
    /// <exception cref="IOException">The index cannot be read.</exception>
    /// <exception cref="JsonException">A line is not what it should be.</exception>
    public static IReadOnlyList<RecordedEntry> Index(string folder)
    {
        List<RecordedEntry> entries = [];
        foreach (string line in File.ReadLines(Path.Combine(folder, IndexFile)).Where(line => line.Length > 0))
        {
            using JsonDocument document = JsonDocument.Parse(line);
            string Word(string name) => document.RootElement.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String
                ? value.GetString()! : throw new JsonException($"Line {entries.Count + 1} of {IndexFile} has no {name}.");
            entries.Add(new RecordedEntry(Word("id"), Word("provider"), Word("api"), Word("file")));
        }

        return entries;
    }

    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="JsonException">It is not what it should be.</exception>
    public static RecordedExchange Load(string folder, RecordedEntry entry) => RecordedExchange.Parse(File.ReadAllBytes(Path.Combine(folder, entry.File)));

    private static bool HasIndex(string folder) => File.Exists(Path.Combine(folder, IndexFile));
}
