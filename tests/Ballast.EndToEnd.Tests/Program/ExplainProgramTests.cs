using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Ballast.EndToEnd.Tests.Fixtures;
using Ballast.EndToEnd.Tests.Transport;

namespace Ballast.EndToEnd.Tests.Program;

/// <summary>The gateway from a file, with TLS on both ports and a log in JSON: every id that a caller gets is found, in the log and by <c>ballast explain</c>.</summary>
public sealed class ExplainProgramTests(SandboxFixture sandboxes, TemporaryFolder folder) : IClassFixture<TemporaryFolder>
{
    private const string Key = "a-key-of-the-explained-client-0000";

    [Fact]
    public async Task Ids_OfAnAnswerAndOfRefusals_AreFoundInTheLogAndByExplain()
    {
        using ServerCertificates files = new();
        using X509Certificate2 certificate = ServerCertificates.Make("served");
        files.WritePem(certificate);
        string config = folder.File("ballast.yaml");
        await File.WriteAllTextAsync(config, Yaml(files), TestContext.Current.CancellationToken);
        await using BallastProcess serve = BallastProcess.Start(
            folder.Path, ["serve", "--config", config], ("PROVIDER_KEY", sandboxes.Fast.Platforms["openai"].ApiKey), ("CLIENT_KEY", Key));
        string address = await serve.FindInErrorsAsync("\"gateway\":\"", "\"");
        using HttpClient client = new(new HttpClientHandler { UseProxy = false, ServerCertificateCustomValidationCallback = (_, shown, _, _) => shown!.Thumbprint == certificate.Thumbprint })
        {
            BaseAddress = new Uri(address),
        };
        string answered = await AskAsync(client, "chat", Key);
        string wrongKey = await AskAsync(client, "chat", "nobody-knows-this-key-at-all");
        string wrongModel = await AskAsync(client, "no-such-model", Key);
        serve.Terminate();
        Assert.Equal(0, await serve.WaitForExitAsync(BallastProcess.Patience));
        string log = folder.File("log.jsonl");
        await File.WriteAllTextAsync(log, serve.Errors, TestContext.Current.CancellationToken);

        JsonElement[] lines = [.. serve.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(static line => line[0] == '{').Select(static line => JsonDocument.Parse(line).RootElement)];
        Assert.All(lines, static line => Assert.True(line.GetProperty("time").TryGetDateTimeOffset(out _) && line.TryGetProperty("level", out _) && line.TryGetProperty("event", out _) && line.TryGetProperty("message", out _)));
        JsonElement failed = Assert.Single(lines, line => line.GetProperty("event").GetString() == "attempt_failed");
        Assert.Equal((answered, "openai/nothing", "upstream_status_404", "warning"), (failed.GetProperty("request_id").GetString(), failed.GetProperty("deployment").GetString(), failed.GetProperty("code").GetString(), failed.GetProperty("level").GetString()));
        Assert.Equal(
            ["ballast_invalid_key", "ballast_model_not_found"],
            ((string[])[wrongKey, wrongModel]).Select(id => lines.Single(line => line.GetProperty("event").GetString() == "refused" && line.GetProperty("request_id").GetString() == id).GetProperty("code").GetString()));

        ProgramResult found = await ExplainAsync(answered, log);
        JsonElement explained = JsonDocument.Parse(found.OneLine).RootElement;
        Assert.Equal((0, answered, answered[4..]), (found.ExitCode, explained.GetProperty("request_id").GetString(), explained.GetProperty("trace_id").GetString()));
        Assert.Equal(["failed", "completed"], explained.GetProperty("attempts").EnumerateArray().Select(static attempt => attempt.GetProperty("outcome").GetString()));
        Assert.Equal("upstream_status_404", explained.GetProperty("attempts")[0].GetProperty("reason").GetString());
        Assert.True(explained.GetProperty("cost_usd").GetDecimal() > 0);
        Assert.Equal(1, explained.GetProperty("log").GetArrayLength());
        foreach (string refused in (string[])[wrongKey, wrongModel])
        {
            ProgramResult told = await ExplainAsync(refused, log);
            Assert.Equal((0, 0, 1), (told.ExitCode, JsonDocument.Parse(told.OneLine).RootElement.GetProperty("attempts").GetArrayLength(), JsonDocument.Parse(told.OneLine).RootElement.GetProperty("log").GetArrayLength()));
        }

        ProgramResult text = await BallastProcess.RunAsync(folder.Path, ["explain", answered + "-2", "--ledger", folder.File("explain.db")]);
        Assert.Contains("with a whole answer, by attempt 2", text.Output, StringComparison.Ordinal);
        Assert.Contains("app explained, key client", text.Output, StringComparison.Ordinal);
        Assert.Equal(1, (await BallastProcess.RunAsync(folder.Path, ["explain", "req_00000000000000000000000000000000", "--ledger", folder.File("explain.db")])).ExitCode);
        Assert.Equal(2, (await BallastProcess.RunAsync(folder.Path, ["explain", "something", "--ledger", folder.File("explain.db")])).ExitCode);
        Assert.DoesNotContain(Key, serve.Errors + found.Output + text.Output, StringComparison.Ordinal);
    }

    private string Yaml(ServerCertificates files) => $$"""
            server: { listen: "https://127.0.0.1:0", admin: "https://127.0.0.1:0" }
            tls: { certificate: {{files.CertificatePath}}, key: {{files.KeyPath}} }
            log: { format: json }
            ledger: { path: explain.db }
            providers:
              openai:
                kind: openai
                platform: openai
                region: us
                base_url: {{sandboxes.Fast.Platforms["openai"].Address.GetLeftPart(UriPartial.Authority)}}
                allow_private_addresses: true
                api_key: ${PROVIDER_KEY}
                data: { geo: us, retention_days: 0, training: false }
                deployments:
                  gpt-5-mini: { vendor: openai }
                  nothing: { vendor: openai, model: there-is-no-such-model }
            models:
              chat: { deployments: [openai/nothing, openai/gpt-5-mini] }
            keys:
              client: { key_env: CLIENT_KEY, app: explained }
            """;

    private Task<ProgramResult> ExplainAsync(string id, string log) =>
        BallastProcess.RunAsync(folder.Path, ["explain", id, "--ledger", folder.File("explain.db"), "--log", log, "--json"]);

    private static async Task<string> AskAsync(HttpClient client, string model, string key)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, "/v1/chat/completions")
        {
            Content = new StringContent($$"""{"model":"{{model}}","messages":[{"role":"user","content":"Hello"}]}""", Encoding.UTF8, "application/json"),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        using HttpResponseMessage response = await client.SendAsync(request, TestContext.Current.CancellationToken);
        return response.Headers.GetValues("x-ballast-request-id").Single();
    }
}
