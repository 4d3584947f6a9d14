using System.Net;
using System.Text.Json;

namespace Ballast.Sandbox.Tests.Control;

public class ControlServerTests(TestSandbox sandbox) : IClassFixture<TestSandbox>
{
    [Fact]
    public async Task Root_Get_ListsPlatformsAndPaths()
    {
        JsonElement json = (await CallAsync(HttpMethod.Get, "/")).Json;
        Assert.Equal(sandbox.Host.Platforms.Count, json.GetProperty("platforms").GetArrayLength());
        Assert.Equal(23, json.GetProperty("fault_kinds").GetArrayLength());
    }

    [Fact]
    public async Task Faults_PostedListedDeleted_ComeAndGo()
    {
        Reply added = await CallAsync(
            HttpMethod.Post, "/faults", """{"platform":"bedrock","kind":"rate-limit","retry_after_seconds":3,"count":2,"path":"chat","body":"messages"}""");
        Assert.Equal(HttpStatusCode.Created, added.Status);
        string id = added.Json.GetProperty("id").GetString()!;
        Reply limited = await sandbox.ChatAsync("bedrock", sandbox.ChatBody("bedrock"));
        Assert.Equal((429, "3"), ((int)limited.Status, limited.Headers["Retry-After"]));
        JsonElement rule = (await CallAsync(HttpMethod.Get, "/faults")).Json.EnumerateArray().Single(one => one.GetProperty("id").GetString() == id);
        Assert.Equal(1, rule.GetProperty("count").GetInt32());
        Assert.Equal(HttpStatusCode.NoContent, (await CallAsync(HttpMethod.Delete, "/faults/" + id)).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await CallAsync(HttpMethod.Delete, "/faults/" + id)).Status);
        Assert.Equal(200, (int)(await sandbox.ChatAsync("bedrock", sandbox.ChatBody("bedrock"))).Status);
    }

    [Theory]
    [InlineData("""{"kind":"cut"}""", "platform")]
    [InlineData("""{"platform":"azure","kind":"melt"}""", "melt")]
    [InlineData("""{"platform":"moon","kind":"cut"}""", "moon")]
    [InlineData("""{"platform":"azure","kind":"cut","color":1}""", "color")]
    [InlineData("""{"platform":"azure","kind":"cut","probability":2}""", "Probability")]
    [InlineData("""{"platform":"azure",""", "")]
    public async Task Faults_PostedWrong_AreRefusedWithReason(string body, string part)
    {
        Reply reply = await CallAsync(HttpMethod.Post, "/faults", body);
        Assert.Equal(HttpStatusCode.BadRequest, reply.Status);
        Assert.Contains(part, reply.Json.GetProperty("error").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Platforms_DisappearAndReset_AreToldAndUndone()
    {
        JsonElement gone = (await CallAsync(HttpMethod.Post, "/platforms/local/disappear")).Json;
        Assert.False(gone.EnumerateArray().Single(one => one.GetProperty("name").GetString() == "local").GetProperty("there").GetBoolean());
        await Assert.ThrowsAsync<HttpRequestException>(() => sandbox.SendAsync("local", "/health"));
        Assert.Equal(HttpStatusCode.NoContent, (await CallAsync(HttpMethod.Post, "/reset")).Status);
        Assert.Equal(HttpStatusCode.OK, (await sandbox.SendAsync("local", "/health")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await CallAsync(HttpMethod.Post, "/platforms/moon/disappear")).Status);
    }

    [Fact]
    public async Task Billing_Get_GivesALineForEachRow()
    {
        await sandbox.ChatAsync("openai", sandbox.ChatBody("openai"));
        Reply reply = await CallAsync(HttpMethod.Get, "/billing");
        string[] lines = reply.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Contains(lines, line => JsonDocument.Parse(line).RootElement.GetProperty("platform").GetString() == "openai");
    }

    private async Task<Reply> CallAsync(HttpMethod method, string path, string? body = null)
    {
        using HttpRequestMessage request = new(method, new Uri(sandbox.Host.Control, path));
        request.Content = body is null ? null : new StringContent(body);
        using HttpResponseMessage response = await sandbox.Http.SendAsync(request, TestContext.Current.CancellationToken);
        return await Reply.ReadAsync(response);
    }
}
