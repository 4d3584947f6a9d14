using System.Text.Json.Nodes;
using Ballast.EndToEnd.Tests.Fixtures;
using Ballast.Sandbox;

namespace Ballast.EndToEnd.Tests.Sdk;

/// <summary>
/// LangChain's models of OpenAI (by Chat Completions and by Responses) and Anthropic, and Anthropic's SDK for AI Foundry, unmodified: at the platforms themselves and through
/// the gateway.
/// </summary>
public sealed class MoreSdkTests(MoreSdkTests.Runs runs) : IClassFixture<MoreSdkTests.Runs>
{
    private static readonly string[] s_chain = ["text", "stream", "tools", "parallel_tools", "structured", "image", "max_tokens", "abort", "errors"];
    private static readonly string[] s_foundry = ["text", "stream", "tools", "thinking", "image", "pdf", "count", "entra", "errors"];

    // Protocol, platform of the sandbox, path before the protocol's own.
    private static readonly (string Protocol, string Platform, string Prefix)[] s_sandbox =
    [
        ("openai", "openai", "/v1"), ("responses", "openai", "/v1"), ("responses", "azure", "/openai/v1"), ("anthropic", "anthropic", ""),
    ];

    private static readonly string[] s_protocols = ["openai", "responses", "anthropic"];
    private static readonly string[] s_models =
    [
        "openai/gpt-5-mini", "azure/gpt-5-mini", "anthropic/claude-haiku-4-5", "bedrock/gpt-5-mini", "gemini/gemini-3.5-flash", "cohere/command-a", "ollama/qwen3", "local/llama-4-scout",
    ];

    private static readonly string[] s_claude = ["foundry/claude-haiku-4-5", "anthropic/claude-haiku-4-5", "vertex/claude-haiku-4-5"];

    public static TheoryData<string, string> ChainCases =>
    [
        .. s_sandbox.SelectMany(at => s_chain.Select(name => new TheoryDataRow<string, string>($"direct:{at.Protocol}:{at.Platform}", name))),
        .. s_protocols.SelectMany(protocol => s_models.SelectMany(model => s_chain.Select(name => new TheoryDataRow<string, string>($"{protocol}:{model}", name)))),
    ];

    public static TheoryData<string, string> FoundryCases =>
        [.. ((string[])["direct", .. s_claude]).SelectMany(target => s_foundry.Select(name => new TheoryDataRow<string, string>(target, name)))];

    public static TheoryData<string, string> KeptChainCases => SdkTier.Kept(ChainCases);

    public static TheoryData<string, string> KeptFoundryCases => SdkTier.Kept(FoundryCases);

    [Theory]
    [MemberData(nameof(KeptChainCases))]
    public Task LangChain_AtPlatformAndGateway_IsContent(string target, string name) => runs.Chain.AssertPassedAsync(target, name);

    [Theory]
    [MemberData(nameof(KeptFoundryCases))]
    public Task FoundrySdk_AtPlatformAndGateway_IsContent(string target, string name) => runs.Foundry.AssertPassedAsync(target, name);

    [Fact]
    public async Task Ledger_AfterLangChainsCases_EqualsTheBill()
    {
        await runs.Chain.EndAsync();
        Assert.True(await Books.AssertAgreeAsync(runs.Gateways.Fast, "npm-langchain") > (SdkTier.IsLong ? 100 : 10));
        Assert.True(await Books.AssertAgreeAsync(runs.Gateways.Slow, "npm-langchain") >= (SdkTier.IsLong ? s_models.Length : 0));
    }

    /// <summary>One Node process for each SDK.</summary>
    public sealed class Runs : IAsyncLifetime
    {
        private readonly SandboxFixture _sandbox;
        private NodeRun? _foundry;

        public Runs(GatewayFixture gateways, SandboxFixture sandbox)
        {
            Gateways = gateways;
            _sandbox = sandbox;
            Chain = new NodeRun(
                "langchain.mjs",
                [
                    .. s_sandbox.Select(at => AtSandbox($"direct:{at.Protocol}:{at.Platform}", at.Platform, at.Protocol) with { Prefix = at.Prefix }),
                    .. s_protocols.SelectMany(protocol => s_models.Select(model =>
                        GatewayTargets.Of(gateways, "npm-langchain", protocol, model, s_chain) with { Name = $"{protocol}:{model}" })),
                ],
                NothingMore);
        }

        internal GatewayFixture Gateways { get; }

        internal NodeRun Chain { get; }

        internal NodeRun Foundry => _foundry ?? throw new InvalidOperationException("The fixture has not been started.");

        public async ValueTask InitializeAsync()
        {
            SdkTarget direct = AtSandbox("direct", "azure", "anthropic");
            _foundry = new NodeRun(
                "foundry.mjs",
                [
                    direct with { Model = "claude-haiku-4-5", Token = await TokenAsync(_sandbox.Fast), Cases = s_foundry },
                    .. s_claude.Select(model => GatewayTargets.Of(Gateways, "npm-foundry", "anthropic", model, s_foundry) with { Token = Gateways.Fast.KeyOf("npm-foundry") }),
                ],
                NothingMore);
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        private static Task<string?> NothingMore(SdkTarget target, NodeResult result) => Task.FromResult<string?>(null);

        private SdkTarget AtSandbox(string name, string platform, string protocol) => new()
        {
            Name = name,
            Url = _sandbox.Fast.Platforms[platform].Address,
            Key = _sandbox.Fast.Platforms[platform].ApiKey,
            Model = _sandbox.Fast.Platforms[platform].Models[0].Name,
            SlowUrl = _sandbox.Slow.Platforms[platform].Address,
            Vendor = platform,
            Protocol = protocol,
            Cases = s_chain,
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
