using System.Text.Json;
using Ballast.EndToEnd.Tests.Fixtures;

namespace Ballast.EndToEnd.Tests.Gateway;

/// <summary>Conversations of the Responses API go on wherever they began: the gateway keeps them, whichever platform answers, for the key that asked.</summary>
public sealed class ResponsesStateTests(GatewayFixture gateways)
{
    private const string Path = "/v1/responses";
    private const string Grammar = ""","format":{"type":"grammar","syntax":"regex","definition":"[a-z ]+"}""";
    private const string Claude = "anthropic/claude-haiku-4-5";
    private const string Llama = "local/llama-4-scout";

    private async Task<GatewayAnswer> AskAsync(string body, string key = "raw")
    {
        using GatewayClient client = new(gateways.Fast);
        return await client.PostAsync(Path, body, gateways.Fast.KeyOf(key));
    }

    private async Task<GatewayAnswer> SendAsync(HttpMethod method, string path, string? body = null, string key = "raw")
    {
        using GatewayClient client = new(gateways.Fast);
        return await client.SendAsync(method, path, body is null ? null : System.Text.Encoding.UTF8.GetBytes(body), gateways.Fast.KeyOf(key));
    }

    private static string IdOf(GatewayAnswer answer)
    {
        Assert.True(answer.Status == 200, answer.Body);
        return answer.Json.GetProperty("id").GetString()!;
    }

    private static string TextOf(GatewayAnswer answer)
    {
        Assert.True(answer.Status == 200, answer.Body);
        return string.Concat(answer.Json.GetProperty("output").EnumerateArray().Where(item => item.GetProperty("type").GetString() == "message")
            .SelectMany(item => item.GetProperty("content").EnumerateArray()).Select(part => part.GetProperty("text").GetString()));
    }

    [Theory]
    [InlineData(Claude, Llama)]
    [InlineData(Llama, Claude)]
    public async Task PreviousResponseId_AtAnotherPlatform_GoesOn(string first, string second)
    {
        string id = IdOf(await AskAsync($$"""{"model":"{{first}}","instructions":"Be brief.","input":"My name is Ada."}"""));
        GatewayAnswer answer = await AskAsync($$"""{"model":"{{second}}","previous_response_id":"{{id}}","input":[{"role":"user","content":"What is my name?"}]}""");
        Assert.Contains("Ada", TextOf(answer), StringComparison.Ordinal);
        Assert.Equal(id, answer.Json.GetProperty("previous_response_id").GetString());
        Assert.Equal(JsonValueKind.Null, answer.Json.GetProperty("instructions").ValueKind);
        Assert.True(answer.Json.GetProperty("store").GetBoolean());

        string third = IdOf(await AskAsync($$"""{"model":"{{first}}","previous_response_id":"{{IdOf(answer)}}","input":"What is my name?","store":false}"""));
        Assert.Equal(404, (await SendAsync(HttpMethod.Get, $"{Path}/{third}")).Status);
    }

    [Fact]
    public async Task PreviousResponseId_OfAStream_GoesOn()
    {
        GatewayAnswer streamed = await AskAsync($$"""{"model":"{{Claude}}","input":"My name is Ada.","stream":true}""");
        Assert.Equal(200, streamed.Status);
        string last = streamed.Body.Split("\n\n", StringSplitOptions.RemoveEmptyEntries)[^1];
        Assert.StartsWith("event: response.completed\ndata: ", last, StringComparison.Ordinal);
        using JsonDocument data = JsonDocument.Parse(last[(last.IndexOf("data: ", StringComparison.Ordinal) + 6)..]);
        string id = data.RootElement.GetProperty("response").GetProperty("id").GetString()!;
        GatewayAnswer answer = await AskAsync($$"""{"model":"{{Llama}}","previous_response_id":"{{id}}","input":"What is my name?"}""");
        Assert.Contains("Ada", TextOf(answer), StringComparison.Ordinal);
    }

    [Fact]
    public async Task PreviousResponseId_UnknownOrOfAnotherKey_IsNotFound()
    {
        string id = IdOf(await AskAsync($$"""{"model":"{{Claude}}","input":"My name is Ada."}"""));
        foreach ((string previous, string key) in ((string, string)[])[("resp_none", "raw"), (id, "allow")])
        {
            GatewayAnswer refused = await AskAsync($$"""{"model":"{{Claude}}","previous_response_id":"{{previous}}","input":"Hello"}""", key);
            refused.AssertError(gateways.Fast, "openai", 400);
            Assert.Equal("previous_response_not_found", refused.Json.GetProperty("error").GetProperty("code").GetString());
            Assert.Equal(404, (await SendAsync(HttpMethod.Get, $"{Path}/{previous}", key: key)).Status);
            Assert.Equal(404, (await SendAsync(HttpMethod.Get, $"{Path}/{previous}/input_items", key: key)).Status);
            Assert.Equal(404, (await SendAsync(HttpMethod.Delete, $"{Path}/{previous}", key: key)).Status);
            Assert.Equal(404, (await SendAsync(HttpMethod.Post, $"{Path}/{previous}/cancel", "", key)).Status);
        }

        Assert.Equal(400, (await SendAsync(HttpMethod.Post, $"{Path}/{id}/cancel", "")).Status);
        Assert.Equal(400, (await AskAsync($$"""{"model":"{{Claude}}","background":true,"input":"Hello"}""")).Status);
    }

