using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using Ballast.EndToEnd.Tests.Fixtures;
using Ballast.Ledger;
using Ballast.Sandbox;
using Ballast.Tests.Ledger;
using Npgsql;

namespace Ballast.EndToEnd.Tests.Crashes;

/// <summary>Three gateways as processes of their own on one PostgreSQL database, each with files of its own and a way of its own to the database; load goes to all of them until it is told to end.</summary>
internal sealed class ClusterHouse : IAsyncDisposable
{
    public const int Count = 3;
    private const int CallersOfEach = 4;

    private readonly TemporaryFolder _folder = new();
    private readonly SandboxHost _sandbox;
    private readonly PostgresServer _postgres;
    private readonly string _connection;
    private readonly TcpGate[] _ways;
    private readonly BallastProcess?[] _programs = new BallastProcess?[Count];
    private readonly Uri?[] _addresses = new Uri?[Count];
    private readonly ConcurrentQueue<(int Gateway, int Status)> _answers = [];
    private readonly ConcurrentDictionary<string, bool> _whole = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _enough = new();
    private Task _load = Task.CompletedTask;

    private ClusterHouse(SandboxHost sandbox, PostgresServer postgres, string connection)
    {
        (_sandbox, _postgres, _connection) = (sandbox, postgres, connection);
        _ways = [.. Enumerable.Range(0, Count).Select(_ => new TcpGate(postgres.Port))];
    }

    /// <summary>What was answered so far, by which gateway.</summary>
    public IReadOnlyCollection<(int Gateway, int Status)> Answers => _answers;

    /// <summary>Answers that somebody has to their last byte.</summary>
    public int WholeAnswers => _whole.Count;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <param name="usd">The budget of the app that asks.</param>
    public static async Task<ClusterHouse> StartAsync(decimal usd)
    {
        PostgresServer postgres = await PostgresServer.StartNewAsync();
        SandboxHost sandbox = await SandboxHost.StartAsync(new SandboxOptions { BasePort = 0, LatencyScale = 0.01 }, Cancellation);
        ClusterHouse house = new(sandbox, postgres, await postgres.NewDatabaseAsync());
        for (int gateway = 0; gateway < Count; gateway++)
        {
            await File.WriteAllTextAsync(Path.Combine(Directory.CreateDirectory(house._folder.File($"{gateway}")).FullName, "ballast.yaml"), $$"""
                ledger: { path: ledger.db, store: postgres, connection: "${LEDGER}" }
                tenancy: { store: postgres, pepper_env: PEPPER }
                providers:
                {{CrashHouse.Provider(sandbox, "openai", "gpt-5-mini")}}
                prices:
                  p: { input: 1, output: 10, cache_write: 1, cache_write_1h: 1, source: test }
                apps: { shop: {} }
                keys: { all: { key: "${KEY}", app: shop } }
                budgets: { shop-month: { app: shop, usd: {{usd.ToString(CultureInfo.InvariantCulture)}} } }
                """.Replace("\r", "", StringComparison.Ordinal));
        }

        await house.BeginAsync(0); // it makes the tables
        await Task.WhenAll(house.BeginAsync(1), house.BeginAsync(2));
        house._load = Task.WhenAll(Enumerable.Range(0, Count * CallersOfEach).Select(caller => Task.Run(() => CallAsync(house, caller), CancellationToken.None)));
        return house;
    }

    /// <summary>Starts one, for the first time or again on its files.</summary>
    public async Task BeginAsync(int gateway)
    {
        string connection = _connection.Replace($"Port={_postgres.Port}", $"Port={_ways[gateway].Port}", StringComparison.Ordinal);
        BallastProcess program = BallastProcess.Start(
            _folder.File($"{gateway}"),
            CrashHouse.Serve,
            ("OPENAI", _sandbox.Platforms["openai"].ApiKey), ("KEY", CrashHouse.Key), ("LEDGER", connection), ("PEPPER", new string('p', 40)));
        _programs[gateway] = program;
        _addresses[gateway] = new Uri(await program.FindInErrorsAsync("Serving on ", ","));
    }

    public async Task KillAsync(int gateway)
    {
        _addresses[gateway] = null;
        await _programs[gateway]!.KillAsync();
        await _programs[gateway]!.DisposeAsync();
        _programs[gateway] = null;
    }

    public void Cut(int gateway) => _ways[gateway].Cut();

    public void Heal(int gateway) => _ways[gateway].Heal();

    /// <summary>Waits until a gateway has answered so many more requests with 200.</summary>
    public async Task ServedAsync(int gateway, int more)
    {
        int wanted = Served(gateway) + more;
        Assert.True(await GatewayHost.UntilAsync(() => Task.FromResult(Served(gateway) >= wanted), BallastProcess.Patience), $"gateway {gateway} has served {Served(gateway)} instead of {wanted}");
    }

