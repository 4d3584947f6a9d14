using System.Text;
using System.Text.RegularExpressions;

namespace Ballast.Configuration;

/// <summary>What came of reading a constitution: options only where there is no error.</summary>
public sealed record ConstitutionLoadResult
{
    public ConstitutionOptions? Options { get; init; }
    public IReadOnlyList<ConfigurationFault> Faults { get; init; } = [];

    /// <summary>Keys by kind of section, as the reader asked for them.</summary>
    public IReadOnlyDictionary<string, IReadOnlyCollection<string>> KnownKeys { get; init; } = new Dictionary<string, IReadOnlyCollection<string>>();
}

/// <summary>Reads <c>constitution.yaml</c>. All faults are reported at once, with their places.</summary>
public static class ConstitutionLoader
{
    /// <summary>Largest file taken, in bytes.</summary>
    public const int FileBytesMax = 256 * 1024;

    public const int PrinciplesMax = 100;
    public const int TextLengthMax = 1_000;
    public const int TopicsMax = 500;
    public const int PatternLengthMax = 1_000;

    /// <summary>Reads a file; one that cannot be read is a fault.</summary>
    public static ConstitutionLoadResult LoadFile(string fileName)
    {
        try
        {
            FileInfo file = new(fileName);
            return file.Exists && file.Length <= FileBytesMax ? Load(File.ReadAllText(fileName, new UTF8Encoding(false, throwOnInvalidBytes: true)))
                : Refused(file.Exists ? $"the file is larger than {FileBytesMax / 1024} KiB" : $"{fileName} does not exist");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return Refused($"{fileName} cannot be read: {error.GetType().Name}");
        }
    }

    public static ConstitutionLoadResult Load(string yaml)
    {
        LoadContext context = new("constitution.yaml", static _ => null, TimeProvider.System);
        if (Encoding.UTF8.GetByteCount(yaml) > FileBytesMax)
        {
            return Refused($"the file is larger than {FileBytesMax / 1024} KiB");
        }

        YamlTree? root = YamlTreeReader.Read(yaml.TrimStart('\uFEFF'), context.Faults, "principles:");
        if (root is not null and not YamlMap)
        {
            context.Faults.Error("", root.Line, root.Column, $"the file must be a mapping, not {root.Describe()}", "begin with 'principles:'");
        }

        ConstitutionOptions? options = root is YamlMap map ? Read(new SectionReader(context, "constitution", "", map)) : null;
        return new ConstitutionLoadResult { Options = context.Faults.HasErrors ? null : options, Faults = context.Faults.ToList(), KnownKeys = context.KnownKeys };
    }

    private static ConstitutionLoadResult Refused(string message) => new() { Faults = [new ConfigurationFault("", 0, 0, message, "", IsWarning: false)] };

    private static ConstitutionOptions Read(SectionReader file)
    {
        List<PrincipleOptions> principles = [.. file.NamedSections("principles", "principle", ConfiguredName.IsWord, ConfiguredName.WordRule).Select(static one => ReadPrinciple(one.Name, one.Section))];
        file.Require("principles", "principles: { some-name: { text: …, pattern: …, on: answer, action: block } }");
        file.End();
        if (principles.Count > PrinciplesMax)
        {
            file.Error("principles", $"more than {PrinciplesMax} principles", "");
        }

        return new ConstitutionOptions { Principles = principles };
    }

    private static PrincipleOptions ReadPrinciple(string id, SectionReader section)
    {
        string? text = section.Text("text");
        string? pattern = section.Text("pattern");
        List<string>? topics = Texts(section, "topics");
        List<string>? tools = Texts(section, "tools");
        SectionReader? judge = section.Section("judge", "judge");
        string? model = judge?.Reference("model");
        TimeSpan? limit = judge?.Duration("time_limit", TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(2));
        bool isOpen = judge?.OneOf("on_failure", ["open", "closed"]) == "open";
        judge?.Require("model", "a model or provider/model of this gateway");
        judge?.End();
        string on = section.OneOf("on", ["request", "answer", "both"]) ?? "both";
        string action = section.OneOf("action", ["block", "revise", "flag"]) ?? "block";
        List<string>? apps = Texts(section, "apps");
        section.Require("text", "the principle in plain words");
        section.End();
        Validate(section, id, text, pattern, topics, tools, model, on, action);
        return new PrincipleOptions
        {
            Id = id,
            Text = text ?? "",
            Pattern = pattern,
            Topics = topics,
            Tools = tools,
            Judge = model,
            JudgeTimeLimit = limit ?? TimeSpan.FromSeconds(10),
            FailsOpen = isOpen,
            IsOnRequest = on is "request" or "both",
            IsOnAnswer = on is "answer" or "both",
            Action = action switch { "revise" => PrincipleAction.Revise, "flag" => PrincipleAction.Flag, _ => PrincipleAction.Block },
            Apps = apps,
        };
    }

    private static void Validate(
        SectionReader section, string id, string? text, string? pattern, List<string>? topics, List<string>? tools, string? model, string on, string action)
    {
        if (new object?[] { pattern, topics, tools, model }.Count(static rule => rule is not null) != 1)
        {
            section.Error("text", $"principle '{id}' must be judged in exactly one way", "one of pattern, topics, tools, judge");
        }

        if (text?.Length > TextLengthMax)
        {
            section.Error("text", $"the text of '{id}' is longer than {TextLengthMax} characters", "");
        }

        if (pattern is not null && FaultOf(pattern) is { } fault)
        {
            section.Error("pattern", fault, "a regular expression without lookaround and backreferences that does not match everywhere");
        }

        if (topics?.Count is 0 or > TopicsMax || topics?.Exists(static topic => topic.Length is 0 or > 100) == true)
        {
            section.Error("topics", $"from 1 to {TopicsMax} words or phrases, of at most 100 characters", "");
        }

        if (action == "revise" && on == "request")
        {
            section.Error("action", "only an answer can be asked for again", "action: block, or on: answer");
        }
    }

    /// <summary>Why a pattern cannot be used; null where it can.</summary>
    private static string? FaultOf(string pattern)
    {
        if (pattern.Length > PatternLengthMax)
        {
            return $"the pattern is longer than {PatternLengthMax} characters";
        }

        try
        {
            return new Regex(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant).IsMatch("") ? "the pattern matches nothing at all, and so everywhere" : null;
        }
        catch (Exception broken) when (broken is ArgumentException or NotSupportedException)
        {
            return $"the pattern cannot be used: {broken.Message}";
        }
    }

    private static List<string>? Texts(SectionReader section, string key) => section.Scalars(key) is { } list ? [.. list.Select(static one => one.Value.Text)] : null;
}
