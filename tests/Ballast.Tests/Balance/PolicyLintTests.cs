using System.Text.RegularExpressions;
using Ballast.Balance;
using Ballast.Catalog;
using Ballast.Configuration;
using Ballast.Configuration.Policies;
using Ballast.Ledger;
using Ballast.Protocols.Conversation;
using Ballast.Tests.Configuration;
using Ballast.Tests.Ledger;

namespace Ballast.Tests.Balance;

/// <summary>The examples of <c>docs/policy.md</c>, checked against the configuration that stands there.</summary>
public partial class PolicyLintTests
{
    private static readonly string s_page = File.ReadAllText(RepositoryFile.Find("docs/policy.md"));
    private static readonly string[] s_blocks = [.. Block().Matches(s_page).Select(static match => match.Groups[1].Value)];
    private static readonly CatalogSnapshot s_catalog = CatalogBuilder.Build(
        OptionsLoader.Load(s_blocks.Single(static block => block.StartsWith("providers:", StringComparison.Ordinal)), "ballast.yaml", static name => "a-secret-value-of-" + name).Options!, revision: 1);

    [Theory]
    [InlineData(0, "one")]
    [InlineData(1, "two")]
    [InlineData(2, "three")]
    [InlineData(3, "four")]
    [InlineData(4, "five")]
    public void Check_ExamplesOfThePage_CanHold(int index, string name)
    {
        PolicyOptions policy = Policy(index);

        Assert.Equal(name, policy.Name);
        Assert.DoesNotContain(PolicyLint.Check(policy, s_catalog, ComponentMap.Plain), static fault => !fault.IsWarning);
    }

    [Fact]
    public void Check_SixthExample_SaysWhyAndTheSmallestChange()
    {
        ConfigurationFault fault = Assert.Single(PolicyLint.Check(Policy(5), s_catalog, ComponentMap.Plain));

        Assert.Equal(Regex.Replace(s_page[s_page.IndexOf("six.yaml:", StringComparison.Ordinal)..].Split("\n```")[0], @"\s+", " "), fault.Print("six.yaml"));
        PolicyOptions changed = Load(Text(5).Replace("platform: azure }, share: 0.30", "platform: azure }, share: 0.40", StringComparison.Ordinal));
        Assert.Empty(PolicyLint.Check(changed, s_catalog, ComponentMap.Plain));
    }

    [Theory]
    [InlineData("- { id: a, floor: { platform: azure }, share: 0.7 }\n      - { id: b, floor: { platform: aws }, share: 0.5 }", "add up to 120 %", "lower 'a' by 20 %, to 50 %")]
    [InlineData("- { id: a, floor: { platform: azure }, share: 0.7 }\n      - { id: b, cap: { platform: azure }, share: 0.5 }", "allows at most 50 %", "raise 'b' to 70 %")]
    [InlineData("- { id: a, floor: { platform: ibm }, share: 0.1 }", "no deployment has platform 'ibm'", "aws, azure, google")]
    [InlineData("- { id: a, survive: { any: [party], keep: 1 } }", "does not survive the loss of party:holding", "add a lawful deployment")]
    public void Check_WhatCannotHold_IsAnErrorWithAWayOut(string rules, string message, string hint)
    {
        PolicyOptions policy = Load($"apiVersion: ballast/v1\nkind: BalancePolicy\nmetadata: {{ name: x, version: 1 }}\nscopes:\n  - id: org\n    rules:\n      {rules}\n");
        Component holding = new(ComponentKind.Party, "holding");
        ComponentMap components = new([.. ((string[])["azure", "aws", "google"]).Select(platform => new ComponentLink(new Component(ComponentKind.Platform, platform), holding, Provenance.Declared, "test"))], []);

        Assert.Contains(PolicyLint.Check(policy, s_catalog, components), fault => !fault.IsWarning && fault.Message.Contains(message, StringComparison.Ordinal) && fault.Hint.Contains(hint, StringComparison.Ordinal));
    }

