using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Text;
using Ballast.EndToEnd.Tests.Fixtures;
using Ballast.Ledger;
using Ballast.Sandbox;

namespace Ballast.EndToEnd.Tests.Crashes;

/// <summary>The program on a ledger of its own, in front of simulated platforms that keep the bill; killed and started again as a test likes.</summary>
internal sealed class CrashHouse : IAsyncDisposable
{
    public const string Key = "a-key-of-the-clients-000000";

    /// <summary>How the program is asked to serve what lies in its folder.</summary>
    public static readonly string[] Serve = ["serve", "--listen", "http://127.0.0.1:0", "--admin", "http://127.0.0.1:0", "--config", "ballast.yaml"];

    private const int Callers = 16;

    private readonly TemporaryFolder _folder = new();
    private readonly SandboxHost _sandbox;
    private readonly string? _connection;
    private readonly ConcurrentDictionary<string, bool> _whole = new(StringComparer.Ordinal);

    private CrashHouse(SandboxHost sandbox, string? connection)
    {
        _sandbox = sandbox;
        _connection = connection;
    }

    /// <summary>Answers that a client has to their last byte, by the id of their exchange.</summary>
    public IEnumerable<string> WholeAnswers => _whole.Keys;

    public BillingLog Bill => _sandbox.Billing;

    public LedgerReader Ledger => _connection is null ? new LedgerReader(_folder.File("ledger.db")) : LedgerReader.OfPostgres(_connection);

    public string IdempotencyFile => _folder.File("ledger.idempotency.db");

    public string SpoolFolder => _folder.File("ledger.spool");

    /// <summary>A folder on the disk of the house, to lay another disk over.</summary>
    public string OtherDisk => _folder.File("disk");

    /// <summary>What the program is started by; nothing starts it directly.</summary>
    public IReadOnlyList<string> StartedBy { get; set; } = [];

    public static async Task<CrashHouse> OpenAsync(string? connection, string durability, string? spool = null, double latencyScale = 0.01)
    {
        SandboxHost sandbox = await SandboxHost.StartAsync(new SandboxOptions { BasePort = 0, LatencyScale = latencyScale }, TestContext.Current.CancellationToken);
        CrashHouse house = new(sandbox, connection);
        string store = connection is null ? "" : "\n  store: postgres\n  connection: ${LEDGER}";
        await File.WriteAllTextAsync(house._folder.File("ballast.yaml"), $$"""
            ledger:
              path: ledger.db{{store}}
              durability: {{durability}}{{(spool is null ? "" : "\n  spool: " + spool)}}
            providers:
            {{Provider(sandbox, "openai", "gpt-5-mini")}}
            {{Provider(sandbox, "anthropic", "claude-haiku-4-5")}}
            prices:
              p: { input: 1.25, output: 10, cache_read: 0.1, cache_write: 1.5, source: test }
            keys:
              all:
                key: ${KEY}
                app: shop
            """.Replace("\r", "", StringComparison.Ordinal));
        return house;
    }

    /// <summary>An entry of <c>providers:</c> with one deployment of the price <c>p</c>; its key is in the variable of its name.</summary>
    public static string Provider(SandboxHost sandbox, string platform, string model) => $$"""
          {{platform}}:
            kind: {{platform}}
            platform: {{platform}}
            data: { geo: us, retention_days: 30, training: false }
            region: us
            base_url: {{sandbox.Platforms[platform].Address.GetLeftPart(UriPartial.Authority)}}
            api_key: ${{{platform.ToUpperInvariant()}}}
            allow_private_addresses: true
            deployments: { {{model}}: { vendor: {{platform}}, price: p } }
        """;

    /// <summary>Starts the program; with a place to crash at where one is named.</summary>
    public BallastProcess Start(string? crashAt = null) => BallastProcess.StartIn(
        StartedBy,
        _folder.Path,
        Serve,
        [
            ("OPENAI", _sandbox.Platforms["openai"].ApiKey), ("ANTHROPIC", _sandbox.Platforms["anthropic"].ApiKey), ("KEY", Key), ("LEDGER", _connection ?? ""),
            .. crashAt is null ? Array.Empty<(string, string)>() : [("BALLAST_CRASH_AT", crashAt)],
        ]);

