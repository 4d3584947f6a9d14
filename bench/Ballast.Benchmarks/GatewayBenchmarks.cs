using System.Buffers;
using System.Text;
using Ballast.Catalog;
using Ballast.Configuration;
using Ballast.Exchanges;
using Ballast.Gateway;
using Ballast.Guards;
using Ballast.Ledger;
using Ballast.Protocols;
using Ballast.Routing;
using Ballast.Upstream;
using BenchmarkDotNet.Attributes;

namespace Ballast.Benchmarks;

/// <summary>What a gateway does beyond carrying bytes: key, first look, route, upstream's request, usage, health, one ledger row.</summary>
public class GatewayBenchmarks : IAsyncDisposable
{
    private const string Key = "sk-ballast-0123456789abcdef0123456789abcdef";

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
        keys: { bench: { key_env: CLIENT_KEY, app: bench } }
        prices: { openai/gpt-4o-mini: { input: 0.15, output: 0.60 } }
        """;

    private static readonly byte[] Request = Encoding.UTF8.GetBytes(
        $$"""{"model":"local/gpt-4o-mini","messages":[{"role":"user","content":"{{new string('a', 500)}}"}],"temperature":0.2,"max_tokens":256}""");

    private static readonly byte[] Answer = Encoding.UTF8.GetBytes(
        $$$"""{"id":"chatcmpl-1","object":"chat.completion","created":1741569952,"model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,"message":{"role":"assistant","content":"{{{new string('a', 1100)}}}","refusal":null},"finish_reason":"stop"}],"usage":{"prompt_tokens":19,"completion_tokens":210,"total_tokens":229}}""");

    private readonly TimeProvider _time = TimeProvider.System;
    private CatalogSnapshot _catalog = null!;
    private HealthBook _health = null!;
    private Router _router = null!;
    private LedgerWriter _ledger = null!;
    private Bookkeeper _bookkeeper = null!;
    private readonly Guard _guard = new();

    [GlobalSetup]
    public void Prepare()
    {
        LoadResult loaded = OptionsLoader.Load(Configuration, "bench.yaml", name => name == "CLIENT_KEY" ? Key : "sk-platform");
        _catalog = CatalogBuilder.Build(loaded.Options ?? throw new InvalidOperationException(loaded.Faults[0].Print("bench.yaml")), revision: 1);
        _health = new HealthBook(_time);
        _router = new Router(_health, new Random(1));
        LiveTotals totals = new(_time);
        _ledger = new LedgerWriter(new NoStore(), new LedgerWriterOptions(), _time, totals);
        _bookkeeper = new Bookkeeper(_ledger, totals);
    }

    [GlobalCleanup]
    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return _ledger.DisposeAsync();
    }

    [Benchmark]
    public ApiKey KeyCheckAlone() => KeyCheck.Find(_catalog, Key);

    [Benchmark]
    public async Task<long> AllGatewayWork()
    {
        Exchange exchange = new(ProtocolList.OpenAIChat, Operation.Chat, _catalog, _time);
        Admission admission = _guard.Admit(exchange, Key);
        exchange.Envelope = exchange.Protocol.Peek(Request);
        exchange.RequestedModel = exchange.Envelope.Model;
        exchange.Model = _catalog.FindModel(exchange.RequestedModel)!;
        Guard.Check(exchange, exchange.Model);
        _router.Plan(exchange).TryNext(out Deployment deployment);
        Attempt attempt = exchange.BeginAttempt(deployment);
        using HttpRequestMessage request = UpstreamRequest.Build(exchange, attempt);

        ResponseReader reader = deployment.Protocols[0].OpenReader(new ReaderOptions { Stream = false, Depth = ReadDepth.UsageOnly, Vendor = deployment.Vendor });
        ReadOnlySequence<byte> answer = new(Answer);
        reader.TryReadFrame(ref answer, isCompleted: true, out _, out _);
        attempt.Usage = reader.Usage;
        attempt.Result = AttemptResult.Completed;
        _health.Of(deployment).ReportSuccess();
        await _bookkeeper.RecordAsync(exchange);
        _guard.Settle(admission);
        return attempt.Usage!.OutputTokens;
    }

    /// <summary>Takes rows at once: the disk's work is not the request's.</summary>
    private sealed class NoStore : ILedgerStore
    {
        public Task AppendAsync(IReadOnlyList<LedgerEntry> entries, CancellationToken cancellation) => Task.CompletedTask;

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
