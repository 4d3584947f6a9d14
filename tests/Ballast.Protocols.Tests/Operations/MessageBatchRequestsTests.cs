using System.Buffers;
using System.Text;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;
using Ballast.Protocols.Operations;

namespace Ballast.Protocols.Tests.Operations;

public class MessageBatchRequestsTests
{
    private const string Hello = """[{"role":"user","content":"Hello"}]""";

    private static readonly Protocol s_messages = ProtocolList.AnthropicMessages;

    [Fact]
    public void EditsFor_ManyRequests_ReplaceTheModelsAlone()
    {
        string body = """
            { "x":{"requests":[{"params":{"model":"no"}}]}, "requests" : [
             {"custom_id":"a","params":{"model":"one","max_tokens":10,"messages":HELLO,"metadata":{"model":"inner"}}},
             {"params" : {"messages":HELLO,"m\u006fdel" : "tw\u006f","max_tokens":5}, "custom_id":"b","model":"outer"} ,
             {"params":{"model":"one","messages":[{"role":"user","content":[{"type":"image","source":{"type":"url","url":"https://example.com/a.png"}}]}],"max_tokens":7}}] }
            """.Replace("HELLO", Hello, StringComparison.Ordinal);
        byte[] bytes = Encoding.UTF8.GetBytes(body);
        MessageBatchRequests requests = MessageBatchRequests.Read(bytes, s_messages);
        LossReport losses = new();
        ArrayBufferWriter<byte> output = new();
        JsonSplice.Write(bytes, requests.EditsFor(static model => Target(model.Name + "\"!"), losses), output);

        Assert.Equal([new BatchModel("one", 1), new BatchModel("two", 2)], requests.Models);
        Assert.Equal([("one", 2, 17, 1), ("two", 1, 5, 0)], requests.Shares.Select(static share => (share.Model, share.Requests, (int)share.OutputTokens, (int)share.Links)));
        Assert.Equal(
            body.Replace("\"one\"", "\"one\\\"!\"", StringComparison.Ordinal).Replace("\"tw\\u006f\"", "\"two\\\"!\"", StringComparison.Ordinal),
            Encoding.UTF8.GetString(output.WrittenSpan));
        Assert.Equal(0, losses.Count);
    }

    /// <summary>As many searches as each request's tool allows, ten where it does not say.</summary>
    [Fact]
    public void Shares_RequestsWithToolsForSearches_TellHowManyTheyMayMake()
    {
        string body = """
            {"requests":[{"params":{"model":"one","max_tokens":9,"messages":HELLO,"tools":[{"type":"web_search_20250305","name":"web_search","max_uses":3}]}},
             {"params":{"model":"one","max_tokens":9,"messages":HELLO,"tools":[{"type":"web_search_20250305","name":"web_search"}]}},
             {"params":{"model":"one","max_tokens":9,"messages":HELLO}},{"params":{"model":"two","max_tokens":9,"messages":HELLO}}]}
            """.Replace("HELLO", Hello, StringComparison.Ordinal);

        MessageBatchRequests requests = MessageBatchRequests.Read(Encoding.UTF8.GetBytes(body), s_messages);

        Assert.Equal([("one", 3, 13L, 2), ("two", 1, 0L, 0)], requests.Shares.Select(static share => (share.Model, share.Requests, share.Searches, share.SearchingRequests)));
    }

    [Fact]
    public void EditsFor_ReasoningOfAnotherVendor_DoesNotGoThere()
    {
        string mark = ForeignThinking.Mark + "openai:secret";
        string body = $$$"""
            {"requests":[{"custom_id":"a","params":{"model":"one","max_tokens":9,"messages":[{"role":"user","content":"Hi"},
             {"role":"assistant","content":[{"type":"thinking","thinking":"Hm.","signature":"{{{mark}}}"},{"type":"text","text":"Hello"}]},{"role":"user","content":"Go on"}]}},
             {"custom_id":"b","params":{"model":"one","max_tokens":9,"messages":{{{Hello}}}}}]}
            """;
        byte[] bytes = Encoding.UTF8.GetBytes(body);
        ArrayBufferWriter<byte> output = new();
        JsonSplice.Write(bytes, MessageBatchRequests.Read(bytes, s_messages).EditsFor(static _ => Target("claude"), new LossReport()), output);

        string sent = Encoding.UTF8.GetString(output.WrittenSpan);
        Assert.DoesNotContain("secret", sent, StringComparison.Ordinal);
        Assert.Equal(["claude", "claude"], System.Text.Json.JsonDocument.Parse(sent).RootElement.GetProperty("requests").EnumerateArray()
            .Select(static one => one.GetProperty("params").GetProperty("model").GetString()));
    }