    /// <summary>Waits until a gateway has served so many more, or says that all of the budget is spent: on a slow machine the others may have been quicker.</summary>
    public async Task GoesOnAsync(int gateway, int more)
    {
        (int served, int spent) = (Served(gateway) + more, Spent(gateway) + more);
        Assert.True(await GatewayHost.UntilAsync(() => Task.FromResult(Served(gateway) >= served || Spent(gateway) >= spent), BallastProcess.Patience), $"gateway {gateway} neither serves nor is at the budget's end");

        int Spent(int asked) => _answers.Count(answer => answer == (asked, 429));
    }

    public int Served(int gateway) => _answers.Count(answer => answer == (gateway, 200));

    /// <summary>Waits until a gateway has nothing left to give, and says so three times more.</summary>
    public async Task SpentAsync(int gateway, int status)
    {
        int wanted = _answers.Count(answer => answer == (gateway, status)) + 3;
        Assert.True(await GatewayHost.UntilAsync(() => Task.FromResult(_answers.Count(answer => answer == (gateway, status)) >= wanted), BallastProcess.Patience), $"gateway {gateway} has something left");
    }

    /// <summary>What all parts together may spend, as the database has it.</summary>
    public Task<decimal> GivenOutAsync() => AskAsync("SELECT coalesce(sum(granted), 0) FROM lease_budget_parts");

    private async Task<decimal> AskAsync(string sql)
    {
        await using NpgsqlConnection connection = new(_connection);
        await connection.OpenAsync(Cancellation);
        await using NpgsqlCommand command = new(sql, connection);
        return (decimal)(await command.ExecuteScalarAsync(Cancellation))!;
    }

    /// <summary>Waits until each gateway holds so much more than it has used: then it can go on by itself.</summary>
    public async Task AheadAsync(decimal usd)
    {
        decimal least = 0;
        Assert.True(await GatewayHost.UntilAsync(async () => (least = await AskAsync("SELECT coalesce(min(granted - spent - reserved), 0) FROM lease_budget_parts")) >= usd, BallastProcess.Patience), $"one has only {least} ahead");
    }

    /// <summary>Ends load and gateways in order, and tells what is wrong between clients, platform and ledger.</summary>
    public async Task<(List<string> Faults, IReadOnlyList<LedgerEntry> Rows, decimal Billed)> EndAsync()
    {
        await _enough.CancelAsync();
        await _load;
        foreach (BallastProcess? program in _programs)
        {
            program!.Terminate();
            Assert.Equal(0, await program.WaitForExitAsync(BallastProcess.Patience));
        }

        await _sandbox.Billing.FlushAsync();
        IReadOnlyList<LedgerEntry> rows = await LedgerReader.OfPostgres(_connection).EntriesAsync(LedgerFilter.Everything, int.MaxValue, Cancellation);
        decimal billed = _sandbox.Billing.Rows.Sum(static row => (row.InputTokens + row.CacheReadTokens + (row.OutputTokens * 10m)) / 1_000_000m);
        return (CrashHouse.Faults(rows, _sandbox.Billing, _whole.Keys), rows, billed);
    }

    public async ValueTask DisposeAsync()
    {
        await _enough.CancelAsync();
        await _load;
        foreach (BallastProcess? program in _programs)
        {
            await (program?.DisposeAsync() ?? default);
        }

        foreach (TcpGate way in _ways)
        {
            await way.DisposeAsync();
        }

        await _sandbox.DisposeAsync();
        await _postgres.DisposeAsync();
        _folder.Dispose();
        _enough.Dispose();
    }

    /// <summary>Requests of one caller, one behind the other, to the gateway that is his.</summary>
    private static async Task CallAsync(ClusterHouse house, int caller)
    {
        Random dice = new(caller);
        int gateway = caller % Count;
        using HttpClient client = new() { Timeout = BallastProcess.Patience };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", CrashHouse.Key);
        while (!house._enough.IsCancellationRequested)
        {
            if (house._addresses[gateway] is not { } address)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, CancellationToken.None);
                continue;
            }

            string stream = dice.Next(2) == 0 ? ",\"stream\":true" : "";
            string body = $$"""{"model":"openai/gpt-5-mini","max_tokens":{{dice.Next(20, 150)}},"messages":[{"role":"user","content":"Hello {{dice.Next()}}"}]{{stream}}}""";
            try
            {
                using StringContent content = new(body, Encoding.UTF8, "application/json");
                using HttpResponseMessage response = await client.PostAsync(new Uri(address, "/v1/chat/completions"), content, CancellationToken.None);
                string answer = await response.Content.ReadAsStringAsync(CancellationToken.None);
                house._answers.Enqueue((gateway, (int)response.StatusCode));
                if (response.IsSuccessStatusCode && (stream.Length == 0 || answer.Contains("[DONE]", StringComparison.Ordinal)))
                {
                    house._whole.TryAdd(response.Headers.GetValues("x-ballast-request-id").Single(), true);
                }
                else
                {
                    await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, CancellationToken.None);
                }
            }
            catch (Exception killed) when (killed is HttpRequestException or IOException)
            {
                // It was killed meanwhile.
            }
        }
    }
}