    [Fact]
    public async Task Answer_ReadListedAndDeleted_IsGone()
    {
        GatewayAnswer asked = await AskAsync($$"""{"metadata":{"k":"v"},"model":"{{Claude}}","input":"My name is Ada."}""");
        string id = IdOf(asked);
        GatewayAnswer read = await SendAsync(HttpMethod.Get, $"{Path}/{id}");
        Assert.Equal(asked.Body, read.Body);
        Assert.Equal("v", read.Json.GetProperty("metadata").GetProperty("k").GetString());
        GatewayAnswer items = await SendAsync(HttpMethod.Get, $"{Path}/{id}/input_items?limit=5");
        JsonElement item = Assert.Single(items.Json.GetProperty("data").EnumerateArray());
        Assert.Equal("My name is Ada.", item.GetProperty("content")[0].GetProperty("text").GetString());
        GatewayAnswer deleted = await SendAsync(HttpMethod.Delete, $"{Path}/{id}");
        Assert.True(deleted.Json.GetProperty("deleted").GetBoolean(), deleted.Body);
        Assert.Equal(404, (await SendAsync(HttpMethod.Get, $"{Path}/{id}")).Status);
        Assert.Equal(400, (await AskAsync($$"""{"model":"{{Claude}}","previous_response_id":"{{id}}","input":"Hello"}""")).Status);
        Assert.Equal(405, (await SendAsync(HttpMethod.Put, $"{Path}/{id}")).Status);
    }

    [Fact]
    public async Task ItemReference_OfAnEarlierAnswer_IsTheItem()
    {
        GatewayAnswer asked = await AskAsync($$"""{"model":"{{Claude}}","input":"Reply with exactly \"Ada and Grace\""}""");
        string item = asked.Json.GetProperty("output").EnumerateArray().Last().GetProperty("id").GetString()!;
        GatewayAnswer answer = await AskAsync(
            $$"""{"model":"{{Llama}}","input":[{"role":"user","content":"Who?"},{"type":"item_reference","id":"{{item}}"},{"role":"user","content":"Thanks."}]}""");
        Assert.True(answer.Status == 200, answer.Body);
        GatewayAnswer unknown = await AskAsync($$"""{"model":"{{Llama}}","input":[{"role":"user","content":"Who?"},{"id":"msg_none"}]}""");
        unknown.AssertError(gateways.Fast, "openai", 404);
        Assert.Equal(404, (await AskAsync($$"""{"model":"{{Llama}}","input":[{"role":"user","content":"Who?"},{"type":"item_reference","id":"{{item}}"}]}""", "allow")).Status);
    }

    [Fact]
    public async Task Conversation_OfSeveralPlatforms_RemembersAll()
    {
        GatewayAnswer made = await SendAsync(HttpMethod.Post, "/v1/conversations", """{"metadata":{"topic":"names"},"items":[{"role":"user","content":"My name is Ada."}]}""");
        string id = IdOf(made);
        GatewayAnswer answer = await AskAsync($$"""{"model":"{{Llama}}","conversation":"{{id}}","input":"What is my name?"}""");
        Assert.Contains("Ada", TextOf(answer), StringComparison.Ordinal);
        Assert.Equal(id, answer.Json.GetProperty("conversation").GetProperty("id").GetString());
        Assert.Contains("Ada", TextOf(await AskAsync($$$"""{"model":"{{{Claude}}}","conversation":{"id":"{{{id}}}"},"input":"What is my name?"}""")), StringComparison.Ordinal);
        GatewayAnswer items = await SendAsync(HttpMethod.Get, $"/v1/conversations/{id}/items?order=asc&limit=100");
        Assert.Equal(5, items.Json.GetProperty("data").GetArrayLength());
        Assert.Equal(404, (await SendAsync(HttpMethod.Get, $"/v1/conversations/{id}", key: "allow")).Status);
        Assert.Equal(404, (await AskAsync($$"""{"model":"{{Llama}}","conversation":"{{id}}","input":"x"}""", "allow")).Status);
        Assert.Equal("conversation.deleted", (await SendAsync(HttpMethod.Delete, $"/v1/conversations/{id}")).Json.GetProperty("object").GetString());
        Assert.Equal(404, (await AskAsync($$"""{"model":"{{Llama}}","conversation":"{{id}}","input":"x"}""")).Status);
    }

