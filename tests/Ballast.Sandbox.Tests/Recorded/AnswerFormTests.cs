using System.Text;

namespace Ballast.Sandbox.Tests.Recorded;

/// <summary>The form of answers: one that keeps to its protocol has no fault, each way of breaking it has one.</summary>
public sealed class AnswerFormTests
{
    private const string ChatStream =
        """
        data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"A"},"finish_reason":null}]}

        data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c","type":"function","function":{"name":"f","arguments":"{"}}]},"finish_reason":null}]}

        data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"}"}}]},"finish_reason":null}]}

        data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}

        data: [DONE]


        """;

    private const string MessagesStream =
        """
        event: message_start
        data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":0}}}

        event: content_block_start
        data: {"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"f","input":{}}}

        event: content_block_delta
        data: {"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{}"}}

        event: content_block_stop
        data: {"type":"content_block_stop","index":0}

        event: message_delta
        data: {"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":2}}

        event: message_stop
        data: {"type":"message_stop"}


        """;

    [Fact]
    public void Stream_ThatKeepsToItsProtocol_HasNoFault()
    {
        Assert.Empty(Faults(WireApi.Chat, ChatStream));
        Assert.Empty(Faults(WireApi.Messages, MessagesStream));
    }

    [Theory]
    [InlineData("data: [DONE]", "data: {}")]
    [InlineData("\"role\":\"assistant\",", "")]
    [InlineData("\"id\":\"c\",", "")]
    [InlineData("\"arguments\":\"}\"", "\"arguments\":\"]\"")]
    [InlineData("\"finish_reason\":\"tool_calls\"", "\"finish_reason\":\"tool_use\"")]
    [InlineData("\"finish_reason\":\"tool_calls\"", "\"finish_reason\":\"stop\"")]
    [InlineData("{\"index\":0,\"function\"", "{\"index\":2,\"function\"")]
    [InlineData("\"object\":\"chat.completion.chunk\"", "\"object\":\"chat.completion\"")]
    public void ChatStream_Broken_HasAFault(string from, string to) => Assert.NotEmpty(Faults(WireApi.Chat, Changed(ChatStream, from, to)));

    [Theory]
    [InlineData("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n", "")]
    [InlineData("event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n", "")]
    [InlineData("\"index\":0,\"content_block\"", "\"index\":1,\"content_block\"")]
    [InlineData("\"id\":\"t\",", "")]
    [InlineData("\"partial_json\":\"{}\"", "\"partial_json\":\"{\"")]
    [InlineData("\"stop_reason\":\"tool_use\"", "\"stop_reason\":\"tool_calls\"")]
    [InlineData("event: message_delta\n", "")]
    [InlineData("\"id\":\"msg_1\"", "\"id\":\"chatcmpl-1\"")]
    [InlineData("input_json_delta", "text_delta")]
    public void MessagesStream_Broken_HasAFault(string from, string to) => Assert.NotEmpty(Faults(WireApi.Messages, Changed(MessagesStream, from, to)));

    [Fact]
    public void Error_OfAStream_MayNotLookLikeAnEnd()
    {
        const string error = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"Broken\"}}\n\n";
        string cut = MessagesStream[..MessagesStream.IndexOf("event: message_delta", StringComparison.Ordinal)];

        Assert.Empty(AnswerForm.CutStreamFaults(WireApi.Messages, RecordedFraming.Events, Encoding.UTF8.GetBytes(cut + error)));
        Assert.NotEmpty(AnswerForm.CutStreamFaults(WireApi.Messages, RecordedFraming.Events, Encoding.UTF8.GetBytes(cut)));
        Assert.NotEmpty(AnswerForm.CutStreamFaults(WireApi.Messages, RecordedFraming.Events, Encoding.UTF8.GetBytes(MessagesStream + error)));
    }

    [Theory]
    [InlineData("""{"error":{"message":"m","type":"t"}}""", true)]
    [InlineData("""{"error":{"message":"","type":"t"}}""", false)]
    [InlineData("""{"error":"m"}""", false)]
    [InlineData("<html>", false)]
    public void Error_OfChat_NeedsMessageAndType(string body, bool isGood) =>
        Assert.Equal(isGood, AnswerForm.ErrorFaults(WireApi.Chat, Encoding.UTF8.GetBytes(body)).Count == 0);

    private static IReadOnlyList<WireDifference> Faults(string api, string stream) => AnswerForm.Faults(api, isStream: true, Encoding.UTF8.GetBytes(stream));

    private static string Changed(string text, string from, string to)
    {
        Assert.Contains(from, text, StringComparison.Ordinal);
        return text.Replace(from, to, StringComparison.Ordinal);
    }
}
