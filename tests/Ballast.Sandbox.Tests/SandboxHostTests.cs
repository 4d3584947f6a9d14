using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Ballast.Sandbox.Tests;

public class SandboxHostTests(TestSandbox sandbox) : IClassFixture<TestSandbox>
{
    private static readonly string[] Names = ["openai", "azure", "bedrock", "anthropic", "local"];

    public static TheoryData<string> Platforms => [.. Names];

    [Fact]
    public void Platforms_Started_AreAllOfThem() => Assert.Superset(
        new HashSet<string>([.. Names, "gemini", "vertex"]), new HashSet<string>(sandbox.Host.Platforms.Keys));

    [Theory]
    [MemberData(nameof(Platforms))]
    public async Task Chat_SamePromptTwice_SameAnswer(string platform)
    {
        string body = sandbox.ChatBody(platform, "Explain lighthouses");
        string first = TextOf((await sandbox.ChatAsync(platform, body)).Text);
        string second = TextOf((await sandbox.ChatAsync(platform, body)).Text);
        Assert.Equal(first, second);
        Assert.Contains("lighthouses", first, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [MemberData(nameof(Platforms))]
    public async Task Chat_Streamed_GivesTheTextOfTheWholeAnswer(string platform)
    {
        string whole = TextOf((await sandbox.ChatAsync(platform, sandbox.ChatBody(platform, "Explain lighthouses"))).Text);
        Reply stream = await sandbox.ChatAsync(platform, sandbox.ChatBody(platform, "Explain lighthouses", "\"stream\":true,"));
        Assert.Equal("text/event-stream; charset=utf-8", stream.Headers["Content-Type"]);
        Assert.Equal(whole, StreamedText(stream));
    }

    [Theory]
    [MemberData(nameof(Platforms))]
    public async Task Chat_WrongKey_IsRefusedAndBilledAsError(string platform)
    {
        HttpStatusCode expected = platform == "bedrock" ? HttpStatusCode.Forbidden : HttpStatusCode.Unauthorized;
        string clientId = Guid.NewGuid().ToString();
        Reply reply = await sandbox.SendAsync(
            platform,
            TestSandbox.ChatPath(platform),
            sandbox.ChatBody(platform),
            ("Authorization", "Bearer wrong-key-123456789"),
            ("api-key", platform == "azure" ? "wrong" : ""),
            ("x-api-key", platform == "anthropic" ? "wrong" : ""),
            ("x-client-request-id", clientId));
        Assert.Equal(expected, reply.Status);
        await sandbox.Host.Billing.FlushAsync();
        BillingRow row = sandbox.Host.Billing.Rows.Single(row => row.ClientRequestId == clientId);
        Assert.Equal(("error", (int)expected, 0L), (row.Outcome, row.Status, row.OutputTokens));
    }

    [Fact]
    public async Task StartAsync_PortTaken_Throws()
    {
        using TcpListener taken = new(IPAddress.Loopback, 0);
        taken.Start();
        int port = ((IPEndPoint)taken.LocalEndpoint).Port;
        SandboxPortInUseException fault = await Assert.ThrowsAsync<SandboxPortInUseException>(
            () => SandboxHost.StartAsync(new SandboxOptions { BasePort = port }, TestContext.Current.CancellationToken));
        Assert.Equal(port, fault.Port);
    }

    [Fact]
    public async Task DisposeAsync_OpenStreams_WaitsForNone()
    {
        await using SandboxHost host = await SandboxHost.StartAsync(new SandboxOptions { BasePort = 0 }, TestContext.Current.CancellationToken);
        host.Faults.Add(new FaultRule { Platform = "*", Kind = FaultKind.Stall, AfterEvents = 1 });
        using HttpClient http = TestSandbox.NewClient();
        List<HttpResponseMessage> open = [];
        foreach (SandboxPlatform platform in host.Platforms.Values.Where(platform => platform.Name is "openai" or "local"))
        {
            HttpRequestMessage request = new(HttpMethod.Post, new Uri(platform.Address, "/v1/chat/completions"))
            {
                Content = new StringContent(
                    $$"""{"model":"{{platform.Models[0].Name}}","stream":true,"messages":[{"role":"user","content":"hi"}]}"""),
            };
            request.Headers.Add("Authorization", "Bearer " + platform.ApiKey);
            open.Add(await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken));
        }

        Stopwatch watch = Stopwatch.StartNew();
        await host.DisposeAsync();
        Assert.InRange(watch.Elapsed.TotalSeconds, 0, 10);
        Assert.Equal(2, host.Billing.Rows.Count(row => row.Outcome == "stall"));
        open.ForEach(response => response.Dispose());
    }

    internal static string TextOf(string body)
    {
        System.Text.Json.JsonElement json = System.Text.Json.JsonDocument.Parse(body).RootElement;
        return json.TryGetProperty("choices", out System.Text.Json.JsonElement choices)
            ? choices[0].GetProperty("message").GetProperty("content").GetString()!
            : string.Concat(json.GetProperty("content").EnumerateArray()
                .Where(block => block.GetProperty("type").GetString() == "text").Select(block => block.GetProperty("text").GetString()));
    }

    internal static string StreamedText(Reply reply) => string.Concat(reply.Chunks.Select(chunk =>
        chunk.TryGetProperty("choices", out System.Text.Json.JsonElement choices)
            ? choices.GetArrayLength() > 0 && choices[0].GetProperty("delta").TryGetProperty("content", out System.Text.Json.JsonElement text)
                ? text.GetString()
                : ""
            : chunk.TryGetProperty("delta", out System.Text.Json.JsonElement delta)
                && delta.TryGetProperty("text", out System.Text.Json.JsonElement part) ? part.GetString() : ""));
}
