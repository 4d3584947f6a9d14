using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Ballast.EndToEnd.Tests.Fixtures;
using Microsoft.Data.Sqlite;

namespace Ballast.EndToEnd.Tests.Program;

/// <summary><c>ballast demo</c> as a process: what it promises to scripts, to neighbours on its port, and to who stops it.</summary>
public sealed class DemoProgramTests(TemporaryFolder folder) : IClassFixture<TemporaryFolder>
{
    private const string OpenKey = "ballast-demo";
    private const string ChatBody = """{"model":"assistant","messages":[{"role":"user","content":"Who are you?"}]}""";
    private const string MessagesBody = """{"model":"assistant","max_tokens":50,"messages":[{"role":"user","content":"Who are you?"}]}""";
    private static readonly string[] AnyPorts = ["--port", "0", "--admin-port", "0", "--sandbox-port", "0"];
    private static readonly TimeSpan StopWithin = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Json_ShortStory_IsOneLineAndTheBooksAgree()
    {
        string ledger = folder.File("story.db");

        string report = folder.File("report.html");

        ProgramResult result = await BallastProcess.RunAsync(
            folder.Path, ["demo", "--headless", "--seconds", "8", "--json", "--ledger", ledger, "--report", report, .. AnyPorts]);

        Assert.True(result.ExitCode == 0, result.Errors);
        using JsonDocument summary = JsonDocument.Parse(result.OneLine);
        JsonElement root = summary.RootElement;
        AssertBalance(root, result.Output);
        Assert.Equal(Path.GetFullPath(report), root.GetProperty("report").GetString());
        string page = await File.ReadAllTextAsync(report, TestContext.Current.CancellationToken);
        Assert.EndsWith("</html>\n", page, StringComparison.Ordinal);
        Assert.All(
            (string[])["azure-50", "Shares over time against the limits", "The same requests, by weights alone", ">shifted</text>", ">recovered</text>", "over a limit at worst", "the quarter in which Azure was gone"],
            said => Assert.Contains(said, page, StringComparison.Ordinal));
        Assert.DoesNotContain("http", page, StringComparison.Ordinal); // nothing from elsewhere
        long requests = Number(root, "requests");
        Assert.True(requests >= 100, result.Output);
        Assert.Equal(0, Number(root, "failed"));
        Assert.Equal(requests, Number(root, "succeeded") + Number(root, "interrupted"));
        Assert.True(Number(root, "failovers") >= 1, result.Output);
        Assert.Equal(Number(root, "billed_rows"), Number(root, "ledger_rows"));
        Assert.Equal(0, Number(root, "mismatched_rows"));
        Assert.True(root.GetProperty("by_platform").EnumerateObject().Count() >= 4, result.Output);
        Assert.Equal(Sum(root, "by_platform"), Sum(root, "by_vendor"));
        Assert.True(root.GetProperty("cost_usd").GetDecimal() > 0, result.Output);
        Assert.Equal(
            Number(root, "ledger_rows") + Number(root, "in_doubt_rows"),
            Count(ledger, "SELECT count(*) FROM attempts WHERE reached = 1"));
        Assert.Equal(Number(root, "failovers"), Count(ledger, "SELECT count(*) FROM attempts WHERE attempt_number > 1 AND outcome = 'completed'"));
        Assert.Contains("Azure has disappeared", result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Hold_OthersComeBeforeTheStoryIsOver_WaitThenAreServedAndNothingElseIs()
    {
        string ledger = folder.File("hold.db");
        await using BallastProcess demo = BallastProcess.Start(folder.Path, ["demo", "--hold", "--seconds", "6", "--json", "--ledger", ledger, .. AnyPorts]);
        using HttpClient client = new() { BaseAddress = new Uri(await demo.FindInErrorsAsync("gateway ", "  live page")), Timeout = BallastProcess.Patience };

        (HttpStatusCode chatEarly, string chatError) = await PostAsync(client, "/v1/chat/completions", ChatBody, OpenKey);
        (HttpStatusCode messagesEarly, string messagesError) = await PostAsync(client, "/v1/messages", MessagesBody, OpenKey);
        (HttpStatusCode strangerEarly, _) = await PostAsync(client, "/v1/messages", MessagesBody, "some-other-key");
        bool wasEarly = demo.Output.Length == 0;
        await demo.FindInOutputAsync("{", "}\n");
        long rowsOfTheStory = Count(ledger, "SELECT count(*) FROM attempts");

        Assert.True(wasEarly, "the story was over before the first requests of others: the test tried nothing");
        Assert.Equal((HttpStatusCode.ServiceUnavailable, HttpStatusCode.ServiceUnavailable, HttpStatusCode.ServiceUnavailable), (chatEarly, messagesEarly, strangerEarly));
        Assert.Contains("\"ballast_not_serving\"", chatError, StringComparison.Ordinal);
        Assert.StartsWith("{\"type\":\"error\"", messagesError, StringComparison.Ordinal);
        using HttpResponseMessage models = await client.SendAsync(Request(HttpMethod.Get, "/v1/models", OpenKey), TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, models.StatusCode);
        Assert.Contains("\"assistant\"", await models.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        const int Asked = 40;
        (HttpStatusCode Status, string Body)[] answers = await Task.WhenAll(Enumerable.Range(0, Asked).Select(
            i => i % 2 == 0 ? PostAsync(client, "/v1/chat/completions", ChatBody, OpenKey) : PostAsync(client, "/v1/messages", MessagesBody, OpenKey)));
        Assert.All(answers, answer => Assert.True(answer.Status == HttpStatusCode.OK, answer.Body));
        await Task.Delay(TimeSpan.FromSeconds(1.5), TimeProvider.System, TestContext.Current.CancellationToken);
        // With every fault lifted each answer takes one attempt, and no row comes from anybody else.
        Assert.Equal(rowsOfTheStory + Asked, Count(ledger, "SELECT count(*) FROM attempts"));

        using HttpRequestMessage long_ = Request(HttpMethod.Post, "/v1/chat/completions", OpenKey);
        long_.Content = new StringContent("""{"model":"chat","stream":true,"messages":[{"role":"user","content":"Tell a long story."}]}""", Encoding.UTF8, "application/json");
        using HttpResponseMessage running = await client.SendAsync(long_, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        demo.Terminate();
        Assert.Equal(0, await demo.WaitForExitAsync(StopWithin));
        Assert.Single(demo.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Theory]
    [InlineData("--port")]
    [InlineData("--admin-port")]
    [InlineData("--sandbox-port")]
    public async Task Start_PortIsTaken_SaysWhichAndEndsWithTwo(string option)
    {
        using TcpListener taken = new(IPAddress.Loopback, 0);
        taken.Start();
        string port = ((IPEndPoint)taken.LocalEndpoint).Port.ToString(System.Globalization.CultureInfo.InvariantCulture);
        string[] arguments = [.. AnyPorts];
        arguments[Array.IndexOf(arguments, option) + 1] = port;

        ProgramResult result = await BallastProcess.RunAsync(folder.Path, ["demo", "--hold", "--json", .. arguments]);

        Assert.Equal(2, result.ExitCode);
        Assert.Equal("", result.Output);
        Assert.Contains($"port {port} is already in use", result.Errors, StringComparison.Ordinal);
        Assert.Contains(option, result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Requests_RecordedRealOnes_AllGetTheirAnswers()
    {
        string? recordings = Environment.GetEnvironmentVariable("BALLAST_WIRE");
        Assert.SkipWhen(recordings is null || !Directory.Exists(recordings), "BALLAST_WIRE names no folder of recordings");

        ProgramResult result = await BallastProcess.RunAsync(
            folder.Path, ["demo", "--headless", "--json", "--seconds", "8", "--requests", recordings!, "--max-requests", "300", .. AnyPorts]);

        using JsonDocument summary = JsonDocument.Parse(result.OneLine);
        Assert.True(Number(summary.RootElement, "failed") == 0 && result.ExitCode == 0, result.Errors);
        Assert.Equal(300, Number(summary.RootElement, "requests"));
        Assert.Equal(Number(summary.RootElement, "billed_rows"), Number(summary.RootElement, "ledger_rows"));
    }

    [Fact]
    public async Task Requests_FolderWithoutRecordings_SaysSoAndEndsWithTwo()
    {
        ProgramResult result = await BallastProcess.RunAsync(folder.Path, ["demo", "--json", "--requests", folder.File("nothing"), .. AnyPorts]);

        Assert.Equal((2, ""), (result.ExitCode, result.Output));
        Assert.Contains("there is no folder", result.Errors, StringComparison.Ordinal);
    }

    /// <summary>
    /// Eight seconds are few requests, so that a burst is much of a window: the caps are held against what weights alone make of the same requests.
    /// </summary>
    private static void AssertBalance(JsonElement root, string output)
    {
        Assert.Equal((50, 45), (Number(root.GetProperty("caps"), "azure"), Number(root.GetProperty("caps"), "aws")));
        JsonElement shares = root.GetProperty("shares");
        Assert.Equal(["steady", "shifted", "outage", "recovered"], shares.EnumerateObject().Select(static act => act.Name));
        Assert.All(shares.EnumerateObject(), act => Assert.InRange(act.Value.EnumerateObject().Sum(static part => part.Value.GetDouble()), 99.9, 100.1));
        Assert.True(root.GetProperty("weighted_worst_excess_pp").GetDouble() > root.GetProperty("worst_excess_pp").GetDouble(), output);
        AssertKept("shifted", "azure");
        AssertKept("outage", "aws");
        Assert.False(root.GetProperty("weighted_shares").GetProperty("outage").TryGetProperty("azure", out _), output);
        Assert.True(root.GetProperty("weighted_shares").GetProperty("shifted").GetProperty("azure").GetDouble() > 50, output);
        Assert.True(root.GetProperty("events").EnumerateArray().Count() >= 4, output);

        void AssertKept(string act, string platform)
        {
            double kept = shares.GetProperty(act).GetProperty(platform).GetDouble();
            double weighted = root.GetProperty("weighted_shares").GetProperty(act).GetProperty(platform).GetDouble();
            Assert.True(kept < weighted - 3 && kept < Number(root.GetProperty("caps"), platform) + 6, $"{act}: {platform} {kept}, by weights {weighted}: {output}");
        }
    }

    private static async Task<(HttpStatusCode Status, string Body)> PostAsync(HttpClient client, string path, string body, string key)
    {
        using HttpRequestMessage request = Request(HttpMethod.Post, path, key);
        request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        using HttpResponseMessage response = await client.SendAsync(request, TestContext.Current.CancellationToken);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    private static HttpRequestMessage Request(HttpMethod method, string path, string key)
    {
        HttpRequestMessage request = new(method, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return request;
    }

    private static long Number(JsonElement root, string name) => root.GetProperty(name).GetInt64();

    private static long Sum(JsonElement root, string name) => root.GetProperty(name).EnumerateObject().Sum(part => part.Value.GetInt64());

    private static long Count(string ledger, string query)
    {
        using SqliteConnection connection = new($"Data Source={ledger};Mode=ReadOnly;Pooling=False");
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = query;
        return (long)command.ExecuteScalar()!;
    }
}
