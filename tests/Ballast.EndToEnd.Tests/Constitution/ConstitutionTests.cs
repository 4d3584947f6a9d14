using System.Text;
using System.Text.Json;
using Ballast.Catalog;
using Ballast.Configuration;
using Ballast.EndToEnd.Tests.Fixtures;
using Ballast.Ledger;
using Ballast.Sandbox;
using Ballast.Server;

namespace Ballast.EndToEnd.Tests.Constitution;

/// <summary>Requests and answers before a constitution, on every surface, streamed and whole; a judge is a model of the same gateway.</summary>
public sealed class ConstitutionTests
{
    private const string Key = "client-key-of-the-constituted";

    private const string Constitution = """
        principles:
          no-magic: { text: "Never tell the magic word.", topics: [abracadabra, "hocus pocus"], on: answer, action: block }
          no-orders: { text: "Orders are taken elsewhere.", pattern: 'ORDER-[0-9]{4}', on: request, action: block }
          only-mail: { text: "Only mail may be sent.", tools: [send_mail], on: both, action: block, apps: [tooled] }
          no-counting: { text: "Do not mention umbrellas.", pattern: '[Uu]mbrella', on: answer, action: revise }
          polite: { text: "Note what is rude.", topics: [blockhead], on: both, action: flag }
          judged: { text: "Judge everything.", judge: { model: openai/gpt-5-mini, time_limit: 20s, on_failure: closed }, on: request, action: block, apps: [judged] }
          unjudged: { text: "Judge everything, if you can.", judge: { model: openai/no-such-deployment, on_failure: open }, on: answer, action: block, apps: [lenient] }
        """;

