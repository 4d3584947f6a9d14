using Ballast.EndToEnd.Tests.Fixtures;

namespace Ballast.EndToEnd.Tests.Gateway;

/// <summary>Beta features reach every platform of Claude's, each of which refuses a whole request for one name that it does not know.</summary>
public sealed class BetaFeaturesTests(GatewayFixture gateways)
{
    private const string Betas = "interleaved-thinking-2025-05-14,context-1m-2025-08-07,made-up-2026-01-01";

    [Theory]
    [InlineData("bedrock-invoke", false)]
    [InlineData("bedrock-invoke", true)]
    [InlineData("bedrock-converse", false)]
    [InlineData("bedrock-converse", true)]
    [InlineData("vertex", false)]
    [InlineData("vertex", true)]
    [InlineData("foundry", false)]
    public async Task Header_WithAFeatureThatThePlatformLacks_IsAnsweredWithoutIt(string provider, bool stream)
    {
        GatewayAnswer answer = await AskAsync(provider, stream, "raw");
        Assert.True(answer.Status == 200, answer.Body);
        Assert.StartsWith("header:/anthropic-beta/2", answer.Header("x-ballast-loss"), StringComparison.Ordinal);
        IReadOnlyList<string> losses = Assert.Single(await gateways.Fast.EntriesOfAsync(answer.Id)).Losses;
        Assert.Equal(["header:/anthropic-beta/2"], losses.Where(static loss => !loss.StartsWith("response:", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Header_UnderAStrictPolicy_IsRefusedForIt()
    {
        GatewayAnswer answer = await AskAsync("bedrock-invoke", stream: false, "strict");
        answer.AssertError(gateways.Fast, "anthropic", 400);
        Assert.Contains("header:/anthropic-beta/2", answer.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Header_OfACount_IsNotSentToGoogle()
    {
        using GatewayClient http = new(gateways.Fast);
        GatewayAnswer answer = await http.PostAsync(
            "/v1/messages/count_tokens", """{"model":"vertex/claude-haiku-4-5","messages":[{"role":"user","content":"Hello"}]}""", gateways.Fast.KeyOf("raw"), ("anthropic-beta", Betas));
        Assert.True(answer.Status == 200, answer.Body);
        Assert.Null(answer.Header("x-ballast-estimated"));
    }

    private async Task<GatewayAnswer> AskAsync(string provider, bool stream, string client)
    {
        using GatewayClient http = new(gateways.Fast);
        string body = $$"""{"model":"{{provider}}/claude-haiku-4-5","stream":{{(stream ? "true" : "false")}},"max_tokens":50,"messages":[{"role":"user","content":"Hello"}]}""";
        return await http.PostAsync("/v1/messages", body, gateways.Fast.KeyOf(client), ("anthropic-beta", Betas));
    }
}