    /// <summary>What a careless hand writes: where it is, why it is wrong, and what to write instead.</summary>
    [Theory]
    [InlineData("      - { id: a, cap: { plattform: azure }, share: 0.5 }", 7, "unknown key 'plattform'", "did you mean 'platform'?")]
    [InlineData("      - { id: a, cap: { platform: azure }, share: 50 }", 7, "'share' is out of range: '50'", "from 0 to 1: write 0.5 for 50 %")]
    [InlineData("      - { id: a, cap: { platform: azure }, share: 45% }", 7, "'share' must be a number, not '45%'", "from 0 to 1: write 0.45 for 45 %")]
    [InlineData("\t- id: a", 7, "not valid YAML", "indent with spaces, not with tabs")]
    [InlineData("      - { id: a, cap: { platform: Azure }, share: 0.5 }", 7, "no deployment has platform 'Azure'", "did you mean 'azure'? known: aws, azure, google")]
    [InlineData("      - { id: a, cap: { party: holding }, share: 0.5 }", 7, "no deployment has party 'holding'", "nothing has a party: see policies/components.yaml")]
    [InlineData("      - { id: a, cap: { platform: azure }, floor: { platform: azure }, share: 0.5 }", 7, "exactly one of 'cap', 'floor' and 'survive'", "cap: { platform: azure }")]
    [InlineData("      - { id: a, survive: { any: [cloud], keep: 0.95 } }", 7, "'cloud' is no kind of component", "one of vendor, platform")]
    [InlineData("      - { id: a, cap: { platform: azure }, share: 0.5, enforce: strict }", 7, "'enforce' cannot be 'strict'", "one of hard, soft")]
    [InlineData("      - { id: a, cap: { platform: aws }, share: 0.5, on_conflict: queue, wait: 10m }", 7, "'wait' is out of range: '10m'", "from 100ms to 60s")]
    [InlineData("      - { id: a, cap: { platform: aws }, share: 0.5 }\n  - id: b\n    match: { apps: [suport] }\n    rules: [{ id: c, cap: { platform: aws }, share: 0.5 }]", 8, "no key of the configuration belongs to app 'suport'", "did you mean 'support'?")]
    [InlineData("      - { id: a, cap: { platform: aws }, share: 0.5 }\nresidency:\n  - { match: { apps: [kredit] }, allow: { geo: [eu] } }", 9, "belongs to app 'kredit'", "did you mean 'credit'?")]
    [InlineData("      - { id: a, cap: { platform: aws }, share: 0.5 }\nsubstitutes:\n  - { for: azure/gpt-6, by: [bedrock/claude-sonnet-4-5], parity: 0.9 }", 9, "there is no deployment 'azure/gpt-6'", "provider/model")]
    public void Check_CarelessPolicies_SayWhereWhyAndTheSmallestChange(string rules, int line, string message, string hint)
    {
        PolicyLoadResult loaded = PolicyLoader.Load($"apiVersion: ballast/v1\nkind: BalancePolicy\nmetadata: {{ name: x, version: 1 }}\nscopes:\n  - id: org\n    rules:\n{rules}\n", ComponentKindName.All);
        IEnumerable<ConfigurationFault> faults = loaded.Faults.Concat(loaded.Options is null ? [] : PolicyLint.Check(loaded.Options, s_catalog, ComponentMap.Plain));

        Assert.Contains(faults, fault => fault.Line == line && fault.Message.Contains(message, StringComparison.Ordinal) && fault.Hint.Contains(hint, StringComparison.Ordinal));
    }

    /// <summary>Thirds are not written to their last digit: what is told as the smallest change must be enough.</summary>
    [Fact]
    public void Check_SmallestChangeOfThirds_IsEnough()
    {
        const string text = "apiVersion: ballast/v1\nkind: BalancePolicy\nmetadata: { name: x, version: 1 }\nscopes: [{ id: org, rules: [{ id: a, cap: { component: any, dimension: platform }, share: 0.3 }] }]\n";

        ConfigurationFault fault = Assert.Single(PolicyLint.Check(Load(text), s_catalog, ComponentMap.Plain));

        Assert.Contains("raise 'a' by 3.34 %, to 33.34 %", fault.Hint, StringComparison.Ordinal);
        Assert.Empty(PolicyLint.Check(Load(text.Replace("0.3 }", "0.3334 }", StringComparison.Ordinal)), s_catalog, ComponentMap.Plain));
        Assert.NotEmpty(PolicyLint.Check(Load(text.Replace("0.3 }", "0.3333 }", StringComparison.Ordinal)), s_catalog, ComponentMap.Plain));
    }

    [Fact]
    public void Load_EmptyPolicy_SaysHowOneBegins() =>
        Assert.Contains("apiVersion: ballast/v1", Assert.Single(PolicyLoader.Load("", ComponentKindName.All).Faults).Hint, StringComparison.Ordinal);

    [Theory]
    [InlineData("60s", true)]
    [InlineData("3m", false)]
    public void Check_SurvivalWithin_IsHeldAgainstHowLongSilenceIsBorne(string within, bool isTold)
    {
        PolicyOptions policy = Load($"apiVersion: ballast/v1\nkind: BalancePolicy\nmetadata: {{ name: x, version: 1 }}\nscopes:\n  - id: org\n    rules:\n      - {{ id: a, survive: {{ any: [platform], keep: 0.9, within: {within} }} }}\n");

        Assert.Equal(isTold, PolicyLint.Check(policy, s_catalog, ComponentMap.Plain).Any(static fault => fault.IsWarning && fault.Hint.Contains("first_token_timeout to 60s", StringComparison.Ordinal)));
    }

    [Fact]
    public void DryRun_AllWentToAzure_ShowsWhatWouldMove()
    {
        ServedRequest[] served =
        [
            .. Enumerable.Range(0, 2_000).Select(static index => Request("chat") with { At = SampleEntries.Start.AddSeconds(index) }),
            Request("forgotten"),
        ];

        PolicyDryRun result = PolicyDryRun.Run(Policy(0), s_catalog, ComponentMap.Plain, served);

        Assert.Equal((2_000, 1, 0), (result.Requests, result.Unknown, result.Refused));
        Assert.InRange(result.Moved, 900, 1_000);
        DryRunRule azure = result.Rules[0];
        Assert.Equal(1, azure.Before);
        Assert.InRange(azure.After!.Value, 0.49, 0.55);
        Assert.Equal(0, azure.Suspended);
    }

    private static ServedRequest Request(string model) => new(SampleEntries.Start, "support", model, "openai-chat", "azure/gpt-5", new Usage { InputTokens = 2_000, OutputTokens = 51 });

    private static string Text(int index) => s_blocks.Where(static block => block.Contains("kind: BalancePolicy", StringComparison.Ordinal)).ElementAt(index);

    private static PolicyOptions Policy(int index) => Load(Text(index));

    private static PolicyOptions Load(string text)
    {
        PolicyLoadResult loaded = PolicyLoader.Load(text, ComponentKindName.All);
        Assert.Empty(loaded.Faults);
        return loaded.Options!;
    }

    [GeneratedRegex(@"```yaml\n(.*?)\n```", RegexOptions.Singleline)]
    private static partial Regex Block();
}
