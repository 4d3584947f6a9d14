using System.Security.Cryptography;
using System.Text;
using Ballast.Catalog;
using Ballast.Configuration;
using Ballast.Ledger;
using Ballast.Protocols;
using Ballast.Sandbox;
using Ballast.Server;
using Microsoft.Extensions.Logging;

namespace Ballast.Cli.Replay;

/// <summary>One request through the gateway: what the caller got, and what had arrived at the platform.</summary>
internal sealed record ReplayedCall(int Status, string ExchangeId, byte[] Body, ArrivedRequest? Arrived)
{
    /// <summary>The gateway counted itself, and says so.</summary>
    public bool IsEstimated { get; init; }
}

/// <summary>
/// All that a replay runs on, on loopback: a platform that plays recordings, the gateway in front of it with one provider for each recorded one, its ledger. Requests
/// are pinned to one deployment and tried once.
/// </summary>
internal sealed class ReplayHouse : IAsyncDisposable
{
    /// <summary>The provider that stands for a whole other platform when a request is brought into its other protocol.</summary>
    private const string CarrierPrefix = "carrier-";

    private const string KeyPrefix = "ballast-replay-";
    private static readonly TimeSpan SettleTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan SettleStep = TimeSpan.FromMilliseconds(2);

    private readonly RecordedPlatform _platform;
    private readonly BallastServer _server;
    private readonly string _folder;
    private readonly HttpClient _client = new(new SocketsHttpHandler { UseProxy = false, UseCookies = false }) { Timeout = TimeSpan.FromMinutes(1) };

    private ReplayHouse(RecordedPlatform platform, BallastServer server, string folder)
    {
        _platform = platform;
        _server = server;
        _folder = folder;
    }

    public static async Task<ReplayHouse> StartAsync(IEnumerable<RecordedEntry> entries, CancellationToken cancellation)
    {
        RecordedPlatform platform = await RecordedPlatform.StartAsync(cancellation).ConfigureAwait(false);
        string folder = Directory.CreateTempSubdirectory("ballast-replay-").FullName;
        try
        {
            BallastOptions options = new()
            {
                Providers =
                [
                    .. entries.Select(entry => (entry.Provider, entry.Api)).Distinct()
                        .Select(pair => ProviderOf(ProviderName(pair.Provider, pair.Api), ReplayRoute.ProviderOf(pair.Provider, pair.Api), platform.Address, pair.Provider))
                        .DistinctBy(provider => provider.Name),
                    ProviderOf(BesideName(WireApi.Messages), (ProviderKindName.Anthropic, null), platform.Address),
                    ProviderOf(BesideName(WireApi.Gemini), (ProviderKindName.Gemini, null), platform.Address),
                    ProviderOf(BesideName(ProtocolList.VertexEmbeddings.Name), (ProviderKindName.Gemini, ProtocolList.VertexEmbeddings.Name), platform.Address),
                    ProviderOf(BesideName(WireApi.Cohere), (ProviderKindName.Cohere, ProtocolList.CohereEmbeddings.Name), platform.Address),
                    ProviderOf(CarrierPrefix + WireApi.Messages, (ProviderKindName.Anthropic, null), platform.Address),
                    ProviderOf(CarrierPrefix + WireApi.Chat, (ProviderKindName.OpenAI, ProtocolList.OpenAIChat.Name), platform.Address),
                ],
                // One for each exchange: what is kept of a conversation is kept for a key, and no exchange may depend on another.
                Keys = [.. entries.Select(entry => new KeyOptions { Id = entry.Id, Digest = SHA256.HashData(Encoding.UTF8.GetBytes(KeyPrefix + entry.Id)) })],
                Limits = new LimitsOptions { AttemptsMax = 1, DrainTimeout = TimeSpan.FromSeconds(1) },
            };
            BallastServer server = await BallastServer.StartAsync(
                new ServerSetup
                {
                    Catalog = new CatalogHolder(CatalogBuilder.Build(options, revision: 1), options),
                    Listen = Loopback,
                    Admin = Loopback,
                    LedgerPath = Path.Combine(folder, "ledger.db"),
                    LogLevel = LogLevel.Critical,
                    Seed = 1,
                },
                cancellation).ConfigureAwait(false);
            return new ReplayHouse(platform, server, folder);
        }
        catch
        {
            await platform.DisposeAsync().ConfigureAwait(false);
            Directory.Delete(folder, recursive: true);
            throw;
        }
    }

    private static Uri Loopback => new UriBuilder("http", "127.0.0.1", 0).Uri;

    public TimeProvider Time => _server.Time;

    /// <summary>The recorded platform's deployment of a model, as a caller names it.</summary>
    public static string Deployment(RecordedExchange exchange, string model) => $"{ProviderName(exchange.Provider, exchange.Api)}/{model}";

    /// <summary>The deployment that serves what a vendor has beside its chat: counts of tokens, vectors in its own form.</summary>
    public static string Beside(string api, string model) => $"{BesideName(api)}/{model}";

