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
        ["text", "stream", "tools", "parallel_tools", "max_tokens", "image", "wrong_key", "unknown_model", "invalid", "invoke", "invoke_stream", "claude_sdk"];

    /// <summary>The first gateway's deployments, and the second's, which ask the first in Converse, in InvokeModel, and as the vendor says.</summary>
    private static readonly string[] s_models =
        ["openai/gpt-5-mini", "anthropic/claude-haiku-4-5", "local/llama-4-scout", "converse/claude", "converse/gpt", "invoke/claude"];

    public static TheoryData<string, string> Cases => [.. s_models.SelectMany(model => s_cases.Select(name => new TheoryDataRow<string, string>(model, name)))];

    [Theory]
    [MemberData(nameof(Cases))]
    public Task BedrockSdk_AtGateway_IsContent(string target, string name) => runs.Node.AssertPassedAsync(target, name);

    /// <summary>The second gateway, and one Node process for all.</summary>
    public sealed class Runs(GatewayFixture gateways) : IAsyncLifetime
    {
        private const string Key = "client-key-of-the-second-gateway";

        private readonly string _folder = Directory.CreateTempSubdirectory("ballast-bedrock-").FullName;
        private BallastServer? _second;

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
            Node = new NodeRun("bedrock.mjs", [.. s_models.Select(TargetOf)], static (_, _) => Task.FromResult<string?>(null));
        }

        public async ValueTask DisposeAsync()
        {
            await _second!.DisposeAsync();
            Directory.Delete(_folder, recursive: true);
        }

        private SdkTarget TargetOf(string model)
        {
            bool isSecond = model.StartsWith("converse/", StringComparison.Ordinal) || model.StartsWith("invoke/", StringComparison.Ordinal);
            Uri address = isSecond ? _second!.Address : gateways.Fast.Server.Address;
            return new SdkTarget
            {
                Name = model,
                Url = address,
                Key = isSecond ? Key : gateways.Fast.KeyOf("raw"),
                Model = model,
                SlowUrl = address,
                Vendor = "any",
                IsGateway = true,
                Cases = s_cases,
            };
        }

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
