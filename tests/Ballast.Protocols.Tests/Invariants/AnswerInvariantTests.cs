using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Tests.Fuzz;
using Ballast.Protocols.Tests.Wire;

namespace Ballast.Protocols.Tests.Invariants;

/// <summary>What holds of every answer, whichever protocol wrote it and whichever reads it. Seeds count from 0; a failure names its seed.</summary>
public class AnswerInvariantTests
{
    private const int Cases = 1000;

    private static readonly JsonSerializerOptions s_relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static TheoryData<string> Protocols() => [.. ProtocolList.All.Select(protocol => protocol.Name)];

    private static WriterOptions Writing(bool stream, string vendor) => new()
    {
        Stream = stream, FallbackId = "fallback", Model = "asked", CreatedUnixSeconds = 1, Vendor = vendor, StreamUsage = true,
    };

    private static ReaderOptions Reading(bool stream, string vendor, ReadDepth depth = ReadDepth.Everything) =>
        new() { Stream = stream, Depth = depth, Vendor = vendor };

    [Theory]
    [MemberData(nameof(Protocols))]
    public void Write_GeneratedAnswer_IsShapedAsItsProtocolDemandsAndReadsTheSame(string name)
    {
        Protocol protocol = ProtocolList.Find(name)!;
        for (int seed = 0; seed < Cases; seed++)
        {
            List<ChatEvent> events = Answers.Generate(new Dice(seed), "anthropic");
            string stream = AnswerRun.Write(protocol, Writing(stream: true, "anthropic"), events);
            string whole = AnswerRun.Write(protocol, Writing(stream: false, "anthropic"), events);
            Assert.True(Answers.ShapeFault(name, stream, isWhole: true) is null, $"seed {seed}: {Answers.ShapeFault(name, stream, isWhole: true)}\n{stream}");
            AnswerRun.Result streamed = AnswerRun.Read(protocol, Reading(stream: true, "anthropic"), stream);
            AnswerRun.Result read = AnswerRun.Read(protocol, Reading(stream: false, "anthropic"), whole);
            Assert.True(Told(streamed.Events) == Told(read.Events), $"seed {seed}: stream and whole differ\n{Told(streamed.Events)}\n---\n{Told(read.Events)}");
            Assert.True((streamed.Reader.Usage, streamed.Reader.Finish, streamed.Reader.IsEnded) == (read.Reader.Usage, read.Reader.Finish, read.Reader.IsEnded), $"seed {seed}");

            // What it says survives a second writing in the same protocol to the byte.
            Assert.True(stream == AnswerRun.Write(protocol, Writing(stream: true, "anthropic"), streamed.Events) || name == "openai-chat", $"seed {seed}: written again it differs");
        }
    }