    /// <summary>A deployment that takes requests of any model in the given protocol.</summary>
    public static string Carrier(string api, string model) => $"{CarrierPrefix}{api}/{model}";

    /// <param name="expected">What the platform answers.</param>
    /// <param name="route">How the caller speaks.</param>
    /// <param name="deployment">Whom it asks for.</param>
    /// <param name="body">The caller's request.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public async Task<ReplayedCall> CallAsync(RecordedExchange expected, ReplayRoute route, string deployment, byte[] body, CancellationToken cancellation)
    {
        _server.Health.Reset();
        _platform.Expect(expected);
        using HttpRequestMessage request = new(HttpMethod.Post, new Uri(_server.Address, route.PathTo(deployment))) { Content = new ByteArrayContent(body) };
        string contentType = route.Operation is null || expected.Form.IsEmpty ? "application/json" : RecordedForm.ContentTypeOf(expected);
        request.Content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {KeyPrefix}{expected.Id}");
        if (route.Api == WireApi.Messages)
        {
            request.Headers.TryAddWithoutValidation("anthropic-version", expected.RequestHeader("anthropic-version") ?? "2023-06-01");
            if (expected.Api == route.Api && expected.RequestHeader("anthropic-beta") is { } beta)
            {
                request.Headers.TryAddWithoutValidation("anthropic-beta", beta);
            }
        }

        using HttpResponseMessage answer = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation).ConfigureAwait(false);
        byte[] bytes = await ReadAsync(answer, cancellation).ConfigureAwait(false);
        string id = answer.Headers.TryGetValues("x-ballast-request-id", out IEnumerable<string>? ids) ? ids.First() : "";
        return new ReplayedCall((int)answer.StatusCode, id, bytes, _platform.TakeArrived()) { IsEstimated = answer.Headers.Contains("x-ballast-estimated") };
    }

    /// <summary>The losses that the ledger's attempts since a moment declared, by exchange.</summary>
    public async Task<IReadOnlyDictionary<string, IReadOnlyList<string>>> LossesAsync(DateTimeOffset since, CancellationToken cancellation)
    {
        // A row is recorded behind the answer's last byte: the caller may be ahead of it.
        long start = Time.GetTimestamp();
        while (_server.Guard.Running > 0 && Time.GetElapsedTime(start) < SettleTimeout)
        {
            await Task.Delay(SettleStep, Time, cancellation).ConfigureAwait(false);
        }

        await _server.Ledger.FlushAsync(cancellation).ConfigureAwait(false);
        IReadOnlyList<LedgerEntry> rows = await new LedgerReader(Path.Combine(_folder, "ledger.db"))
            .EntriesAsync(new LedgerFilter(Since: since), int.MaxValue, cancellation).ConfigureAwait(false);
        return rows.GroupBy(row => row.ExchangeId).ToDictionary(group => group.Key, group => group.Last().Losses);
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _server.DisposeAsync().ConfigureAwait(false);
        await _platform.DisposeAsync().ConfigureAwait(false);
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>An answer that is cut has no whole body: what came of it counts.</summary>
    private static async Task<byte[]> ReadAsync(HttpResponseMessage answer, CancellationToken cancellation)
    {
        using MemoryStream body = new();
        try
        {
            await answer.Content.CopyToAsync(body, cancellation).ConfigureAwait(false);
        }
        catch (HttpRequestException)
        {
            // The connection broke off, which is a way to end, too: the bytes are judged.
        }

        return body.ToArray();
    }

    private static string BesideName(string api) => $"beside-{ProviderName("any", api)}";

    private static string ProviderName(string provider, string api) =>
        new([.. $"{provider}-{api}".ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-')]);

    private static ProviderOptions ProviderOf(string name, (string Kind, string? Protocol) speaks, Uri address, string? platform = null) => new()
    {
        Name = name,
        Kind = speaks.Kind,
        Protocols = speaks.Protocol is { } protocol ? [protocol] : [],
        Platform = "recorded",
        Region = "recorded",
        BaseUrl = new Uri(address, speaks.Kind == ProviderKindName.OpenAICompatible ? "/v1" : "/"),
        AllowPrivateAddresses = true,
        AnyModel = true,
        // A recorded platform understands what it is known for. Which of its models take a schema for answers, AWS does not say by their names, nor Ollama which of them reason: those that were asked did.
        Features = speaks.Protocol == ProtocolList.BedrockConverse.Name ? ["+json_schema"] 
            : speaks.Protocol == ProtocolList.OllamaChat.Name ? ["+reasoning_effort"]
            : [.. FeatureName.Adding(FeatureDefaults.BeyondKind(FeatureDefaults.KindOf(speaks.Kind), platform))],
        Vendor = VendorName.ByName,
        Data = new DataOptions { Geo = "local", RetentionDays = 0, Training = false },
    };
}
