using System.Text;
using System.Text.Json;
using Ballast.EndToEnd.Tests.Fixtures;
using Ballast.EndToEnd.Tests.Sdk;
using Ballast.Ledger;

namespace Ballast.EndToEnd.Tests.Gateway;

/// <summary>Structured output where the platform has none: emulated without a trace of how, and checked against the schema.</summary>
public sealed class StructuredOutputTests(GatewayFixture gateways)
{
    private const string Chat = "/v1/chat/completions";
    private const string Messages = "/v1/messages";

    // Where other tools are on offer, the sandbox calls the one that a prompt names.
    private const string Prompt = "Describe a sailing ship. Use ballast_structured_output.";

    public static TheoryData<string, string, bool, bool> Emulations
    {
        get
        {
            TheoryData<string, string, bool, bool> rows = [];
            foreach (string path in (string[])[Chat, Messages])
            {
                foreach (string model in (string[])["anthropic/claude-plain", "local/llama-plain"])
                {
                    foreach (bool stream in (bool[])[false, true])
                    {
                        rows.Add(path, model, stream, false);
                        rows.Add(path, model, stream, true);
                    }
                }
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Emulations))]
    public async Task Schema_WhereThePlatformHasNone_IsKeptAndTheEmulationDoesNotShow(string path, string model, bool stream, bool hasTools)
    {
        GatewayAnswer answer = await AskAsync(path, model, stream, hasTools, Prompt);
        Assert.True(answer.Status == 200, answer.Body);
        Samples.CheckShip(path == Chat ? TextOfChat(answer, stream) : TextOfMessages(answer, stream));
        LedgerEntry row = Assert.Single(await gateways.Fast.EntriesOfAsync(answer.Id));
        Assert.Equal(AttemptOutcome.Completed, row.Outcome);
    }

    [Theory]
    [InlineData(Chat, "anthropic/claude-plain", false)]
    [InlineData(Chat, "anthropic/claude-plain", true)]
    [InlineData(Chat, "local/llama-plain", true)]
    [InlineData(Messages, "local/llama-plain", false)]
    [InlineData(Messages, "local/llama-plain", true)]
    [InlineData(Messages, "anthropic/claude-plain", false)]
    public async Task Tool_CalledInPlaceOfTheAnswer_IsTheCallersToRun(string path, string model, bool stream)
    {
        GatewayAnswer answer = await AskAsync(path, model, stream, hasTools: true, Samples.WeatherPrompt);
        Assert.True(answer.Status == 200, answer.Body);
        Assert.Contains(Samples.ToolName, answer.Body, StringComparison.Ordinal);
        Assert.Contains(path == Chat ? "\"tool_calls\"" : "\"tool_use\"", answer.Body, StringComparison.Ordinal);
        Assert.DoesNotContain("ballast_structured_output", answer.Body, StringComparison.Ordinal);
        Assert.Equal("tool_calls", Assert.Single(await gateways.Fast.EntriesOfAsync(answer.Id)).Finish);
    }

    [Theory]
    [InlineData(Chat, "anthropic/claude-plain", "\"length\"")]
    [InlineData(Chat, "local/llama-plain", "\"length\"")]
    [InlineData(Messages, "local/llama-plain", "\"max_tokens\"")]
    [InlineData(Messages, "anthropic/claude-plain", "\"max_tokens\"")]
    public async Task Answer_CutAtItsLimit_IsGivenAsFarAsItGoes(string path, string model, string finish)
    {
        GatewayAnswer answer = await AskAsync(path, model, stream: false, hasTools: false, Prompt, maxTokens: 3);
        Assert.True(answer.Status == 200, answer.Body);
        Assert.Contains(finish, answer.Body, StringComparison.Ordinal);
        Assert.DoesNotContain("ballast_structured_output", answer.Body, StringComparison.Ordinal);
    }

    private static string TextOfChat(GatewayAnswer answer, bool stream)
    {
        StringBuilder text = new();
        string? finish = null;
        foreach (JsonElement part in stream ? Events(answer) : [answer.Json])
        {
            foreach (JsonElement choice in part.GetProperty("choices").EnumerateArray())
            {
                JsonElement message = choice.GetProperty(stream ? "delta" : "message");
                Assert.False(message.TryGetProperty("tool_calls", out _), answer.Body);
                text.Append(message.TryGetProperty("content", out JsonElement content) ? content.GetString() : "");
                finish = choice.GetProperty("finish_reason").GetString() ?? finish;
            }
        }

        Assert.Equal("stop", finish);
        return text.ToString();
    }

    private static string TextOfMessages(GatewayAnswer answer, bool stream)
    {
        Assert.DoesNotContain("tool_use", answer.Body, StringComparison.Ordinal);
        Assert.Contains("end_turn", answer.Body, StringComparison.Ordinal);
        return stream
            ? string.Concat(Events(answer).Where(part => part.GetProperty("type").GetString() == "content_block_delta")
                .Select(part => part.GetProperty("delta").GetProperty("text").GetString()))
            : string.Concat(answer.Json.GetProperty("content").EnumerateArray().Select(block => block.GetProperty("text").GetString()));
    }

    private static IEnumerable<JsonElement> Events(GatewayAnswer answer) => answer.Body.Split('\n')
        .Where(line => line.StartsWith("data: {", StringComparison.Ordinal)).Select(line => Samples.Json(line["data: ".Length..]));

    private async Task<GatewayAnswer> AskAsync(string path, string model, bool stream, bool hasTools, string prompt, int maxTokens = 500)
    {
        string tools = !hasTools ? "" : path == Chat
            ? $$$""","tools":[{"type":"function","function":{"name":"{{{Samples.ToolName}}}","parameters":{{{Samples.ToolSchema}}}}}]"""
            : $$""","tools":[{"name":"{{Samples.ToolName}}","input_schema":{{Samples.ToolSchema}}}]""";
        string format = path == Chat
            ? $$$""","response_format":{"type":"json_schema","json_schema":{"name":"ship","strict":true,"schema":{{{Samples.ShipSchema}}}}}"""
            : $$$""","output_config":{"format":{"type":"json_schema","schema":{{{Samples.ShipSchema}}}}}""";
        using GatewayClient client = new(gateways.Fast);
        return await client.PostAsync(
            path,
            $$"""{"model":"{{model}}","max_tokens":{{maxTokens}},"stream":{{(stream ? "true" : "false")}},"messages":[{"role":"user","content":"{{prompt}}"}]{{tools}}{{format}}}""",
            gateways.Fast.KeyOf("raw"));
    }
}
