using System.Net;
using System.Text.Json;

namespace Ballast.Sandbox.Tests.Bedrock;

/// <summary>Converse, InvokeModel and counting at the simulated Bedrock runtime.</summary>
public class RuntimeTests(TestSandbox sandbox) : IClassFixture<TestSandbox>
{
    private const string Haiku = "anthropic.claude-haiku-4-5-20251001-v1:0";
    private const string Claude = "/model/eu." + Haiku;
    private const string Llama = "/model/meta.llama3-3-70b-instruct-v1%3A0";
    private const string Tool = """{"toolSpec":{"name":"get_weather","description":"Tells the weather of a city.","inputSchema":{"json":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}}}""";

    [Theory]
    [InlineData(Claude)]
    [InlineData("/model/us.anthropic.claude-haiku-4-5-20251001-v1%3A0")]
    [InlineData("/model/apac." + Haiku)]
    [InlineData("/model/global." + Haiku)]
    [InlineData("/model/" + Haiku)]
    [InlineData("/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A123456789012%3Ainference-profile%2Feu.anthropic.claude-haiku-4-5-20251001-v1%3A0")]
    [InlineData(Llama)]
    public async Task Converse_ModelHoweverWritten_Answers(string model)
    {
        Reply reply = await sandbox.SendAsync("bedrock", model + "/converse", Ask("Reply with exactly \"Ahoy\""));
        Assert.Equal("Ahoy", reply.Json.GetProperty("output").GetProperty("message").GetProperty("content")[0].GetProperty("text").GetString());
        Assert.Equal("end_turn", reply.Json.GetProperty("stopReason").GetString());
        BillingRow row = sandbox.Host.Billing.Rows.Last(row => row.RequestId == reply.Headers["x-amzn-requestid"]);
        Assert.Equal(Uri.UnescapeDataString(model["/model/".Length..]), row.Model);
        Assert.Equal((row.InputTokens, row.OutputTokens), (Usage(reply.Json, "inputTokens"), Usage(reply.Json, "outputTokens")));
    }

    [Fact]
    public async Task ConverseStream_ToolCalls_StartEachAndTellUsageAtTheEnd()
    {
        List<(string Kind, string Type, JsonElement Data)> messages = await StreamAsync(
            Claude + "/converse-stream", Ask("Compare the weather in Paris and London.", ",\"toolConfig\":{\"tools\":[" + Tool + "],\"toolChoice\":{\"any\":{}}}"));
        Assert.All(messages, message => Assert.Equal("event", message.Kind));
        Assert.Equal("messageStart", messages[0].Type);
        Assert.Equal(2, messages.Count(message => message.Type == "contentBlockStart"));
        Assert.Equal(["messageStop", "metadata"], messages.TakeLast(2).Select(message => message.Type));
        Assert.Equal("tool_use", messages[^2].Data.GetProperty("stopReason").GetString());
        string first = string.Concat(messages.Where(message => message.Type == "contentBlockDelta" && message.Data.GetProperty("contentBlockIndex").GetInt32() == 0)
            .Select(message => message.Data.GetProperty("delta").GetProperty("toolUse").GetProperty("input").GetString()));
        Assert.Equal("Paris", JsonDocument.Parse(first).RootElement.GetProperty("city").GetString());
    }

    [Fact]
    public async Task InvokeStream_ClaudesEvents_ComeInChunks()
    {
        List<(string Kind, string Type, JsonElement Data)> messages = await StreamAsync(
            Claude + "/invoke-with-response-stream",
            """{"anthropic_version":"bedrock-2023-05-31","max_tokens":100,"messages":[{"role":"user","content":"Count from 1 to 9."}]}""");
        Assert.All(messages, message => Assert.Equal("chunk", message.Type));
        JsonElement[] events = [.. messages.Select(message => JsonDocument.Parse(message.Data.GetProperty("bytes").GetBytesFromBase64()).RootElement)];
        Assert.Equal("message_start", events[0].GetProperty("type").GetString());
        Assert.Equal("message_stop", events[^1].GetProperty("type").GetString());
    }

