using System.Text.Json.Nodes;
using Ballast.EndToEnd.Tests.Fixtures;
using Ballast.Sandbox;

namespace Ballast.EndToEnd.Tests.Sdk;

/// <summary>
/// Anthropic's own SDKs for Bedrock, Vertex AI and AI Foundry, unmodified: at their platforms, and at the gateway's surfaces of those clouds, from where they reach platforms of
/// every protocol.
/// </summary>
public sealed class ClaudeCloudSdkTests(ClaudeCloudSdkTests.Runs runs) : IClassFixture<ClaudeCloudSdkTests.Runs>
{
    // Name, platform of the sandbox, the model there, whose client, whether it signs its requests.
    private static readonly (string Name, string Platform, string Model, SdkCloud Cloud, bool IsSigned)[] s_direct =
    [
        ("bedrock-key", "bedrock", "eu.anthropic.claude-haiku-4-5-20251001-v1:0", SdkCloud.Bedrock, false),
        ("bedrock-signed", "bedrock", "eu.anthropic.claude-haiku-4-5-20251001-v1:0", SdkCloud.Bedrock, true),
        ("vertex", "vertex", "claude-haiku-4-5@20251001", SdkCloud.Vertex, false),
        ("foundry", "azure", "claude-haiku-4-5", SdkCloud.Foundry, false),
    ];

    public static TheoryData<string, string> BedrockCases => Rows(SdkCloud.Bedrock);

    public static TheoryData<string, string> VertexCases => Rows(SdkCloud.Vertex);

    public static TheoryData<string, string> FoundryCases => Rows(SdkCloud.Foundry);

    public static TheoryData<string, string> KeptCases => [.. SdkTier.Kept(BedrockCases), .. SdkTier.Kept(VertexCases), .. SdkTier.Kept(FoundryCases)];

    [Theory]
    [MemberData(nameof(KeptCases))]
    public Task ClaudeSdk_AtItsCloudsSurface_IsContent(string target, string name) => runs.Of(target).AssertPassedAsync(target, name);

    [Theory]
    [InlineData(SdkCloud.Bedrock)]
    [InlineData(SdkCloud.Vertex)]
    [InlineData(SdkCloud.Foundry)]
    public async Task Ledger_AfterAllCasesOfAnSdk_EqualsTheBill(SdkCloud cloud)
    {
        await runs.Of(cloud).EndAsync();
        Assert.True(await Books.AssertAgreeAsync(runs.Gateways.Fast, ClientOf(cloud)) > (SdkTier.IsLong ? 100 : 10));
        Assert.True(await Books.AssertAgreeAsync(runs.Gateways.Slow, ClientOf(cloud)) >= (SdkTier.IsLong ? GatewayTargets.All.Length : 0));
        await runs.Gateways.Fast.AssertNoSecretIsKeptAsync();
    }

    private static string NameOf(SdkCloud cloud) => cloud.ToString().ToLowerInvariant();

    private static string ClientOf(SdkCloud cloud) => "npm-" + NameOf(cloud);

    // The client for Bedrock has no count; only the one for AI Foundry takes tokens of Entra ID.
    private static string[] CasesOf(SdkCloud cloud, string model) => SdkCases.That(
        cloud switch
        {
            SdkCloud.Bedrock => SdkCases.ClaudeInClouds.Where(static name => name != "count_tokens"),
            SdkCloud.Foundry => [.. SdkCases.ClaudeInClouds, "entra"],
            _ => SdkCases.ClaudeInClouds,
        },
        model);

    private static TheoryData<string, string> Rows(SdkCloud cloud) =>
    [
        .. s_direct.Where(at => at.Cloud == cloud).SelectMany(at => CasesOf(cloud, "").Select(name => new TheoryDataRow<string, string>(at.Name, name))),
        .. GatewayTargets.All.SelectMany(at => CasesOf(cloud, at.Model).Select(name => new TheoryDataRow<string, string>($"{NameOf(cloud)}:{at.Model}", name))),
    ];

    /// <summary>One Node process for each SDK.</summary>
    public sealed class Runs(GatewayFixture gateways, SandboxFixture sandbox) : IAsyncLifetime
    {
        private readonly Dictionary<SdkCloud, NodeRun> _nodes = [];

        internal GatewayFixture Gateways => gateways;

        internal NodeRun Of(SdkCloud cloud) => _nodes[cloud];

        internal NodeRun Of(string target) =>
            _nodes[s_direct.FirstOrDefault(at => at.Name == target) is { Name: not null } direct ? direct.Cloud : Enum.Parse<SdkCloud>(target.Split(':')[0], ignoreCase: true)];

        public async ValueTask InitializeAsync()
        {
            string token = await TokenAsync(sandbox.Fast);
            foreach (SdkCloud cloud in (SdkCloud[])[SdkCloud.Bedrock, SdkCloud.Vertex, SdkCloud.Foundry])
            {
                string client = ClientOf(cloud);
                _nodes[cloud] = new NodeRun(
                    "anthropic.mjs",
                    [
                        .. s_direct.Where(at => at.Cloud == cloud).Select(at => Direct(at.Name, at.Platform, at.Model, cloud, at.IsSigned) with { Token = token }),
                        .. GatewayTargets.All.Select(at => GatewayTargets.Of(gateways, client, "anthropic", at.Model, CasesOf(cloud, at.Model)) with
                        {
                            Name = $"{NameOf(cloud)}:{at.Model}", Cloud = cloud, Token = gateways.Fast.KeyOf(client),
                        }),
                    ],
                    async (target, result) => await GatewayTargets.CheckAsync(gateways, target, result) ?? (target.IsGateway ? null : await GatewayTargets.CheckCancelledAsync(sandbox, result)));
            }
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        private SdkTarget Direct(string name, string platform, string model, SdkCloud cloud, bool isSigned) => new()
        {
            Name = name,
            Url = sandbox.Fast.Platforms[platform].Address,
            Key = cloud == SdkCloud.Vertex ? sandbox.Fast.Google.IssueToken() : sandbox.Fast.Platforms[platform].ApiKey,
            SlowKey = cloud == SdkCloud.Vertex ? sandbox.Slow.Google.IssueToken() : null,
            Model = model,
            SlowUrl = sandbox.Slow.Platforms[platform].Address,
            Vendor = "anthropic",
            Protocol = "anthropic",
            Cloud = cloud,
            Aws = isSigned ? (SandboxAws.AccessKeyId, SandboxAws.SecretAccessKey) : null,
            Cases = CasesOf(cloud, ""),
        };

        /// <summary>A token of Entra ID for the resource, as an application gets it.</summary>
        private static async Task<string> TokenAsync(SandboxHost sandbox)
        {
            using HttpClient http = new();
            using FormUrlEncodedContent form = new(new Dictionary<string, string>
            {
                ["grant_type"] = "client_credentials",
                ["client_id"] = SandboxEntra.ClientId,
                ["client_secret"] = SandboxEntra.ClientSecret,
                ["scope"] = "https://cognitiveservices.azure.com/.default",
            });
            using HttpResponseMessage answer = await http.PostAsync(
                new Uri(sandbox.Entra.Authority, $"{SandboxEntra.TenantId}/oauth2/v2.0/token"), form, TestContext.Current.CancellationToken);
            string text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            return (string?)JsonNode.Parse(text)!["access_token"] ?? throw new InvalidOperationException(text);
        }
    }
}
