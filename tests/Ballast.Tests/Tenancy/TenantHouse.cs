using Ballast.Catalog;
using Ballast.Configuration;
using Ballast.Exchanges;
using Ballast.Guards;
using Ballast.Protocols;
using Ballast.Tenancy;
using Ballast.Tests.Ledger;
using Microsoft.Extensions.Time.Testing;

namespace Ballast.Tests.Tenancy;

/// <summary>Store, book, desk and guard as a gateway puts them together, without its ports.</summary>
internal sealed class TenantHouse : IAsyncDisposable
{
    public const string DeclaredKey = "a-key-from-the-file";

    private const string Yaml = """
        providers:
          azure:
            kind: openai-compatible
            platform: azure
            region: swedencentral
            base_url: http://127.0.0.1:9/v1
            allow_private_addresses: true
            data: { geo: eu, retention_days: 0, training: false }
            deployments:
              gpt: { vendor: openai }
        models:
          chat: { deployments: [azure/gpt] }
          limited: { deployments: [azure/gpt], rate_limits: { requests_per_minute: 2 } }
        organisations:
          acme: { allow: { geo: [eu, us], retention_days_max: 30 }, models: [chat, limited, azure/gpt] }
        teams:
          research: { organisation: acme }
        apps:
          support: { team: research, tier: 1, allow: { geo: [eu], retention_days_max: 30 } }
        keys:
          declared: { key_env: DECLARED_KEY, app: support }
          old: { key_env: OLD_KEY, app: legacy, expires: 2026-12-31, scopes: [embeddings] }
        """;

    private readonly TemporaryFolder _folder;

    private TenantHouse(CatalogHolder catalog, TenantBook book, Pepper pepper, FakeTimeProvider time, TemporaryFolder folder)
    {
        (Catalog, Book, Time, _folder) = (catalog, book, time, folder);
        Desk = new TenantDesk(book, pepper, time);
        Guard = new Guard(time, pepper);
        book.Changed = Guard.Install;
        Guard.Install(book.View);
    }

    public CatalogHolder Catalog { get; }
    public TenantBook Book { get; }
    public TenantDesk Desk { get; }
    public Guard Guard { get; }
    public FakeTimeProvider Time { get; }
    public AdminIdentity Root { get; private set; } = null!;
    public string StorePath => _folder.File("tenants.db");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static async Task<TenantHouse> OpenAsync(string moreYaml = "", Func<ITenancyStore, ITenancyStore>? around = null)
    {
        TemporaryFolder folder = new();
        LoadResult loaded = OptionsLoader.Load(Yaml + "\n" + moreYaml, "test.yaml", static name => name == "DECLARED_KEY" ? DeclaredKey : "an-old-key-of-the-file");
        Assert.True(loaded.Options is not null, string.Join('\n', loaded.Faults.Select(static fault => fault.Print("test.yaml"))));
        CatalogHolder catalog = new(CatalogBuilder.Build(loaded.Options, revision: 1), loaded.Options);
        FakeTimeProvider time = new(new DateTimeOffset(2026, 11, 30, 12, 0, 0, TimeSpan.Zero));
        ITenancyStore store = SqliteTenancyStore.Open(folder.File("tenants.db"));
        TenantBook book = await TenantBook.OpenAsync(around?.Invoke(store) ?? store, catalog, time);
        TenantHouse house = new(catalog, book, Pepper.OfFile(folder.File("tenants.pepper")), time, folder);
        house.Root = house.Desk.Identify((await house.Desk.MakeFirstTokenAsync(Cancellation))!)!;
        return house;
    }

    public async Task<KeyDocument> MakeKeyAsync(KeyDocument? wanted = null) =>
        (KeyDocument)await Desk.CreateAsync(Root, "key", wanted ?? new KeyDocument { App = "support" }, Cancellation);

    public async Task<AdminIdentity> MakeTokenAsync(TokenDocument wanted) =>
        Desk.Identify(((TokenDocument)await Desk.CreateAsync(Root, "token", wanted, Cancellation)).Token!)!;

    /// <summary>Admits a request and ends it at once: the key as it is seen, or the code of the refusal.</summary>
    public (ApiKey? Key, string? Refusal) Ask(string key, Operation operation = Operation.Chat)
    {
        Exchange exchange = Begin(key, operation, out string? refusal);
        Guard.Settle(exchange);
        return (refusal is null ? exchange.Key : null, refusal);
    }

    public Exchange Begin(string key, Operation operation, out string? refusal)
    {
        Exchange exchange = new(ProtocolList.OpenAIChat, operation, Catalog.Current, Time);
        try
        {
            Guard.Admit(exchange, key.AsMemory());
            refusal = null;
        }
        catch (GatewayException refused)
        {
            refusal = refused.Code;
        }

        return exchange;
    }

    /// <summary>Writes everything out; nothing can be changed any more.</summary>
    public ValueTask DisposeBookAsync() => Book.DisposeAsync();

    public async ValueTask DisposeAsync()
    {
        await Book.DisposeAsync();
        _folder.Dispose();
    }
}
