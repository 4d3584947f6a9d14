using System.Text.RegularExpressions;

namespace Ballast.Tests.Tidy;

/// <summary>Who may know whom (ARCHITECTURE.md, "Who may know whom"): read off usings and qualified names, all violations at once.</summary>
public sealed partial class DependencyTests
{
    private const string Program = "src/Ballast/";

    /// <summary>From the bottom up; those in one row never know each other.</summary>
    private static readonly string[][] s_rows =
    [
        ["Prices"],
        ["Configuration"],
        ["Catalog"],
        ["Tenancy"],
        ["Exchanges"],
        ["Guards", "Routing", "Upstream", "Ledger", "Handles", "Conversations", "Idempotency"],
        ["Gateway", "Balance"],
        ["Server"],
        ["Cli"],
    ];

    [Fact]
    public void Folders_OfTheProgram_KnowOnlyTheRowsBelow()
    {
        string[] folders = [.. s_rows.SelectMany(row => row)];
        string[] unknown = [.. ProgramFiles().Select(FolderOf).Where(folder => folder is not ("" or "Telemetry" or "Transport") && !folders.Contains(folder)).Distinct()];
        Assert.True(unknown.Length == 0, $"Give these folders a place in the dependency order: {string.Join(", ", unknown)}");
        AssertNone(
            from file in ProgramFiles()
            let folder = FolderOf(file)
            where folder.Length > 0
            from known in folders
            where known != folder && RowOf(known) >= RowOf(folder)
            from line in LinesThatName(file, known)
            select $"{file.Path}:{line}: {folder} may not know {known}");
    }

    [Fact]
    public void Order_OnTheArchitecturePage_IsTheOneThatIsHeld()
    {
        IEnumerable<string> rows = s_rows.Select(row => row is [var alone] ? alone : $"{{ {string.Join(" · ", row)} }}");
        Assert.Contains($"Protocols < {string.Join(" < ", rows)} < Program\n", Repository.Read("ARCHITECTURE.md"), StringComparison.Ordinal);
    }

    [Fact]
    public void Transport_KnowsNothingElseOfTheProgram() =>
        AssertNone(
            from file in ProgramFiles()
            where FolderOf(file) is "Transport"
            from line in LinesThatMatch(file, OtherThanTransportName())
            select $"{file.Path}:{line}: Transport is a leaf, it knows connections and nothing of what they carry");

    [Fact]
    public void Unsafe_Code_StandsInTwoFiles() =>
        AssertNone(
            from file in Repository.ProductFiles
            where file.Path is not ("src/Ballast/Transport/SystemCalls.cs" or "src/Ballast/Ledger/Spool/DiskCalls.cs")
            from line in LinesThatMatch(file, UnsafeWord())
            select $"{file.Path}:{line}: only Transport/SystemCalls.cs and Ledger/Spool/DiskCalls.cs may call the system or hold unsafe code");

    [Fact]
    public void Sandbox_OfTheProgram_IsKnownToTheCommandLineOnly() =>
        AssertNone(
            from file in ProgramFiles()
            where FolderOf(file) is not "Cli"
            from line in LinesThatMatch(file, SandboxName())
            select $"{file.Path}:{line}: only Cli may know the sandbox");

    [Fact]
    public void Sandbox_Itself_KnowsNothingElseInSrc() =>
        AssertNone(
            from file in Repository.ProductFiles
            where file.Path.StartsWith("src/Ballast.Sandbox/", StringComparison.Ordinal)
            from line in LinesThatMatch(file, OtherThanSandboxName())
            select $"{file.Path}:{line}: the sandbox may not share code with what it checks");

    [Fact]
    public void Protocols_Themselves_KnowNothingButTheFramework() =>
        AssertNone(
            from file in Repository.ProductFiles
            where file.Path.StartsWith("src/Ballast.Protocols/", StringComparison.Ordinal)
            from line in LinesThatMatch(file, OtherThanProtocolsName())
            select $"{file.Path}:{line}: protocols are pure, they know neither the program nor a package");

    [Fact]
    public void ProtocolFolders_All_DoNotKnowEachOther()
    {
        SourceFile[] files = [.. Repository.ProductFiles.Where(file => file.Path.StartsWith("src/Ballast.Protocols/", StringComparison.Ordinal))];
        string[] protocols = [.. files.Where(file => file.Path.Count(c => c == '/') == 3 && file.Path.EndsWith("Protocol.cs", StringComparison.Ordinal)).Select(file => file.Namespace)];
        AssertNone(
            from file in files
            where file.Namespace != "Ballast.Protocols" // the one visible list
            from protocol in protocols
            where protocol != file.Namespace
            from line in LinesThatMatch(file, new Regex($@"\b{Regex.Escape(protocol)}\b"))
            select $"{file.Path}:{line}: may not know {protocol}");
    }