    [Theory]
    [InlineData(Claude + "/converse", """{"messages":[]}""", "must start with a user message")]
    [InlineData(Claude + "/converse", """{"messages":[{"role":"system","content":[{"text":"a"}]}]}""", "enum value set: [user, assistant]")]
    [InlineData(Claude + "/converse", """{"messages":[{"role":"user","content":[{"text":" "}]}]}""", "is blank")]
    [InlineData(Claude + "/converse", """{"messages":[{"role":"user","content":[{"text":"a"}]},{"role":"user","content":[{"text":"b"}]}]}""", "alternate")]
    [InlineData(Claude + "/converse", """{"messages":[{"role":"user","content":[{"text":"a"}]},{"role":"assistant","content":[{"toolUse":{"toolUseId":"t","name":"f","input":{}}}]}]}""", "Expected toolResult blocks")]
    [InlineData(Claude + "/converse", """{"messages":[{"role":"user","content":[{"text":"a"}]},{"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"hm","signature":"forged"}}}]},{"role":"user","content":[{"text":"b"}]}]}""", "Invalid `signature`")]
    [InlineData(Claude + "/converse", """{"messages":[{"role":"user","content":[{"text":"a"}]}],"additionalModelRequestFields":{"anthropic_beta":["no-such-beta"]}}""", "invalid beta flag")]
    [InlineData(Claude + "/converse", """{"messages":[{"role":"user","content":[{"text":"a"},{"document":{"format":"pdf","name":"a.b","source":{"bytes":"JVBERg=="}}}]}]}""", "file name can only contain")]
    [InlineData(Llama + "/converse", """{"messages":[{"role":"user","content":[{"text":"a"}]}],"additionalModelRequestFields":{"thinking":{"type":"enabled"}}}""", "extraneous key [thinking]")]
    [InlineData(Claude + "/invoke", """{"anthropic_version":"bedrock-2023-05-31","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"a"}]}""", "extraneous key [stream]")]
    [InlineData(Claude + "/invoke", """{"anthropic_version":"bedrock-2023-05-31","anthropic_beta":["no-such-beta"],"max_tokens":9,"messages":[{"role":"user","content":"a"}]}""", "invalid beta flag")]
    [InlineData("/model/nobody.nothing/converse", """{"messages":[]}""", "model identifier is invalid")]
    public async Task Request_Wrong_IsRefusedInItsOwnWords(string path, string body, string part)
    {
        Reply reply = await sandbox.SendAsync("bedrock", path, body);
        Assert.Equal(HttpStatusCode.BadRequest, reply.Status);
        Assert.StartsWith("ValidationException:", reply.Headers["x-amzn-errortype"], StringComparison.Ordinal);
        Assert.Contains(part, reply.Json.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("internalServerException")]
    [InlineData("modelStreamErrorException")]
    [InlineData("throttlingException")]
    [InlineData("serviceUnavailableException")]
    [InlineData("validationException")]
    public async Task Fault_InTheStream_IsTheExceptionOfThatName(string error)
    {
        string id = sandbox.Host.Faults.Add(new FaultRule { Platform = "bedrock", Kind = FaultKind.StreamErrorAfter, AfterEvents = 2, Error = error, Count = 1, PathContains = "opus" }).Id;
        List<(string Kind, string Type, JsonElement Data)> messages = await StreamAsync("/model/eu.anthropic.claude-opus-4-5-20251101-v1:0/converse-stream", Ask("Count from 1 to 9."));
        sandbox.Host.Faults.Remove(id);
        Assert.Equal(3, messages.Count);
        Assert.Equal(("exception", error), (messages[^1].Kind, messages[^1].Type));
        Assert.True(messages[^1].Data.GetProperty("message").GetString()!.Length > 10);
    }

    [Theory]
    [InlineData(FaultKind.RateLimit, 429, "ThrottlingException")]
    [InlineData(FaultKind.Quota, 400, "ServiceQuotaExceededException")]
    [InlineData(FaultKind.Error500, 500, "InternalServerException")]
    [InlineData(FaultKind.Error503, 503, "ServiceUnavailableException")]
    [InlineData(FaultKind.Overloaded529, 429, "ModelNotReadyException")]
    public async Task Fault_BeforeTheAnswer_HasItsType(FaultKind kind, int status, string type)
    {
        sandbox.Host.Faults.Add(new FaultRule { Platform = "bedrock", Kind = kind, Count = 1, PathContains = "sonnet" });
        Reply reply = await sandbox.SendAsync("bedrock", "/model/eu.anthropic.claude-sonnet-4-5-20250929-v1:0/converse", Ask("Hi"));
        Assert.Equal(status, (int)reply.Status);
        Assert.StartsWith(type, reply.Headers["x-amzn-errortype"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task CountTokens_ConverseAndInvoke_AreWhatIsBilled()
    {
        string invoke = Convert.ToBase64String("""{"anthropic_version":"bedrock-2023-05-31","max_tokens":9,"messages":[{"role":"user","content":"Tides"}]}"""u8);
        Reply converse = await sandbox.SendAsync("bedrock", Claude + "/count-tokens", "{\"input\":{\"converse\":" + Ask("Tides") + "}}");
        Reply counted = await sandbox.SendAsync("bedrock", Claude + "/count-tokens", "{\"input\":{\"invokeModel\":{\"body\":\"" + invoke + "\"}}}");
        Reply billed = await sandbox.SendAsync("bedrock", Claude + "/converse", Ask("Tides"));
        Assert.Equal(Usage(billed.Json, "inputTokens"), converse.Json.GetProperty("inputTokens").GetInt64());
        Assert.True(counted.Json.GetProperty("inputTokens").GetInt64() > 0);
        Reply llama = await sandbox.SendAsync("bedrock", Llama + "/count-tokens", "{\"input\":{\"converse\":" + Ask("Tides") + "}}");
        Assert.Contains("doesn't support counting", llama.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task Port_ClearText_SpeaksBothVersions(string version)
    {
        using HttpRequestMessage request = sandbox.NewRequest("bedrock", HttpMethod.Post, Claude + "/converse", Ask("Tides"));
        request.Version = Version.Parse(version);
        request.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
        using HttpResponseMessage response = await sandbox.Http.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(Version.Parse(version), response.Version);
    }

    private static string Ask(string text, string more = "") => $$$"""{"messages":[{"role":"user","content":[{"text":{{{JsonSerializer.Serialize(text)}}}}]}]{{{more}}}}""";

    private static long Usage(JsonElement answer, string field) => answer.GetProperty("usage").GetProperty(field).GetInt64();

    private async Task<List<(string Kind, string Type, JsonElement Data)>> StreamAsync(string path, string body)
    {
        using HttpRequestMessage request = sandbox.NewRequest("bedrock", HttpMethod.Post, path, body);
        using HttpResponseMessage response = await sandbox.Http.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal("application/vnd.amazon.eventstream", response.Content.Headers.ContentType!.MediaType);
        return BinaryReader.Read(await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
    }
}
