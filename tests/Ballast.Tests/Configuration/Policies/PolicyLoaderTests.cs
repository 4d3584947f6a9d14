using System.Text.Json;
using Ballast.Catalog;
using Ballast.Configuration;
using Ballast.Configuration.Policies;

namespace Ballast.Tests.Configuration.Policies;

public class PolicyLoaderTests
{
    private const string Everything =
        """
        apiVersion: ballast/v1
        kind: BalancePolicy
        metadata: { name: group-default, version: 14, approved_by: [cro, cio] }
        units: { share: usd }
        criticality: { credit: 1 }
        precedence: { shed_from_tier: 4 }
        affinity: { key: session, max_debt: 600000, ttl: 5m, min_cached_prefix: 1024 }
        residency:
          - { match: { apps: [credit], keys: [k], tiers: [1] }, allow: { geo: [eu], retention_days_max: 30, zdr: true, no_train: true } }
        substitutes:
          - { for: azure/gpt, by: [aws/claude], parity: 0.95 }
        scopes:
          - id: org
            match: { models: [chat] }
            rules:
              - { id: az50, cap: { platform: azure }, share: 0.50, enforce: hard, on_conflict: shed, burst: 1.5, purpose: why }
              - { id: each, cap: { component: any, dimension: vendor }, share: 0.60, enforce: soft }
              - { id: google5, floor: { platform: google }, share: 0.05, on_conflict: queue, wait: 3s }
              - { id: n-1, survive: { any: [platform, vendor], keep: 0.95, within: 60s } }
        """;

    private static readonly JsonElement s_schema = JsonDocument.Parse(File.ReadAllText(RepositoryFile.Find("ballast-policy.schema.json"))).RootElement;

    [Fact]
    public void Load_Everything_IsRead()
    {
        PolicyLoadResult loaded = PolicyLoader.Load(Everything, ComponentKindName.All);

        Assert.Empty(loaded.Faults);
        PolicyOptions policy = loaded.Options!;
        Assert.Equal(("group-default", 14, ShareUnit.Usd, 1), (policy.Name, policy.Version, policy.Unit, policy.Criticality["credit"]));
        PolicyScopeOptions scope = Assert.Single(policy.Scopes);
        Assert.Equal(4, policy.ShedFromTier);
        Assert.Equal([0, 0, 3], scope.Rules.Select(static rule => rule.Wait.TotalSeconds));
        Assert.Equal([("az50", "azure", true, true), ("each", null, false, false), ("google5", "google", true, true)], scope.Rules.Select(static rule => (rule.Id, rule.Name, rule.IsHard, rule.Sheds)));
        Assert.Equal(["platform", "vendor"], Assert.Single(scope.Survive).Any);
        Assert.Equal((0, false), (policy.Residency[0].RetentionDaysMax, policy.Residency[0].Training));
    }

    [Theory]
    [InlineData("share: 0.50", "share: 1.50", "'share' is out of range")]
    [InlineData("cap: { platform: azure }", "cap: { platfrom: azure }", "unknown key 'platfrom'")]
    [InlineData("cap: { platform: azure }, share", "cap: { platform: azure, vendor: openai }, share", "exactly one component")]
    [InlineData("cap: { platform: azure }", "cap: { platform: azure }, floor: { platform: azure }", "exactly one of 'cap', 'floor' and 'survive'")]
    [InlineData("id: google5", "id: az50", "the id 'az50' is used twice")]
    [InlineData("any: [platform, vendor]", "any: [plattform]", "no kind of component")]
    [InlineData("version: 14", "version: zero", "'version' must be a whole number")]
    [InlineData("on_conflict: shed", "on_conflict: shed, wait: 3s", "'wait' is for rules whose requests wait")]
    [InlineData("shed_from_tier: 4", "shed_from_tier: 1", "'shed_from_tier' is out of range")]
    [InlineData("credit: 1", "credit: high", "the tier of 'credit'")]
    [InlineData("kind: BalancePolicy", "kind: Policy", "'kind' cannot be")]
    public void Load_Faulty_NamesThePlace(string piece, string replacement, string message)
    {
        PolicyLoadResult loaded = PolicyLoader.Load(Everything.Replace(piece, replacement, StringComparison.Ordinal), ComponentKindName.All);

        Assert.Null(loaded.Options);
        Assert.Contains(loaded.Faults, fault => fault.Line > 0 && fault.Message.Contains(message, StringComparison.Ordinal));
    }

    [Fact]
    public void Schema_PropertyNames_AreThoseTheLoaderAsksFor()
    {
        IReadOnlyDictionary<string, IReadOnlyCollection<string>> known = PolicyLoader.Load(Everything, ComponentKindName.All).KnownKeys;
        Dictionary<string, JsonElement> sections = s_schema.GetProperty("$defs").EnumerateObject().ToDictionary(static section => section.Name, static section => section.Value);
        sections.Add("policy", s_schema);

        Assert.Equal(known.Keys.Order(), sections.Keys.Order());
        foreach ((string section, JsonElement schema) in sections)
        {
            Assert.Equal(known[section].Order(), schema.GetProperty("properties").EnumerateObject().Select(static property => property.Name).Order());
        }

        Assert.Null(new JsonSchemaCheck(s_schema).Fault(YamlTreeReader.Read(Everything, new FaultList())!));
    }

    [Fact]
    public void Load_ComponentGraph_FollowsOwnersToTheirLaw()
    {
        ComponentGraphLoadResult loaded = ComponentGraphLoader.Load(
            """
            apiVersion: ballast/v1
            kind: ComponentGraph
            parties: { subsidiary: { legal_name: S, parent: holding, jurisdiction: ie }, holding: { jurisdiction: us } }
            links: [{ when: { platform: azure }, needs: { party: subsidiary }, provenance: contract, source: agreement }]
            gateway: [{ platform: azure }]
            ranges: [{ component: { platform: aws }, file: aws.json }]
            """, ComponentKindName.All);

        Assert.Empty(loaded.Faults);
        ComponentMap map = ComponentMapBuilder.Build(loaded.Options!);
        Deployment deployment = Ballast.Tests.Routing.Deployments.Of("a/gpt-5-mini", "openai", "azure", "sweden");
        Assert.Equal(
            ["vendor:openai", "platform:azure", "region:sweden", "provider:a", "deployment:a/gpt-5-mini", "family:gpt-5", "party:subsidiary", "party:holding", "jurisdiction:ie", "jurisdiction:us"],
            map.Of(deployment).Select(static edge => edge.Component.ToString()));
        Assert.Equal(Provenance.Contract, map.Of(deployment).Single(static edge => edge.Component.Name == "subsidiary").Provenance);
        Assert.Contains(map.Gateway, static edge => edge.Component == new Component(ComponentKind.Jurisdiction, "us"));
    }

    [Theory]
    [InlineData("gpt-5-mini", "gpt-5")]
    [InlineData("openai.gpt-oss-120b", "gpt-oss")]
    [InlineData("claude-sonnet-4-5-20250929", "claude-4")]
    [InlineData("anthropic.claude-opus-4-1", "claude-4")]
    [InlineData("gemini-3.1-pro", "gemini-3")]
    [InlineData("gpt-4o-mini", "gpt-4o")]
    [InlineData("meta/llama", "llama")]
    public void Family_OfAName_IsLineAndGeneration(string model, string family) => Assert.Equal(family, ModelFamily.Of(model));
}
