using System.Buffers;
using System.Text.Json.Nodes;
using Ballast.Protocols.Tests.Wire;

namespace Ballast.Protocols.Tests.OpenAIResponses;

/// <summary>Every recorded exchange of the Responses API, of every provider in the set. Skipped where the set is absent.</summary>
public class RecordedWireTests
{
    private const string Skipped = "No recordings: set BALLAST_WIRE to their folder.";

    private static readonly Protocol s_protocol = ProtocolList.OpenAIResponses;

    private static readonly RequestTarget s_target = new() { Model = "model", Vendor = "other", Features = TargetFeatures.JsonSchema };

    [Fact]
    public void Requests_Recorded_AreReadAndWrittenBackLossless()
    {
        Assert.SkipUnless(Recording.Root is not null, Skipped);
        List<string> faults = [];
        int count = 0;
        foreach (Recording recording in Recording.Of("responses").Where(recording => recording.Request is not null && recording.Status == 200 && HasModel(recording)))
        {
            count++;
            try
            {
                CheckRequest(recording, faults);
            }
            catch (ProtocolException refused)
            {
                faults.Add($"{recording.Id} ({recording.Status}): refused: {refused.Message}");
            }
        }

        Assert.True(faults.Count == 0, $"{faults.Count} of {count}:\n" + string.Join('\n', faults));
        Assert.True(count > 150, $"only {count} requests found");
    }

    private static bool HasModel(Recording recording) => JsonNode.Parse(recording.Request!)!["model"] is not null;

    private static void CheckRequest(Recording recording, List<string> faults)
    {
        LossReport losses = new();
        ArrayBufferWriter<byte> written = new();
        s_protocol.WriteRequest(s_protocol.ReadRequest(recording.Request), s_target, losses, written);
        ArrayBufferWriter<byte> spliced = new();
        s_protocol.SpliceRequest(s_protocol.Peek(recording.Request), s_target, spliced);
        string expected = Normal(recording.Request);
        if (Normal(written.WrittenMemory) != expected || Normal(spliced.WrittenMemory) != expected)
        {
            faults.Add($"{recording.Id}: {expected}\n{Normal(written.WrittenMemory)}\n{Normal(spliced.WrittenMemory)}");
        }

        if (losses.Losses.Any(loss => loss.Pointer != "/previous_response_id"))
        {
            faults.Add($"{recording.Id}: {WireFile.LossText(losses)}");
        }
    }

    /// <summary>What may differ: the model's name, and state, which Ballast keeps itself.</summary>
    private static string Normal(ReadOnlyMemory<byte> body)
    {
        JsonObject root = JsonNode.Parse(body.Span)!.AsObject();
        foreach (string name in (string[])["model", "store", "previous_response_id"])
        {
            root.Remove(name);
        }

        return CanonicalJson.Of(root.ToJsonString());
    }

    [Fact]
    public void Answers_RecordedSuccesses_AreReadToTheirEndAndWrittenAgain()
    {
        Assert.SkipUnless(Recording.Root is not null, Skipped);
        List<string> faults = [];
        int count = 0;
        foreach (Recording recording in Recording.Of("responses").Where(recording => recording.Status == 200 && recording.Answer.Length > 0 && !IsOther(recording)))
        {
            count++;
            try
            {
                string? fault = CheckAnswer(recording);
                if (fault is not null)
                {
                    faults.Add($"{recording.Id}: {fault}");
                }
            }
            catch (ProtocolException refused)
            {
                faults.Add($"{recording.Id}: refused: {refused.Message}");
            }
        }

        Assert.True(faults.Count == 0, $"{faults.Count} of {count}:\n" + string.Join('\n', faults));
        Assert.True(count > 150, $"only {count} answers found");
    }

    /// <summary>Lists of items, compactions and refusals that came with status 200 are no answers.</summary>
    private static bool IsOther(Recording recording) =>
        !recording.Stream && JsonNode.Parse(recording.Answer) is JsonObject body && (string?)body["object"] != "response";

    private static string? CheckAnswer(Recording recording)
    {
        AnswerRun.Result everything = AnswerRun.Read(s_protocol, Options(recording, ReadDepth.Everything), [recording.Answer]);
        AnswerRun.Result usageOnly = AnswerRun.Read(s_protocol, Options(recording, ReadDepth.UsageOnly), [recording.Answer]);
        if (!everything.Frames.SequenceEqual(usageOnly.Frames) || State(everything.Reader) != State(usageOnly.Reader) || usageOnly.Events.Count > 0)
        {
            return $"depths differ: {State(everything.Reader)} / {State(usageOnly.Reader)}";
        }

        if (everything.Reader.Error is not null || everything.Reader.Finish?.Value is "queued" or "in_progress")
        {
            return null;
        }

        if (!everything.Reader.IsEnded || everything.Reader.Finish is null || everything.Reader.Usage is null && recording.Stream)
        {
            return "no end: " + State(everything.Reader);
        }

        string written = AnswerRun.Write(s_protocol, Writer(recording), everything.Events);
        AnswerRun.Result again = AnswerRun.Read(s_protocol, Options(recording, ReadDepth.Everything), written);
        string? shape = recording.Stream ? Invariants.ResponsesShape.Fault(written, isWhole: true) : null;
        string told = Told(everything);
        return shape ?? (told == Told(again) ? null : $"written and read again:\n{told}\n{Told(again)}");
    }

    /// <summary>What an answer said; a vendor that does not count its reasoning has it written as zero.</summary>
    private static string Told(AnswerRun.Result run) => AnswerRun.Summary(run.Events).Replace(" reasoning=0", "", StringComparison.Ordinal);

    private static ReaderOptions Options(Recording recording, ReadDepth depth) =>
        new() { Stream = recording.Stream, Depth = depth, Vendor = recording.Provider };

    private static WriterOptions Writer(Recording recording) => new()
    {
        Stream = recording.Stream, FallbackId = "fallback", Model = "asked", CreatedUnixSeconds = 1, Vendor = recording.Provider, Request = recording.Request,
    };

    private static string State(ResponseReader reader) =>
        $"{reader.ResponseId} {reader.ServedModel} {reader.Finish} {reader.IsEnded} {reader.ContentLength} {reader.Usage} {reader.Error}";
}
