using Ballast.Tenancy;

namespace Ballast.Tests.Tenancy;

/// <summary>What every store must do. A store's tests derive from it.</summary>
public abstract class TenancyStoreContract : IAsyncLifetime
{
    private static readonly DateTimeOffset s_now = new(2026, 11, 30, 12, 0, 0, TimeSpan.Zero);

    private ITenancyStore _store = null!;

    protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    protected abstract Task<ITenancyStore> OpenAsync();

    /// <summary>Another gateway's, on the same.</summary>
    protected abstract ITenancyStore OpenOther();

    public async ValueTask InitializeAsync() => _store = await OpenAsync();

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await _store.DisposeAsync();
        await DisposeFolderAsync();
    }

    protected abstract ValueTask DisposeFolderAsync();

    [Fact]
    public async Task TryChangeAsync_AtTheRightVersion_IsThereAndCountsUp()
    {
        Assert.True(await _store.TryChangeAsync(0, new RecordChange("create", "app", "chat", "{}", "{}"), "first", s_now, Cancellation));
        Assert.True(await _store.TryChangeAsync(1, new RecordChange("replace", "app", "chat", """{"tier":1}""", "{}"), "first", s_now, Cancellation));

        StoredState state = await _store.LoadAsync(Cancellation);
        Assert.Equal((2L, 2L), (state.Version, await _store.VersionAsync(Cancellation)));
        Assert.Equal(new StoredRecord("app", "chat", 2, """{"tier":1}"""), Assert.Single(state.Records));
    }

    [Fact]
    public async Task TryChangeAsync_AtAnOldVersion_DoesNothingAndWritesNoAudit()
    {
        await _store.TryChangeAsync(0, new RecordChange("create", "app", "chat", "{}", "{}"), "first", s_now, Cancellation);

        Assert.False(await _store.TryChangeAsync(0, new RecordChange("delete", "app", "chat", null, null), "first", s_now, Cancellation));

        Assert.Single((await _store.LoadAsync(Cancellation)).Records);
        Assert.Single(await _store.AuditAsync(null, 10, Cancellation));
    }

    [Fact]
    public async Task TryChangeAsync_ManyAtOnceFromOneVersion_OneWins()
    {
        bool[] done = await Task.WhenAll(Enumerable.Range(0, 20).Select(i =>
            _store.TryChangeAsync(0, new RecordChange("create", "app", $"app-{i}", "{}", "{}"), "first", s_now, Cancellation)));

        Assert.Single(done, static one => one);
        Assert.Single((await _store.LoadAsync(Cancellation)).Records);
    }

    [Fact]
    public async Task TryChangeAsync_ByAnotherGateway_IsSeenAndCounts()
    {
        await using ITenancyStore other = OpenOther();
        Assert.True(await other.TryChangeAsync(0, new RecordChange("create", "key", "a", "{}", "{}"), "first", s_now, Cancellation));
        Assert.False(await _store.TryChangeAsync(0, new RecordChange("create", "key", "b", "{}", "{}"), "first", s_now, Cancellation));
        Assert.True(await _store.TryChangeAsync(1, new RecordChange("delete", "key", "a", null, null), "first", s_now, Cancellation));

        StoredState state = await other.LoadAsync(Cancellation);
        Assert.Equal((2L, 0), (state.Version, state.Records.Count));
    }

    /// <summary>The book's order, whatever the store's own: by kind, then by name, as bytes.</summary>
    [Fact]
    public async Task LoadAsync_ManyKinds_AreInOneOrder()
    {
        string[] ids = ["b", "a-1", "a.1", "a1", "a_1", "z"];
        for (int i = 0; i < ids.Length; i++)
        {
            await _store.TryChangeAsync(i, new RecordChange("create", i % 2 == 0 ? "key" : "app", ids[i], "{}", "{}"), "first", s_now, Cancellation);
        }

        IReadOnlyList<StoredRecord> records = (await _store.LoadAsync(Cancellation)).Records;
        Assert.Equal(records.OrderBy(static one => one.Kind, StringComparer.Ordinal).ThenBy(static one => one.Id, StringComparer.Ordinal), records);
        Assert.Equal(ids.Length, records.Count);
    }

    [Fact]
    public async Task AuditAsync_AfterChanges_GivesThemTheNewestFirst()
    {
        await _store.TryChangeAsync(0, new RecordChange("create", "app", "chat", "{}", """{"tier":1}"""), "first", s_now, Cancellation);
        await _store.TryChangeAsync(1, new RecordChange("delete", "app", "chat", null, null), "second", s_now.AddSeconds(1), Cancellation);

        IReadOnlyList<AuditDocument> rows = await _store.AuditAsync(null, 10, Cancellation);
        Assert.Equal(["delete", "create"], rows.Select(static row => row.Action));
        Assert.Equal(("second", s_now.AddSeconds(1), (string?)null), (rows[0].Actor, rows[0].At, rows[0].After));
        Assert.Equal("""{"tier":1}""", Assert.Single(await _store.AuditAsync(rows[0].Sequence, 10, Cancellation)).After);
    }
}
