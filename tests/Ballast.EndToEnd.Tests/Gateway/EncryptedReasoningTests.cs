using System.Text.Json.Nodes;
using Ballast.EndToEnd.Tests.Fixtures;

namespace Ballast.EndToEnd.Tests.Gateway;

/// <summary>
/// Encrypted reasoning of the Responses API can be decrypted by the account that issued it alone: a conversation that its caller keeps goes on at another account of the
/// same vendor without it, and says so. The sandbox's platforms each have a seal of their own and refuse another's.
/// </summary>
public sealed class EncryptedReasoningTests(GatewayFixture gateways)
{
    private const string OpenAI = "openai/gpt-5-mini";
    private const string Azure = "azure/gpt-5-mini";

    /// <summary>Either of the two accounts answers for it.</summary>
    private const string Route = "two-accounts";

    private async Task<GatewayAnswer> AskAsync(string model, JsonNode input, bool stream = false)
    {
        JsonObject body = new()
        {
            ["model"] = model, ["store"] = false, ["stream"] = stream, ["include"] = new JsonArray("reasoning.encrypted_content"), ["reasoning"] = new JsonObject { ["effort"] = "medium" },
            ["input"] = input.DeepClone(),
        };
        using GatewayClient client = new(gateways.Fast);
        return await client.PostAsync("/v1/responses", body.ToJsonString(), gateways.Fast.KeyOf("raw"));
    }

    private static JsonArray First() => [new JsonObject { ["role"] = "user", ["content"] = "My name is Ada." }];

    /// <summary>What a caller that keeps the conversation itself sends next.</summary>
    private static JsonArray Next(JsonNode output)
    {
        JsonArray input = First();
        foreach (JsonNode? item in output.AsArray())
        {
            input.Add(item!.DeepClone());
        }

        input.Add((JsonNode)new JsonObject { ["role"] = "user", ["content"] = "What is my name?" });
        return input;
    }

    private static JsonNode OutputOf(GatewayAnswer answer, bool isStream)
    {
        Assert.True(answer.Status == 200, answer.Body);
        if (!isStream)
        {
            return JsonNode.Parse(answer.Body)!["output"]!;
        }

        JsonArray done = [];
        JsonNode? whole = null;
        foreach (string data in answer.Body.Split('\n').Where(line => line.StartsWith("data: ", StringComparison.Ordinal)).Select(line => line[6..]))
        {
            JsonNode told = JsonNode.Parse(data)!;
            if ((string?)told["type"] == "response.output_item.done")
            {
                done.Add(told["item"]!.DeepClone());
            }
            else if ((string?)told["type"] == "response.completed")
            {
                whole = told["response"]!["output"];
            }
        }

        Assert.Equal(whole!.ToJsonString(), done.ToJsonString());
        return done;
    }

    private static string SealOf(JsonNode output) =>
        (string)output.AsArray().Single(item => (string?)item!["type"] == "reasoning")!["encrypted_content"]!;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Route_OverTwoAccounts_GoesOnAtEither(bool stream)
    {
        GatewayAnswer first = await AskAsync(Route, First(), stream);
        JsonNode output = OutputOf(first, stream);
        string home = first.Header("x-ballast-deployment")!;
        Assert.Contains(home, (string[])[OpenAI, Azure]);
        Assert.StartsWith($"ballast-thinking:openai@{home.Split('/')[0]}:gAAAAAB", SealOf(output), StringComparison.Ordinal);

        GatewayAnswer own = await AskAsync(home, Next(output), stream);
        Assert.True(own.Status == 200, own.Body);
        Assert.Null(own.Header("x-ballast-loss"));

        GatewayAnswer other = await AskAsync(home == OpenAI ? Azure : OpenAI, Next(output), stream);
        Assert.True(other.Status == 200, other.Body);
        Assert.Contains("Ada", other.Body, StringComparison.Ordinal);
        Assert.Equal("/input/1", other.Header("x-ballast-loss"));
    }

    [Fact]
    public async Task Deployment_AskedByItsName_GivesAndTakesTheVendorsOwnBytes()
    {
        JsonNode output = OutputOf(await AskAsync(OpenAI, First()), isStream: false);
        Assert.StartsWith("gAAAAAB", SealOf(output), StringComparison.Ordinal);
        Assert.Equal(200, (await AskAsync(OpenAI, Next(output))).Status);

        // Nothing tells whose it is: the other account says that it cannot read it.
        GatewayAnswer refused = await AskAsync(Azure, Next(output));
        Assert.True(refused.Status == 400 && refused.Body.Contains("invalid_encrypted_content", StringComparison.Ordinal), refused.Body);
    }
}
