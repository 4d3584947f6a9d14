using System.Text;

namespace Ballast.Sandbox.Tests.Recorded;

/// <summary>What the comparisons of recorded exchanges must see: each test takes something away, and the place must be named.</summary>
public sealed class ComparisonTests
{
    private const string Chat =
        """
        {"model":"m","temperature":0.5,"seed":7,"stop":["a","b"],
         "messages":[{"role":"system","content":"Be short."},{"role":"user","content":[{"type":"text","text":"Look"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]},
          {"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"look","arguments":"{\"at\": 1}"}}]},
          {"role":"tool","tool_call_id":"call_1","content":"seen"}],
         "tools":[{"type":"function","function":{"name":"look","description":"Looks","parameters":{"type":"object"}}}]}
        """;

    private const string Messages =
        """
        {"model":"m","max_tokens":9,"temperature":0.5,"stop_sequences":["a","b"],"system":"Be short.",
         "messages":[{"role":"user","content":[{"type":"text","text":"Look"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}}]},
          {"role":"assistant","content":[{"type":"tool_use","id":"call_1","name":"look","input":{"at":1}}]},
          {"role":"user","content":[{"type":"tool_result","tool_use_id":"call_1","content":"seen"}]}],
         "tools":[{"name":"look","description":"Looks","input_schema":{"type":"object"}}]}
        """;

    private const string ChatAnswer =
        """
        {"id":"1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"finish_reason":"tool_calls","message":{"role":"assistant","content":"Well","reasoning_content":"Hm",
         "tool_calls":[{"id":"call_1","type":"function","function":{"name":"look","arguments":"{\"at\":1}"}}]}}],"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"prompt_tokens_details":{"cached_tokens":4}}}
        """;

    private const string MessagesAnswer =
        """
        {"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"thinking","thinking":"Hm","signature":"s"},{"type":"text","text":"Well"},
         {"type":"tool_use","id":"call_1","name":"look","input":{"at":1}}],"stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":6,"cache_read_input_tokens":4,"output_tokens":5}}
        """;

    [Fact]
    public void Request_ThatSaysTheSame_DiffersOnlyWhereItMust() => Assert.Equal(["/seed"], RequestPointers(Messages));

    [Theory]
    [InlineData("\"temperature\":0.5,", "", "/temperature")]
    [InlineData("[\"a\",\"b\"]", "[\"a\"]", "/stop/1")]
    [InlineData("Be short.", "Be long.", "/messages/0/content")]
    [InlineData("\"text\":\"Look\"", "\"text\":\"Lok\"", "/messages/1/content/0")]
    [InlineData("\"data\":\"AAAA\"", "\"data\":\"AAAB\"", "/messages/1/content/1")]
    [InlineData("\"id\":\"call_1\"", "\"id\":\"call_2\"", "/messages/2/tool_calls/0")]
    [InlineData("{\"at\":1}", "{\"at\":2}", "/messages/2/tool_calls/0/function/arguments")]
    [InlineData("\"tool_use_id\":\"call_1\"", "\"tool_use_id\":\"call_9\"", "/messages/3")]
    [InlineData("\"content\":\"seen\"", "\"content\":\"\"", "/messages/3/content")]
    [InlineData("\"description\":\"Looks\",", "", "/tools/0/function/description")]
    [InlineData("\"input_schema\":{\"type\":\"object\"}", "\"input_schema\":{\"type\":\"object\",\"required\":[\"at\"]}", "/tools/0/function/parameters")]
    public void Request_WithSomethingTakenAway_IsNamedWhereItStood(string from, string to, string pointer) =>
        Assert.Contains(pointer, RequestPointers(Changed(Messages, from, to)));

    [Fact]
    public void Request_WithTurnsInAnotherOrder_IsSeen()
    {
        const string before = """{"messages":[{"role":"user","content":"one"},{"role":"assistant","content":"two"},{"role":"user","content":"three"}]}""";
        const string after = """{"messages":[{"role":"user","content":"three"},{"role":"assistant","content":"two"},{"role":"user","content":"one"}]}""";

        Assert.NotEmpty(RequestCrossing.Compare(WireApi.Chat, Bytes(before), WireApi.Messages, Bytes(after)));
    }

