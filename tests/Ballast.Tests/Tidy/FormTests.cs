using System.Text.RegularExpressions;

namespace Ballast.Tests.Tidy;

/// <summary>The form that the code keeps (CONTRIBUTING.md): sizes, names, comments, and what stands where. Each test names every violation at once.</summary>
public sealed partial class FormTests
{
    private const int FileLinesMax = 600;
    private const int FunctionLinesMax = 70;

    [Fact]
    public void Files_OfCode_AreShortEnough() =>
        AssertNone(
            from path in Repository.TextFiles
            where CodeEnding().IsMatch(path)
            let count = Repository.Read(path).Split('\n').Length - 1
            where count > FileLinesMax
            select $"{path}:{count}: {count} lines, at most {FileLinesMax}");

    [Fact]
    public void Functions_Everywhere_AreShortEnough() =>
        AssertNone(
            from file in Repository.SourceFiles
            from function in file.Functions
            where function.LineCount > FunctionLinesMax
            select $"{file.Path}:{function.Line}: {function.Name} has {function.LineCount} lines, at most {FunctionLinesMax}");

    [Fact]
    public void Types_Everywhere_HaveNamesThatSayWhatTheyAre() =>
        AssertNone(
            from file in Repository.SourceFiles
            from type in file.Types
            where EmptyWord().IsMatch(type.Name)
            select $"{file.Path}:{type.Line}: {type.Name}: no Helper, Util, Manager or Common");

    /// <summary>One may be the beginning of the other: <c>XStream.cs</c> holds reader and writer of a stream, <c>XRequestTools.cs</c> a part of <c>XRequest</c>.</summary>
    [Fact]
    public void Files_OfCode_AreNamedLikeATypeInThem() =>
        AssertNone(
            from file in Repository.SourceFiles
            let name = Path.GetFileName(file.Path).Split('.')[0]
            where file.Types.Count > 0 && !file.Types.Any(type => name.StartsWith(type.Name, StringComparison.Ordinal) || type.Name.StartsWith(name, StringComparison.Ordinal))
            select $"{file.Path}:1: holds no type {name}");

    [Fact]
    public void Types_OfTheProduct_AreNotNamedLikeANamespace()
    {
        HashSet<string> words = [.. Repository.ProductFiles.SelectMany(file => file.Namespace.Split('.'))];
        AssertNone(
            from file in Repository.ProductFiles
            from type in file.Types
            where words.Contains(type.Name)
            select $"{file.Path}:{type.Line}: {type.Name} is the name of a namespace too");
    }

    [Fact]
    public void PublicTypes_OfTheProduct_HaveADocComment() =>
        AssertNone(
            from file in Repository.ProductFiles
            from type in file.Types
            where type.IsPublic && !type.HasDocComment
            select $"{file.Path}:{type.Line}: {type.Name} has no doc comment");

    /// <summary>The dependency tests rely on it. The sandbox keeps to itself and shows one flat face; a protocol is one namespace, its drawers included.</summary>
    [Fact]
    public void Namespaces_OfTheProduct_FollowTheFolders() =>
        AssertNone(
            from file in Repository.ProductFiles
            where !file.Path.StartsWith("src/Ballast.Sandbox/", StringComparison.Ordinal)
            let folder = Drawer().Replace(Path.GetDirectoryName(file.Path)!.Replace('\\', '/'), "$1")
            let expected = folder[(folder.IndexOf('/', StringComparison.Ordinal) + 1)..].Replace('/', '.')
            where file.Namespace.Length > 0 && file.Namespace != expected
            select $"{file.Path}:1: namespace {file.Namespace}, expected {expected}");

    [Fact]
    public void ProtocolFolders_All_HoldTheSameFiveFiles() =>
        AssertNone(
            from path in Repository.TextFiles
            let match = ProtocolFile().Match(path)
            where match.Success
            from part in (string[])["Request", "Response", "Stream", "Error"]
            let expected = $"{match.Groups["folder"].Value}/{match.Groups["name"].Value}{part}.cs"
            where !Repository.TextFiles.Contains(expected)
            select $"{path}:1: {expected} is missing beside it");

    /// <summary>What does not fit into the five lies in a drawer of its direction, so that the folders read side by side.</summary>
    [Fact]
    public void ProtocolFolders_All_HoldNothingElse() =>
        AssertNone(
            from path in Repository.TextFiles
            let match = ProtocolFile().Match(path)
            where match.Success
            let folder = match.Groups["folder"].Value + "/"
            let name = match.Groups["name"].Value
            from other in Repository.TextFiles
            where other.StartsWith(folder, StringComparison.Ordinal)
            let rest = other[folder.Length..]
            where !rest.StartsWith($"Request/{name}", StringComparison.Ordinal) && !rest.StartsWith($"Response/{name}", StringComparison.Ordinal)
                && !FiveFile().IsMatch(rest)
            select $"{other}:1: belongs into {folder}Request/ or {folder}Response/ and begins with {name}");

