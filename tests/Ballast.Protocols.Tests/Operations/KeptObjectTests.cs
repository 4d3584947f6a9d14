using System.Buffers;
using System.Text;
using Ballast.Protocols.Framing;
using Ballast.Protocols.Operations;

namespace Ballast.Protocols.Tests.Operations;

public class KeptObjectTests
{
    private const string Batch =
        """{"object":"batch","input_file_id":"file-in","id":"batch_1","output_file_id":"file-\u006fut","error_file_id":null,"status":"completed","expires_at":1764000000,"""
        + """ "metadata":{"id":"file-in","output_file_id":"x"},"usage":{"input_tokens":12,"output_tokens":5,"total_tokens":17}}""";

    [Fact]
    public void Read_Batch_FindsIdsAndState()
    {
        KeptObject found = KeptObject.Read(Encoding.UTF8.GetBytes(Batch));

        Assert.Equal(["file-in", "batch_1", "file-out"], found.Ids.Select(id => id.Id));
        Assert.Equal(("batch_1", "batch", "completed", 1764000000, 12, 5),
            (found.Id.Id, found.Kind, found.Status, found.ExpiresAt, found.Usage!.InputTokens, found.Usage.OutputTokens));
    }

    [Fact]
    public void EditsFor_Batch_ReplaceTheIdsAlone()
    {
        byte[] body = Encoding.UTF8.GetBytes(Batch);
        ArrayBufferWriter<byte> output = new();
        JsonSplice.Write(body, KeptObject.Read(body).EditsFor(id => "<" + id.Field + ">"), output);

        Assert.Equal(
            Batch.Replace("\"batch_1\"", "\"<id>\"", StringComparison.Ordinal).Replace("\"file-\\u006fut\"", "\"<output_file_id>\"", StringComparison.Ordinal)
                .Replace("\"input_file_id\":\"file-in\"", "\"input_file_id\":\"<input_file_id>\"", StringComparison.Ordinal),
            Encoding.UTF8.GetString(output.WrittenSpan));
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("<html>")]
    [InlineData("""{"object":"file"}""")]
    [InlineData("""{"id":7}""")]
    [InlineData("""{"id":""}""")]
    [InlineData("""{"id":".."}""")]
    [InlineData("""{"id":"a","id":"b"}""")]
    [InlineData("""{"id":"a"} x""")]
    [InlineData("""{"id":"a" """)]
    public void Read_NoSuchObject_IsRefused(string body) => Assert.Throws<ProtocolException>(() => KeptObject.Read(Encoding.UTF8.GetBytes(body)));

    [Theory]
    [InlineData("""{"input_file_id":"file-1","x":{"input_file_id":"no"}}""", "file-1")]
    [InlineData("""{ "x":1, "input_file\u005fid" : "\u0066ile-1" }""", "file-1")]
    public void BatchRequest_Whole_NamesItsFile(string body, string expected) => Assert.Equal(expected, BatchRequest.Read(Encoding.UTF8.GetBytes(body)).InputFileId);

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"input_file_id":7}""")]
    [InlineData("""{"input_file_id":"a","input_file_id":"b"}""")]
    [InlineData("""{"input_file_id":"a"}{}""")]
    public void BatchRequest_NamesNoFileOrTwo_IsRefused(string body) => Assert.Throws<ProtocolException>(() => BatchRequest.Read(Encoding.UTF8.GetBytes(body)));
}
