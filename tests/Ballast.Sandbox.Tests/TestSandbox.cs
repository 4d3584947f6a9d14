using System.Net;
using System.Text;
using System.Text.Json;

namespace Ballast.Sandbox.Tests;

/// <summary>A sandbox on free ports without latency, and plain HTTP towards it.</summary>
public sealed class TestSandbox : IAsyncLifetime
{
    private HttpClient _http = null!;

    public SandboxHost Host { get; private set; } = null!;

    public HttpClient Http => _http;

    public async ValueTask InitializeAsync()
    {
        Host = await SandboxHost.StartAsync(new SandboxOptions { BasePort = 0, LatencyScale = 0 }, TestContext.Current.CancellationToken);
        _http = NewClient();
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await Host.DisposeAsync();
    }

    public static HttpClient NewClient() => new(new SocketsHttpHandler { AllowAutoRedirect = false, MaxConnectionsPerServer = 1000 })
    {
        Timeout = TimeSpan.FromSeconds(30),
    };

    public static string ChatPath(string platform) => platform switch
    {
        "azure" => "/openai/v1/chat/completions",
        "anthropic" => "/v1/messages",
        _ => "/v1/chat/completions",
    };

    /// <summary>The smallest request that the platform answers, with more fields where given.</summary>
    public string ChatBody(string platform, string prompt = "Tell me about tides", string more = "") =>
        $$"""
        {"model":"{{Host.Platforms[platform].Models[0].Name}}",{{(platform == "anthropic" ? "\"max_tokens\":1000," : "")}}{{more}}
        "messages":[{"role":"user","content":{{JsonSerializer.Serialize(prompt)}}}]}
        """;

    public HttpRequestMessage NewRequest(string platform, HttpMethod method, string path, string? body = null)
    {
        SandboxPlatform target = Host.Platforms[platform];
        HttpRequestMessage request = new(method, new Uri(target.Address, path));
        switch (platform)
        {
            case "azure":
                request.Headers.Add("api-key", target.ApiKey);
                break;
            case "anthropic":
                request.Headers.Add("x-api-key", target.ApiKey);
                request.Headers.Add("anthropic-version", "2023-06-01");
                break;
            case "gemini":
                request.Headers.Add("x-goog-api-key", target.ApiKey);
                break;
            case "vertex":
                request.Headers.Add("Authorization", "Bearer " + Host.Google.IssueToken());
                break;
            default:
                request.Headers.Add("Authorization", "Bearer " + target.ApiKey);
                break;
        }

        if (body is not null)
        {
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        }

        return request;
    }

    public async Task<Reply> SendAsync(string platform, string path, string? body = null, params (string Name, string Value)[] headers)
    {
        using HttpRequestMessage request = NewRequest(platform, body is null ? HttpMethod.Get : HttpMethod.Post, path, body);
        foreach ((string name, string value) in headers)
        {
            request.Headers.Remove(name);
            if (value.Length > 0)
            {
                request.Headers.TryAddWithoutValidation(name, value);
            }
        }

        using HttpResponseMessage response = await _http.SendAsync(request, TestContext.Current.CancellationToken);
        return await Reply.ReadAsync(response);
    }

    public Task<Reply> ChatAsync(string platform, string body) => SendAsync(platform, ChatPath(platform), body);
}

/// <summary>An answer, read to its end.</summary>
public sealed record Reply(HttpStatusCode Status, string Text, Dictionary<string, string> Headers)
{
    public JsonElement Json => JsonDocument.Parse(Text).RootElement;

    public JsonElement Message => Json.GetProperty("choices")[0].GetProperty("message");

    /// <summary>Names and data of the events of a stream.</summary>
    public List<(string? Name, string Data)> Events
    {
        get
        {
            List<(string? Name, string Data)> events = [];
            foreach (string frame in Text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries))
            {
                string[] lines = frame.Split('\n');
                string? name = lines.FirstOrDefault(line => line.StartsWith("event: ", StringComparison.Ordinal))?[7..];
                events.Add((name, string.Concat(lines.Where(line => line.StartsWith("data: ", StringComparison.Ordinal)).Select(line => line[6..]))));
            }

            return events;
        }
    }

    public List<JsonElement> Chunks => [.. Events.Where(next => next.Data != "[DONE]").Select(next => JsonDocument.Parse(next.Data).RootElement)];

    public static async Task<Reply> ReadAsync(HttpResponseMessage response) => new(
        response.StatusCode,
        await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken),
        response.Headers.Concat(response.Content.Headers).ToDictionary(
            header => header.Key, header => string.Join(", ", header.Value), StringComparer.OrdinalIgnoreCase));
}
