using Ballast.Exchanges;
using Ballast.Server;

namespace Ballast.Tests.Server;

public class KeptEndpointsTests
{
    [Theory]
    [InlineData("/v1/files", null, "POST FileUpload, GET FileList")]
    [InlineData("/openai/files", null, "POST FileUpload, GET FileList")]
    [InlineData("/files/x", "x", "GET FileRetrieve, DELETE FileDelete")]
    [InlineData("/openai/v1/files/x/content", "x", "GET FileContent")]
    [InlineData("/v1/files/content", "content", "GET FileRetrieve, DELETE FileDelete")]
    [InlineData("/v1/files//content", "", "GET FileContent")]
    [InlineData("/v1/files/a/b%2F/content", "a/b%2F", "GET FileContent")]
    [InlineData("/v1/batches", null, "POST BatchCreate, GET BatchList")]
    [InlineData("/v1/batches/x/cancel", "x", "POST BatchCancel")]
    [InlineData("/v1/files/x/cancel", "x", "")]
    [InlineData("/v1/messages/batches", null, "POST MessageBatchCreate, GET MessageBatchList")]
    [InlineData("/anthropic/v1/messages/batches/x", "x", "GET MessageBatchRetrieve, DELETE MessageBatchDelete")]
    [InlineData("/v1/messages/batches/x/cancel", "x", "POST MessageBatchCancel")]
    [InlineData("/v1/messages/batches/x/results", "x", "GET MessageBatchResults")]
    [InlineData("/v1/messages/batches/x/content", "x", "")]
    [InlineData("/v1/messages", null, "")]
    [InlineData("/openai/v1/messages/batches", null, "")]
    [InlineData("/anthropic/v1/files", null, "")]
    [InlineData("/v1/filesystem", null, "")]
    [InlineData("/v1/models", null, "")]
    [InlineData("/v2/files", null, "")]
    public void Find_Path_GivesItsMethods(string path, string? handle, string expected)
    {
        IReadOnlyList<(string Method, Operation Operation)> found = KeptEndpoints.Find(path, out string? named);

        Assert.Equal(expected, string.Join(", ", found.Select(one => $"{one.Method} {one.Operation}")));
        Assert.Equal(handle, named);
    }
}
