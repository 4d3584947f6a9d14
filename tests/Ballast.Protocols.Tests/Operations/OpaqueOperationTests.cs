using System.Buffers;
using System.Text;

namespace Ballast.Protocols.Tests.Operations;

public class OpaqueOperationTests
{
    private const string Form =
        "--b-1\r\nContent-Disposition: form-data; name=\"file\"; filename=\"model.wav\"\r\nContent-Type: audio/wav\r\n\r\n\0\u0001--b-1 not a boundary\r\n\r\n"
        + "\r\n--b-1\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper/1\r\n--b-1\r\nContent-Disposition: form-data; name=\"stream\"\r\n\r\ntrue\r\n--b-1--\r\n";

    private static readonly RequestTarget s_target = new() { Model = "m-\"2\"", Vendor = "openai", Features = TargetFeatures.None };

    [Theory]
    [InlineData("""{"model":"a","prompt":"\u0041  b"}""", """{"model":"m-\"2\"","prompt":"\u0041  b"}""")]
    [InlineData("""{ "input" : 1.0, "model":null }""", """{ "input" : 1.0, "model":"m-\"2\"" }""")]
    [InlineData("""{"input":"x"}""", """{"model":"m-\"2\"","input":"x"}""")]
    [InlineData("{ }", """{"model":"m-\"2\"" }""")]
    public void SpliceRequest_Json_ReplacesTheModelAlone(string body, string expected)
    {
        RequestEnvelope envelope = ProtocolList.Opaque.Peek(Encoding.UTF8.GetBytes(body), new RequestAddress("of the path", StreamForm.InBody));

        Assert.Equal(expected, Splice(envelope));
    }

    [Fact]
    public void SpliceRequest_Form_ReplacesTheModelAlone()
    {
        RequestEnvelope envelope = ProtocolList.Opaque.Peek(Encoding.Latin1.GetBytes(Form));

        Assert.Equal("whisper/1", envelope.Model);
        Assert.True(envelope.Stream);
        Assert.Equal(Form.Replace("whisper/1", "m-\"2\"", StringComparison.Ordinal), Splice(envelope));
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("""{"model":7}""")]
    [InlineData("""{"prompt":"no model"}""")]
    [InlineData("""{"model":"a","model":"b"}""")]
    [InlineData("""{"model":"a"} x""")]
    [InlineData("--")]
    [InlineData("--b\r\n")]
    [InlineData("--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nno end")]
    [InlineData("--b\r\nContent-Disposition: form-data; name=\"prompt\"\r\n\r\nx\r\n--b--\r\n")]
    public void Peek_NoRequest_IsRefused(string body) =>
        Assert.Throws<ProtocolException>(() => ProtocolList.Opaque.Peek(Encoding.UTF8.GetBytes(body)));

    [Fact]
    public void Peek_AnyCutOrChangedByte_IsReadOrRefused()
    {
        byte[] form = Encoding.Latin1.GetBytes(Form);
        for (int i = 0; i < form.Length; i++)
        {
            byte[] changed = [.. form];
            changed[i] ^= 0x20;
            foreach (byte[] body in (byte[][])[form[..i], changed])
            {
                try
                {
                    Assert.NotEmpty(ProtocolList.Opaque.Peek(body).Model);
                }
                catch (ProtocolException)
                {
                    // Refused.
                }
            }
        }
    }

    [Fact]
    public void Reader_Sound_PassesEachPieceOnAsItComes()
    {
        ResponseReader reader = Reader("audio/mpeg", stream: true);
        ReadOnlySequence<byte> first = new(new byte[] { 1, 2 });
        Assert.True(reader.TryReadFrame(ref first, isCompleted: false, out ReadOnlySequence<byte> frame, out FrameSignals signals));
        Assert.Equal((2, FrameSignals.Content, 0), (frame.Length, signals, first.Length));

        ReadOnlySequence<byte> none = default;
        Assert.False(reader.TryReadFrame(ref none, isCompleted: false, out _, out _));
        Assert.True(reader.TryReadFrame(ref none, isCompleted: true, out _, out signals));
        Assert.True(reader.IsEnded);
        Assert.Equal(FrameSignals.Finished | FrameSignals.Ended, signals);
    }

    [Theory]
    [InlineData("""{"id":"1","model":"m","usage":{"prompt_tokens":9,"prompt_tokens_details":{"cached_tokens":4},"total_tokens":9}}""", 5, 4, 0)]
    [InlineData("""{"usage":{"input_tokens":7,"input_tokens_details":{"text_tokens":3},"output_tokens":272,"total_tokens":279}}""", 7, 0, 272)]
    [InlineData("""{"results":[],"usage":{"total_tokens":43}}""", 43, 0, 0)]
    [InlineData("""{"meta":{"billed_units":{"input_tokens":12.0}},"usage":null}""", null, 0, 0)]
    [InlineData("""{"meta":{"api_version":{"version":"2"},"billed_units":{"input_tokens":12}}}""", 12, 0, 0)]
    [InlineData("""{"data":[{"usage":{"prompt_tokens":1}}]}""", null, 0, 0)]
    public void Reader_Json_TakesTheTokens(string body, int? input, int cached, int output)
    {
        ResponseReader reader = Reader("application/json", stream: false);
        ReadOnlySequence<byte> bytes = new(Encoding.UTF8.GetBytes(body));
        Assert.True(reader.TryReadFrame(ref bytes, isCompleted: true, out _, out _));

        Assert.Equal(input, reader.Usage?.InputTokens);
        Assert.Equal((cached, output), (reader.Usage?.CacheReadTokens ?? 0, reader.Usage?.OutputTokens ?? 0));
    }

    [Theory]
    [InlineData("data: {\"text\":\"a\"}\n\ndata: {\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}}\n\ndata: [DONE]\n\n", 3, 2, false)]
    [InlineData("data: {\"text\":\"a \\\"usage\\\"\"}\n\n", null, null, false)]
    [InlineData("data: {\"error\":{\"message\":\"x\"}}\n\n", null, null, true)]
    public void Reader_Events_TakesTokensAndErrors(string body, int? input, int? output, bool fails)
    {
        ResponseReader reader = Reader("text/event-stream", stream: true);
        ReadOnlySequence<byte> bytes = new(Encoding.UTF8.GetBytes(body));
        bool failed = false;
        long passed = 0;
        while (!failed && reader.TryReadFrame(ref bytes, isCompleted: true, out ReadOnlySequence<byte> frame, out FrameSignals signals))
        {
            failed = (signals & FrameSignals.Failed) != 0;
            passed += frame.Length;
        }

        Assert.Equal(fails, failed);
        Assert.Equal(body.Length, passed);
        Assert.Equal((input, output), (reader.Usage?.InputTokens, reader.Usage?.OutputTokens));
    }

    private static ResponseReader Reader(string type, bool stream) => ProtocolList.Opaque.OpenReader(
        new ReaderOptions { Stream = stream, Depth = ReadDepth.UsageOnly, Vendor = "openai", MediaType = type });

    private static string Splice(RequestEnvelope envelope)
    {
        ArrayBufferWriter<byte> output = new();
        ProtocolList.Opaque.SpliceRequest(envelope, s_target, output);
        return Encoding.Latin1.GetString(output.WrittenSpan);
    }
}
