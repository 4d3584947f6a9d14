using System.Buffers;
using System.Text;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;
using CsCheck;

namespace Ballast.Protocols.Tests.Wire;

/// <summary>
/// Every golden and every recorded answer, cut in every way: frames, signals, events, what the reader says at the end, losses, and the bytes that the writers make of
/// it are the same. A reader sees frames only, so every cut is tried at the framing; whole readers get every cut of short streams and a seeded sample of long ones.
/// </summary>
public class RechunkTests
{
    private const string Skipped = "No recordings: set BALLAST_WIRE to their folder.";

    /// <summary>Streams up to this many bytes are cut at every byte in the normal tier.</summary>
    private const int EveryCutLengthMax = 1200;

    /// <summary>Streams up to this many bytes are read as a whole for each cut of their framing.</summary>
    private const int WholeStreamCutMax = 2 * 1024;

    private const int EventsAroundACut = 1;

    /// <summary>Streams up to this many bytes are cut in the normal tier, longer ones in the long tier.</summary>
    private const int ShortStreamMax = 4 * 1024;

    private static readonly Gen<int[]> s_cuts = Gen.Int[0, 1_000_000].Array[1, 12];

    [Fact]
    public void Read_GoldenAnswer_ManyCuts_SaysTheSame() => Check(Golden(), EveryCutLengthMax, sample: 30);

    [Fact]
    public void Read_RecordedAnswer_ManyCuts_SaysTheSame()
    {
        Assert.SkipUnless(Recording.Root is not null, Skipped);
        Assert.InRange(Check(Recorded(), everyCutLengthMax: 200, sample: 2), 500, int.MaxValue);
    }

    [LongFact]
    public void Read_AnyAnswer_EveryCut_SaysTheSame()
    {
        Assert.SkipUnless(Recording.Root is not null, Skipped);
        Check([.. Golden(), .. Recorded()], everyCutLengthMax: 2 * 1024, sample: 400);
    }

    [Fact]
    public void TryTake_GoldenStream_EveryCut_GivesTheSameFrames() => CheckFraming(Golden());

    [Fact]
    public void TryTake_RecordedStream_EveryCut_GivesTheSameFrames()
    {
        Assert.SkipUnless(Recording.Root is not null, Skipped);
        CheckFraming([.. Recorded().Where(answer => answer.Body.Length <= ShortStreamMax)]);
    }

    [LongFact]
    public void TryTake_LongRecordedStream_EveryCut_GivesTheSameFrames()
    {
        Assert.SkipUnless(Recording.Root is not null, Skipped);
        CheckFraming([.. Recorded().Where(answer => answer.Body.Length > ShortStreamMax)]);
    }

    [Fact]
    public void Read_GoldenStream_OtherFraming_SaysTheSame()
    {
        // What is no event has no other framing.
        foreach (Answer answer in Golden().Where(answer => answer.Stream && !answer.IsBinary && answer.Body[0] != (byte)'[' && answer.Body.AsSpan().IndexOf("\n\n{"u8) < 0))
        {
            string expected = Tell(answer, [answer.Body], withFrames: false);
            string stream = Encoding.UTF8.GetString(answer.Body);
            foreach (string form in answer.Protocol.Framing == StreamFraming.JsonLines ? RebrokenLines(stream) : Reframed(stream))
            {
                byte[] body = Encoding.UTF8.GetBytes(form);
                Assert.Equal(expected, Tell(answer, [body], withFrames: false));
                for (int at = 1; at < body.Length; at += 3)
                {
                    Assert.Equal(expected, Tell(answer, Pieces.Cut(body, at), withFrames: false));
                }

                Assert.Equal(expected, Tell(answer, Pieces.Drip(body, 1), withFrames: false));
            }
        }
    }

    /// <summary>The same events in other words: line ends, a byte order mark, comments, fields nobody reads, data on several lines.</summary>
    private static IEnumerable<string> Reframed(string stream)
    {
        yield return stream.Replace("\n", "\r\n");
        yield return stream.Replace('\n', '\r');
        yield return "\uFEFF" + stream;
        yield return stream.Replace("\n\n", "\r\n\n").Replace("data: {", "retry: 5\r\ndata:{");
        yield return stream.Replace("\n\n", "\nid: 1\n: comment\n\n");
        // JSON may be broken at the comma between two fields; inside a string this text would be escaped.
        yield return stream.Replace("\",\"", "\",\ndata: \"");
    }

