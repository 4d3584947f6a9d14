using System.Text.Json;
using Ballast.EndToEnd.Tests.Fixtures;
using Ballast.EndToEnd.Tests.Sdk;
using Ballast.Ledger;
using Ballast.Sandbox;

namespace Ballast.EndToEnd.Tests.Gateway;

/// <summary>Usage in a stream is always asked of the platform, so that the ledger has it, and shown to a client that asked.</summary>
public sealed class StreamUsageTests(GatewayFixture gateways)
{
    public static TheoryData<string> Models => [.. GatewayTargets.All.Select(at => at.Model)];

    [Theory]
    [MemberData(nameof(Models))]
    public async Task Usage_OnlyWhereAsked_IsShownButAlwaysBooked(string model)
    {
        foreach (string options in (string[])["", "\"stream_options\":{},", "\"stream_options\":{\"include_usage\":false},", "\"stream_options\":null,"])
        {
            (GatewayAnswer answer, List<JsonElement> chunks) = await AskAsync(model, options);
            Assert.All(chunks, chunk => Assert.False(chunk.TryGetProperty("usage", out JsonElement usage) && usage.ValueKind != JsonValueKind.Null, answer.Body));
            Assert.All(chunks, chunk => Assert.True(chunk.GetProperty("choices").GetArrayLength() > 0 || chunk.TryGetProperty("prompt_filter_results", out _), answer.Body));
            await AssertBookedAsync(answer);
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public async Task Usage_WhereAsked_IsTheLastChunkAndWithoutChoices(string model)
    {
        (GatewayAnswer answer, List<JsonElement> chunks) = await AskAsync(model, "\"stream_options\":{\"include_usage\":true},");
        Assert.Equal(0, chunks[^1].GetProperty("choices").GetArrayLength());
        BillingRow bill = await AssertBookedAsync(answer);
        JsonElement usage = chunks[^1].GetProperty("usage");
        Assert.Equal(bill.OutputTokens, usage.GetProperty("completion_tokens").GetInt64());
        Assert.Equal(bill.InputTokens + bill.CacheReadTokens + bill.CacheWriteTokens, usage.GetProperty("prompt_tokens").GetInt64());
    }

    private async Task<(GatewayAnswer Answer, List<JsonElement> Chunks)> AskAsync(string model, string options)
    {
        using GatewayClient client = new(gateways.Fast);
        GatewayAnswer answer = await client.PostAsync(
            "/v1/chat/completions",
            $$"""{"model":"{{model}}","stream":true,{{options}}"messages":[{"role":"user","content":"Count from 1 to 40."}]}""",
            gateways.Fast.KeyOf("raw"));
        Assert.Equal(200, answer.Status);
        Assert.EndsWith("data: [DONE]\n\n", answer.Body, StringComparison.Ordinal);
        return (answer, [.. answer.Body.Split('\n').Where(line => line.StartsWith("data: {", StringComparison.Ordinal)).Select(line => Samples.Json(line[6..]))]);
    }

    private async Task<BillingRow> AssertBookedAsync(GatewayAnswer answer)
    {
        LedgerEntry entry = Assert.Single(await gateways.Fast.EntriesOfAsync(answer.Id));
        BillingRow bill = (await gateways.Fast.Sandbox.Billing.WaitAsync(row => row.ClientRequestId == entry.AttemptId, TimeSpan.FromSeconds(5)))!;
        Assert.False(entry.IsEstimated);
        Assert.Equal((bill.InputTokens, bill.OutputTokens), (entry.InputTokens, entry.OutputTokens));
        return bill;
    }
}
