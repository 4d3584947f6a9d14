using System.Buffers;
using System.Text;
using Ballast.Protocols.Framing;
using Ballast.Protocols.Operations;

namespace Ballast.Protocols.Tests.Operations;

public class BatchLinesTests
{
    [Fact]
    public void EditsFor_ManyLines_ReplaceTheModelsAlone()
    {
        string file =
            "{\"custom_id\":\"a\",\"body\":{\"model\":\"one\",\"x\":[1.0,{\"model\":\"inner\"}]}}\r\n\n"
            + " {\"body\" : {\"messages\":[{\"model\":\"no\"}], \"m\\u006fdel\" : \"tw\\u006f\" }, \"model\":\"outer\"} \n"
            + "{\"body\":{\"model\":\"one\"}}";
        byte[] bytes = Encoding.UTF8.GetBytes(file);
        BatchLines lines = BatchLines.Read(bytes);
        ArrayBufferWriter<byte> output = new();
        JsonSplice.Write(bytes, lines.EditsFor(model => model.Name + "\"!"), output);

        Assert.Equal([new BatchModel("one", 1), new BatchModel("two", 3)], lines.Models);
        Assert.Equal(
            file.Replace("\"one\"", "\"one\\\"!\"", StringComparison.Ordinal).Replace("\"tw\\u006f\"", "\"two\\\"!\"", StringComparison.Ordinal),
            Encoding.UTF8.GetString(output.WrittenSpan));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n \r\n\t\n")]
    public void Read_NoLine_NamesNoModel(string file) => Assert.Empty(BatchLines.Read(Encoding.UTF8.GetBytes(file)).Models);

    [Theory]
    [InlineData("x")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"body":{}}""")]
    [InlineData("""{"body":{"model":null}}""")]
    [InlineData("""{"body":{"model":["a"]}}""")]
    [InlineData("""{"body":[{"model":"a"}]}""")]
    [InlineData("""{"model":"a"}""")]
    [InlineData("""{"body":{"model":"a","model":"b"}}""")]
    [InlineData("""{"body":{"model":"a","m\u006fdel":"b"}}""")]
    [InlineData("""{"body":{"model":"a"},"body":{"messages":[]}}""")]
    [InlineData("""{"body":{"model":"a"},"b\u006fdy":1}""")]
    [InlineData("""{"body":{"model":"a"}}{"body":{"model":"b"}}""")]
    [InlineData("{\"body\":{\"model\":\"a\"}}\r{\"body\":{\"model\":\"b\"}}")]
    [InlineData("""{"body":{"model":"a"}""")]
    [InlineData("\ufeff{\"body\":{\"model\":\"a\"}}")]
    public void Read_LineIsNoRequest_IsRefusedWithItsNumber(string line)
    {
        byte[] file = Encoding.UTF8.GetBytes("{\"body\":{\"model\":\"good\"}}\n\n" + line);

        ProtocolException refused = Assert.Throws<ProtocolException>(() => BatchLines.Read(file));

        Assert.Contains("Line 3 ", refused.Error.Message, StringComparison.Ordinal);
        Assert.Equal("file", refused.Error.Param);
    }

    [Fact]
    public void Read_BrokenUtf8_IsRefused() =>
        Assert.Throws<ProtocolException>(() => BatchLines.Read([.. "{\"body\":{\"model\":\""u8, 0xff, .. "\"}}"u8]));

    [Fact]
    public void Read_TooManyModels_IsRefused() =>
        Assert.Throws<ProtocolException>(() => BatchLines.Read(
            Encoding.UTF8.GetBytes(string.Join('\n', Enumerable.Range(0, BatchLines.ModelsMax + 1).Select(i => $$$"""{"body":{"model":"m{{{i}}}"}}""")))));

    [Fact]
    public void Read_TooManyLines_IsRefused()
    {
        byte[] line = "{\"body\":{\"model\":\"a\"}}\n"u8.ToArray();
        byte[] file = new byte[line.Length * (BatchLines.LinesMax + 1)];
        for (int at = 0; at < file.Length; at += line.Length)
        {
            line.CopyTo(file, at);
        }

        Assert.Single(BatchLines.Read(file.AsSpan(line.Length)).Models);
        Assert.Throws<ProtocolException>(() => BatchLines.Read(file));
    }
}