    /// <summary>The same lines of JSON with other ends, blank lines and white space between them.</summary>
    private static IEnumerable<string> RebrokenLines(string stream)
    {
        yield return stream.Replace("\n", "\r\n");
        yield return stream.Replace('\n', '\r');
        yield return "\n \n" + stream.Replace("\n", "\n\r\n ");
        yield return stream.TrimEnd('\n') + "\n";
    }

    private static int Check(IReadOnlyList<Answer> answers, int everyCutLengthMax, int sample)
    {
        Parallel.For(0, answers.Count, i => Check(answers[i], everyCutLengthMax, sample, new Random(20261124 + i)));
        return answers.Count;
    }

    private static void Check(Answer answer, int everyCutLengthMax, int sample, Random random)
    {
        string expected = Tell(answer, [answer.Body], withFrames: true);
        int length = answer.Body.Length;
        IEnumerable<int> cuts = length <= everyCutLengthMax ? Enumerable.Range(0, length + 1) : Enumerable.Range(0, sample).Select(_ => random.Next(length + 1));
        foreach (int at in cuts)
        {
            Same(answer, expected, Pieces.Cut(answer.Body, at), $"cut at {at}");
        }

        foreach (int size in (int[])[1, 2, 3, 7])
        {
            if (answer.Stream && length <= everyCutLengthMax * 64)
            {
                Same(answer, expected, Pieces.Drip(answer.Body, size), $"pieces of {size}");
            }
        }

        for (int i = 0; i < 3; i++)
        {
            int[] places = [.. Enumerable.Range(0, 1 + random.Next(12)).Select(_ => random.Next(length + 1)).Order()];
            Same(answer, expected, CutAt(answer.Body, places), $"cuts at {string.Join(' ', places)}");
        }
    }

    private static void Same(Answer answer, string expected, IReadOnlyList<ReadOnlyMemory<byte>> pieces, string how)
    {
        string actual = Tell(answer, pieces, withFrames: true);
        if (expected != actual)
        {
            Assert.Fail($"{answer.Name}, {how}:\n{expected}\n---\n{actual}");
        }
    }

    private static List<ReadOnlyMemory<byte>> CutAt(byte[] body, int[] places)
    {
        List<ReadOnlyMemory<byte>> pieces = [];
        int from = 0;
        foreach (int place in places)
        {
            pieces.Add(body.AsMemory(from, place - from));
            from = place;
        }

        pieces.Add(body.AsMemory(from));
        return pieces;
    }

    /// <summary>All that reading and translating an answer tells.</summary>
    private static string Tell(Answer answer, IReadOnlyList<ReadOnlyMemory<byte>> pieces, bool withFrames)
    {
        StringBuilder text = new();
        LossReport losses = new();
        AnswerRun.Result? everything = Read(answer, pieces, ReadDepth.Everything, losses, text);
        AnswerRun.Result? usageOnly = Read(answer, pieces, ReadDepth.UsageOnly, new LossReport(), text);
        if (everything is null || usageOnly is null)
        {
            return text.ToString();
        }

        Assert.Equal(State(everything.Reader), State(usageOnly.Reader));
        text.Append(EventText.Of(everything.Events.Where(chatEvent => withFrames || chatEvent is not Ping))).Append('\n').Append(State(everything.Reader));
        foreach (Protocol target in ProtocolList.All)
        {
            WriterOptions options = new()
            {
                Stream = answer.Stream, FallbackId = "fallback", Model = "asked", CreatedUnixSeconds = 1, Vendor = answer.Options.Vendor, StreamUsage = true, Losses = losses,
            };
            text.Append('\n').Append(AnswerRun.Write(target, options, everything.Events.Where(chatEvent => withFrames || chatEvent is not Ping)));
        }

        text.Append('\n').Append(WireFile.LossText(losses));
        return withFrames ? text.Append('\n').AppendJoin('\n', Frames(everything)).AppendJoin('\n', Frames(usageOnly)).ToString() : text.ToString();
    }

