using System.Buffers;
using System.Text;
using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.Tests.OpenAIResponses;

public sealed class OpenAIResponsesErrorTests
{
    /// <summary>Some SDKs find an error within a stream by its fields, others by an object in it: one that finds neither takes half an answer for the whole.</summary>
    [Fact]
    public void WriteStreamError_Event_HasItsFieldsAndAnObjectOfThem()
    {
        ArrayBufferWriter<byte> output = new();
        ChatError error = new(ChatErrorKind.RateLimited, "It broke.") { Code = "rate_limit_exceeded", Param = "input", RequestId = "req_7", Hint = "Try." };
        ProtocolList.OpenAIResponses.WriteStreamError(error, output);
        string text = Encoding.UTF8.GetString(output.WrittenSpan);
        Assert.StartsWith("event: error\ndata: ", text, StringComparison.Ordinal);
        Assert.EndsWith("\n\n", text, StringComparison.Ordinal);
        using JsonDocument document = JsonDocument.Parse(text["event: error\ndata: ".Length..]);
        JsonElement json = document.RootElement;
        Assert.Equal(("error", "req_7"), (json.GetProperty("type").GetString(), json.GetProperty("request_id").GetString()));
        foreach (JsonElement fields in (JsonElement[])[json, json.GetProperty("error")])
        {
            Assert.Equal(
                ("rate_limit_exceeded", "It broke. Hint: Try.", "input"),
                (fields.GetProperty("code").GetString(), fields.GetProperty("message").GetString(), fields.GetProperty("param").GetString()));
        }

        Assert.False(string.IsNullOrEmpty(json.GetProperty("error").GetProperty("type").GetString()));
    }
}
