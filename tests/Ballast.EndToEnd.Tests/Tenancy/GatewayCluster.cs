using System.Net.Http.Headers;
using System.Text.Json;
using Ballast.Catalog;
using Ballast.Configuration;
using Ballast.EndToEnd.Tests.Fixtures;
using Ballast.Ledger;
using Ballast.Sandbox;
using Ballast.Server;
using Ballast.Tests.Ledger;
using Npgsql;

namespace Ballast.EndToEnd.Tests.Tenancy;

/// <summary>Several real gateways on one PostgreSQL server, each with files of its own, in front of one sandbox.</summary>
internal sealed class GatewayCluster : IAsyncDisposable
{
    public const string Key = "client-key-of-the-cluster";

    private readonly string _folder = Directory.CreateTempSubdirectory("ballast-cluster-").FullName;
    private readonly string _yaml;
    private readonly List<Member> _members = [];

    private GatewayCluster(SandboxHost sandbox, PostgresServer postgres, string connection, string yaml)
    {
        (Sandbox, Postgres, Connection, _yaml) = (sandbox, postgres, connection, yaml);
    }

    public SandboxHost Sandbox { get; }
    public PostgresServer Postgres { get; }
    public string Connection { get; }
    public IReadOnlyList<Member> Members => _members;
    public string AdminToken { get; private set; } = "";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <param name="tenants">Lines of <c>apps:</c>, <c>budgets:</c> and such; the key <c>client</c> is of the app <c>tests</c>.</param>
    /// <param name="keyMore">Lines of that key.</param>
    /// <param name="staleAfter">How long a gateway goes on without the database.</param>
    /// <param name="count">Gateways.</param>
    /// <param name="limits">Lines of <c>limits:</c>.</param>
    public static async Task<GatewayCluster> StartAsync(string tenants, string keyMore = "", string staleAfter = "15m", int count = 3, string limits = "")
    {
        PostgresServer postgres = await PostgresServer.StartNewAsync();
        string connection = await postgres.NewDatabaseAsync();
        SandboxHost sandbox = await SandboxHost.StartAsync(new SandboxOptions { BasePort = 0, LatencyScale = 0 }, Cancellation);
        string yaml = $$"""
            providers:
            {{TenantGateway.Provider(sandbox, "openai", "PLATFORM_KEY")}}
                deployments:
                  gpt-5-mini: { max_output_tokens: 400, protocols: [openai-chat] }
                  text-embedding-3-small: { embedding: true }
                  gpt-image-1-mini: {}
            price_book: none
            models:
              priced: { deployments: [openai/gpt-5-mini] }
            prices:
              openai/gpt-5-mini: { input: 1, output: 10 }
              openai/text-embedding-3-small: { input: 1, output: 0 }
            keys:
              client: { key_env: CLIENT_KEY, app: tests{{keyMore}} }
            ledger: { store: postgres, connection: "${CONNECTION}" }
            tenancy: { store: postgres, pepper_env: PEPPER, stale_after: {{staleAfter}} }
            limits: { failed_keys_per_minute: 1000000{{limits}} }
            {{tenants}}
            """;
        GatewayCluster cluster = new(sandbox, postgres, connection, yaml);
        try
        {
            for (int i = 0; i < count; i++)
            {
                await cluster.AddAsync($"gateway-{i}");
            }

            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>A further gateway, or one again that had these files before.</summary>
    public async Task<Member> AddAsync(string name)
    {
        LoadResult loaded = OptionsLoader.Load(_yaml, "cluster.yaml", variable => variable switch { "CLIENT_KEY" => Key, "CONNECTION" => Connection, "PEPPER" => new string('p', 40), _ => Sandbox.Platforms["openai"].ApiKey });
        Assert.True(loaded.Options is not null, string.Join('\n', loaded.Faults.Select(static fault => fault.Print("cluster.yaml"))));
        string folder = Directory.CreateDirectory(Path.Combine(_folder, name)).FullName;
        LogLines log = new();
        BallastServer server = await BallastServer.StartAsync(
            new ServerSetup
            {
                Catalog = new CatalogHolder(CatalogBuilder.Build(loaded.Options, revision: 1), loaded.Options),
                Listen = new Uri("http://127.0.0.1:0"),
                Admin = new Uri("http://127.0.0.1:0"),
                LedgerPath = Path.Combine(folder, "ledger.db"),
                LedgerConnection = Connection,
                LogTo = log,
                Seed = 1,
            },
            Cancellation);
        AdminToken = server.FirstAdminToken ?? AdminToken;
        Member member = new(name, server, log, this);
        _members.Add(member);
        return member;
    }

    /// <summary>Where a gateway's files lie.</summary>
    public string FolderOf(string name) => Path.Combine(_folder, name);

    public async Task RemoveAsync(Member member)
    {
        _members.Remove(member);
        await member.DisposeAsync();
    }

    /// <summary>Waits until no gateway has a request any more, and all rows are in the database.</summary>
    public async Task<IReadOnlyList<LedgerEntry>> EntriesAsync()
    {
        foreach (Member member in _members)
        {
            Assert.True(await GatewayHost.UntilAsync(() => Task.FromResult(member.Server.Guard.Running == 0), TimeSpan.FromSeconds(60)), "a request does not end");
            await member.Server.Ledger.FlushAsync();
        }

        return await LedgerReader.OfPostgres(Connection).EntriesAsync(LedgerFilter.Everything, 1_000_000, Cancellation);
    }

    public async Task<decimal> AskDatabaseAsync(string sql)
    {
        await using NpgsqlConnection connection = new(Connection);
        await connection.OpenAsync(Cancellation);
        await using NpgsqlCommand command = new(sql, connection);
        return Convert.ToDecimal(await command.ExecuteScalarAsync(Cancellation), System.Globalization.CultureInfo.InvariantCulture);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (Member member in _members)
        {
            await member.DisposeAsync();
        }

        await Sandbox.DisposeAsync();
        await Postgres.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>One gateway.</summary>
    internal sealed class Member(string name, BallastServer server, LogLines log, GatewayCluster cluster) : IAsyncDisposable
    {
        private readonly TenantClient _client = new(server, Key);

        public string Name { get; } = name;
        public BallastServer Server { get; } = server;
        public LogLines Log { get; } = log;

        public Task<(int Status, string Body, HttpResponseHeaders Headers)> AskAsync(string path, string body, string? key = null, int hangUpMilliseconds = Timeout.Infinite) =>
            _client.AskAsync(path, body, key, hangUpMilliseconds);

        public Task<(int Status, JsonElement Body)> AdministerAsync(string method, string path, string? body = null) =>
            _client.AdministerAsync(cluster.AdminToken, method, path, body);

        public async ValueTask DisposeAsync()
        {
            _client.Dispose();
            await Server.DisposeAsync();
        }
    }
}