    [Theory]
    [InlineData("x", null)]
    [InlineData("[]", null)]
    [InlineData("{}", null)]
    [InlineData("""{"requests":[]}""", null)]
    [InlineData("""{"requests":{}}""", null)]
    [InlineData("""{"requests":[GOOD],"requests":[GOOD]}""", null)]
    [InlineData("""{"requests":[GOOD]}{}""", null)]
    [InlineData("""{"requests":[GOOD,1]}""", 2)]
    [InlineData("""{"requests":[GOOD,{"custom_id":"b"}]}""", 2)]
    [InlineData("""{"requests":[GOOD,{"params":1}]}""", 2)]
    [InlineData("""{"requests":[GOOD,{"params":{"messages":[],"max_tokens":1}}]}""", 2)]
    [InlineData("""{"requests":[GOOD,{"params":{"model":"a","model":"b","messages":[]}}]}""", 2)]
    [InlineData("""{"requests":[GOOD,{"params":{"model":"a","m\u006fdel":"b","messages":[]}}]}""", 2)]
    [InlineData("""{"requests":[GOOD,{"params":{"model":"a","messages":[]},"p\u0061rams":{"model":"b","messages":[]}}]}""", 2)]
    public void Read_NoBatch_IsRefusedWithItsPlace(string body, int? number)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(body.Replace("GOOD", $$$"""{"params":{"model":"a","max_tokens":1,"messages":{{{Hello}}}}}""", StringComparison.Ordinal));

        ProtocolException refused = Assert.Throws<ProtocolException>(() => MessageBatchRequests.Read(bytes, s_messages));

        if (number is { } place)
        {
            Assert.Contains($"Request {place} ", refused.Error.Message, StringComparison.Ordinal);
            Assert.Equal("requests", refused.Error.Param);
        }
    }

    [Fact]
    public void Results_CutAnywhere_GiveEachAnswersTokens()
    {
        byte[] lines = Encoding.UTF8.GetBytes(
            """
            {"custom_id":"a","result":{"type":"succeeded","message":{"model":"m-1","usage":{"input_tokens":3,"cache_read_input_tokens":2,"cache_creation_input_tokens":9,"cache_creation":{"ephemeral_1h_input_tokens":4},"output_tokens":5}}}}
            {"custom_id":"b","result":{"type":"errored","error":{"type":"error","error":{"type":"api_error","message":"no"}}}}

            {"custom_id":"c","result":{"type":"succeeded","message":{"model":"m-2","usage":{"input_tokens":1,"output_tokens":7}}}}
            """);
        for (int cut = 0; cut < lines.Length; cut++)
        {
            List<(string, long, long, long, long, long, ServiceTier)> found = [];
            MessageBatchResults results = new((model, usage) => found.Add(
                (model, usage.InputTokens, usage.CacheReadTokens, usage.CacheWriteTokens, usage.CacheWriteLongTokens, usage.OutputTokens, usage.ServiceTier)));
            results.Add(lines.AsSpan(0, cut));
            results.Add(lines.AsSpan(cut));
            results.End();
            Assert.Equal([("m-1", 3, 2, 5, 4, 5, ServiceTier.Batch), ("m-2", 1, 0, 0, 0, 7, ServiceTier.Batch)], found);
            Assert.False(results.IsIncomplete);
        }
    }

    [Fact]
    public void Results_ALineThatIsNoJson_AreSaidToBeIncomplete()
    {
        MessageBatchResults results = new(static (_, _) => Assert.Fail("nothing answered"));
        results.Add("{\"custom_id\":"u8);
        results.End();
        Assert.True(results.IsIncomplete);
    }

    private static RequestTarget Target(string model) => new() { Model = model, Vendor = "anthropic", Account = "anthropic", DefaultMaxOutputTokens = 100, Features = TargetFeatures.JsonSchema };
}
