using Ballast.Catalog;
using Ballast.Configuration;
using Ballast.EndToEnd.Tests.Fixtures;
using Ballast.Server;

namespace Ballast.EndToEnd.Tests.Sdk;

/// <summary>
/// AWS's and Anthropic's own SDKs for Bedrock, unmodified, at the gateway's Bedrock surfaces: to platforms of other protocols, and through a second gateway whose
/// platform is the first one's surface, so that both directions of Converse and InvokeModel meet.
/// </summary>
public sealed class BedrockSdkTests(BedrockSdkTests.Runs runs) : IClassFixture<BedrockSdkTests.Runs>
{
    private static readonly string[] s_cases =
    [
        "text", "stream", "tools", "parallel_tools", "max_tokens", "image", "wrong_key", "unknown_model", "invalid", "invoke", "invoke_stream", "claude_sdk",
        "system_and_turns", "structured", "abort", "document", "thinking_tools", "count", "invoke_count", "error_kinds",
    ];

    /// <summary>What only models can do whose reasoning comes back signed.</summary>
    private static readonly string[] s_claude = ["streamed_thinking", "claude_sdk_thinking"];

    /// <summary>The second gateway's deployments, which ask the first in Converse, in InvokeModel, and as the vendor says.</summary>
    private static readonly string[] s_second = ["converse/claude", "converse/gpt", "invoke/claude"];

    public static TheoryData<string, string> Cases =>
        [.. Models.SelectMany(model => CasesOf(model).Select(name => new TheoryDataRow<string, string>(model, name)))];

    /// <summary>The SDK's own handler, which speaks nothing but HTTP/2.</summary>
    private const string Http2 = "http2 bedrock-converse/claude-haiku-4-5";

    private static IEnumerable<string> Models => [.. GatewayTargets.All.Select(static at => at.Model), Http2, .. s_second];

    // The second gateway's platform answers at once: nobody can hang up on it in time. Nor does it fail.
    private static string[] CasesOf(string model) => SdkCases.That(
        [
            .. s_cases.Where(name => name is not ("abort" or "error_kinds") || !s_second.Contains(model)),
            .. model.Contains("claude", StringComparison.Ordinal) ? s_claude : [],
        ],
        model);

    public static TheoryData<string, string> KeptCases => SdkTier.Kept(Cases);

    [Fact]
    public async Task Ledger_AfterAllCases_EqualsTheBill()
    {
        await runs.Node.EndAsync();
        Assert.True(await Books.AssertAgreeAsync(runs.Gateways.Fast, "npm-aws") > (SdkTier.IsLong ? 100 : 8));
        Assert.True(await Books.AssertAgreeAsync(runs.Gateways.Slow, "npm-aws") >= (SdkTier.IsLong ? GatewayTargets.All.Length : 0));
    }

    [Theory]
    [MemberData(nameof(KeptCases))]
    public Task BedrockSdk_AtGateway_IsContent(string target, string name) => runs.Node.AssertPassedAsync(target, name);

    /// <summary>The second gateway, and one Node process for all.</summary>
    public sealed class Runs(GatewayFixture gateways) : IAsyncLifetime
    {
        private const string Key = "client-key-of-the-second-gateway";

        private readonly string _folder = Directory.CreateTempSubdirectory("ballast-bedrock-").FullName;
        private BallastServer? _second;

        internal GatewayFixture Gateways => gateways;

        internal NodeRun Node { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            string yaml = Provider("converse", ("claude", "anthropic", "anthropic/claude-haiku-4-5"), ("gpt", "openai", "openai/gpt-5-mini"))
                + Provider("invoke", ("claude", "anthropic", "anthropic/claude-haiku-4-5"));
            LoadResult loaded = OptionsLoader.Load(
                $"providers:\n{yaml}keys: {{ k: {{ key_env: KEY, app: second }} }}\n", "second.yaml",
                name => name == "KEY" ? Key : gateways.Fast.KeyOf("raw"));
            Assert.True(loaded.Options is not null, string.Join('\n', loaded.Faults.Select(fault => fault.Print("second.yaml"))));
            _second = await BallastServer.StartAsync(
                new ServerSetup
                {
                    Catalog = new CatalogHolder(CatalogBuilder.Build(loaded.Options, revision: 1), loaded.Options),
                    Listen = new Uri("http://127.0.0.1:0"),
                    Admin = new Uri("http://127.0.0.1:0"),
                    LedgerPath = Path.Combine(_folder, "ledger.db"),
                    Seed = 1,
                    LogTo = new LogLines(),
                },
                TestContext.Current.CancellationToken);
            Node = new NodeRun(
                "bedrock.mjs",
                [.. GatewayTargets.All.Select(at => AtFirst(at.Model)), AtFirst(Http2[6..]) with { Name = Http2, IsHttp2 = true, LimitedModel = ErrorPlaces.CopyOf(Http2[6..], "npm-aws.http2"), SlowKey = HangUpKeys.Of("npm-aws.http2", Http2[6..]) }, .. s_second.Select(AtSecond)],
                (target, result) => GatewayTargets.CheckAsync(gateways, target, result));
        }

        public async ValueTask DisposeAsync()
        {
            await _second!.DisposeAsync();
            Directory.Delete(_folder, recursive: true);
        }

        private SdkTarget AtFirst(string model) => GatewayTargets.Of(gateways, "npm-aws", "converse", model, CasesOf(model));

        private SdkTarget AtSecond(string model) => new()
        {
            Name = model,
            Url = _second!.Address,
            Key = Key,
            Model = model,
            SlowUrl = _second.Address,
            Vendor = model.Contains("claude", StringComparison.Ordinal) ? "anthropic" : "any",
            IsGateway = true,
            Cases = CasesOf(model),
        };

        private string Provider(string api, params (string Name, string Vendor, string Model)[] deployments)
        {
            string lines = string.Concat(deployments.Select(one => $"      {one.Name}: {{ vendor: {one.Vendor}, model: {one.Model} }}\n"));
            return $"""
                  {api}:
                    kind: aws-bedrock
                    platform: aws
                    region: eu-west-1
                    api: {api}
                    base_url: {gateways.Fast.Server.Address.GetLeftPart(UriPartial.Authority)}
                    allow_private_addresses: true
                    api_key_env: FIRST
                    data: {"{"} geo: eu, retention_days: 0, training: false {"}"}
                    deployments:

                """ + lines;
        }
    }
}