    [Theory]
    [InlineData("openai-chat")]
    [InlineData("openai-responses")]
    public void Write_CallsOfFreeText_AreShapedAsTheirProtocolDemandsAndReadTheSame(string name)
    {
        Protocol protocol = ProtocolList.Find(name)!;
        for (int seed = 0; seed < Cases / 5; seed++)
        {
            List<ChatEvent> events = Answers.Generate(new Dice(seed), "anthropic", hasFreeText: true);
            string stream = AnswerRun.Write(protocol, Writing(stream: true, "anthropic"), events);
            Assert.True(Answers.ShapeFault(name, stream, isWhole: true) is null, $"seed {seed}: {Answers.ShapeFault(name, stream, isWhole: true)}\n{stream}");
            AnswerRun.Result streamed = AnswerRun.Read(protocol, Reading(stream: true, "anthropic"), stream);
            AnswerRun.Result read = AnswerRun.Read(protocol, Reading(stream: false, "anthropic"), AnswerRun.Write(protocol, Writing(stream: false, "anthropic"), events));
            Assert.True(Told(streamed.Events) == Told(read.Events), $"seed {seed}: stream and whole differ\n{Told(streamed.Events)}\n---\n{Told(read.Events)}");
            Assert.True(Texts(events).SequenceEqual(Texts(streamed.Events)), $"seed {seed}: a text changed\n{stream}");
        }
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public void Read_FunctionsForFreeText_GiveTheTextHoweverItWasCut(string name)
    {
        Protocol protocol = ProtocolList.Find(name)!;
        Tool[] tools = [new Tool("patch", "/tools/0") { FreeText = new FreeText("/tools/0/format") }, new Tool("look", "/tools/1")];
        for (int seed = 0; seed < Cases / 5; seed++)
        {
            Dice dice = new(seed);
            string text = Answers.FreeText(dice);
            string arguments = "{ \"input\": " + JsonSerializer.Serialize(text, dice.Chance(50) ? s_relaxed : JsonSerializerOptions.Default) + "}";
            List<ChatEvent> events = [new ResponseStarted("msg_1", "served", 1), new ToolCallStarted(0, "call_1", "patch")];
            events.AddRange(arguments.EnumerateRunes().Select(rune => rune.ToString()).Chunk(1 + dice.Below(9)).Select(piece => new ToolCallDelta(0, string.Concat(piece))));
            events.AddRange([new PartEnded(0), new ToolCallStarted(1, "call_2", "look"), new ToolCallDelta(1, "{\"input\":\"x\"}"), new PartEnded(1), new Finished(FinishReason.ToolCalls, null)]);
            events.AddRange([new UsageReported(new Usage { InputTokens = 1, OutputTokens = 1 }), ResponseEnded.Instance]);
            foreach (bool stream in (bool[])[true, false])
            {
                string body = AnswerRun.Write(protocol, Writing(stream, "anthropic"), events);
                List<ChatEvent> read = AnswerRun.Read(protocol, Reading(stream, "anthropic") with { Tools = tools }, body).Events;
                Assert.True(Texts(read).SequenceEqual([(true, text), (false, "{\"input\":\"x\"}")]), $"seed {seed}, stream {stream}: {Told(read)}\n{body}");
                int part = read.OfType<ToolCallStarted>().First().Part;
                Assert.Single(read.OfType<PartEnded>(), ended => ended.Part == part);
            }
        }
    }

    /// <summary>What each call was given, functions' arguments without spaces.</summary>
    private static List<(bool IsFreeText, string Text)> Texts(List<ChatEvent> events) =>
    [
        .. events.OfType<ToolCallStarted>().Select(call =>
        {
            string text = string.Concat(events.OfType<ToolCallDelta>().Where(delta => delta.Part == call.Part).Select(delta => delta.Arguments));
            return (call.IsFreeText, call.IsFreeText ? text : text.Replace(" ", "", StringComparison.Ordinal));
        }),
    ];

    [Theory]
    [MemberData(nameof(Protocols))]
    public void Read_EveryPrefix_NeverEndsFalselyAndNeverCommitsEarly(string name)
    {
        Protocol protocol = ProtocolList.Find(name)!;
        for (int seed = 0; seed < 60; seed++)
        {
            List<ChatEvent> events = Answers.Generate(new Dice(seed), "anthropic");
            byte[] stream = Form.Bytes(protocol, stream: true, AnswerRun.Write(protocol, Writing(stream: true, "anthropic"), events));
            string mark = name switch
            {
                "openai-chat" => "\ndata: [DONE]",
                // No mark ends it: its last chunk names the finish, and then it closes.
                "gemini" => "\"finishReason\":",
                "bedrock-converse" => "event: metadata",
                "openai-responses" => Encoding.UTF8.GetString(stream[stream.AsSpan().LastIndexOf("\ndata: "u8)..]).TrimEnd('\n'),
                "ollama-chat" => "\"done\":true",
                "cohere-chat" => "\ndata: [DONE]",
                _ => "data: {\"type\":\"message_stop\"}",
            };
            for (int length = 0; length < stream.Length; length += 1 + (length % 5) + (stream.Length / 128))
            {
                AnswerRun.Result cut;
                try
                {
                    cut = AnswerRun.Read(protocol, Reading(stream: true, "anthropic"), [stream.AsMemory(0, length)]);
                }
                catch (ProtocolException)
                {
                    continue; // Cut inside an event: refused.
                }

                bool hasMark = Form.Text(protocol, stream: true, stream.AsSpan(0, length)).Contains(mark, StringComparison.Ordinal);
                Assert.True(cut.Reader.IsEnded == hasMark, $"seed {seed}, {length}: a false end");
                foreach (Protocol target in ProtocolList.All)
                {
                    CheckClosing(target, cut, hasMark, $"seed {seed}, {length} bytes, {target.Name}");
                }
            }
        }
    }

    private static void CheckClosing(Protocol target, AnswerRun.Result cut, bool isWhole, string place)
    {
        string written = AnswerRun.Write(target, Writing(stream: true, "anthropic"), cut.Events);
        string? fault = Answers.ShapeFault(target.Name, written, isWhole);
        Assert.True(fault is null || written.Length == 0, $"{place}: {fault}\n{written}");
        if (isWhole)
        {
            return;
        }

        // Cut: the error that closes it is read as one, and no end follows.
        ArrayBufferWriter<byte> error = new();
        target.WriteStreamError(new ChatError(ChatErrorKind.BadGateway, "The upstream broke off."), error);
        AnswerRun.Result closed = AnswerRun.Read(target, Reading(stream: true, "anthropic"), written + Form.Text(target, stream: true, error.WrittenSpan));
        Assert.True(closed.Reader.Error is not null && !closed.Reader.IsEnded && closed.Signals.HasFlag(FrameSignals.Failed), place);
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public void Read_GeneratedStream_FlagsContentWithTheFirstPieceAndNotBefore(string name)
    {
        Protocol protocol = ProtocolList.Find(name)!;
        for (int seed = 0; seed < Cases; seed++)
        {
            List<ChatEvent> events = Answers.Generate(new Dice(seed), "anthropic");
            AnswerRun.Result run = AnswerRun.Read(protocol, Reading(stream: true, "anthropic"), AnswerRun.Write(protocol, Writing(stream: true, "anthropic"), events));
            AnswerRun.Result watched = AnswerRun.Read(
                protocol, Reading(stream: true, "anthropic", ReadDepth.UsageOnly), string.Concat(run.Frames.Select(frame => frame.Bytes)));
            Assert.True(run.Frames.SequenceEqual(watched.Frames), $"seed {seed}: the depths judge frames differently");
            bool hasContent = events.Exists(chatEvent => chatEvent is TextDelta or ThinkingDelta or ToolCallStarted);
            Assert.True(hasContent == run.Signals.HasFlag(FrameSignals.Content), $"seed {seed}: content was not flagged, or flagged without any");
            string before = string.Concat(run.Frames.TakeWhile(frame => !frame.Signals.HasFlag(FrameSignals.Content)).Select(frame => frame.Bytes));
            Assert.True(!before.Contains("Say ", StringComparison.Ordinal) && !before.Contains("Hm ", StringComparison.Ordinal), $"seed {seed}: content before the flag");
        }
    }

    [Fact]
    public void Usage_WhicheverSurfaceAsked_IsTheSame()
    {
        for (int seed = 0; seed < Cases; seed++)
        {
            List<ChatEvent> events = Answers.Generate(new Dice(seed), "anthropic");
            Usage usage = events.OfType<UsageReported>().Last().Usage;
            foreach (Protocol upstream in ProtocolList.All)
            {
                foreach (bool stream in (bool[])[true, false])
                {
                    string body = AnswerRun.Write(upstream, Writing(stream, "anthropic"), events);
                    foreach (ReadDepth depth in Enum.GetValues<ReadDepth>())
                    {
                        Usage? read = AnswerRun.Read(upstream, Reading(stream, "anthropic", depth), body).Reader.Usage;
                        Assert.True(read is not null && (read with { ReasoningTokens = null }) == usage, $"seed {seed}, {upstream.Name}, stream {stream}: {read} for {usage}");
                    }
                }
            }
        }
    }

    /// <summary>How soon an answer was given, and where: said again in every protocol that has a word for it and the place still open, named as lost in every other.</summary>
    [Fact]
    public void Told_OfTheAnswerAsAWhole_CrossesOrIsNamed()
    {
        int crossed = 0;
        foreach (Protocol upstream in ProtocolList.All)
        {
            foreach (AnswerTold told in (AnswerTold[])
                [.. ((string[])["standard", "priority", "flex", "batch"]).Select(static word => new AnswerTold(AnswerFact.ServiceTier, word, "/x")), new(AnswerFact.InferenceGeo, "eu", "/x")])
            {
                foreach (bool stream in (bool[])[true, false])
                {
                    List<ChatEvent> events = [new ResponseStarted("msg_1", "served", 1), told, new TextDelta(0, "Hi"), new PartEnded(0), new Finished(FinishReason.Stop, null)];
                    events.AddRange([new UsageReported(new Usage { InputTokens = 1, OutputTokens = 1 }), ResponseEnded.Instance]);
                    AnswerRun.Result from = AnswerRun.Read(upstream, Reading(stream, "anthropic"), AnswerRun.Write(upstream, Writing(stream, "anthropic"), events));
                    foreach (AnswerTold said in from.Events.OfType<AnswerTold>().Where(said => said.Fact == told.Fact))
                    {
                        Assert.Equal(told.Word, said.Word);
                        foreach (Protocol target in ProtocolList.All)
                        {
                            LossReport losses = new();
                            string written = AnswerRun.Write(target, Writing(stream, "anthropic") with { Losses = losses }, from.Events);
                            bool isSaid = AnswerRun.Read(target, Reading(stream, "anthropic"), written).Events.OfType<AnswerTold>().Any(again => (again.Fact, again.Word) == (said.Fact, said.Word));
                            bool isNamed = losses.Losses.Any(loss => loss.InResponse && loss.Pointer == said.Pointer);
                            Assert.True(isSaid != isNamed, $"{upstream.Name} to {target.Name}, stream {stream}: {said} is said {isSaid}, named {isNamed}\n{written}");
                            crossed += isSaid ? 1 : 0;
                        }
                    }
                }
            }
        }

        Assert.True(crossed > 100, $"{crossed} crossed");
    }

    [Fact]
    public void Signatures_AcrossBothProtocolsAndBack_KeepTheirIssuerAndAreNeverBareAbroad()
    {
        for (int seed = 0; seed < Cases; seed++)
        {
            List<ChatEvent> events = Answers.Generate(new Dice(seed), "anthropic");
            foreach (Protocol protocol in ProtocolList.All)
            {
                string stream = AnswerRun.Write(protocol, Writing(stream: true, "anthropic"), events);
                foreach (ThinkingSigned signed in events.OfType<ThinkingSigned>().Where(signed => signed.Issuer != protocol.NativeIssuer))
                {
                    string mark = ForeignThinking.Wrap(signed.Issuer, signed.Signature);
                    string written = protocol == ProtocolList.Gemini ? Convert.ToBase64String(Encoding.UTF8.GetBytes(mark)) : mark;
                    Assert.True(stream.Contains(written, StringComparison.Ordinal), $"seed {seed}, {protocol.Name}: unmarked");
                }

                List<ChatEvent> again = AnswerRun.Read(protocol, Reading(stream: true, "anthropic"), stream).Events;
                Assert.True(
                    events.OfType<ThinkingSigned>().Select(s => (s.Signature, s.Issuer)).SequenceEqual(again.OfType<ThinkingSigned>().Select(s => (s.Signature, s.Issuer))),
                    $"seed {seed}, {protocol.Name}: signatures changed");
            }
        }
    }

    [Fact]
    public void Errors_OfEveryKind_LeaveInTheInboundShape()
    {
        foreach (ChatErrorKind kind in Enum.GetValues<ChatErrorKind>())
        {
            ChatError error = new(kind, "It broke.") { Code = "ballast_test", RequestId = "req_7", Hint = "Try.", RetryAfter = TimeSpan.FromSeconds(3) };
            foreach (Protocol protocol in ProtocolList.All)
            {
                int status = protocol.StatusOf(error);
                ArrayBufferWriter<byte> output = new();
                protocol.WriteError(error, output);
                string body = Encoding.UTF8.GetString(output.WrittenSpan);
                Assert.Contains("req_7", body, StringComparison.Ordinal);
                Assert.Contains("ballast_test", body, StringComparison.Ordinal);
                Assert.Equal(status, protocol.StatusOf(protocol.ReadError(status, output.WrittenMemory)));
                Assert.InRange(status, 400, 599);
            }
        }
    }

    /// <summary>What an answer says, refusals as the text that one of the protocols makes of them.</summary>
    private static string Told(IEnumerable<ChatEvent> events) => AnswerRun.Summary(events);
}
