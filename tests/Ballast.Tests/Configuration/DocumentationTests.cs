using System.Text.RegularExpressions;
using Ballast.Configuration;

namespace Ballast.Tests.Configuration;

/// <summary>What the documents show must load; what they list must be all there is.</summary>
public partial class DocumentationTests
{
    [Fact]
    public void Sample_AsShipped_LoadsWithoutErrors()
    {
        string path = RepositoryFile.Find("ballast.sample.yaml");

        LoadResult result = OptionsLoader.LoadFile(path, Environment);

        Assert.True(result.IsValid, ValidConfiguration.Print(result));
        Assert.True(File.ReadAllLines(path).Length <= 60, "the sample is to fit on one screen");
    }

    [Theory]
    [InlineData("docs/configuration.md", 1)]
    [InlineData("docs/providers.md", 15)]
    public void Examples_InDocuments_Load(string document, int count)
    {
        MatchCollection blocks = Block().Matches(File.ReadAllText(RepositoryFile.Find(document)));

        Assert.Equal(count, blocks.Count);
        foreach (Match block in blocks)
        {
            string text = block.Groups["text"].Value;
            string yaml = block.Groups["kind"].Value == " provider" ? "providers:\n  " + text.Replace("\n", "\n  ", StringComparison.Ordinal) : text;
            LoadResult result = OptionsLoader.Load(yaml, "ballast.yaml", Environment);
            Assert.True(result.IsValid, yaml + "\n" + ValidConfiguration.Print(result));
        }
    }

    [Fact]
    public void Limits_InTheDocument_AreThoseOfTheLoaderWithTheirDefaults()
    {
        Dictionary<string, string> rows = LimitRow().Matches(File.ReadAllText(RepositoryFile.Find("docs/configuration.md")))
            .ToDictionary(static row => row.Groups["name"].Value, static row => row.Groups["value"].Value);
        string written = string.Concat(rows.Select(static row => $"\n  {row.Key}: {row.Value}"));
        string yaml = ValidConfiguration.With("  request_body_max: 16MiB\n", "").Replace("  connect_timeout: 3s", written[1..], StringComparison.Ordinal);

        LoadResult result = ValidConfiguration.Load(yaml);

        Assert.True(result.IsValid, ValidConfiguration.Print(result));
        Assert.Equal(new LimitsOptions(), result.Options!.Limits);
        Assert.Equal(result.KnownKeys["limits"].Order(), rows.Keys.Order());
    }

    [Fact]
    public void Variables_InTheDocument_AreThoseOfTheTable()
    {
        string text = File.ReadAllText(RepositoryFile.Find("docs/configuration.md"));

        foreach (WellKnownProvider known in WellKnownProviders.All)
        {
            string row = Assert.Single(text.Split('\n'), line => line.StartsWith($"| `{known.Name}` |", StringComparison.Ordinal));
            foreach (string? variable in new[] { known.KeyVariable, known.AddressVariable, known.RegionVariable })
            {
                Assert.Contains(variable is null ? "" : $"`{variable}`", row, StringComparison.Ordinal);
            }
        }
    }

    private static string Environment(string name) => name.EndsWith("ENDPOINT", StringComparison.Ordinal) ? "https://x.openai.azure.com" : $"value-of-{name}";

    [GeneratedRegex("```yaml(?<kind> provider)?\n(?<text>.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex(@"^\| `(?<name>[a-z_]+)` \| (?<value>[0-9][^ ]*) \| [0-9][^|]* – ", RegexOptions.Multiline)]
    private static partial Regex LimitRow();
}
