using Ballast.EndToEnd.Tests.Fixtures;
using Ballast.Sandbox;

namespace Ballast.EndToEnd.Tests.Sdk;

/// <summary>
/// AWS's and Anthropic's own SDKs for Bedrock talk to the sandbox directly, with an API key and signed, over HTTP/1.1 and HTTP/2: what is accepted and refused here they would
/// meet at AWS.
/// </summary>
public sealed class BedrockAtSandboxTests(BedrockAtSandboxTests.Runs runs) : IClassFixture<BedrockAtSandboxTests.Runs>
{
    private const string Haiku = "eu.anthropic.claude-haiku-4-5-20251001-v1:0";
    private const string Llama = "meta.llama4-maverick-17b-instruct-v1:0";

    private static readonly string[] s_all =
        ["text", "system_and_turns", "stream", "tools", "parallel_tools", "thinking_tools", "image", "document", "max_tokens", "abort", "unknown_model", "invalid", "error_kinds"];

    private static readonly string[] s_claude =
        [.. s_all, "structured", "streamed_thinking", "cache", "count", "invoke", "invoke_stream", "claude_sdk", "claude_sdk_thinking"];

    private static readonly (string Name, string Model, string Vendor, bool IsSigned, bool IsHttp2, string[] Cases)[] s_targets =
    [
        ("claude-key", Haiku, "anthropic", false, false, [.. s_claude, "wrong_key"]),
        ("claude-signed", Haiku, "anthropic", true, false, [.. s_claude, "signatures", "skewed_clock"]),
        ("claude-signed-http2", Haiku, "anthropic", true, true, [.. s_claude, "signatures", "skewed_clock"]),
        ("llama-signed", Llama, "meta", true, false, [.. s_all.Where(static name => name != "thinking_tools")]),
    ];

    public static TheoryData<string, string> Cases => [.. s_targets.SelectMany(at => at.Cases.Select(name => new TheoryDataRow<string, string>(at.Name, name)))];

    public static TheoryData<string, string> KeptCases => SdkTier.Kept(Cases);

    [Theory]
    [MemberData(nameof(KeptCases))]
    public Task BedrockSdk_AtSandbox_IsContent(string target, string name) => runs.Node.AssertPassedAsync(target, name);

    /// <summary>One Node process for all.</summary>
    public sealed class Runs
    {
        private readonly SandboxFixture _sandbox;

        public Runs(SandboxFixture sandbox)
        {
            _sandbox = sandbox;
            Node = new NodeRun("bedrock.mjs", [.. s_targets.Select(TargetOf)], (_, result) => GatewayTargets.CheckCancelledAsync(sandbox, result));
        }

        internal NodeRun Node { get; }

        private SdkTarget TargetOf((string Name, string Model, string Vendor, bool IsSigned, bool IsHttp2, string[] Cases) at) => new()
        {
            Name = at.Name,
            Url = _sandbox.Fast.Platforms["bedrock"].Address,
            Key = _sandbox.Fast.Platforms["bedrock"].ApiKey,
            Model = at.Model,
            SlowUrl = _sandbox.Slow.Platforms["bedrock"].Address,
            Vendor = at.Vendor,
            Aws = at.IsSigned ? (SandboxAws.AccessKeyId, SandboxAws.SecretAccessKey) : null,
            IsHttp2 = at.IsHttp2,
            Cases = at.Cases,
        };
    }
}