    [Theory]
    [InlineData("\"reasoning_effort\":\"high\",", true)]
    [InlineData("", false)]
    [InlineData("\"enable_thinking\":false,", false)]
    public void Request_ThatWishesReasoningTwice_WishesItOnce(string wish, bool isSame)
    {
        const string Before = """{"thinking":{"type":"adaptive"},"output_config":{"effort":"high"},"messages":[{"role":"user","content":"one"}]}""";
        string after = $$"""{{{wish}}"messages":[{"role":"user","content":"one"}]}""";

        Assert.Equal(isSame ? [] : ["/thinking"], RequestCrossing.Compare(WireApi.Messages, Bytes(Before), WireApi.Chat, Bytes(after)).Select(difference => difference.Pointer));
    }

    /// <summary>Named as closely as it can be: a field of a part that is there, a word of a choice, one beta feature of several.</summary>
    [Theory]
    [InlineData("generate_content", """{"contents":[{"role":"user","parts":[{"text":"one","mediaResolution":{"level":"LOW"}}]}]}""", "/contents/0/parts/0/mediaResolution")]
    [InlineData("generate_content", """{"contents":[{"role":"user","parts":[{"text":"one"},{"novel":{}}]}]}""", "/contents/0/parts/1")]
    [InlineData("generate_content", """{"contents":[{"role":"user","parts":[{"text":"one"}]}],"toolConfig":{"functionCallingConfig":{"mode":"VALIDATED"}}}""", "/toolConfig/functionCallingConfig/mode")]
    [InlineData("converse", """{"messages":[{"role":"user","content":[{"text":"one"}]}],"additionalModelRequestFields":{"anthropic_beta":["a","b"]}}""", "/additionalModelRequestFields/anthropic_beta/0 /additionalModelRequestFields/anthropic_beta/1")]
    public void Request_WithSomethingThatHasNoPlace_IsNamedAsCloselyAsCanBe(string api, string before, string pointers)
    {
        const string After = """{"messages":[{"role":"user","content":"one"}]}""";

        Assert.Equal(pointers, string.Join(' ', RequestCrossing.Compare(api, Bytes(before), WireApi.Chat, Bytes(After)).Select(difference => difference.Pointer)));
    }

    [Theory]
    [InlineData("high", "")]
    [InlineData("low", "/input/0/content/0/detail")]
    public void Request_WithADetailOfAPicture_IsComparedInIt(string detail, string pointers)
    {
        string before = $$"""{"input":[{"role":"user","content":[{"type":"input_image","image_url":"https://e.org/i.png","detail":"{{detail}}"}]}]}""";
        const string After = """{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://e.org/i.png","detail":"high"}}]}]}""";

        Assert.Equal(pointers, string.Join(' ', RequestCrossing.Compare(WireApi.Responses, Bytes(before), WireApi.Chat, Bytes(After)).Select(difference => difference.Pointer)));
    }

    [Theory]
    [InlineData("messages", """{"messages":[{"role":"user","content":"one"},{"role":"system","content":"two"}],"system":"zero"}""")]
    [InlineData("responses", """{"input":[{"role":"user","content":"one"},{"role":"developer","content":"two"}],"instructions":"zero"}""")]
    public void Request_WithItsInstructionsBehindItsTurns_IsReadInTheirOrder(string api, string before)
    {
        const string After = """{"messages":[{"role":"system","content":"zero"},{"role":"user","content":"one"},{"role":"system","content":"two"}]}""";

        Assert.Empty(RequestCrossing.Compare(api, Bytes(before), WireApi.Chat, Bytes(After)));
    }

    [Fact]
    public void Request_WithAPartGone_IsVanishedWhole()
    {
        IReadOnlyList<WireDifference> differences = RequestCrossing.Compare(
            WireApi.Messages, Bytes(Messages), WireApi.Chat, Bytes(Changed(Chat, ",\"function\":{\"name\":\"look\",\"arguments\":\"{\\\"at\\\": 1}\"}", ",\"function\":{\"name\":\"leer\",\"arguments\":\"{}\"}")));

        Assert.Contains(differences, difference => difference.Pointer == "/messages/1/content/0/input" && difference.VanishedWhole.Contains("/messages/1/content/0"));
    }

    [Fact]
    public void Answer_ThatSaysTheSame_DoesNotDiffer() => Assert.Empty(AnswerPointers(MessagesAnswer));

