using System.Net;
using System.Text;
using Ballast.EndToEnd.Tests.Fixtures;

namespace Ballast.EndToEnd.Tests.Gateway;

/// <summary>Paths beside those that are served: health for load balancers, and what of the vendors' interfaces is not offered.</summary>
public sealed class PathTests(GatewayFixture gateways)
{
    [Theory]
    [InlineData("/health", "ok\n")]
    [InlineData("/ready", "ready\n")]
    [InlineData("/ready/", "ready\n")]
    public async Task Health_AtTheClientsPort_AsksForNoKey(string path, string text)
    {
        using HttpClient client = new(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = gateways.Fast.Server.Address };
        foreach (Version version in (Version[])[HttpVersion.Version11, HttpVersion.Version20])
        {
            foreach (HttpMethod method in (HttpMethod[])[HttpMethod.Get, HttpMethod.Head])
            {
                using HttpResponseMessage answer = await SendAsync(client, method, path, version, key: null);
                Assert.Equal((HttpStatusCode.OK, (long?)text.Length), (answer.StatusCode, answer.Content.Headers.ContentLength));
                Assert.Equal(method == HttpMethod.Head ? "" : text, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
            }
        }
    }

    /// <summary>In HTTP/2 a body after the head of such an answer breaks the stream.</summary>
    [Theory]
    [InlineData("/v1/models", 200)]
    [InlineData("/v1/models/openai%2Fgpt-5-mini", 200)]
    [InlineData("/v1/models/no-such-model", 404)]
    [InlineData("/v1/chat/completions", 405)]
    [InlineData("/v1/no/such/path", 404)]
    public async Task Head_InBothVersions_HasTheHeadOfAGetAlone(string path, int status)
    {
        using HttpClient client = new(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = gateways.Fast.Server.Address };
        foreach (Version version in (Version[])[HttpVersion.Version11, HttpVersion.Version20])
        {
            using HttpResponseMessage head = await SendAsync(client, HttpMethod.Head, path, version, gateways.Fast.KeyOf("raw"));
            using HttpResponseMessage get = await SendAsync(client, HttpMethod.Get, path, version, gateways.Fast.KeyOf("raw"));
            Assert.Equal((status, status), ((int)head.StatusCode, (int)get.StatusCode));
            Assert.Equal(get.Content.Headers.ContentLength, head.Content.Headers.ContentLength);
            Assert.Empty(await head.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
        }
    }

    [Theory]
    [InlineData("POST", "/v1/assistants", "openai", "Assistants")]
    [InlineData("POST", "/v1/threads", "openai", "Threads")]
    [InlineData("POST", "/v1/vector_stores/vs_1/files", "openai", "Vector stores")]
    [InlineData("GET", "/openai/v1/fine_tuning/jobs", "openai", "Fine-tuning")]
    [InlineData("GET", "/v1/realtime?model=gpt-realtime", "openai", "Realtime")]
    [InlineData("GET", "/v1/chat/completions/chatcmpl-1", "openai", "Stored completions")]
    [InlineData("GET", "/v1/files?beta=true", "anthropic", "Files")]
    [InlineData("POST", "/v1beta/cachedContents", "gemini", "Cached contents")]
    [InlineData("POST", "/upload/v1beta/files", "gemini", "Files")]
    [InlineData("POST", "/v1beta/models/gemini%2Fgemini-3.5-flash:batchGenerateContent", "gemini", "method of a model")]
    [InlineData("POST", "/guardrail/gr-1/version/1/apply", "bedrock", "Guardrails")]
    public async Task Interface_NotOffered_IsNamedInItsCallersShape(string method, string path, string shape, string name)
    {
        using GatewayClient client = new(gateways.Fast);
        (string, string)[] headers = shape == "anthropic" ? [("anthropic-version", "2023-06-01")] : [];
        GatewayAnswer answer = await client.SendAsync(new HttpMethod(method), path, method == "POST" ? "{}"u8.ToArray() : null, gateways.Fast.KeyOf("raw"), headers);
        Assert.Equal(404, answer.Status);
        Assert.Contains(name, answer.Body, StringComparison.Ordinal);
        Assert.Contains(shape == "bedrock" ? "is not offered here" : "ballast_interface_not_offered", answer.Body, StringComparison.Ordinal);
        Assert.StartsWith(
            shape switch { "anthropic" => """{"type":"error",""", "gemini" => """{"error":{"code":404,""", "bedrock" => "{\"__type\":", _ => """{"error":{"message":""" },
            answer.Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/v1/chat/completion")]
    [InlineData("/v1/message")]
    [InlineData("/chat")]
    public async Task Path_Misspelt_IsUnknown(string path)
    {
        using GatewayClient client = new(gateways.Fast);
        Assert.Contains("ballast_unknown_path", (await client.PostAsync(path, "{}", gateways.Fast.KeyOf("raw"))).Body, StringComparison.Ordinal);
    }

    /// <summary>Clients repeat whatever has a status of 500 or more, unless they are told that it is of no use.</summary>
    [Fact]
    public async Task Operation_NotOffered_IsNotToBeRepeated()
    {
        using HttpClient client = new(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = gateways.Fast.Server.Address };
        using HttpRequestMessage request = new(HttpMethod.Post, "/v1/embeddings")
        {
            Content = new StringContent("""{"model":"anthropic/claude-haiku-4-5","input":"Hello"}""", Encoding.UTF8, "application/json"),
        };
        request.Headers.Add("Authorization", "Bearer " + gateways.Fast.KeyOf("raw"));
        using HttpResponseMessage answer = await client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal((501, "false"), ((int)answer.StatusCode, answer.Headers.GetValues("x-should-retry").Single()));
    }

    private static Task<HttpResponseMessage> SendAsync(HttpClient client, HttpMethod method, string path, Version version, string? key)
    {
        HttpRequestMessage request = new(method, path) { Version = version, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        if (key is not null)
        {
            request.Headers.Add("Authorization", "Bearer " + key);
        }

        return client.SendAsync(request, TestContext.Current.CancellationToken);
    }
}
