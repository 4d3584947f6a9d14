using System.Text.Json;
using System.Text.Json.Nodes;

namespace Ballast.Sandbox.Tests;

/// <summary>Requests that real platforms answered, sent to the simulated ones. The folder of recordings is named by BALLAST_WIRE.</summary>
public class RecordedRequestsTests
{
    [Fact]
    public async Task Chat_RequestThatARealPlatformAnswered_IsAnsweredHere()
    {
        string? folder = Environment.GetEnvironmentVariable("BALLAST_WIRE");
        Assert.SkipWhen(folder is null || !Directory.Exists(folder), "BALLAST_WIRE names no folder of recordings");
        await using SandboxHost host = await SandboxHost.StartAsync(
            new SandboxOptions { BasePort = 0, LatencyScale = 0, ReplaysRecordings = true }, TestContext.Current.CancellationToken);
        using HttpClient http = TestSandbox.NewClient();
        List<string> refused = [];
        int sent = 0;
        foreach (string line in File.ReadLines(Path.Combine(folder, "index.jsonl")))
        {
            JsonElement entry = JsonDocument.Parse(line).RootElement;
            string api = entry.GetProperty("api").GetString()!;
            if (api is not ("chat_completions" or "messages" or "responses") || entry.GetProperty("status").GetInt32() != 200)
            {
                continue;
            }

            JsonNode recorded = JsonNode.Parse(await File.ReadAllTextAsync(
                Path.Combine(folder, entry.GetProperty("file").GetString()!), TestContext.Current.CancellationToken))!;
            string provider = entry.GetProperty("provider").GetString()!;
            string platform = api == "messages" ? "anthropic" : provider is "azure" or "bedrock" ? provider : sent % 2 == 0 || HasFile(recorded) ? "openai" : "local";
            if (recorded["request"]!["body"] is not JsonObject body || (api == "messages" && provider != "anthropic")
                || (api == "responses" && (provider is not ("openai" or "azure") || RefersToState(body) || !((string)recorded["request"]!["url"]!).Contains("/responses", StringComparison.Ordinal))))
            {
                continue;
            }

            platform = api == "responses" ? provider : platform;

            sent++;
            string? fault = await SendAsync(http, host.Platforms[platform], api, body);
            if (fault is not null)
            {
                refused.Add(entry.GetProperty("id").GetString() + " " + fault);
            }
        }

        Assert.True(sent > 400, $"only {sent} recordings were sent");
        Assert.True(refused.Count == 0, string.Join('\n', refused));
    }

    // Servers on one's own machines take no documents.
    private static bool HasFile(JsonNode recorded) => recorded["request"]!["body"]?.ToJsonString().Contains("\"type\":\"file\"", StringComparison.Ordinal) == true;

    // What was kept at the real platform is not here.
    private static bool RefersToState(JsonObject body) =>
        body["previous_response_id"] is not null || body["conversation"] is not null || body["prompt"] is not null
        || body.ToJsonString().Contains("item_reference", StringComparison.Ordinal);

    private static async Task<string?> SendAsync(HttpClient http, SandboxPlatform platform, string api, JsonObject body)
    {
        string path = api == "responses" ? (platform.Name == "azure" ? "/openai/v1" : "/v1") + "/responses" : TestSandbox.ChatPath(platform.Name);
        body["model"] = platform.Models[0].Name;
        using HttpRequestMessage request = new(HttpMethod.Post, new Uri(platform.Address, path));
        request.Headers.Add("Authorization", "Bearer " + platform.ApiKey);
        request.Headers.Add("anthropic-version", "2023-06-01");
        request.Content = new StringContent(body.ToJsonString());
        using HttpResponseMessage response = await http.SendAsync(request, TestContext.Current.CancellationToken);
        string text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        return response.IsSuccessStatusCode && text.Length > 0 ? null : $"{(int)response.StatusCode} {text}";
    }
}
