using System.Buffers;
using System.Globalization;
using System.Text;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.Tests.Wire;

/// <summary>Every golden file: what is read from it and what is written of it.</summary>
public class GoldenWireTests
{
    public static TheoryData<string> Files() => [.. WireFile.Names()];

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Files))]
    public void Read_GoldenFile_GivesTheExpectation(string name)
    {
        WireFile file = WireFile.Load(name);
        Protocol protocol = ProtocolList.Find(file.ProtocolName)!;
        LossReport losses = new();
        if (file.Body("request") is string request)
        {
            CheckRequest(file, protocol, Encoding.UTF8.GetBytes(request), losses);
        }
        else if (file.Body("error") is string error)
        {
            int status = int.Parse(file.Argument("error"), CultureInfo.InvariantCulture);
            Assert.Equal(file.Body("error-text"), EventText.Of(protocol.ReadError(status, Encoding.UTF8.GetBytes(error))));
        }
        else
        {
            CheckAnswer(file, protocol, losses);
        }

        if (file.Body("losses") is string expected)
        {
            Assert.Equal(expected.TrimEnd(), WireFile.LossText(losses));
        }
    }

    private static void CheckRequest(WireFile file, Protocol protocol, byte[] body, LossReport losses)
    {
        ChatRequest request = protocol.ReadRequest(body, file.Address);
        if (file.Body("neutral") is string neutral)
        {
            Assert.Equal(neutral, RequestText.Of(request));
        }

        foreach ((string target, string expected) in file.Writes())
        {
            ArrayBufferWriter<byte> output = new();
            ProtocolList.Find(target)!.WriteRequest(request, file.Target(target), losses, output);
            Assert.Equal(CanonicalJson.Of(expected), CanonicalJson.Of(output.WrittenMemory));
        }
    }

    private static void CheckAnswer(WireFile file, Protocol protocol, LossReport losses)
    {
        byte[] body = Form.Bytes(protocol, file.Has("stream"), file.Body("stream") ?? file.Body("response")!);
        List<ChatEvent> events = AnswerRun.Read(protocol, file.ReaderOptions(losses), [body]).Events;
        Assert.Equal(file.Body("events"), EventText.Of(events));
        foreach ((string target, string expected) in file.Writes())
        {
            string written = AnswerRun.Write(ProtocolList.Find(target)!, file.WriterOptions(losses), events);
            if (file.Has("stream"))
            {
                Assert.Equal(CanonicalJson.OfStream(expected), CanonicalJson.OfStream(written));
            }
            else
            {
                Assert.Equal(CanonicalJson.Of(expected), CanonicalJson.Of(written));
            }
        }
    }
}