    /// <summary>Sends requests of several kinds, many at once, until the program is gone or the time is over.</summary>
    public async Task LoadAsync(BallastProcess program, CancellationToken until)
    {
        Uri address;
        try
        {
            address = new Uri(await program.FindInErrorsAsync("Serving on ", ","));
        }
        catch (Xunit.Sdk.XunitException) when (program.HasExited)
        {
            return; // it crashed while it started, as it was told to
        }

        using HttpClient client = new() { BaseAddress = address, Timeout = BallastProcess.Patience };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Key);
        await Task.WhenAll(Enumerable.Range(0, Callers).Select(caller => Task.Run(() => CallAsync(client, caller, program, until), CancellationToken.None)));
    }

    /// <summary>Asks once for a stream, with an <c>Idempotency-Key</c>; null where the program went away meanwhile.</summary>
    public static async Task<(int Status, bool IsReplayed, string Body)?> AskAsync(Uri address, string key)
    {
        using HttpClient client = new() { BaseAddress = address, Timeout = BallastProcess.Patience };
        using HttpRequestMessage request = new(HttpMethod.Post, "/v1/chat/completions")
        {
            Content = new StringContent($$"""{"model":"openai/gpt-5-mini","stream":true,"messages":[{"role":"user","content":"Hello {{key}}"}]}""", Encoding.UTF8, "application/json"),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Key);
        request.Headers.Add("Idempotency-Key", key);
        try
        {
            using HttpResponseMessage response = await client.SendAsync(request, CancellationToken.None);
            return ((int)response.StatusCode, response.Headers.Contains("idempotent-replayed"), await response.Content.ReadAsStringAsync(CancellationToken.None));
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            return null;
        }
    }

    /// <summary>An answer was read to its last byte.</summary>
    public void Remember(HttpResponseMessage response) => _whole.TryAdd(response.Headers.GetValues("x-ballast-request-id").Single(), true);

    /// <summary>Requests of one caller, one behind the other.</summary>
    private async Task CallAsync(HttpClient client, int caller, BallastProcess program, CancellationToken until)
    {
        for (int round = caller; !until.IsCancellationRequested && !program.HasExited; round++)
        {
            string stream = round % 2 == 0 ? ",\"stream\":true" : "";
            string limit = round % 3 == 0 ? "" : ",\"max_tokens\":400";
            (string path, string body) = round % 4 == 3
                ? ("/v1/messages", $$"""{"model":"anthropic/claude-haiku-4-5","max_tokens":300,"messages":[{"role":"user","content":"Hello {{round}}"}]{{stream}}}""")
                : ("/v1/chat/completions", $$"""{"model":"openai/gpt-5-mini","messages":[{"role":"user","content":"Hello {{round}}"}]{{stream}}{{limit}}}""");
            try
            {
                using StringContent content = new(body, Encoding.UTF8, "application/json");
                using HttpRequestMessage request = new(HttpMethod.Post, path) { Content = content };
                using HttpResponseMessage response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, CancellationToken.None);
                string answer = await response.Content.ReadAsStringAsync(CancellationToken.None);
                if (response.IsSuccessStatusCode && (stream.Length == 0 || answer.Contains("[DONE]", StringComparison.Ordinal) || answer.Contains("message_stop", StringComparison.Ordinal)))
                {
                    Remember(response);
                }
            }
            catch (HttpRequestException)
            {
                // It crashed.
            }
            catch (IOException)
            {
                // In the middle of an answer.
            }
        }
    }

    /// <summary>Everything that is not as it should be between clients, platforms and ledger.</summary>
    public async Task<List<string>> FaultsAsync()
    {
        return Faults(await Ledger.EntriesAsync(LedgerFilter.Everything, int.MaxValue, CancellationToken.None), Bill, WholeAnswers);
    }

    /// <summary>The same of any ledger, bill and ids of whole answers.</summary>
    public static List<string> Faults(IReadOnlyList<LedgerEntry> rows, BillingLog bill, IEnumerable<string> wholeAnswers)
    {
        List<string> faults = [.. rows.GroupBy(row => row.AttemptId).Where(group => group.Count() > 1).Select(group => $"{group.Key} stands {group.Count()} times.")];
        Dictionary<string, LedgerEntry> byId = rows.DistinctBy(row => row.AttemptId).ToDictionary(row => row.AttemptId);
        foreach (BillingRow billed in bill.Rows)
        {
            if (!byId.TryGetValue(billed.ClientRequestId!, out LedgerEntry? row))
            {
                faults.Add($"{billed.ClientRequestId} was billed and is lost.");
                continue;
            }

            (long Input, long Output) told = (row.InputTokens + row.CacheReadTokens + row.CacheWriteTokens + row.CacheWriteLongTokens, row.OutputTokens);
            (long Input, long Output) charged = (billed.InputTokens + billed.CacheReadTokens + billed.CacheWriteTokens, billed.OutputTokens);
            if (!row.Reached || (row.IsEstimated ? told.Input < charged.Input || told.Output < charged.Output : told != charged))
            {
                faults.Add($"{row.AttemptId} ({row.Outcome}, {row.Reason}{(row.IsEstimated ? ", estimated" : "")}): {told} in the ledger, {charged} on the bill.");
            }
        }

        foreach (string exchange in wholeAnswers)
        {
            if (!byId.TryGetValue(exchange + "-1", out LedgerEntry? row) || row.IsEstimated || row.Outcome != AttemptOutcome.Completed)
            {
                faults.Add($"{exchange} was answered to its last byte, and its row is {(row is null ? "lost" : $"{row.Outcome}, {row.Reason}")}.");
            }
        }

        return faults;
    }

    public async ValueTask DisposeAsync()
    {
        await _sandbox.DisposeAsync();
        _folder.Dispose();
    }
}