    [Theory]
    [InlineData("\"text\":\"Well\"", "\"text\":\"Wel\"", "/choices/0/message/content")]
    [InlineData("\"thinking\":\"Hm\"", "\"thinking\":\"\"", "/choices/0/message/reasoning_content")]
    [InlineData("\"id\":\"call_1\"", "\"id\":\"call_2\"", "/choices/0/message/tool_calls/0/id")]
    [InlineData("\"name\":\"look\"", "\"name\":\"leer\"", "/choices/0/message/tool_calls/0")]
    [InlineData("{\"at\":1}", "{}", "/choices/0/message/tool_calls/0")]
    [InlineData("\"stop_reason\":\"tool_use\"", "\"stop_reason\":\"max_tokens\"", "/choices/0/finish_reason")]
    [InlineData("\"input_tokens\":6", "\"input_tokens\":10", "/usage")]
    [InlineData("\"cache_read_input_tokens\":4,", "", "/usage")]
    public void Answer_WithSomethingTakenAway_IsNamedWhereItStood(string from, string to, string pointer) =>
        Assert.Contains(pointer, AnswerPointers(Changed(MessagesAnswer, from, to)));

    [Fact]
    public void Answer_WithAFieldNobodyKnows_IsNamed() =>
        Assert.Contains(
            AnswerCrossing.Compare(WireApi.Chat, RecordedFraming.Whole, Bytes(Changed(ChatAnswer, "\"created\":1,", "\"created\":1,\"weather\":\"fine\",")), Bytes(MessagesAnswer), usageAsked: true),
            difference => difference.Pointer == "/weather");

    [Fact]
    public void Splice_OfTheModelAndTheWishForUsage_IsAllowed()
    {
        byte[] sent = Bytes("{ \"model\": \"a/m\", \"stream\": true, \"x\": [1,  2] }");
        byte[] arrived = Bytes("{ \"model\": \"m\", \"stream\": true, \"x\": [1,  2], \"stream_options\":{\"include_usage\":true} }");

        Assert.Empty(RequestSplice.Compare(WireApi.Chat, sent, new ArrivedRequest("/", [], arrived), "m"));
    }

    [Theory]
    [InlineData("""{"model":"m","x":[1, 2],"y":1}""", "/x")]
    [InlineData("""{"model":"m","y":1,"x":[1,2]}""", "")]
    [InlineData("""{"model":"m","x":[1,2]}""", "/y")]
    [InlineData("""{"model":"n","x":[1,2],"y":1}""", "/model")]
    [InlineData("""{"model":"m","x":[1,2],"y":1,"z":0}""", "/z")]
    [InlineData("""{"model":"m","x":[1,2],"y":1,"stream_options":{"include_usage":true}}""", "/stream_options")]
    public void Splice_OfAnythingElse_IsNamed(string arrived, string pointer) =>
        Assert.Contains(RequestSplice.Compare(WireApi.Chat, Bytes("""{"model":"a/m","x":[1,2],"y":1}"""), new ArrivedRequest("/", [], Bytes(arrived)), "m"), difference => difference.Pointer == pointer);

    [Fact]
    public void Bytes_OfAStream_MayLackOnlyTheUsageNobodyAskedFor()
    {
        const string text = "data: {\"choices\":[{\"index\":0}]}\n\n";
        const string usage = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1}}\n\n";
        const string done = "data: [DONE]\n\n";

        Assert.Empty(AnswerBytes.Compare(WireApi.Chat, true, Bytes(text + usage + done), Bytes(text + done), usageAsked: false));
        Assert.NotEmpty(AnswerBytes.Compare(WireApi.Chat, true, Bytes(text + usage + done), Bytes(text + done), usageAsked: true));
        Assert.NotEmpty(AnswerBytes.Compare(WireApi.Chat, true, Bytes(text + usage + done), Bytes(usage + done), usageAsked: false));
        Assert.NotEmpty(AnswerBytes.Compare(WireApi.Chat, true, Bytes(text + text + done), Bytes(text + done), usageAsked: false));
        Assert.NotEmpty(AnswerBytes.Compare(WireApi.Chat, true, Bytes(text + done), Bytes(text.Replace(" ", "", StringComparison.Ordinal) + done), usageAsked: false));
        Assert.NotEmpty(AnswerBytes.Compare(WireApi.Chat, true, Bytes(text + done), Bytes(text + done + text), usageAsked: false));
    }

    private static IEnumerable<string> RequestPointers(string messages) =>
        RequestCrossing.Compare(WireApi.Chat, Bytes(Chat), WireApi.Messages, Bytes(messages)).Select(difference => difference.Pointer);

    private static IEnumerable<string> AnswerPointers(string messages) =>
        AnswerCrossing.Compare(WireApi.Chat, RecordedFraming.Whole, Bytes(ChatAnswer), Bytes(messages), usageAsked: true).Select(difference => difference.Pointer);

    private static string Changed(string text, string from, string to)
    {
        Assert.Contains(from, text, StringComparison.Ordinal);
        return text.Replace(from, to, StringComparison.Ordinal);
    }

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
