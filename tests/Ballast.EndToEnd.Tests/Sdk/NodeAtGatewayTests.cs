using Ballast.EndToEnd.Tests.Fixtures;

namespace Ballast.EndToEnd.Tests.Sdk;

/// <summary>The vendors' npm SDKs, unmodified, through the gateway to every platform: each SDK also to those of the other protocol.</summary>
public sealed class NodeAtGatewayTests(NodeAtGatewayTests.Runs runs) : IClassFixture<NodeAtGatewayTests.Runs>
{
    private const string AzureClient = "azure-client";

    private static readonly string[] s_vercel = ["openai", "responses", "anthropic"];

    public static TheoryData<string, string> OpenAICases => Rows(
        [.. GatewayTargets.All.Select(at => at.Model), AzureClient], target => SdkCases.OpenAIAtGateway(target == AzureClient ? "azure" : target));

    public static TheoryData<string, string> AnthropicCases => Rows(GatewayTargets.All.Select(at => at.Model), SdkCases.AnthropicAtGateway);

    public static TheoryData<string, string> VercelCases =>
        Rows(GatewayTargets.All.SelectMany(at => s_vercel.Select(protocol => $"{protocol}:{at.Model}")), static target => SdkCases.VercelAtGateway(target.Split(':')[0], target.Split(':')[1]));

    public static TheoryData<string, string> KeptOpenAICases => SdkTier.Kept(OpenAICases);

    public static TheoryData<string, string> KeptAnthropicCases => SdkTier.Kept(AnthropicCases);

    public static TheoryData<string, string> KeptVercelCases => SdkTier.Kept(VercelCases);

    [Theory]
    [MemberData(nameof(KeptOpenAICases))]
    public Task OpenAISdk_AtGateway_IsContent(string target, string name) => runs.OpenAI.AssertPassedAsync(target, name);

    [Theory]
    [MemberData(nameof(KeptAnthropicCases))]
    public Task AnthropicSdk_AtGateway_IsContent(string target, string name) => runs.Anthropic.AssertPassedAsync(target, name);

    [Theory]
    [MemberData(nameof(KeptVercelCases))]
    public Task VercelSdk_AtGateway_IsContent(string target, string name) => runs.Vercel.AssertPassedAsync(target, name);

    [Theory]
    [InlineData("npm-openai")]
    [InlineData("npm-anthropic")]
    [InlineData("npm-ai")]
    public async Task Ledger_AfterAllCasesOfAnSdk_EqualsTheBill(string app)
    {
        await (app switch { "npm-openai" => runs.OpenAI, "npm-anthropic" => runs.Anthropic, _ => runs.Vercel }).EndAsync();
        Assert.True(await Books.AssertAgreeAsync(runs.Gateways.Fast, app) > (SdkTier.IsLong ? 100 : 10));
        Assert.InRange(await Books.AssertAgreeAsync(runs.Gateways.Slow, app), SdkTier.IsLong ? GatewayTargets.All.Length : 1, 6 * GatewayTargets.All.Length);
        await runs.Gateways.Fast.AssertNoSecretIsKeptAsync();
        await runs.Gateways.Slow.AssertNoSecretIsKeptAsync();
    }

    private static TheoryData<string, string> Rows(IEnumerable<string> targets, Func<string, IEnumerable<string>> casesOf)
    {
        TheoryData<string, string> rows = [];
        foreach (string target in targets)
        {
            foreach (string name in casesOf(target))
            {
                rows.Add(target, name);
            }
        }

        return rows;
    }

    /// <summary>One Node process for each SDK.</summary>
    public sealed class Runs
    {
        public Runs(GatewayFixture gateways)
        {
            Gateways = gateways;
            SdkTarget azure = GatewayTargets.Of(gateways, "npm-openai", "openai", "azure/gpt-5-mini", SdkCases.OpenAIAtGateway("azure"));
            OpenAI = new NodeRun(
                "openai.mjs",
                [
                    .. GatewayTargets.All.Select(at => GatewayTargets.Of(gateways, "npm-openai", "openai", at.Model, SdkCases.OpenAIAtGateway(at.Model))),
                    azure with { Name = AzureClient, IsAzure = true, LimitedModel = ErrorPlaces.CopyOf("azure/gpt-5-mini", "npm-openai.azure"),
                        SlowKey = HangUpKeys.Of("npm-openai.azure", "azure/gpt-5-mini") },
                ],
                (target, result) => GatewayTargets.CheckAsync(gateways, target, result));
            Anthropic = new NodeRun(
                "anthropic.mjs",
                [.. GatewayTargets.All.Select(at => GatewayTargets.Of(gateways, "npm-anthropic", "anthropic", at.Model, SdkCases.AnthropicAtGateway(at.Model)))],
                (target, result) => GatewayTargets.CheckAsync(gateways, target, result));
            Vercel = new NodeRun(
                "ai.mjs",
                [.. GatewayTargets.All.SelectMany(at => s_vercel.Select(protocol => VercelTarget(protocol, at.Model)))],
                (target, result) => GatewayTargets.CheckAsync(gateways, target, result));
        }

        internal GatewayFixture Gateways { get; }

        internal NodeRun OpenAI { get; }

        internal NodeRun Anthropic { get; }

        internal NodeRun Vercel { get; }

        private SdkTarget VercelTarget(string protocol, string model) =>
            GatewayTargets.Of(Gateways, "npm-ai", protocol, model, SdkCases.VercelAtGateway(protocol, model)) with { Name = $"{protocol}:{model}" };
    }
}
