using System.Buffers;
using System.Text.Json.Nodes;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.Tests.Wire;

/// <summary>What holds for every recorded exchange of a chat that has one plain form of request and answer. Skipped where the set is absent.</summary>
public abstract class RecordedChatTests
{
    private const string Skipped = "No recordings: set BALLAST_WIRE to their folder.";

    private protected abstract Protocol Protocol { get; }

    /// <summary>Who must be said to stand behind the endpoint so that nothing is lost.</summary>
    private protected abstract string Vendor { get; }

    private protected abstract IEnumerable<Recording> Recordings();

    private protected abstract int RequestsMin { get; }

    private protected abstract int AnswersMin { get; }

    /// <summary>A request without what may differ once it was read and written.</summary>
    private protected abstract string Normal(JsonObject root);

    [Fact]
    public void Requests_Recorded_ReadAndWriteBackLossless()
    {
        Assert.SkipUnless(Recording.Root is not null, Skipped);
        int count = 0;
        foreach (Recording recording in Recordings().Where(recording => recording.Request is not null))
        {
            count++;
            ChatRequest request = Protocol.ReadRequest(recording.Request!);
            ArrayBufferWriter<byte> output = new();
            LossReport losses = new();
            RequestTarget target = new() { Model = request.Model, Vendor = Vendor, Features = TargetFeatures.JsonSchema };
            Protocol.WriteRequest(request, target, losses, output);
            Assert.True(losses.Count == 0, $"{recording.Id}: {WireFile.LossText(losses)}");
            string expected = Normal(JsonNode.Parse(recording.Request!)!.AsObject());
            string actual = Normal(JsonNode.Parse(output.WrittenSpan)!.AsObject());
            Assert.True(expected == actual, $"{recording.Id}:\n{expected}\n{actual}");
        }

        Assert.InRange(count, RequestsMin, int.MaxValue);
    }

    [Fact]
    public void Answers_Recorded_AreReadToTheirEndAndSurviveBeingWritten()
    {
        Assert.SkipUnless(Recording.Root is not null, Skipped);
        int count = 0;
        foreach (Recording recording in Recordings().Where(recording => recording.Status == 200))
        {
            count++;
            AnswerRun.Result everything = AnswerRun.Read(Protocol, Options(recording, ReadDepth.Everything), [recording.Answer]);
            AnswerRun.Result usageOnly = AnswerRun.Read(Protocol, Options(recording, ReadDepth.UsageOnly), [recording.Answer]);
            Assert.True(everything.Frames.SequenceEqual(usageOnly.Frames), recording.Id);
            Assert.True(State(everything.Reader) == State(usageOnly.Reader), $"{recording.Id}: {State(everything.Reader)} / {State(usageOnly.Reader)}");
            Assert.True(everything.Reader.Finish is not null && everything.Reader.Usage is not null, $"{recording.Id}: no finish or no usage");
            if (!everything.Reader.IsEnded)
            {
                everything.Events.Add(ResponseEnded.Instance);
            }

            WriterOptions writing = new() { Stream = recording.Stream, FallbackId = "f", Model = "m", CreatedUnixSeconds = 1, StreamUsage = true };
            string written = AnswerRun.Write(Protocol, writing, everything.Events);
            AnswerRun.Result again = AnswerRun.Read(Protocol, Options(recording, ReadDepth.Everything), written);
            Assert.True(AnswerRun.Summary(everything.Events) == AnswerRun.Summary(again.Events), recording.Id);
        }

        Assert.InRange(count, AnswersMin, int.MaxValue);
    }

    [Fact]
    public void Errors_Recorded_AreReadAndPassedOn()
    {
        Assert.SkipUnless(Recording.Root is not null, Skipped);
        foreach (Recording recording in Recordings().Where(recording => recording.Status >= 400))
        {
            ChatError error = Protocol.ReadError(recording.Status, recording.Answer);
            Assert.DoesNotContain("without a readable error", error.Message, StringComparison.Ordinal);
            Assert.True(Protocol.TrySpliceError(recording.Answer, "req_own", new ArrayBufferWriter<byte>()), recording.Id);
        }
    }

    private static ReaderOptions Options(Recording recording, ReadDepth depth) => new() { Stream = recording.Stream, Depth = depth, Vendor = "" };

    private static string State(ResponseReader reader) =>
        $"{reader.ResponseId} {reader.ServedModel} {reader.Finish} {reader.IsEnded} {reader.ContentLength} {reader.Usage} {reader.Error}";
}