    public static TheoryData<string, string, string> Surfaces => new()
    {
        { "/v1/chat/completions", """{"model":"openai/gpt-5-mini","messages":[{"role":"user","content":"PROMPT"}]}""", "error.code" },
        { "/v1/chat/completions", """{"model":"anthropic/claude-haiku-4-5","stream":true,"messages":[{"role":"user","content":"PROMPT"}]}""", "error.code" },
        { "/v1/messages", """{"model":"anthropic/claude-haiku-4-5","max_tokens":500,"messages":[{"role":"user","content":"PROMPT"}]}""", "error.message" },
        { "/v1/messages", """{"model":"openai/gpt-5-mini","max_tokens":500,"stream":true,"messages":[{"role":"user","content":"PROMPT"}]}""", "error.message" },
        { "/v1/responses", """{"model":"openai/gpt-5-mini","input":"PROMPT"}""", "error.code" },
        { "/v1/responses", """{"model":"openai/gpt-5-mini","stream":true,"input":"PROMPT"}""", "error.code" },
        { "/v1beta/models/gemini/gemini-3.5-flash:generateContent", """{"contents":[{"role":"user","parts":[{"text":"PROMPT"}]}]}""", "error.message" },
        { "/model/anthropic%2Fclaude-haiku-4-5/converse", """{"messages":[{"role":"user","content":[{"text":"PROMPT"}]}]}""", "message" },
    };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Surfaces))]
    public async Task Answer_ThatBreaksAPrinciple_NeverReachesItsCaller(string path, string body, string place)
    {
        await using House house = await House.StartAsync();

        (int status, string broken, string? verdict) = await house.AskAsync(path, Of(body, "Reply with exactly 'the word is Abracadabra, friend'"));
        (int kept, string answer, string? good) = await house.AskAsync(path, Of(body, "Reply with exactly 'nothing to tell'"));

        Assert.Equal(403, status);
        Assert.Contains("no-magic", broken, StringComparison.Ordinal);
        Assert.Contains("Never tell the magic word.", broken, StringComparison.Ordinal);
        Assert.DoesNotContain("Abracadabra", broken, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("principle=no-magic", verdict, StringComparison.Ordinal);
        Assert.NotEmpty(place);
        Assert.True(kept == 200, answer);
        Assert.Equal("kept", good);
        Assert.Contains(await house.EntriesAsync(), static entry => entry.Losses.Contains("constitution:no-magic=blocked") && entry.OutputTokens > 0);
    }

    [Theory]
    [InlineData("openai/gpt-5-mini", false)]
    [InlineData("openai/gpt-5-mini", true)]
    [InlineData("anthropic/claude-haiku-4-5", true)]
    public async Task CallOfFreeText_ThatBreaksAPrinciple_NeverReachesItsCaller(string model, bool stream)
    {
        await using House house = await House.StartAsync();
        string body = "{\"model\":\"" + model + "\",\"stream\":" + (stream ? "true" : "false") + ",\"input\":\"PROMPT\",\"tools\":[{\"type\":\"custom\",\"name\":\"write_note\"}],\"tool_choice\":{\"type\":\"custom\",\"name\":\"write_note\"}}";

        (int status, string broken, _) = await house.AskAsync("/v1/responses", Of(body, "Write the note 'hocus pocus'"));
        (int kept, string answer, _) = await house.AskAsync("/v1/responses", Of(body, "Write the note 'fly away'"));
        (int again, string refused, _) = await house.AskAsync(
            "/v1/responses",
            $$"""{"model":"{{model}}","input":[{"role":"user","content":"x"},{"type":"custom_tool_call","call_id":"c","name":"write_note","input":"ORDER-1234"},{"type":"custom_tool_call_output","call_id":"c","output":"y"}]}""");

        Assert.True(status == 403, broken);
        Assert.DoesNotContain("hocus", broken, StringComparison.Ordinal);
        Assert.True(kept == 200, answer);
        Assert.Contains("\"input\":\"fly away\"", answer, StringComparison.Ordinal);
        Assert.True(again == 403, refused);
        Assert.Contains("no-orders", refused, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Answer_WhereOnlyRequestsAreJudged_GoesOnAsItComes()
    {
        await using House house = await House.StartAsync("""
            principles:
              no-orders: { text: "Orders are taken elsewhere.", pattern: 'ORDER-[0-9]{4}', on: request, action: block }
            """);

        (int status, string answer, string? verdict) = await house.AskAsync("/v1/chat/completions", """{"model":"openai/gpt-5-mini","n":2,"messages":[{"role":"user","content":"Hello"}]}""");

        Assert.True(status == 200, answer);
        using JsonDocument document = JsonDocument.Parse(answer);
        Assert.Equal(2, document.RootElement.GetProperty("choices").GetArrayLength());
        Assert.Equal("kept", verdict);
        Assert.DoesNotContain(await house.EntriesAsync(), static entry => entry.Losses.Any(static loss => loss.StartsWith("response:", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Background_WhereAnswersAreJudged_IsRefusedSinceNobodyWouldJudgeIt()
    {
        await using House house = await House.StartAsync();

        (int status, string refusal, _) = await house.AskAsync("/v1/responses", """{"model":"openai/gpt-5-mini","background":true,"input":"Hello"}""");

        Assert.True(status == 400, refusal);
        using JsonDocument error = JsonDocument.Parse(refusal);
        Assert.Equal("ballast_background_judged", error.RootElement.GetProperty("error").GetProperty("code").GetString());
        Assert.Empty(await house.EntriesAsync());
    }

    [Fact]
    public async Task Request_ThatBreaksAPrinciple_IsRefusedBeforeAnythingIsSent()
    {
        await using House house = await House.StartAsync();

        (int status, string broken, _) = await house.AskAsync("/v1/chat/completions", Of("""{"model":"openai/gpt-5-mini","messages":[{"role":"user","content":"PROMPT"}]}""", "I want ORDER-１２３４ now"));

        Assert.Equal(403, status);
        using JsonDocument error = JsonDocument.Parse(broken);
        Assert.Equal("ballast_constitution", error.RootElement.GetProperty("error").GetProperty("code").GetString());
        Assert.Contains("no-orders", broken, StringComparison.Ordinal);
        Assert.Empty(await house.EntriesAsync());
    }

    /// <summary>Whatever is sent to a model is held against the principles, not chat alone.</summary>
    [Theory]
    [InlineData("/v1/completions", """{"model":"openai/gpt-3.5-turbo-instruct","prompt":["Hello","PROMPT"]}""")]
    [InlineData("/v1/completions", """{"model":"openai/gpt-3.5-turbo-instruct","stream":true,"prompt":"PROMPT"}""")]
    [InlineData("/v1/images/generations", """{"model":"openai/gpt-image-1-mini","prompt":"PROMPT"}""")]
    [InlineData("/v1/embeddings", """{"model":"openai/text-embedding-3-small","input":["one","PROMPT"]}""")]
    [InlineData("/v1/audio/speech", """{"model":"openai/gpt-4o-mini-tts","input":"PROMPT","voice":"alloy"}""")]
    [InlineData("/v1/rerank", """{"model":"openai/rerank-v3.5","query":"q","documents":[{"text":"PROMPT"}]}""")]
    [InlineData("/v1/responses/compact", """{"model":"openai/gpt-5-mini","input":[{"role":"user","content":"PROMPT"}]}""")]
    [InlineData("/v1/images/edits", "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nopenai/gpt-image-1-mini\r\n--b\r\nContent-Disposition: form-data; name=\"prompt\"\r\n\r\nPROMPT\r\n--b--\r\n")]
    public async Task Request_BesideChatThatBreaksAPrinciple_IsRefusedBeforeAnythingIsSent(string path, string body)
    {
        await using House house = await House.StartAsync();

        (int status, string broken, string? verdict) = await house.AskAsync(path, Of(body, "please ORDER-１２３４ now"));
        (_, string other, _) = await house.AskAsync(path, Of(body, "please order nothing"));

        Assert.True(status == 403, broken);
        Assert.Contains("no-orders", broken, StringComparison.Ordinal);
        Assert.Equal("broken; principle=no-orders", verdict);
        Assert.DoesNotContain("ballast_constitution", other, StringComparison.Ordinal);
        Assert.Single((await house.EntriesAsync()).Select(static entry => entry.ExchangeId).Distinct());
    }

    /// <summary>Old completions are answered " and so on", in pieces where they are streamed. Nobody is asked again where there is no conversation.</summary>
    [Theory]
    [InlineData(false, "block")]
    [InlineData(true, "block")]
    [InlineData(true, "revise")]
    public async Task Completion_ThatBreaksAPrinciple_NeverReachesItsCaller(bool stream, string action)
    {
        string body = $$"""{"model":"openai/gpt-3.5-turbo-instruct","max_tokens":200,"stream":{{(stream ? "true" : "false")}},"prompt":"Tell"}""";
        await using House house = await House.StartAsync($$"""
            principles:
              complete: { text: "Say all there is to say.", topics: ["so on"], on: answer, action: {{action}} }
            """);
        await using House other = await House.StartAsync("""
            principles:
              complete: { text: "Say all there is to say.", topics: ["and so forth"], on: answer }
            """);

        (int status, string broken, string? verdict) = await house.AskAsync("/v1/completions", body);
        (int kept, string good, string? clean) = await other.AskAsync("/v1/completions", body);

        Assert.True(status == 403, broken);
        Assert.DoesNotContain("so on", broken, StringComparison.Ordinal);
        Assert.Equal("broken; principle=complete", verdict);
        LedgerEntry row = Assert.Single(await house.EntriesAsync());
        Assert.True(row.Losses.Contains("constitution:complete=blocked") && row.OutputTokens > 0, string.Join(' ', row.Losses));
        Assert.True(kept == 200 && good.Contains(" so", StringComparison.Ordinal), good);
        Assert.Equal("kept", clean);
    }

    /// <summary>What nobody can hold against a principle is refused in words.</summary>
    [Theory]
    [InlineData("/v1/completions", """{"model":"openai/gpt-3.5-turbo-instruct","prompt":[15496,995]}""")]
    [InlineData("/v1/embeddings", """{"model":"openai/text-embedding-3-small","input":[[15496,995]]}""")]
    [InlineData("/v1/messages/batches", """{"requests":[{"custom_id":"a","params":{"model":"assistant","max_tokens":9,"messages":[{"role":"user","content":"Hello"}]}}]}""")]
    [InlineData("/v1/batches", """{"input_file_id":"file-1","endpoint":"/v1/chat/completions","completion_window":"24h"}""")]
    public async Task Request_ThatCannotBeJudged_IsRefused(string path, string body)
    {
        await using House house = await House.StartAsync();

        (int status, string refusal, _) = await house.AskAsync(path, body);

        Assert.True(status == 400, refusal);
        Assert.Contains("ballast_unjudged", refusal, StringComparison.Ordinal);
        Assert.Empty(await house.EntriesAsync());
    }

    /// <summary>Who asks whether a text may be said is told, whatever the text.</summary>
    [Fact]
    public async Task Moderation_OfATextThatBreaksAPrinciple_IsAnswered()
    {
        await using House house = await House.StartAsync();

        (int status, string answer, _) = await house.AskAsync("/v1/moderations", """{"model":"openai/omni-moderation-latest","input":"ORDER-1234"}""");

        Assert.True(status == 200, answer);
    }

    [Fact]
    public async Task Tool_ThatIsNotAllowed_IsNeitherOfferedNorCalled()
    {
        await using House house = await House.StartAsync();
        const string body = """{"model":"openai/gpt-5-mini","messages":[{"role":"user","content":"Hello"}],"tools":[{"type":"function","function":{"name":"NAME","parameters":{"type":"object","properties":{}}}}]}""";

        (int refused, string why, _) = await house.AskAsync("/v1/chat/completions", body.Replace("NAME", "drop_table", StringComparison.Ordinal), "tooled");
        (int status, string answer, _) = await house.AskAsync("/v1/chat/completions", body.Replace("NAME", "send_mail", StringComparison.Ordinal), "tooled");

        Assert.Equal(403, refused);
        Assert.Contains("only-mail", why, StringComparison.Ordinal);
        Assert.True(status == 200, answer);
    }

    [Theory]
    [InlineData("/v1/chat/completions", """{"model":"openai/gpt-5-mini","messages":[{"role":"user","content":"PROMPT"}]}""")]
    [InlineData("/v1/responses", """{"model":"openai/gpt-5-mini","stream":true,"input":[{"role":"user","content":[{"type":"input_text","text":"PROMPT"}]}]}""")]
    [InlineData("/v1/messages", """{"model":"openai/gpt-5-mini","max_tokens":500,"stream":true,"messages":[{"role":"user","content":"PROMPT"}]}""")]
    public async Task Answer_ToBeRevised_IsAskedForAgainWithThePrincipleAndThenRefused(string path, string body)
    {
        await using House house = await House.StartAsync();

        (int status, string answer, _) = await house.AskAsync(path, Of(body, "Reply with exactly 'take an umbrella'"));

        Assert.Equal(403, status);
        Assert.Contains("no-counting", answer, StringComparison.Ordinal);
        IReadOnlyList<LedgerEntry> entries = await house.EntriesAsync();
        Assert.Equal(2, entries.Count);
        Assert.Contains(entries, static entry => entry.Losses.Contains("constitution:no-counting=revised"));
        Assert.True(house.Tap.Sent.Contains("Do not mention umbrellas.", StringComparison.Ordinal), house.Tap.Sent);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Breach_ThatIsFlagged_GoesOnAndIsBooked(bool stream)
    {
        await using House house = await House.StartAsync();

        (int status, string answer, string? verdict) = await house.AskAsync(
            "/v1/chat/completions", Of($$"""{"model":"openai/gpt-5-mini","stream":{{(stream ? "true" : "false")}},"messages":[{"role":"user","content":"PROMPT"}]}""", "Reply with exactly 'you blockhead'"));

        Assert.True(status == 200, answer);
        Assert.Contains("polite", verdict, StringComparison.Ordinal);
        Assert.Contains(await house.EntriesAsync(), static entry => entry.Losses.Contains("constitution:polite=flagged"));
    }

    [Fact]
    public async Task Judge_IsAskedByTheGatewayAndBilledToTheApp_AndOneThatFailsCountsAsItIsWritten()
    {
        await using House house = await House.StartAsync();
        string body = Of("""{"model":"anthropic/claude-haiku-4-5","messages":[{"role":"user","content":"PROMPT"}]}""", "Hello");

        (int judged, string answer, _) = await house.AskAsync("/v1/chat/completions", body, "judged");
        (int lenient, string passed, _) = await house.AskAsync("/v1/chat/completions", body, "lenient");

        Assert.True(judged is 200 or 403, answer);
        IReadOnlyList<LedgerEntry> entries = await house.EntriesAsync();
        Assert.Contains(entries, static entry => entry is { App: "judged", Deployment: "openai/gpt-5-mini", Outcome: AttemptOutcome.Completed });
        Assert.Contains("Judge everything.", house.Tap.Sent, StringComparison.Ordinal);
        Assert.True(lenient == 200, passed);
        Assert.Contains(entries, static entry => entry.App == "lenient" && entry.Losses.Contains("constitution:unjudged=judge-failed"));
    }

    private static string Of(string body, string prompt) => body.Replace("PROMPT", prompt, StringComparison.Ordinal);

    private sealed class House : IAsyncDisposable
    {
        private readonly SandboxHost _sandbox;
        private readonly BallastServer _server;
        private readonly HttpClient _http;
        private readonly string _folder;

        private House(SandboxHost sandbox, BallastServer server, WireTap tap, string folder)
        {
            (_sandbox, _server, Tap, _folder) = (sandbox, server, tap, folder);
            _http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = server.Address, Timeout = TimeSpan.FromSeconds(60) };
        }

        /// <summary>What OpenAI's platform was sent.</summary>
        public WireTap Tap { get; }

        public static async Task<House> StartAsync(string constitution = Constitution)
        {
            SandboxHost sandbox = await SandboxHost.StartAsync(new SandboxOptions { BasePort = 0, LatencyScale = 0 }, Cancellation);
            WireTap tap = new(sandbox.Platforms["openai"].Address);
            string folder = Directory.CreateTempSubdirectory("ballast-constitution-").FullName;
            await File.WriteAllTextAsync(Path.Combine(folder, "constitution.yaml"), constitution, Cancellation);
            string yaml = $$"""
                constitution: constitution.yaml
                providers:
                  openai: { kind: openai, platform: openai, region: us, base_url: "{{tap.Address.GetLeftPart(UriPartial.Authority)}}", allow_private_addresses: true, api_key: "${OPENAI}", data: { geo: us, retention_days: 0, training: false }, vendor: openai, deployments: { gpt-5-mini: {}, gpt-image-1-mini: {}, gpt-3.5-turbo-instruct: {}, gpt-4o-mini-tts: {}, gpt-4o-transcribe: {}, omni-moderation-latest: {}, text-embedding-3-small: { embedding: true }, rerank-v3.5: {} } }
                  anthropic: { kind: anthropic, platform: anthropic, region: us, base_url: "{{Url(sandbox, "anthropic")}}", allow_private_addresses: true, api_key: "${ANTHROPIC}", data: { geo: us, retention_days: 0, training: false }, vendor: anthropic, deployments: { claude-haiku-4-5: {} } }
                  gemini: { kind: gemini, platform: google, region: us, base_url: "{{Url(sandbox, "gemini")}}", allow_private_addresses: true, api_key: "${GEMINI}", data: { geo: us, retention_days: 0, training: false }, vendor: google, deployments: { gemini-3.5-flash: {} } }
                keys:
                  plain: { key_env: KEY_PLAIN, app: plain }
                  tooled: { key_env: KEY_TOOLED, app: tooled }
                  judged: { key_env: KEY_JUDGED, app: judged }
                  lenient: { key_env: KEY_LENIENT, app: lenient }
                """;
            string file = Path.Combine(folder, "ballast.yaml");
            LoadResult loaded = OptionsLoader.Load(yaml, file, name => name.StartsWith("KEY_", StringComparison.Ordinal) ? $"{Key}-{name[4..].ToLowerInvariant()}" : sandbox.Platforms[name.ToLowerInvariant()].ApiKey);
            Assert.True(loaded.Options is not null, string.Join('\n', loaded.Faults.Select(fault => fault.Print(file))));
            Assert.Contains(loaded.Options.Watched, static watched => watched.EndsWith("constitution.yaml", StringComparison.Ordinal));
            BallastServer server = await BallastServer.StartAsync(
                new ServerSetup
                {
                    Catalog = new CatalogHolder(CatalogBuilder.Build(loaded.Options, revision: 1), loaded.Options),
                    Listen = new Uri("http://127.0.0.1:0"),
                    Admin = new Uri("http://127.0.0.1:0"),
                    LedgerPath = Path.Combine(folder, "ledger.db"),
                    LogTo = new LogLines(),
                    Seed = 1,
                },
                Cancellation);
            return new House(sandbox, server, tap, folder);
        }

        public async Task<(int Status, string Body, string? Verdict)> AskAsync(string path, string body, string key = "plain")
        {
            using HttpRequestMessage request = new(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
            if (body.StartsWith("--b", StringComparison.Ordinal))
            {
                request.Content.Headers.Remove("Content-Type");
                request.Content.Headers.TryAddWithoutValidation("Content-Type", "multipart/form-data; boundary=b");
            }

            request.Headers.TryAddWithoutValidation("x-api-key", $"{Key}-{key}");
            if (path.StartsWith("/v1/messages", StringComparison.Ordinal))
            {
                request.Headers.Add("anthropic-version", "2023-06-01");
            }

            using HttpResponseMessage response = await _http.SendAsync(request, Cancellation);
            string? verdict = response.Headers.TryGetValues("x-ballast-constitution", out IEnumerable<string>? values) ? values.Single() : null;
            return ((int)response.StatusCode, await response.Content.ReadAsStringAsync(Cancellation), verdict);
        }

        public async Task<IReadOnlyList<LedgerEntry>> EntriesAsync()
        {
            Assert.True(await GatewayHost.UntilAsync(() => Task.FromResult(_server.Guard.Running == 0), TimeSpan.FromSeconds(60)), "a request does not end");
            await _server.Ledger.FlushAsync();
            return await new LedgerReader(Path.Combine(_folder, "ledger.db")).EntriesAsync(LedgerFilter.Everything, 1_000, Cancellation);
        }

        public async ValueTask DisposeAsync()
        {
            _http.Dispose();
            await _server.DisposeAsync();
            await Tap.DisposeAsync();
            await _sandbox.DisposeAsync();
            Directory.Delete(_folder, recursive: true);
        }

        private static string Url(SandboxHost sandbox, string platform) => sandbox.Platforms[platform].Address.GetLeftPart(UriPartial.Authority);
    }
}
