using System.Text;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.Tests.Wire;

/// <summary>Every golden answer again, however its bytes are cut and whichever line ends it has: the events may not depend on it.</summary>
public class GoldenCutTests
{
    public static TheoryData<string> Files() =>
        [.. WireFile.Names().Where(name => WireFile.Load(name) is { } file && (file.Has("stream") || file.Has("response")))];

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Files))]
    public void Read_CutAtEveryByte_GivesTheSameEvents(string name)
    {
        WireFile file = WireFile.Load(name);
        foreach (byte[] body in Bodies(file))
        {
            string expected = Run(file, [body], ReadDepth.Everything);
            for (int at = 0; at <= body.Length; at++)
            {
                Assert.Equal(expected, Run(file, Pieces.Cut(body, at), ReadDepth.Everything));
            }
        }
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Files))]
    public void Read_Dripped_GivesTheSameEvents(string name)
    {
        WireFile file = WireFile.Load(name);
        foreach (byte[] body in Bodies(file))
        {
            string expected = Run(file, [body], ReadDepth.Everything);
            foreach (int size in (int[])[1, 2, 3, 7, 64])
            {
                Assert.Equal(expected, Run(file, Pieces.Drip(body, size), ReadDepth.Everything));
            }
        }
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Files))]
    public void Read_UsageOnly_AgreesWithEverything(string name)
    {
        WireFile file = WireFile.Load(name);
        byte[] body = Bodies(file)[0];
        Protocol protocol = ProtocolList.Find(file.ProtocolName)!;
        AnswerRun.Result everything = AnswerRun.Read(protocol, file.ReaderOptions(new LossReport()), [body]);
        AnswerRun.Result usageOnly = AnswerRun.Read(protocol, file.ReaderOptions(new LossReport(), ReadDepth.UsageOnly), [body]);
        Assert.Empty(usageOnly.Events);
        Assert.Equal(everything.Frames, usageOnly.Frames);
        Assert.Equal(Summary(everything.Reader), Summary(usageOnly.Reader));
    }

    private static List<byte[]> Bodies(WireFile file)
    {
        if (Form.IsBinary(ProtocolList.Find(file.ProtocolName)!, file.Has("stream")))
        {
            return [Form.Bytes(ProtocolList.Find(file.ProtocolName)!, stream: true, file.Body("stream")!)];
        }

        if (file.Body("stream") is not string stream)
        {
            return [Encoding.UTF8.GetBytes(file.Body("response")!)];
        }

        return [Encoding.UTF8.GetBytes(stream), Encoding.UTF8.GetBytes(stream.Replace("\n", "\r\n")), Encoding.UTF8.GetBytes(stream.Replace('\n', '\r'))];
    }

    private static string Run(WireFile file, IReadOnlyList<ReadOnlyMemory<byte>> pieces, ReadDepth depth)
    {
        AnswerRun.Result run = AnswerRun.Read(ProtocolList.Find(file.ProtocolName)!, file.ReaderOptions(new LossReport(), depth), pieces);
        return EventText.Of(run.Events.Where(e => e is not Ping)) + "\n" + Summary(run.Reader);
    }

    private static string Summary(ResponseReader reader) =>
        $"id={reader.ResponseId} model={reader.ServedModel} finish={reader.Finish} ended={reader.IsEnded} length={reader.ContentLength}"
        + (reader.Usage is null ? "" : EventText.Of(reader.Usage)) + (reader.Error is null ? "" : EventText.Of(reader.Error));
}
