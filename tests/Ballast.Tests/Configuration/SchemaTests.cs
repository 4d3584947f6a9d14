using System.Text.Json;
using Ballast.Configuration;

namespace Ballast.Tests.Configuration;

public class SchemaTests
{
    private static readonly JsonElement Root = JsonDocument.Parse(File.ReadAllText(RepositoryFile.Find("ballast.schema.json"))).RootElement;

    [Fact]
    public void Schema_PropertyNames_AreThoseTheLoaderAsksFor()
    {
        IReadOnlyDictionary<string, IReadOnlyCollection<string>> known = ValidConfiguration.Load(ValidConfiguration.YamlWithTokens).KnownKeys;
        Dictionary<string, JsonElement> sections = Root.GetProperty("$defs").EnumerateObject()
            .Where(static section => section.Value.TryGetProperty("properties", out _))
            .ToDictionary(static section => section.Name, static section => section.Value);
        sections.Add("file", Root);

        Assert.Equal(known.Keys.Order(), sections.Keys.Order());
        foreach ((string section, JsonElement schema) in sections)
        {
            Assert.Equal(known[section].Order(), schema.GetProperty("properties").EnumerateObject().Select(static property => property.Name).Order());
            Assert.Equal(JsonValueKind.False, schema.GetProperty("additionalProperties").ValueKind);
        }
    }

    [Fact]
    public void Schema_Features_AreThoseTheLoaderKnows()
    {
        string pattern = Root.GetProperty("$defs").GetProperty("provider").GetProperty("properties").GetProperty("features")
            .GetProperty("items").GetProperty("pattern").GetString()!;

        Assert.Equal(FeatureName.All, pattern[(pattern.IndexOf('(', StringComparison.Ordinal) + 1)..pattern.IndexOf(')', StringComparison.Ordinal)].Split('|'));
    }

    [Fact]
    public void Schema_ValidFiles_AreAccepted()
    {
        foreach (string yaml in new[] { ValidConfiguration.Yaml, ValidConfiguration.YamlWithTokens, File.ReadAllText(RepositoryFile.Find("ballast.sample.yaml")) })
        {
            Assert.Null(FaultOf(yaml));
        }
    }

    [Theory]
    [InlineData("platform: azure\n", "platfrom: azure\n")]
    [InlineData("kind: azure-openai", "kind: azure")]
    [InlineData("    region: swedencentral\n", "")]
    [InlineData("api_key: ${AZURE_KEY}", "api_key: sk-literal")]
    [InlineData("max_output_tokens: 16384", "max_output_tokens: lots")]
    [InlineData("connect_timeout: 3s", "connect_timeout: 3")]
    [InlineData("features: [-files]", "features: [-fils]")]
    [InlineData("deployments: [azure/gpt-5-mini, { deployment: local/llama, weight: 2 }]", "deployments: []")]
    [InlineData("output: 2.0, ", "")]
    public void Schema_WhatTheLoaderRefuses_IsRefusedInTheEditorToo(string piece, string replacement)
    {
        string yaml = ValidConfiguration.With(piece, replacement);

        Assert.False(ValidConfiguration.Load(yaml).IsValid);
        Assert.NotNull(FaultOf(yaml));
    }

    private static string? FaultOf(string yaml) => new JsonSchemaCheck(Root).Fault(YamlTreeReader.Read(yaml, new FaultList())!);
}