    [Fact]
    public void Texts_Everywhere_HoldNoLeftoverWork() =>
        AssertNone(
            from path in Repository.TextFiles
            where !path.StartsWith("tests/Ballast.Tests/Tidy/", StringComparison.Ordinal)
            from line in LinesThatMatch(path, Leftover())
            select $"{path}:{line}: unfinished work is an issue, not a comment");

    [Fact]
    public void Texts_Everywhere_HoldNoMachinePathAndNoRegistryHost() =>
        AssertNone(
            from path in Repository.TextFiles
            from line in LinesThatMatch(path, MachinePath())
            select $"{path}:{line}: names a path of one machine or a package registry's host");

    [Fact]
    public void Boxes_OfTheArchitecturePage_Exist()
    {
        string[] roots = ["", "src/", "src/Ballast/", "src/Ballast.Protocols/", "src/Ballast.Sandbox/", "tests/", "tests/Ballast.Tests/"];
        AssertNone(
            from box in BoxName().Matches(Repository.Read("ARCHITECTURE.md")).Select(match => match.Value.TrimEnd('/')).Distinct()
            where !roots.Any(root => Path.Exists(Path.Combine(Repository.Root, root + box)))
                && !Repository.TextFiles.Any(path => path.EndsWith($"/{box}", StringComparison.Ordinal))
            select $"ARCHITECTURE.md:1: {box} does not exist");
    }

    [Fact]
    public void Folders_OfTheProgram_StandInTheDrawing()
    {
        string drawing = Repository.Read("ARCHITECTURE.md").Split("```")[1];
        AssertNone(
            from folder in Directory.GetDirectories(Path.Combine(Repository.Root, "src/Ballast")).Select(path => Path.GetFileName(path))
            where Directory.EnumerateFiles(Path.Combine(Repository.Root, "src/Ballast", folder), "*.cs", SearchOption.AllDirectories).Any() && !drawing.Contains(folder + "/", StringComparison.Ordinal)
            select $"ARCHITECTURE.md:1: the drawing lacks {folder}/");
    }

    [Fact]
    public void Links_OfThePages_LeadSomewhere() =>
        AssertNone(
            from path in Repository.TextFiles
            where path.EndsWith(".md", StringComparison.Ordinal)
            from match in RelativeLink().Matches(Repository.Read(path))
            let target = match.Groups[1].Value
            where !Path.Exists(Path.Combine(Repository.Root, Path.GetDirectoryName(path)!, target))
            select $"{path}: {target} does not exist");

    private static IEnumerable<int> LinesThatMatch(string path, Regex pattern) =>
        Repository.Read(path).Split('\n').Index().Where(line => pattern.IsMatch(line.Item)).Select(line => line.Index + 1);

    private static void AssertNone(IEnumerable<string> violations)
    {
        string[] all = [.. violations];
        Assert.True(all.Length == 0, $"{all.Length} violations:\n{string.Join('\n', all)}");
    }

    [GeneratedRegex(@"\.(cs|razor)$")]
    private static partial Regex CodeEnding();

    [GeneratedRegex(@"Helper|Util|Manager|Common")]
    private static partial Regex EmptyWord();

    [GeneratedRegex(@"^(?<folder>src/Ballast\.Protocols/[^/]+)/(?<name>\w+)Protocol\.cs$")]
    private static partial Regex ProtocolFile();

    [GeneratedRegex(@"^\w+(Protocol|Request|Response|Stream|Error)\.cs$")]
    private static partial Regex FiveFile();

    [GeneratedRegex(@"^(src/Ballast\.Protocols/[^/]+)/(Request|Response)$")]
    private static partial Regex Drawer();

    [GeneratedRegex(@"\]\((?!https?://|#|mailto:)([^)#\s]+)")]
    private static partial Regex RelativeLink();

    [GeneratedRegex(@"\b(TODO|FIXME|HACK|XXX)\b")]
    private static partial Regex Leftover();

    [GeneratedRegex(@"(?<![\w.~$}/-])/(home|root|work|Users)/\w|(api|www)\.nuget\.org|registry\.npmjs\.org|deb\.debian\.org|[A-Z]:\\\\?Users\\")]
    private static partial Regex MachinePath();

    [GeneratedRegex(@"(?<![\w./-])(?:(?:src|tests|docs|build|bench|[A-Z]\w+(?:\.\w+)*)/(?:[\w.-]+/?)*|[A-Z]\w+\.(?:cs|md|slnx|props|txt)\b)")]
    private static partial Regex BoxName();
}
