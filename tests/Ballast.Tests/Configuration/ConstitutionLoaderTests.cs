using System.Text.Json;
using Ballast.Configuration;

namespace Ballast.Tests.Configuration;

public sealed class ConstitutionLoaderTests
{
    private const string Everything = """
        principles:
          one: { text: "No.", pattern: 'a+b', on: both, action: block, apps: [x] }
          two: { text: "No.", topics: [this, "that one"], on: answer, action: revise }
          three: { text: "No.", tools: [search], action: flag }
          four: { text: "No.", judge: { model: a/b, time_limit: 5s, on_failure: open }, on: request }
        """;

    private static readonly JsonElement s_schema = JsonDocument.Parse(File.ReadAllText(RepositoryFile.Find("ballast-constitution.schema.json"))).RootElement;

    [Fact]
    public void Load_Everything_IsAsWritten()
    {
        ConstitutionLoadResult result = ConstitutionLoader.Load(Everything);

        Assert.Empty(result.Faults);
        Assert.Equal(4, result.Options!.Principles.Count);
        Assert.Equal(PrincipleAction.Revise, result.Options.Principles[1].Action);
        Assert.Equal((TimeSpan.FromSeconds(5), true, true, false),
            (result.Options.Principles[3].JudgeTimeLimit, result.Options.Principles[3].FailsOpen, result.Options.Principles[3].IsOnRequest, result.Options.Principles[3].IsOnAnswer));
    }

    [Theory]
    [InlineData("principles: { a: { pattern: x } }", "'text' is missing")]
    [InlineData("principles: { a: { text: t } }", "exactly one way")]
    [InlineData("principles: { a: { text: t, pattern: x, topics: [y] } }", "exactly one way")]
    [InlineData("principles: { a: { text: t, pattern: '(?=x)' } }", "cannot be used")]
    [InlineData("principles: { a: { text: t, pattern: 'x*' } }", "everywhere")]
    [InlineData("principles: { a: { text: t, pattern: x, on: request, action: revise } }", "asked for again")]
    [InlineData("principles: { a: { text: t, pattern: x, acton: block } }", "unknown key 'acton'")]
    [InlineData("principles: { a: { text: t, judge: { } } }", "'model' is missing")]
    [InlineData("{ }", "'principles' is missing")]
    public void Load_Fault_IsNamedWithItsPlace(string yaml, string message)
    {
        ConstitutionLoadResult result = ConstitutionLoader.Load(yaml);

        Assert.Null(result.Options);
        Assert.Contains(result.Faults, fault => fault.Message.Contains(message, StringComparison.Ordinal));
    }

    [Fact]
    public void Schema_PropertyNames_AreThoseTheLoaderAsksFor()
    {
        IReadOnlyDictionary<string, IReadOnlyCollection<string>> known = ConstitutionLoader.Load(Everything).KnownKeys;
        Dictionary<string, JsonElement> sections = s_schema.GetProperty("$defs").EnumerateObject().ToDictionary(static section => section.Name, static section => section.Value);
        sections.Add("constitution", s_schema);

        Assert.Equal(known.Keys.Order(), sections.Keys.Order());
        foreach ((string section, JsonElement schema) in sections)
        {
            Assert.Equal(known[section].Order(), schema.GetProperty("properties").EnumerateObject().Select(static property => property.Name).Order());
        }

        Assert.Null(new JsonSchemaCheck(s_schema).Fault(YamlTreeReader.Read(Everything, new FaultList())!));
    }
}
