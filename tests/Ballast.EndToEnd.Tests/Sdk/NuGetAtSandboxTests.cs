using Ballast.EndToEnd.Tests.Fixtures;
using Ballast.Sandbox;

namespace Ballast.EndToEnd.Tests.Sdk;

/// <summary>The vendors' NuGet SDKs talk to the sandbox directly.</summary>
public sealed class NuGetAtSandboxTests(SandboxFixture sandbox)
{
    // Name, path before the protocol's own paths.
    private static readonly (string Platform, string Prefix)[] OpenAIPlatforms =
        [("openai", "/v1"), ("azure", "/openai/v1"), ("bedrock", "/v1"), ("local", "/v1")];

    public static TheoryData<string, string> OpenAICases => Rows(OpenAIPlatforms.Select(at => at.Platform), OpenAINuGet.Cases.Keys);

    public static TheoryData<string, string> AnthropicCases => Rows(["anthropic"], AnthropicNuGet.Cases.Keys);

    public static TheoryData<string, string> ExtensionsCases => Rows([.. OpenAIPlatforms.Select(at => at.Platform), "anthropic"], ExtensionsAINuGet.Cases.Keys);

    [Theory]
    [MemberData(nameof(OpenAICases))]
    public Task OpenAISdk_AtSandbox_IsContent(string platform, string name) => OpenAINuGet.Cases[name](Target(platform));

    [Theory]
    [MemberData(nameof(AnthropicCases))]
    public Task AnthropicSdk_AtSandbox_IsContent(string platform, string name) => AnthropicNuGet.Cases[name](Target(platform));

    [Theory]
    [MemberData(nameof(ExtensionsCases))]
    public Task ExtensionsAI_AtSandbox_IsContent(string platform, string name) => ExtensionsAINuGet.Cases[name](Target(platform));

    private static TheoryData<string, string> Rows(IEnumerable<string> targets, IEnumerable<string> cases)
    {
        TheoryData<string, string> rows = [];
        foreach (string target in targets)
        {
            foreach (string name in cases)
            {
                rows.Add(target, name);
            }
        }

        return rows;
    }

    private SdkTarget Target(string platform)
    {
        SandboxPlatform fast = sandbox.Fast.Platforms[platform];
        return new SdkTarget
        {
            Name = platform,
            Url = fast.Address,
            Key = fast.ApiKey,
            Model = fast.Models[0].Name,
            SlowUrl = sandbox.Slow.Platforms[platform].Address,
            Vendor = platform switch { "anthropic" => "anthropic", "local" => "meta", _ => "openai" },
            Prefix = OpenAIPlatforms.FirstOrDefault(at => at.Platform == platform).Prefix ?? "/v1",
            Protocol = platform == "anthropic" ? "anthropic" : "openai",
            WrongKeyStatus = platform == "bedrock" ? 403 : 401,
            Lacks = SdkLack.Of(platform),
            IsCancelled = id => GatewayTargets.CheckCancelledAsync(sandbox, id),
            Cases = [],
        };
    }
}
