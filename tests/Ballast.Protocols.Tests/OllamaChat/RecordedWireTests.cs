using System.Buffers;
using System.Text.Json.Nodes;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Tests.Wire;

namespace Ballast.Protocols.Tests.OllamaChat;

/// <summary>Every recorded exchange of Ollama's chat. Skipped where the set is absent.</summary>
public class RecordedWireTests
{
    private const string Skipped = "No recordings: set BALLAST_WIRE to their folder.";

    private static readonly Protocol s_protocol = ProtocolList.OllamaChat;

    private static IEnumerable<Recording> Recordings() => Recording.Of("ollama_chat");

    [Fact]
    public void Requests_Recorded_ReadAndWriteBackLossless()
    {
        Assert.SkipUnless(Recording.Root is not null, Skipped);
        int count = 0;
        foreach (Recording recording in Recordings().Where(recording => recording.Request is not null))
        {
            count++;
            ChatRequest request = s_protocol.ReadRequest(recording.Request!);
            ArrayBufferWriter<byte> output = new();
            LossReport losses = new();
            RequestTarget target = new() { Model = request.Model, Vendor = "alibaba", Features = TargetFeatures.JsonSchema };
            s_protocol.WriteRequest(request, target, losses, output);
            Assert.True(losses.Count == 0, $"{recording.Id}: {WireFile.LossText(losses)}");
            string expected = Normal(JsonNode.Parse(recording.Request!)!.AsObject());
            string actual = Normal(JsonNode.Parse(output.WrittenSpan)!.AsObject());
            Assert.True(expected == actual, $"{recording.Id}:\n{expected}\n{actual}");
        }

        Assert.InRange(count, 34, int.MaxValue);
    }

    [Fact]
    public void Answers_Recorded_AreReadToTheirEndAndSurviveBeingWritten()
    {
        Assert.SkipUnless(Recording.Root is not null, Skipped);
        int count = 0;
        foreach (Recording recording in Recordings().Where(recording => recording.Status == 200))
        {
            count++;
            AnswerRun.Result everything = AnswerRun.Read(s_protocol, Options(recording, ReadDepth.Everything), [recording.Answer]);
            AnswerRun.Result usageOnly = AnswerRun.Read(s_protocol, Options(recording, ReadDepth.UsageOnly), [recording.Answer]);
            Assert.True(everything.Frames.SequenceEqual(usageOnly.Frames), recording.Id);
            Assert.True(State(everything.Reader) == State(usageOnly.Reader), $"{recording.Id}: {State(everything.Reader)} / {State(usageOnly.Reader)}");
            Assert.True(everything.Reader.Finish is not null && everything.Reader.Usage is not null, $"{recording.Id}: no finish or no usage");
            if (!everything.Reader.IsEnded)
            {
                everything.Events.Add(ResponseEnded.Instance);
            }

            WriterOptions writing = new() { Stream = recording.Stream, FallbackId = "f", Model = "m", CreatedUnixSeconds = 1, StreamUsage = true };
            string written = AnswerRun.Write(s_protocol, writing, everything.Events);
            AnswerRun.Result again = AnswerRun.Read(s_protocol, Options(recording, ReadDepth.Everything), written);
            Assert.True(AnswerRun.Summary(everything.Events) == AnswerRun.Summary(again.Events), recording.Id);
        }

        Assert.InRange(count, 33, int.MaxValue);
    }

    [Fact]
    public void Errors_Recorded_AreReadAndPassedOn()
    {
        Assert.SkipUnless(Recording.Root is not null, Skipped);
        foreach (Recording recording in Recordings().Where(recording => recording.Status >= 400))
        {
            ChatError error = s_protocol.ReadError(recording.Status, recording.Answer);
            Assert.DoesNotContain("without a readable error", error.Message, StringComparison.Ordinal);
            Assert.True(s_protocol.TrySpliceError(recording.Answer, "req_own", new ArrayBufferWriter<byte>()), recording.Id);
        }
    }

    private static ReaderOptions Options(Recording recording, ReadDepth depth) => new() { Stream = recording.Stream, Depth = depth, Vendor = "" };

    private static string State(ResponseReader reader) =>
        $"{reader.ResponseId} {reader.ServedModel} {reader.Finish} {reader.IsEnded} {reader.ContentLength} {reader.Usage} {reader.Error}";

    /// <summary>
    /// What may differ: null and empty fields left out, <c>stream</c> and <c>options</c> always written, the ids, types and places of calls, which the gateway adds, and the
    /// name of a result's tool.
    /// </summary>
    private static string Normal(JsonObject root)
    {
        root["stream"] ??= true;
        root["options"] ??= new JsonObject();
        foreach (string name in root.Where(field => field.Value is null or JsonArray { Count: 0 } || field.Value.ToJsonString() == "\"\"").Select(field => field.Key).ToList())
        {
            root.Remove(name);
        }

        foreach (JsonObject message in root["messages"]!.AsArray().OfType<JsonObject>())
        {
            message["content"] ??= "";
            foreach (string name in message.Where(field => field.Value is null or JsonArray { Count: 0 }).Select(field => field.Key).ToList())
            {
                message.Remove(name);
            }

            message.Remove("tool_call_id");
            message.Remove("tool_name");
            foreach (JsonNode? call in message["tool_calls"]?.AsArray() ?? [])
            {
                call!.AsObject().Remove("id");
                call.AsObject().Remove("type");
                call["function"]!.AsObject().Remove("index");
            }
        }

        return CanonicalJson.Of(root.ToJsonString());
    }
}
