using Ballast.EndToEnd.Tests.Fixtures;
using Ballast.EndToEnd.Tests.Sdk;

namespace Ballast.EndToEnd.Tests.Gateway;

/// <summary>A tool's name that the other protocol forbids: the platform sees another one, the caller only its own.</summary>
public sealed class ToolNameTests(GatewayFixture gateways)
{
    private const string LongName = "mcp__inventory_of_the_northern_warehouses__list_every_item_with_its_place_and_count";
    private const string DottedName = "inventory.items.list";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Name_TooLongForChat_ComesBackAsTheCallersOwn(bool stream)
    {
        const string tool = $$"""{"name":"{{LongName}}","input_schema":{{Samples.ToolSchema}}}""";
        GatewayAnswer answer = await AskAsync("/v1/messages", "openai/gpt-5-mini", stream, tool, $$"""{"type":"tool","name":"{{LongName}}"}""");
        Assert.Contains($"\"name\":\"{LongName}\"", answer.Body, StringComparison.Ordinal);
        Assert.Contains("/tools/0/name", answer.Header("x-ballast-loss"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Name_WithLettersThatMessagesForbids_ComesBackAsTheCallersOwn(bool stream)
    {
        const string tool = $$$"""{"type":"function","function":{"name":"{{{DottedName}}}","parameters":{{{Samples.ToolSchema}}}}}""";
        GatewayAnswer answer = await AskAsync(
            "/v1/chat/completions", "anthropic/claude-haiku-4-5", stream, tool, $$$"""{"type":"function","function":{"name":"{{{DottedName}}}"}}""");
        Assert.Contains($"\"name\":\"{DottedName}\"", answer.Body, StringComparison.Ordinal);
        Assert.Contains("/tools/0/function/name", answer.Header("x-ballast-loss"), StringComparison.Ordinal);
    }

    private async Task<GatewayAnswer> AskAsync(string path, string model, bool stream, string tool, string choice)
    {
        using GatewayClient client = new(gateways.Fast);
        GatewayAnswer answer = await client.PostAsync(
            path,
            $$"""{"model":"{{model}}","max_tokens":300,"stream":{{(stream ? "true" : "false")}},"messages":[{"role":"user","content":"{{Samples.WeatherPrompt}}"}],"tools":[{{tool}}],"tool_choice":{{choice}}}""",
            gateways.Fast.KeyOf("raw"));
        Assert.True(answer.Status == 200, answer.Body);
        return answer;
    }
}
