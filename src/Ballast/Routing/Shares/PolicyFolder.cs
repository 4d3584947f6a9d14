using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Ballast.Catalog;
using Ballast.Configuration;
using Ballast.Configuration.Policies;

namespace Ballast.Routing.Shares;

/// <summary>One activation: which text was put in force when.</summary>
/// <param name="Number">Counts up with every activation, rollbacks included.</param>
/// <param name="Path">The copy that is kept.</param>
/// <param name="Text">The policy.</param>
/// <param name="ActivatedAt">When.</param>
public sealed record PolicyActivation(int Number, string Path, string Text, DateTimeOffset ActivatedAt)
{
    /// <summary>SHA-256 of the text, in hex.</summary>
    public string Digest { get; } = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Text)));
}

/// <summary>
/// The folder of policies. What lies in it is a proposal; what is in force is the newest copy in <c>active/</c>, which is written once and never changed, so that
/// it tells for good which policy was in force when. A rollback is a new copy of an older one.
/// </summary>
public sealed class PolicyFolder(string path)
{
    public const string ActiveFolder = "active";

    public string Path { get; } = path;

    private string Active => System.IO.Path.Combine(Path, ActiveFolder);

    /// <summary>All activations, the oldest first.</summary>
    public IReadOnlyList<PolicyActivation> History() => !Directory.Exists(Active) ? [] :
    [
        .. Directory.EnumerateFiles(Active, "*.yaml").Select(static file => (File: file, Number: NumberOf(file))).Where(static one => one.Number > 0)
            .OrderBy(static one => one.Number).Select(static one => Read(one.Number, one.File)),
    ];

    /// <summary>What is in force; null where nothing ever was. An empty text lifts the policy.</summary>
    public PolicyActivation? Current()
    {
        if (!Directory.Exists(Active))
        {
            return null;
        }

        (string File, int Number) newest = Directory.EnumerateFiles(Active, "*.yaml").Select(static file => (file, NumberOf(file))).OrderByDescending(static one => one.Item2).FirstOrDefault();
        return newest.Number > 0 ? Read(newest.Number, newest.File) : null;
    }

    /// <summary>The newest activation whose text differs from the one in force.</summary>
    public PolicyActivation? Previous()
    {
        IReadOnlyList<PolicyActivation> history = History();
        return history.Count == 0 ? null : history.LastOrDefault(one => one.Digest != history[^1].Digest);
    }

    /// <summary>Puts a text in force. The file appears whole or not at all.</summary>
    public PolicyActivation Activate(string text, string name)
    {
        Directory.CreateDirectory(Active);
        int number = (Current()?.Number ?? 0) + 1;
        string word = string.Concat(name.Select(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' ? c : '-'));
        string file = System.IO.Path.Combine(Active, string.Create(CultureInfo.InvariantCulture, $"{number:000000}-{word}.yaml"));
        string draft = file + ".draft";
        System.IO.File.WriteAllText(draft, text);
        System.IO.File.Move(draft, file, overwrite: false);
        return Read(number, file);
    }

    /// <summary>The component graph beside the policies; plain where there is none. Throws <see cref="FormatException"/> where it is faulty.</summary>
    public ComponentMap ReadComponents(out IReadOnlyList<ConfigurationFault> faults)
    {
        string file = System.IO.Path.Combine(Path, ComponentGraphLoader.FileName);
        faults = [];
        if (!System.IO.File.Exists(file))
        {
            return ComponentMap.Plain;
        }

        ComponentGraphLoadResult loaded = ComponentGraphLoader.Load(System.IO.File.ReadAllText(file), ComponentKindName.All);
        faults = loaded.Faults;
        return loaded.Options is { } options ? ComponentMapBuilder.Build(options) : throw new FormatException(loaded.Faults[0].Print(file));
    }

    /// <summary>Files of address ranges that the component graph names; none where there is no graph. Throws <see cref="FormatException"/> where it is faulty.</summary>
    public IReadOnlyList<WrittenRange> ReadRanges()
    {
        string file = System.IO.Path.Combine(Path, ComponentGraphLoader.FileName);
        if (!System.IO.File.Exists(file))
        {
            return [];
        }

        ComponentGraphLoadResult loaded = ComponentGraphLoader.Load(System.IO.File.ReadAllText(file), ComponentKindName.All);
        return loaded.Options?.Ranges ?? throw new FormatException(loaded.Faults[0].Print(file));
    }

    /// <summary>Times and lengths of all that decides what is in force: a change calls for a reload.</summary>
    internal string Look()
    {
        FileInfo components = new(System.IO.Path.Combine(Path, ComponentGraphLoader.FileName));
        string graph = components.Exists ? $"{components.LastWriteTimeUtc.Ticks},{components.Length}" : "-";
        return !Directory.Exists(Active) ? graph : string.Join('|', Directory.EnumerateFiles(Active, "*.yaml").Order(StringComparer.Ordinal).LastOrDefault(), graph);
    }

    private static PolicyActivation Read(int number, string file) =>
        new(number, file, System.IO.File.ReadAllText(file), new DateTimeOffset(System.IO.File.GetLastWriteTimeUtc(file), TimeSpan.Zero));

    private static int NumberOf(string file) =>
        int.TryParse(System.IO.Path.GetFileName(file).Split('-')[0], NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : 0;
}
