using Ballast.Ledger;

namespace Ballast.Tests.Ledger;

/// <summary>A real ledger file for one test.</summary>
internal sealed class TestLedger : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly SqliteLedgerStore _store;

    public TestLedger()
    {
        Path = _folder.File("ledger.db");
        _store = SqliteLedgerStore.Open(Path);
    }

    public string Path { get; }

    public LedgerReader Reader => new(Path);

    public static async Task<TestLedger> WithAsync(params IReadOnlyList<LedgerEntry> entries)
    {
        TestLedger ledger = new();
        await ledger.AppendAsync(entries);
        return ledger;
    }

    public Task AppendAsync(params IReadOnlyList<LedgerEntry> entries) => _store.AppendAsync(entries, TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        _folder.Dispose();
    }
}
