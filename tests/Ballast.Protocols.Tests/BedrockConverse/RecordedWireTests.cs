using System.Buffers;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Tests.Fuzz;
using Ballast.Protocols.Tests.Wire;

namespace Ballast.Protocols.Tests.BedrockConverse;

/// <summary>Recorded traffic of the Converse API: all of it is read, requests come out as they went in, streams survive a second writing.</summary>
public sealed class RecordedWireTests
{
    private static readonly Protocol s_protocol = ProtocolList.BedrockConverse;

    private static IEnumerable<Recording> All() => Recording.Of("converse").Concat(Recording.Of("converse_stream"));

    [Fact]
    public void ReadRequest_Recorded_IsWrittenAsItWas()
    {
        Assert.SkipUnless(Recording.Root is not null, "No recordings: set BALLAST_WIRE to their folder.");
        int count = 0;
        foreach (Recording recording in All().Where(one => one.Request is not null))
        {
            ChatRequest request;
            try
            {
                request = s_protocol.ReadRequest(recording.Request!, Addresses.Of(s_protocol.Name, "target", stream: false));
            }
            catch (ProtocolException) when (recording.Status >= 400)
            {
                continue; // Refused by the platform as well.
            }

            ArrayBufferWriter<byte> output = new();
            LossReport losses = new();
            s_protocol.WriteRequest(request, FuzzTargets.Target("anthropic", hasAll: true), losses, output);
            Assert.True(losses.Losses.All(loss => loss.Reason.Contains("signature", StringComparison.Ordinal) || loss.Reason.StartsWith("Thinking is off", StringComparison.Ordinal)), $"{recording.Id}: {WireFile.LossText(losses)}");
            if (losses.Count == 0)
            {
                Assert.True(Bare(recording.Request!) == Bare(output.WrittenMemory), $"{recording.Id}:\n{Bare(recording.Request!)}\n{Bare(output.WrittenMemory)}");
            }

            count++;
        }

        Assert.InRange(count, 90, int.MaxValue);
    }

    [Fact]
    public void Read_RecordedAnswer_IsWholeAndHasItsUsage()
    {
        Assert.SkipUnless(Recording.Root is not null, "No recordings: set BALLAST_WIRE to their folder.");
        int count = 0;
        foreach (Recording recording in All().Where(one => one.Status == 200))
        {
            AnswerRun.Result run = AnswerRun.Read(
                s_protocol, new ReaderOptions { Stream = recording.Stream, Depth = ReadDepth.Everything, Vendor = "anthropic" }, [recording.Answer]);
            Assert.True(run.Reader is { IsEnded: true, Finish: not null, Usage: { OutputTokens: >= 0 }, Error: null }, recording.Id);
            count++;
            Assert.True(run.Reader.ContentLength > 0 || run.Reader.Usage.OutputTokens < 20, recording.Id);
            string again = AnswerRun.Write(s_protocol, FuzzTargets.Writing(stream: true), run.Events);
            Assert.Null(Invariants.Answers.ShapeFault(s_protocol.Name, again, isWhole: true));
            if (run.Reader.Finish == FinishReason.ToolCalls && !run.Events.OfType<ToolCallStarted>().Any())
            {
                continue; // All calls were the platform's own: a client that reads the word would wait for others.
            }

            Assert.Equal(AnswerRun.Summary(run.Events), AnswerRun.Summary(AnswerRun.Read(s_protocol, FuzzTargets.Reading(stream: true, ReadDepth.Everything), again).Events));
        }

        Assert.InRange(count, 80, int.MaxValue);
    }

    [Fact]
    public void ReadError_Recorded_HasItsMessage()
    {
        Assert.SkipUnless(Recording.Root is not null, "No recordings: set BALLAST_WIRE to their folder.");
        foreach (Recording recording in All().Where(one => one.Status >= 400))
        {
            ChatError error = s_protocol.ReadError(recording.Status, recording.Answer);
            Assert.DoesNotContain("without a readable error", error.Message, StringComparison.Ordinal);
            Assert.Equal(recording.Status, s_protocol.StatusOf(error));
        }
    }

    /// <summary>Canonical, without what says nothing: empty system text, a result's ordinary success.</summary>
    private static string Bare(ReadOnlyMemory<byte> json) =>
        CanonicalJson.Of(json).Replace("\"status\":\"success\",", "", StringComparison.Ordinal).Replace(",\"type\":\"tool_use\"}", "}", StringComparison.Ordinal).Replace("\"additionalModelRequestFields\":{},", "", StringComparison.Ordinal).Replace("\"inferenceConfig\":{},", "", StringComparison.Ordinal);
}
