using System.Diagnostics;
using System.Text;
using Ballast.EndToEnd.Tests.Fixtures;

namespace Ballast.EndToEnd.Tests.Gateway;

/// <summary>Ten thousand bodies that are no request, over connections that are kept alive: every one is refused well, at once, and the gateway goes on.</summary>
public sealed class MalformedBodiesTests(GatewayFixture gateways)
{
    private const int BodiesEach = 2500;

    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(1);

    [Theory]
    [InlineData("/v1/chat/completions", "openai/gpt-5-mini", 1)]
    [InlineData("/v1/chat/completions", "anthropic/claude-haiku-4-5", 2)]
    [InlineData("/v1/messages", "anthropic/claude-haiku-4-5", 3)]
    [InlineData("/v1/messages", "local/llama-4-scout", 4)]
    public async Task Bodies_GeneratedAndBroken_AreAllRefusedInTheCallersShape(string path, string model, int seed)
    {
        using GatewayClient client = new(gateways.Fast);
        BodyMutator mutator = new(seed);
        string key = gateways.Fast.KeyOf("raw");
        for (int i = 0; i < BodiesEach; i++)
        {
            byte[] body = mutator.Next(model);
            GatewayAnswer answer = await SendInTimeAsync(client, path, body, key);
            Assert.True(answer.Status is >= 400 and < 500, $"Body {i}: {answer.Status} for {Encoding.Latin1.GetString(body)}: {answer.Body}");
            answer.AssertError(gateways.Fast, GatewayClient.ProtocolOf(path));
        }

        Assert.Equal(1, client.Connections);
        GatewayAnswer alive = await client.PostAsync(
            path, $$"""{"model":"{{model}}","max_tokens":50,"messages":[{"role":"user","content":"Reply with exactly \"still here\""}]}""", key);
        Assert.Contains("still here", alive.Body, StringComparison.Ordinal);
        Assert.DoesNotContain(gateways.Fast.Log.All, line => line.StartsWith("Error", StringComparison.Ordinal));
    }

    // A machine that does other things as well may keep one answer waiting; a body that is slow by itself is slow again.
    private static async Task<GatewayAnswer> SendInTimeAsync(GatewayClient client, string path, byte[] body, string key)
    {
        for (int tries = 1; ; tries++)
        {
            long start = Stopwatch.GetTimestamp();
            GatewayAnswer answer = await client.SendAsync(HttpMethod.Post, path, body, key);
            TimeSpan took = Stopwatch.GetElapsedTime(start);
            if (took < AnswerWithin)
            {
                return answer;
            }

            Assert.True(tries < 6, $"{took.TotalSeconds:0.0} s for {Encoding.Latin1.GetString(body)}");
        }
    }
}
