using Ballast.EndToEnd.Tests.Sdk;

namespace Ballast.EndToEnd.Tests.Files;

/// <summary>npm <c>openai</c>, unmodified: files and batches at OpenAI's paths and at Azure's.</summary>
public sealed class NodeFilesTests(NodeFilesTests.Runs runs) : IClassFixture<NodeFilesTests.Runs>
{
    public static TheoryData<string, string> Pairs => SdkTier.Kept(new TheoryData<string, string> { { "openai", "files" }, { "openai", "batches" }, { "azure", "files" }, { "azure", "batches" } });

    [Theory]
    [MemberData(nameof(Pairs))]
    public Task OpenAISdk_FilesAndBatches_IsContent(string client, string name) => runs.All.AssertPassedAsync(client, name);

    /// <summary>One Node process for all.</summary>
    public sealed class Runs : IAsyncLifetime
    {
        private FileHouse _house = null!;

        internal NodeRun All { get; private set; } = null!;

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
        }

        public ValueTask DisposeAsync() => _house.DisposeAsync();
    }
}
