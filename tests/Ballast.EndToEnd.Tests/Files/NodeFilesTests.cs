using Ballast.EndToEnd.Tests.Sdk;

namespace Ballast.EndToEnd.Tests.Files;

/// <summary>npm <c>openai</c> and <c>@anthropic-ai/sdk</c>, unmodified: files and batches at OpenAI's paths and at Azure's, batches of Messages.</summary>
public sealed class NodeFilesTests(NodeFilesTests.Runs runs) : IClassFixture<NodeFilesTests.Runs>
{
    public static TheoryData<string, string> Pairs => SdkTier.Kept(new TheoryData<string, string> { { "openai", "files" }, { "openai", "batches" }, { "azure", "files" }, { "azure", "batches" } });

    [Theory]
    [MemberData(nameof(Pairs))]
    public Task OpenAISdk_FilesAndBatches_IsContent(string client, string name) => runs.All.AssertPassedAsync(client, name);

    [Theory]
    [InlineData("batches")]
    [InlineData("refused")]
    public Task AnthropicSdk_MessageBatches_IsContent(string name) => runs.Messages.AssertPassedAsync("anthropic", name);

    /// <summary>One Node process for all.</summary>
    public sealed class Runs : IAsyncLifetime
    {
        private FileHouse _house = null!;

        internal NodeRun All { get; private set; } = null!;
        internal NodeRun Messages { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            _house = await FileHouse.StartAsync();
            SdkTarget Of(string name, string key, string model) => new()
            {
                Name = name,
                Url = _house.Server.Address,
                SlowUrl = _house.Server.Address,
                Key = key,
                Model = model,
                Vendor = "openai",
                Protocol = "openai",
                IsGateway = true,
                IsAzure = name == "azure",
                Cases = ["files", "batches"],
            };
            All = new NodeRun(
                "files.mjs", [Of("openai", FileHouse.One, "small"), Of("azure", FileHouse.Two, "eu-small")], static (_, _) => Task.FromResult<string?>(null));
            Messages = new NodeRun(
                "message-batches.mjs",
                [Of("anthropic", FileHouse.One, "claude") with { Vendor = "anthropic", Protocol = "anthropic", Cases = ["batches", "refused"] }],
                static (_, _) => Task.FromResult<string?>(null));
        }

        public ValueTask DisposeAsync() => _house.DisposeAsync();
    }
}