    [Theory]
    [InlineData(@"\bMicrosoft\.AspNetCore\b", "Server", "ASP.NET types stop at Server")]
    [InlineData(@"\bHttp(Client|MessageInvoker|Content)\b|\bSocketsHttpHandler\b", "Upstream|Cli", "HTTP clients stay in Upstream (and in Cli's demo)")]
    [InlineData(@"\bSystem\.Net\.Http\b|\bHttp(Request|Response)Message\b|\bHttpRequestException\b", "Upstream|Cli", "the framework's HTTP messages stay in Upstream (and in Cli's demo)")]
    [InlineData(@"\bMicrosoft\.Data\.Sqlite\b|\bSqlite(Connection|Command|DataReader)\b", "Ledger|Handles|Conversations|Idempotency|Tenancy", "SQL stays in Ledger, Handles, Conversations, Idempotency and Tenancy")]
    [InlineData(@"\bNpgsql\w*\b", "Ledger|Tenancy", "PostgreSQL stays in Ledger and Tenancy")]
    [InlineData(@"\bSpectre\.Console\b|\bSystem\.CommandLine\b|\bConsole\.(Out|Error|Write|WriteLine)\b", "Cli|", "the terminal belongs to Cli")]
    [InlineData(@"\bYamlDotNet\b", "Configuration", "YAML stays in Configuration")]
    public void Names_OfOneFolder_StayThere(string pattern, string folders, string rule) =>
        AssertNone(
            from file in ProgramFiles()
            where !folders.Split('|').Contains(FolderOf(file))
            from line in LinesThatMatch(file, new Regex(pattern))
            select $"{file.Path}:{line}: {rule}");

    [Theory]
    [InlineData("src/Ballast.Protocols/Ballast.Protocols.csproj", "PackageReference|ProjectReference|FrameworkReference")]
    [InlineData("src/Ballast.Sandbox/Ballast.Sandbox.csproj", "ProjectReference")]
    public void ProjectFile_OfAPureProject_References_Nothing(string project, string forbidden) =>
        Assert.DoesNotMatch($"<({forbidden})", Repository.Read(project));

    private static IEnumerable<SourceFile> ProgramFiles() => Repository.ProductFiles.Where(file => file.Path.StartsWith(Program, StringComparison.Ordinal));

    /// <summary>The first folder below the program's; empty for <c>Program.cs</c>.</summary>
    private static string FolderOf(SourceFile file) => file.Path[Program.Length..].Split('/') is [var folder, _, ..] ? folder : "";

    /// <summary>Telemetry and Transport are leaves: they know none of the rows, and all may know them.</summary>
    private static int RowOf(string folder) => Array.FindIndex(s_rows, row => row.Contains(folder));

    /// <summary>A namespace is named by a using, by its full name, or by its last word before one of its own types.</summary>
    private static IEnumerable<int> LinesThatName(SourceFile file, string folder)
    {
        string[] types = [.. ProgramFiles().Where(other => FolderOf(other) == folder).SelectMany(other => other.Types).Select(type => type.Name).Distinct()];
        string byType = types.Length == 0 ? "" : $@"|(?<![\w.])(Ballast\.)?{folder}\.({string.Join('|', types)})\b";
        return LinesThatMatch(file, new Regex($@"\bBallast\.{folder}\b{byType}"));
    }

    private static IEnumerable<int> LinesThatMatch(SourceFile file, Regex pattern) =>
        pattern.Matches(file.Code).Select(match => file.LineOf(match.Index)).Distinct();

    private static void AssertNone(IEnumerable<string> violations)
    {
        string[] all = [.. violations];
        Assert.True(all.Length == 0, $"{all.Length} violations:\n{string.Join('\n', all)}");
    }

    [GeneratedRegex(@"\bBallast\.Sandbox\b")]
    private static partial Regex SandboxName();

    [GeneratedRegex(@"\bBallast\.(?!Transport\b|Telemetry\b)\w+")]
    private static partial Regex OtherThanTransportName();

    [GeneratedRegex(@"\b(unsafe|LibraryImport|DllImport)\b")]
    private static partial Regex UnsafeWord();

    [GeneratedRegex(@"\bBallast\.(?!Sandbox\b)\w+")]
    private static partial Regex OtherThanSandboxName();

    [GeneratedRegex(@"\bBallast\.(?!Protocols\b)\w+|^\s*using\s+(?:static\s+|\w+\s*=\s*)?(?!System|Ballast|var\b|\()[A-Z][\w.]*;", RegexOptions.Multiline)]
    private static partial Regex OtherThanProtocolsName();
}
