using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using Ballast.EndToEnd.Tests.Fixtures;
using Ballast.Sandbox;

namespace Ballast.EndToEnd.Tests.Program;

/// <summary><c>ballast serve</c> as a process: started from the variables that vendors' SDKs read, stopped as service managers stop it.</summary>
public sealed class ServeProgramTests(SandboxFixture sandboxes, TemporaryFolder folder) : IClassFixture<TemporaryFolder>
{
    private const string Key = "a-key-of-the-clients-000000";

    [Fact]
    public async Task Serve_OnlyOpenAIsVariables_AnswersInBothProtocolsWithTheKeyItPrinted()
    {
        await using BallastProcess serve = Start(sandboxes.Fast, "printed.db");
        string key = await serve.FindInErrorsAsync("API key of this run: ", " ");
        using HttpClient client = await ClientAsync(serve, key);

        using HttpResponseMessage chat = await PostAsync(client, "/v1/chat/completions", """{"model":"openai/gpt-5-mini","messages":[{"role":"user","content":"Hello"}]}""");
        using HttpResponseMessage message = await PostAsync(client, "/v1/messages", """{"model":"openai/gpt-5-mini","max_tokens":50,"messages":[{"role":"user","content":"Hello"}]}""");

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (chat.StatusCode, message.StatusCode));
        Assert.Contains("\"chat.completion\"", await chat.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Contains("\"assistant\"", await message.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        serve.Terminate();
        Assert.Equal(0, await serve.WaitForExitAsync(TimeSpan.FromSeconds(5)));
        Assert.Equal("", serve.Output);
    }

    [Fact]
    public async Task Terminate_StreamIsRunning_EndsItWholeTakesNoOtherAndWritesItsRow()
    {
        await using BallastProcess serve = Start(sandboxes.Slow, "drain.db", ("BALLAST_API_KEY", Key));
        using HttpClient client = await ClientAsync(serve, Key);
        using HttpRequestMessage request = new(HttpMethod.Post, "/v1/chat/completions")
        {
            Content = new StringContent("""{"model":"openai/gpt-5-mini","stream":true,"messages":[{"role":"user","content":"Tell a story."}]}""", Encoding.UTF8, "application/json"),
        };
        using HttpResponseMessage response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);

        serve.Terminate();
        string stream = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

        Assert.Contains("\"finish_reason\":\"stop\"", stream, StringComparison.Ordinal);
        Assert.EndsWith("data: [DONE]\n\n", stream, StringComparison.Ordinal);
        Assert.Equal(0, await serve.WaitForExitAsync(BallastProcess.Patience));
        using HttpRequestMessage late = new(HttpMethod.Get, "/v1/models");
        await Assert.ThrowsAsync<HttpRequestException>(() => client.SendAsync(late, TestContext.Current.CancellationToken));
        ProgramResult usage = await BallastProcess.RunAsync(folder.Path, ["usage", "--ledger", folder.File("drain.db"), "--by", "outcome", "--json"]);
        Assert.Contains("\"outcome\":\"completed\"", usage.OneLine, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Serve_AddressIsTaken_SaysWhichAndEndsWithTwo()
    {
        using TcpListener taken = new(IPAddress.Loopback, 0);
        taken.Start();
        string address = $"http://{taken.LocalEndpoint}";

        ProgramResult result = await BallastProcess.RunAsync(
            folder.Path, ["serve", "--listen", address, "--admin", "http://127.0.0.1:0", "--ledger", folder.File("taken.db")], ("OPENAI_API_KEY", "sk-not-used"));

        Assert.Equal((2, ""), (result.ExitCode, result.Output));
        Assert.Contains($"{address} is already in use", result.Errors, StringComparison.Ordinal);
    }

    private BallastProcess Start(SandboxHost sandbox, string ledger, params (string Name, string Value)[] variables)
    {
        SandboxPlatform openai = sandbox.Platforms["openai"];
        return BallastProcess.Start(
            folder.Path,
            ["serve", "--listen", "http://127.0.0.1:0", "--admin", "http://127.0.0.1:0", "--ledger", folder.File(ledger)],
            [("OPENAI_API_KEY", openai.ApiKey), ("OPENAI_BASE_URL", new Uri(openai.Address, "/v1").ToString()), .. variables]);
    }

    private static async Task<HttpClient> ClientAsync(BallastProcess serve, string key)
    {
        HttpClient client = new() { BaseAddress = new Uri(await serve.FindInErrorsAsync("Serving on ", ",")), Timeout = BallastProcess.Patience };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return client;
    }

    private static Task<HttpResponseMessage> PostAsync(HttpClient client, string path, string body) =>
        client.PostAsync(path, new StringContent(body, Encoding.UTF8, "application/json"), TestContext.Current.CancellationToken);
}