    private static AnswerRun.Result? Read(Answer answer, IReadOnlyList<ReadOnlyMemory<byte>> pieces, ReadDepth depth, LossReport losses, StringBuilder text)
    {
        try
        {
            return AnswerRun.Read(answer.Protocol, answer.Options with { Depth = depth, Losses = losses }, pieces);
        }
        catch (ProtocolException refused)
        {
            text.Append(EventText.Of(refused.Error));
            return null;
        }
    }

    private static string State(ResponseReader reader) =>
        $"{reader.ResponseId} {reader.ServedModel} {reader.Finish} {reader.IsEnded} {reader.ContentLength} {reader.Usage} {reader.Error}";

    // A line feed that comes later than its carriage return lies at the front of the next frame.
    private static IEnumerable<string> Frames(AnswerRun.Result run) => run.Frames.Select(frame => $"{frame.Signals} {frame.Bytes.Trim('\r', '\n')}");

    private static void CheckFraming(IReadOnlyList<Answer> answers)
    {
        Answer[] streams = [.. answers.Where(answer => answer.Stream && answer.Protocol.Framing == StreamFraming.ServerSentEvents)];
        Assert.True(streams.Length > 10);
        Parallel.ForEach(streams, answer =>
        {
            string text = Encoding.UTF8.GetString(answer.Body);
            foreach (byte[] body in (byte[][])[answer.Body, Encoding.UTF8.GetBytes(text.Replace("\n", "\r\n"))])
            {
                CheckFraming(answer.Name, body);
            }
        });
    }

    /// <summary>
    /// Every cut of a stream. Where it is long, a cut is tried among the events around it: the cutter begins anew with each event, and to read all of a long stream for
    /// each of its bytes takes an hour.
    /// </summary>
    private static void CheckFraming(string name, byte[] body)
    {
        List<int> ends = [0];
        List<int> whole = Take([body], ends);
        ends[^1] = body.Length;
        int steps = body.Length <= WholeStreamCutMax ? ends.Count : EventsAroundACut;
        for (int i = 0; i + 1 < ends.Count; i += steps)
        {
            // One event more on either side than are cut here.
            int from = Math.Max(0, i - 1);
            int to = Math.Min(ends.Count - 1, i + steps + 1);
            ReadOnlyMemory<byte> window = body.AsMemory(ends[from]..ends[to]);
            List<int> expected = whole[from..to];
            for (int at = ends[i] - ends[from]; at <= ends[Math.Min(ends.Count - 1, i + steps)] - ends[from]; at++)
            {
                if (!Take(Pieces.Cut(window, at)).SequenceEqual(expected))
                {
                    Assert.Fail($"{name}: cut at {at + ends[from]}");
                }
            }
        }
    }

    [Fact]
    public void TryTake_AnyCuts_GivesTheSameFrames()
    {
        byte[] body = Encoding.UTF8.GetBytes("\uFEFFdata: é\r\n\r\n: c\n\rdata\r\revent: x\ndata:1\ndata: 2\r\n\n\n\ndata: {\"a\":1}\r\n\r\n");
        List<int> expected = Take([body]);
        s_cuts.Sample(cuts => Take(CutAt(body, [.. cuts.Select(cut => cut % (body.Length + 1)).Order()])).SequenceEqual(expected), iter: 20_000, seed: "0000KDqZQxP4");
    }

