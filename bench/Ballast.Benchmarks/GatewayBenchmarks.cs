using System.Buffers;
using System.Text;
using Ballast.Catalog;
using Ballast.Configuration;
using Ballast.Exchanges;
using Ballast.Gateway;
using Ballast.Gateway.Signals;
using Ballast.Guards;
using Ballast.Ledger;
using Ballast.Ledger.Spool;
using Ballast.Protocols;
using Ballast.Routing;
using Ballast.Telemetry;
using Ballast.Tenancy;
using BenchmarkDotNet.Attributes;

namespace Ballast.Benchmarks;

/// <summary>
/// What a gateway does beyond carrying bytes: key, first look, route, the upstream's body, usage, health, one ledger row handed to the writer. 600 bytes in, 1.6 kB back.
/// </summary>
public class GatewayBenchmarks : IAsyncDisposable
{
    private const string Key = "sk-ballast-0123456789abcdef0123456789abcdef";

    private const string LimitedKey = "sk-ballast-limited-0123456789abcdef0123456789";

    private const string Configuration =
        """
        providers:
          local:
            kind: openai-compatible
            platform: local
            region: local
            base_url: "http://127.0.0.1:9/v1"
            api_key: ${PLATFORM_KEY}
            allow_private_addresses: true
            any_model: true
            vendor: openai
            data: { geo: eu, retention_days: 0, training: false }
        teams: { bench: { rate_limits: { requests_per_minute: 2000000000 } } }
        apps: { bench: { team: bench, allow: { geo: [eu] }, rate_limits: { requests_per_minute: 2000000000, input_tokens_per_minute: 2000000000 } } }
        keys:
          bench: { key_env: CLIENT_KEY }
          limited: { key_env: LIMITED_KEY, app: bench, rate_limits: { requests_per_minute: 2000000000, output_tokens_per_minute: 2000000000, concurrent_requests: 1000 } }
        budgets:
          app: { app: bench, usd: 1000000000 }
          team: { team: bench, tokens: 1000000000000 }
        prices: { openai/gpt-4o-mini: { input: 0.15, output: 0.60 } }
        """;

    private static readonly byte[] Request = Encoding.UTF8.GetBytes(
        $$"""{"model":"local/gpt-4o-mini","messages":[{"role":"user","content":"{{Prose(7)}}"}],"temperature":0.2,"max_tokens":256}""");

    private static readonly byte[] Answer = Encoding.UTF8.GetBytes(
        $$$"""{"id":"chatcmpl-1","object":"chat.completion","created":1741569952,"model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,"message":{"role":"assistant","content":"{{{Prose(15)}}}","refusal":null},"finish_reason":"stop"}],"usage":{"prompt_tokens":19,"completion_tokens":210,"total_tokens":229}}""");

    private readonly TimeProvider _time = TimeProvider.System;
    private readonly Guard _guard = new();
    private CatalogSnapshot _catalog = null!;
    private KeyDirectory _keysKnown = null!;
    private HealthBook _health = null!;
    private Router _router = null!;
    private RetryBudget _budget = null!;
    private LedgerSpool _spool = null!;
    private LedgerWriter _ledger = null!;
    private Bookkeeper _bookkeeper = null!;
    private Exchange _exchange = null!;
    private Exchange _admitted = null!;
    private Attempt _attempt = null!;
    private long _keys;

    [GlobalSetup]
    public void Prepare()
    {
        LoadResult loaded = OptionsLoader.Load(Configuration, "bench.yaml", name => name switch { "CLIENT_KEY" => Key, "LIMITED_KEY" => LimitedKey, _ => "sk-platform" });
        _catalog = CatalogBuilder.Build(loaded.Options ?? throw new InvalidOperationException(loaded.Faults[0].Print("bench.yaml")), revision: 1);
        _keysKnown = KeyDirectory.Of(TenantView.Of(_catalog, StoredState.Empty), _guard.Meters, pepper: null);
        _health = new HealthBook(_time);
        _router = new Router(_health, new Random(1));
        _budget = new RetryBudget(_time);
        LiveTotals totals = new(_time);
        // The disk's own time is not what is measured here.
        _spool = LedgerSpool.Open(new SpoolOptions { Folder = Directory.CreateTempSubdirectory("ballast-bench-").FullName, WaitsForDisk = false }, _time);
        _ledger = new LedgerWriter(new NoStore(), _spool, new LedgerWriterOptions(), _time, totals);
        _bookkeeper = new Bookkeeper(_ledger, totals, new AttemptMeter(new GenAIMeter()));
        _exchange = Receive();
        _admitted = Receive();
        _router.Plan(_exchange).TryNext(out Deployment deployment);
        _attempt = _exchange.BeginAttempt(deployment);
        ReadAnswer();
    }

