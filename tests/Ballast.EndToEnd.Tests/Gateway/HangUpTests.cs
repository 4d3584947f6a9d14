using Ballast.EndToEnd.Tests.Fixtures;
using Ballast.EndToEnd.Tests.Sdk;

namespace Ballast.EndToEnd.Tests.Gateway;

/// <summary>A client that hangs up ends the platform's work within a second, wherever the answer stood, every time.</summary>
public sealed class HangUpTests(GatewayFixture gateways)
{
    private const int HangUpsEach = 6;

    [Theory]
    [InlineData("/v1/chat/completions", "openai/gpt-5-mini")]
    [InlineData("/v1/chat/completions", "anthropic/claude-haiku-4-5")]
    [InlineData("/v1/messages", "anthropic/claude-haiku-4-5")]
    [InlineData("/v1/messages", "local/llama-4-scout")]
    public async Task Stream_HungUpOn_CancelsThePlatform(string path, string model)
    {
        await Task.WhenAll(Enumerable.Range(0, HangUpsEach).Select(at => HangUpAsync(path, model, at)));
    }

    private async Task HangUpAsync(string path, string model, int at)
    {
        string body = $$"""{"model":"{{model}}","stream":true,"max_tokens":4000,"messages":[{"role":"user","content":"Count from 1 to 900."}]}""";
        string id;
        using (GatewayClient client = new(gateways.Slow))
        {
            using HttpResponseMessage response = await client.OpenAsync(path, body, gateways.Slow.KeyOf("raw"));
            id = response.Headers.GetValues("x-ballast-request-id").First();
            Stream stream = await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
            await stream.ReadAtLeastAsync(new byte[1500 + (at * 400)], 1500 + (at * 400), cancellationToken: TestContext.Current.CancellationToken);
        }

        Assert.Null(await GatewayTargets.CheckCancelledAsync(gateways, id));
    }
}