    [Fact]
    public async Task TokenCount_OfARequest_IsTold()
    {
        GatewayAnswer counted = await SendAsync(HttpMethod.Post, $"{Path}/input_tokens", $$"""{"model":"{{Claude}}","input":"How many tokens are these?"}""");
        Assert.True(counted.Status == 200, counted.Body);
        Assert.Equal("response.input_tokens", counted.Json.GetProperty("object").GetString());
        Assert.InRange(counted.Json.GetProperty("input_tokens").GetInt64(), 4, 40);
    }

    [Theory]
    [InlineData("""{"model":"MODEL","background":true,"input":"Hello"}""", "", "ballast_background_not_offered")]
    [InlineData("""{"model":"MODEL","input":"Hello"}""", "/compact", "ballast_compaction_not_offered")]
    public async Task Wish_WhereNoVendorHasIt_IsRefusedInWords(string body, string path, string code)
    {
        foreach (string model in (string[])[Claude, Llama, "bedrock/gpt-5-mini", "gemini/gemini-3.5-flash"])
        {
            GatewayAnswer refused = await SendAsync(HttpMethod.Post, Path + path, body.Replace("MODEL", model, StringComparison.Ordinal));
            refused.AssertError(gateways.Fast, "openai", 400);
            Assert.Equal(code, refused.Json.GetProperty("error").GetProperty("code").GetString());
        }
    }

    [Theory]
    [InlineData("openai/gpt-5-mini", "", "")]
    [InlineData(Claude, "", "")]
    [InlineData(Llama, "", "")]
    [InlineData("openai/gpt-5-mini", Grammar, "")]
    [InlineData(Claude, Grammar, "/tools/0/format")]
    [InlineData(Llama, Grammar, "/tools/0/format")]
    public async Task CustomTool_WhereNoneIs_IsAFunctionAndItsGrammarIsNamedOrRefused(string model, string format, string lost)
    {
        string body = $$"""{"model":"{{model}}","input":"Use run_sql to list all tables.","tools":[{"type":"custom","name":"run_sql"{{format}}}]}""";
        GatewayAnswer answer = await AskAsync(body);
        Assert.True(answer.Status == 200, answer.Body);
        string[] losses = [.. answer.AllHeaders.Split('\n').Where(static line => line.StartsWith("x-ballast-loss: ", StringComparison.OrdinalIgnoreCase))];
        Assert.Equal(lost.Length > 0, losses.Any(line => line.Contains("/tools/0", StringComparison.Ordinal)));
        Assert.Equal(lost.Length > 0, losses.Any(line => line.Contains("/tools/0/format", StringComparison.Ordinal)));
        JsonElement call = answer.Json.GetProperty("output").EnumerateArray().Single(static item => item.GetProperty("type").GetString() == "custom_tool_call");
        Assert.Equal("run_sql", call.GetProperty("name").GetString());
        Assert.False(call.GetProperty("input").GetString()!.StartsWith('{'), call.ToString());
        Assert.Equal(lost.Length > 0 ? 400 : 200, (await AskAsync(body, "strict")).Status);
    }

    [Fact]
    public async Task Store_SwitchedOff_KeepsNothingAndSaysSo()
    {
        await using GatewayHost host = await GatewayHost.StartAsync(latencyScale: 0, new Ballast.Configuration.ConversationOptions { IsStored = false });
        using GatewayClient client = new(host);
        string key = host.KeyOf("raw");
        foreach (string model in (string[])["openai/gpt-5-mini", Claude])
        {
            GatewayAnswer answer = await client.PostAsync(Path, $$"""{"model":"{{model}}","input":"My name is Ada."}""", key);
            string id = IdOf(answer);
            Assert.False(answer.Json.GetProperty("store").GetBoolean());
            GatewayAnswer next = await client.PostAsync(Path, $$"""{"model":"{{model}}","previous_response_id":"{{id}}","input":"What is my name?"}""", key);
            next.AssertError(host, "openai", 400);
            Assert.Equal("ballast_state_off", next.Json.GetProperty("error").GetProperty("code").GetString());
            Assert.Equal(400, (await client.SendAsync(HttpMethod.Get, $"{Path}/{id}", null, key)).Status);
        }

        Assert.Equal(400, (await client.PostAsync("/v1/conversations", "{}", key)).Status);
    }
}