    [GlobalCleanup]
    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await _ledger.DisposeAsync();
        _spool.Dispose();
    }

    /// <summary>A key that came on this connection before.</summary>
    [Benchmark]
    public AdmittedKey? Step_KeyCheck() => _keysKnown.Find(Key.AsMemory(), 0);

    /// <summary>A key on a new connection: it is hashed.</summary>
    [Benchmark]
    public AdmittedKey? Step_KeyCheck_NewConnection() => _keysKnown.Find(string.Create(Key.Length, _keys++, static (text, _) => Key.CopyTo(text)).AsMemory(), 0);

    /// <summary>Key of a standing connection, limits of key, app and team, what the key may ask for, two budgets reserved and settled: all that decides before a route is sought.</summary>
    [Benchmark]
    public long Step_Admission()
    {
        Exchange exchange = _admitted;
        exchange.Reservation = default;
        _guard.Admit(exchange, LimitedKey.AsMemory());
        Guard.Check(exchange, exchange.Model, 200, 256);
        CostBound.Reserve(exchange, _attempt.Deployment);
        long reserved = exchange.Reservation.Tokens;
        _guard.Settle(exchange, new Spending(0.0001m, 229, 19, 210));
        return reserved;
    }

    [Benchmark]
    public RequestEnvelope Step_Peek() => _exchange.Protocol.Peek(Request);

    [Benchmark]
    public Deployment Step_Plan()
    {
        _router.Plan(_exchange).TryNext(out Deployment deployment);
        return deployment;
    }

    [Benchmark]
    public int Step_Splice() => Splice(_exchange, _attempt);

    [Benchmark]
    public long Step_ReadAnswer() => ReadAnswer();

    [Benchmark]
    public async Task<bool> Step_Record()
    {
        _exchange.Attempts.Clear();
        Attempt attempt = _exchange.BeginAttempt(_attempt.Deployment);
        attempt.Usage = _attempt.Usage;
        await _bookkeeper.IntendAsync(_exchange, attempt);
        return await _bookkeeper.SettleAsync(_exchange, isAnswer: true);
    }

    /// <summary>All of it, for one request: what the row "gateway work in-process" of the performance table means.</summary>
    [Benchmark]
    public async Task<long> GatewayWork()
    {
        Exchange exchange = Receive();
        _budget.CountRequest();
        _router.Plan(exchange).TryNext(out Deployment deployment);
        Attempt attempt = exchange.BeginAttempt(deployment);
        await _bookkeeper.IntendAsync(exchange, attempt);
        Splice(exchange, attempt);
        attempt.Usage = Read(attempt).Usage;
        attempt.Result = AttemptResult.Completed;
        _health.Of(deployment).ReportSuccess();
        await _bookkeeper.SettleAsync(exchange, isAnswer: true);
        _guard.Settle(exchange, CostBound.SpentBy(exchange));
        return attempt.Usage!.OutputTokens;
    }

    private Exchange Receive()
    {
        Exchange exchange = new(ProtocolList.OpenAIChat, Operation.Chat, _catalog, _time);
        _guard.Admit(exchange, Key.AsMemory());
        exchange.Envelope = exchange.Protocol.Peek(Request);
        exchange.RequestedModel = exchange.Envelope.Model;
        exchange.Model = _catalog.FindModel(exchange.RequestedModel)!;
        Guard.Check(exchange, exchange.Model);
        return exchange;
    }

    private static int Splice(Exchange exchange, Attempt attempt)
    {
        using PooledBuffer body = new(exchange.Envelope.Body.Length + 256);
        attempt.Protocol.SpliceRequest(exchange.Envelope, attempt.Deployment.Target, body);
        return body.WrittenCount;
    }

    private long ReadAnswer()
    {
        _attempt.Usage = Read(_attempt).Usage;
        _attempt.Result = AttemptResult.Completed;
        return _attempt.Usage!.OutputTokens;
    }

    private static ResponseReader Read(Attempt attempt)
    {
        ResponseReader reader = attempt.Protocol.OpenReader(
            new ReaderOptions { Stream = false, Depth = ReadDepth.UsageOnly, Vendor = attempt.Deployment.Vendor, Losses = attempt.Losses });
        ReadOnlySequence<byte> answer = new(Answer);
        reader.TryReadFrame(ref answer, isCompleted: true, out _, out _);
        return reader;
    }

    /// <summary>As people and models write: with quotes and ends of lines, which JSON escapes.</summary>
    private static string Prose(int sentences) => string.Concat(Enumerable.Repeat("""A paragraph of the contract follows, with \"quotes\" and a line's end.\n""", sentences));

    /// <summary>Takes rows at once: the disk's work is not the request's.</summary>
    private sealed class NoStore : ILedgerStore
    {
        public Task AppendAsync(IReadOnlyList<LedgerEntry> entries, CancellationToken cancellation) => Task.CompletedTask;

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