    /// <summary>Hash of each event's name and data, and the lengths of the frames. A line feed belongs to the carriage return before it, wherever the cut falls.</summary>
    private static List<int> Take(IReadOnlyList<ReadOnlyMemory<byte>> pieces, List<int>? ends = null)
    {
        ServerSentEvents events = new();
        List<int> taken = [];
        List<ReadOnlyMemory<byte>> unread = [];
        for (int i = 0; i <= pieces.Count; i++)
        {
            if (i < pieces.Count)
            {
                unread.Add(pieces[i]);
            }

            ReadOnlySequence<byte> buffer = Pieces.Join(unread);
            while (events.TryTake(ref buffer, i == pieces.Count, out ReadOnlySequence<byte> frame, out ServerSentEvent serverSentEvent))
            {
                HashCode hash = default;
                hash.AddBytes(serverSentEvent.Name);
                hash.AddBytes(serverSentEvent.Data);
                byte[] bytes = frame.ToArray();
                hash.AddBytes(bytes.AsSpan().Trim("\r\n"u8));
                taken.Add(hash.ToHashCode());
                ends?.Add(ends[^1] + bytes.Length);
            }

            unread = Pieces.Split(buffer);
        }

        return taken;
    }

    [Fact]
    public void TryReadFrame_GoldenStreamOfAnotherFraming_EveryCut_GivesTheSameFrames() => Assert.InRange(CheckOtherFraming(Golden()), 10, int.MaxValue);

    [Fact]
    public void TryReadFrame_RecordedStreamOfAnotherFraming_EveryCut_GivesTheSameFrames()
    {
        Assert.SkipUnless(Recording.Root is not null, Skipped);
        Assert.InRange(CheckOtherFraming([.. Recorded().Where(answer => answer.Body.Length <= ShortStreamMax)]), 10, int.MaxValue);
    }

    /// <summary>Binary event streams, lines of JSON and arrays: each cut in two at every byte.</summary>
    private static int CheckOtherFraming(IReadOnlyList<Answer> answers)
    {
        Answer[] streams = [.. answers.Where(answer => answer.Stream && answer.Body.Length > 0 && (answer.Protocol.Framing != StreamFraming.ServerSentEvents || answer.Body[0] == (byte)'['))];
        Parallel.ForEach(streams, answer =>
        {
            string expected = FramesOf(answer, [answer.Body]);
            for (int at = 1; at < answer.Body.Length; at++)
            {
                if (FramesOf(answer, Pieces.Cut(answer.Body, at)) != expected)
                {
                    Assert.Fail($"{answer.Name}: cut at {at}");
                }
            }
        });
        return streams.Length;
    }

    private static string FramesOf(Answer answer, IReadOnlyList<ReadOnlyMemory<byte>> pieces)
    {
        StringBuilder refusal = new();
        AnswerRun.Result? run = Read(answer, pieces, ReadDepth.UsageOnly, new LossReport(), refusal);
        return run is null ? refusal.ToString() : $"{State(run.Reader)}\n{string.Join('\n', Frames(run))}";
    }

    private static List<Answer> Golden() =>
    [
        .. WireFile.Names().Select(WireFile.Load).Where(file => file.Has("stream") || file.Has("response")).Select(file => new Answer(
            file.Path, ProtocolList.Find(file.ProtocolName)!, file.ReaderOptions(new LossReport()), Form.Bytes(ProtocolList.Find(file.ProtocolName)!, file.Has("stream"), file.Body("stream") ?? file.Body("response")!))),
    ];

    private static List<Answer> Recorded() =>
    [
        .. new[]
        {
            ("chat_completions", ProtocolList.OpenAIChat), ("messages", ProtocolList.AnthropicMessages), ("generate_content", ProtocolList.Gemini),
            ("stream_generate_content", ProtocolList.Gemini), ("responses", ProtocolList.OpenAIResponses), ("converse", ProtocolList.BedrockConverse), ("converse_stream", ProtocolList.BedrockConverse),
            ("ollama_chat", ProtocolList.OllamaChat), ("cohere_chat", ProtocolList.CohereChat),
        }.SelectMany(api => Recording.Of(api.Item1)
            .Where(recording => recording.Status < 400)
            .Select(recording => new Answer(
                recording.Id, api.Item2, new ReaderOptions { Stream = recording.Stream, Depth = ReadDepth.Everything, Vendor = recording.Provider }, recording.Answer))),
    ];

    private sealed record Answer(string Name, Protocol Protocol, ReaderOptions Options, byte[] Body)
    {
        public bool Stream => Options.Stream;

        public bool IsBinary => Form.IsBinary(Protocol, Stream);
    }
}
