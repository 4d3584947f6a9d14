using Ballast.EndToEnd.Tests.Fixtures;

namespace Ballast.EndToEnd.Tests.Sdk;

/// <summary>The vendors' NuGet SDKs, unmodified, through the gateway to every platform: each SDK also to those of the other protocol.</summary>
public sealed class NuGetAtGatewayTests(GatewayFixture gateways)
{
    private const string OpenAIClient = "nuget-openai";
    private const string AnthropicClient = "nuget-anthropic";
    private const string ExtensionsClient = "nuget-extensions";

    public static TheoryData<string> Models => [.. GatewayTargets.All.Select(at => at.Model)];

    [Theory]
    [MemberData(nameof(Models))]
    public Task OpenAISdk_AtGateway_IsContentAndTheBooksAgree(string model) =>
        RunAsync(OpenAINuGet.Cases, OpenAIClient, "openai", model);

    [Theory]
    [MemberData(nameof(Models))]
    public Task AnthropicSdk_AtGateway_IsContentAndTheBooksAgree(string model) =>
        RunAsync(AnthropicNuGet.Cases, AnthropicClient, "anthropic", model);

    [Theory]
    [MemberData(nameof(Models))]
    public async Task ExtensionsAI_AtGateway_IsContentAndTheBooksAgree(string model)
    {
        await RunAsync(ExtensionsAINuGet.Cases, ExtensionsClient, "openai", model);
        await RunAsync(ExtensionsAINuGet.Cases, ExtensionsClient, "anthropic", model);
    }

    // Every case is tried before one of them is told: which cases fail, and which do not, says where to look.
    private async Task RunAsync(IReadOnlyDictionary<string, Func<SdkTarget, Task>> cases, string client, string protocol, string model)
    {
        SdkTarget target = GatewayTargets.Of(gateways, client, protocol, model, []);
        List<string> failures = [];
        HashSet<(string, string)> kept = SdkTier.Kept(GatewayTargets.All.SelectMany(at => SdkCases.That(cases.Keys, at.Model).Select(name => (at.Model, name))));
        foreach ((string name, Func<SdkTarget, Task> run) in cases.Where(one => kept.Contains((model, one.Key))))
        {
            try
            {
                await run(target);
            }
            catch (Exception failure) when (!TestContext.Current.CancellationToken.IsCancellationRequested)
            {
                failures.Add($"{protocol} {name}: {failure}");
            }
        }

        Assert.True(failures.Count == 0, string.Join('\n', failures));
        Assert.True(await Books.AssertAgreeAsync(gateways.Fast, client) >= (SdkTier.IsLong ? cases.Count - 4 : 0));
    }
}
