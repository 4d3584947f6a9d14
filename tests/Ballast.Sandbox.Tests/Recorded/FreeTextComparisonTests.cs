using System.Text;

namespace Ballast.Sandbox.Tests.Recorded;

/// <summary>What the judge of recordings must see of tools of free text, of groups and of a choice among some tools: each test changes something, and the place must be named.</summary>
public sealed class FreeTextComparisonTests
{
    private const string Responses =
        """
        {"model":"m","input":[{"role":"user","content":"Fix"},{"type":"custom_tool_call","call_id":"c1","name":"patch","input":"a b"},{"type":"custom_tool_call_output","call_id":"c1","output":"done"}],
         "tools":[{"type":"custom","name":"patch","description":"D","format":{"type":"grammar","syntax":"lark","definition":"start: X"}},{"type":"namespace","name":"g","tools":[{"type":"function","name":"t"}]}],
         "tool_choice":{"type":"allowed_tools","mode":"auto","tools":[{"type":"custom","name":"patch"}]}}
        """;

    private const string Chat =
        """
        {"model":"m","messages":[{"role":"user","content":"Fix"},{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"custom","custom":{"name":"patch","input":"a b"}}]},{"role":"tool","tool_call_id":"c1","content":"done"}],
         "tools":[{"type":"custom","custom":{"name":"patch","description":"D","format":{"type":"grammar","grammar":{"syntax":"lark","definition":"start: X"}}}},{"type":"function","function":{"name":"g__t"}}],
         "tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{"type":"custom","custom":{"name":"patch"}}]}}}
        """;

    private const string ResponsesAnswer =
        """
        {"id":"resp_1","object":"response","status":"completed","model":"m","output":[{"type":"custom_tool_call","id":"ctc_1","status":"completed","call_id":"c1","name":"patch","input":"a b"}]}
        """;

    private const string ChatAnswer =
        """
        {"id":"1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"custom","custom":{"name":"patch","input":"a b"}}]},"finish_reason":"tool_calls"}]}
        """;

    [Theory]
    [InlineData("", "", "")]
    [InlineData("\"input\":\"a b\"", "\"input\":\"a\"", "/input/1/input")]
    [InlineData("\"tool_call_id\":\"c1\"", "\"tool_call_id\":\"c9\"", "/input/2")]
    [InlineData("\"description\":\"D\",", "", "/tools/0/description")]
    [InlineData("start: X", "start: Y", "/tools/0/format")]
    [InlineData("{\"name\":\"patch\",\"description\"", "{\"name\":\"hatch\",\"description\"", "/tools/0")]
    [InlineData("g__t", "t", "/tools/1/tools/0")]
    [InlineData("\"mode\":\"auto\"", "\"mode\":\"required\"", "/tool_choice")]
    public void Request_Changed_IsNamedWhereItStood(string from, string to, string pointer)
    {
        string changed = from.Length == 0 ? Chat : Chat.Replace(from, to, StringComparison.Ordinal);
        Assert.True(from.Length == 0 || changed != Chat);
        string[] pointers = [.. RequestCrossing.Compare(WireApi.Responses, Bytes(Responses), WireApi.Chat, Bytes(changed)).Select(static difference => difference.Pointer)];
        Assert.Equal(pointer.Length == 0 ? [] : [pointer], pointers);
    }

    [Theory]
    [InlineData("", "", false)]
    [InlineData("\"input\":\"a b\"", "\"input\":\"{}\"", true)]
    [InlineData("\"type\":\"custom\",\"custom\":{\"name\":\"patch\",\"input\":\"a b\"}", "\"type\":\"function\",\"function\":{\"name\":\"patch\",\"arguments\":\"{\\\"input\\\":\\\"a b\\\"}\"}", true)]
    public void Answer_Changed_IsNamedWhereItStood(string from, string to, bool differs)
    {
        string changed = from.Length == 0 ? ChatAnswer : ChatAnswer.Replace(from, to, StringComparison.Ordinal);
        Assert.Equal(differs, changed != ChatAnswer);
        string[] pointers = [.. AnswerCrossing.Compare(WireApi.Responses, RecordedFraming.Whole, Bytes(ResponsesAnswer), Bytes(changed), usageAsked: false).Select(static difference => difference.Pointer)];
        Assert.Equal(differs ? ["/output/0"] : [], pointers);
    }

    [Fact]
    public void Answer_CallWithBothKinds_IsOfTheKindThatItsTypeNames()
    {
        string both = ChatAnswer.Replace("\"type\":\"custom\"", "\"function\":{\"name\":\"\",\"arguments\":\"\"},\"type\":\"custom\"", StringComparison.Ordinal);
        Assert.Empty(AnswerCrossing.Compare(WireApi.Responses, RecordedFraming.Whole, Bytes(ResponsesAnswer), Bytes(both), usageAsked: false));
    }

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
