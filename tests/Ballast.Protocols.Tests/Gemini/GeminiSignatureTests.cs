using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using Ballast.Protocols.Tests.Wire;

namespace Ballast.Protocols.Tests.Gemini;

/// <summary>
/// Google refuses a conversation whose signatures do not stand where it put them. They go to a client of any protocol, come back with its next request, and stand there
/// again: on the first of parallel calls, on a text, on an empty text behind everything.
/// </summary>
public class GeminiSignatureTests
{
    private const string Text = """{"text":"I look.","thoughtSignature":"c2lnLXRleHQ="}""";
    private const string Plain = """{"text":"Hm. "}""";
    private const string First = """{"functionCall":{"id":"q1","name":"w","args":{"city":"Rome"}},"thoughtSignature":"c2lnLWNhbGwtMA=="}""";
    private const string Second = """{"functionCall":{"name":"w","args":{"city":"Oslo"}}}""";
    private const string Sealed = """{"functionCall":{"name":"w","args":{"city":"Oslo"}},"thoughtSignature":"c2lnLWNhbGwtMQ=="}""";
    private const string Empty = """{"text":"","thoughtSignature":"c2lnLWVuZA=="}""";
    private const string Thought = """{"text":"Let me see","thought":true,"thoughtSignature":"c2lnLXRob3VnaHQ="}""";

    public static TheoryData<string, string> Answers()
    {
        TheoryData<string, string> rows = [];
        foreach (Protocol protocol in ProtocolList.All)
        {
            foreach (string parts in (string[])
                [First, $"{First},{Second}", $"{First},{Sealed}", $"{Text},{First},{Second}", $"{Plain},{Text}", $"{Text},{Empty}", $"{First},{Empty}", $"{Thought},{Plain},{Text},{First},{Second},{Empty}"])
            {
                if (protocol.Name is "openai-chat" or "anthropic-messages" or "gemini")
                {
                    rows.Add(protocol.Name, parts);
                }
            }
        }

        return rows;
    }

    [Theory]
    [MemberData(nameof(Answers))]
    public void Signatures_ThroughAnotherProtocolAndBack_StandWhereTheyStood(string surface, string parts)
    {
        string answer = $$"""{"candidates":[{"content":{"parts":[{{parts}}],"role":"model"},"finishReason":"STOP"}],"responseId":"r1","modelVersion":"g"}""";
        AnswerRun.Result read = AnswerRun.Read(ProtocolList.Gemini, new ReaderOptions { Stream = false, Depth = ReadDepth.Everything, Vendor = "google" }, answer);
        Protocol protocol = ProtocolList.Find(surface)!;
        JsonNode told = JsonNode.Parse(AnswerRun.Write(
            protocol, new WriterOptions { Stream = false, FallbackId = "f", Model = "m", CreatedUnixSeconds = 1, Vendor = "google" }, read.Events))!;
        ArrayBufferWriter<byte> output = new();
        ProtocolList.Gemini.WriteRequest(
            protocol.ReadRequest(Encoding.UTF8.GetBytes(NextRequest(surface, told).ToJsonString()), Addresses.Of(surface, "m")),
            new RequestTarget { Model = "gemini-3-pro", Vendor = "google", Features = TargetFeatures.ReasoningReplay }, new LossReport(), output);
        JsonNode back = JsonNode.Parse(output.WrittenSpan)!["contents"]![1]!;
        Assert.Equal("model", (string?)back["role"]);
        Assert.Equal(CanonicalJson.Of($"[{parts}]"), CanonicalJson.Of(Joined(back["parts"]!.AsArray()).ToJsonString()));
    }

    [Fact]
    public void Signature_OfGoogle_GoesToNobodyElse()
    {
        string turns = $$"""{"role":"user","parts":[{"text":"a"}]},{"role":"model","parts":[{{Thought}},{{Text}},{{First}}]}""";
        string result = """{"role":"user","parts":[{"functionResponse":{"id":"q1","name":"w","response":{"output":"r"}}}]}""";
        byte[] body = Encoding.UTF8.GetBytes("{\"contents\":[" + turns + "," + result + "]}");
        foreach (string vendor in (string[])["openai", "anthropic", "meta"])
        {
            foreach (Protocol target in ProtocolList.All)
            {
                ArrayBufferWriter<byte> output = new();
                LossReport losses = new();
                target.WriteRequest(
                    ProtocolList.Gemini.ReadRequest(body, new RequestAddress("m", StreamForm.Whole)),
                    new RequestTarget { Model = "m", Vendor = vendor, Features = (TargetFeatures)int.MaxValue }, losses, output);
                Assert.DoesNotContain("c2ln", Encoding.UTF8.GetString(output.WrittenSpan), StringComparison.Ordinal);
                Assert.True(losses.Count >= 3, $"{target.Name}: {WireFile.LossText(losses)}");
            }
        }
    }

    private static JsonObject NextRequest(string surface, JsonNode answer)
    {
        switch (surface)
        {
            case "openai-chat":
                JsonNode message = answer["choices"]![0]!["message"]!.DeepClone();
                return new JsonObject
                {
                    ["model"] = "m",
                    ["messages"] = new JsonArray([
                        JsonNode.Parse("""{"role":"user","content":"a"}"""), message,
                        .. (message["tool_calls"]?.AsArray() ?? []).Select(call => new JsonObject { ["role"] = "tool", ["tool_call_id"] = (string?)call!["id"], ["content"] = "r" }),
                        JsonNode.Parse("""{"role":"user","content":"b"}""")]),
                };
            case "anthropic-messages":
                JsonArray content = answer["content"]!.DeepClone().AsArray();
                JsonNode[] found = [.. content.Where(block => (string?)block!["type"] == "tool_use")
                    .Select(block => new JsonObject { ["type"] = "tool_result", ["tool_use_id"] = (string?)block!["id"], ["content"] = "r" })];
                return new JsonObject
                {
                    ["model"] = "m", ["max_tokens"] = 9,
                    ["messages"] = new JsonArray(
                        JsonNode.Parse("""{"role":"user","content":"a"}"""), new JsonObject { ["role"] = "assistant", ["content"] = content },
                        new JsonObject { ["role"] = "user", ["content"] = new JsonArray([.. found, JsonNode.Parse("""{"type":"text","text":"b"}""")]) }),
                };
            default:
                return new JsonObject
                {
                    ["contents"] = new JsonArray(
                        JsonNode.Parse("""{"role":"user","parts":[{"text":"a"}]}"""), answer["candidates"]![0]!["content"]!.DeepClone(),
                        JsonNode.Parse("""{"role":"user","parts":[{"text":"b"}]}""")),
                };
        }
    }

    // A text that was cut for a signature may have been cut elsewhere too: neighbours without one are the same text.
    private static JsonArray Joined(JsonArray parts)
    {
        JsonArray joined = [];
        foreach (JsonNode? part in parts)
        {
            bool isPlain = part!["text"] is not null && part["thought"] is null && part["thoughtSignature"] is null;
            if (isPlain && joined.Count > 0 && joined[^1]!["text"] is { } before && joined[^1]!["thought"] is null && joined[^1]!["thoughtSignature"] is null)
            {
                joined[^1]!["text"] = (string?)before + (string?)part["text"];
            }
            else
            {
                joined.Add(part.DeepClone());
            }
        }

        return joined;
    }
}
