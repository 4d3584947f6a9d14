using Ballast.Handles;
using Ballast.Tests.Ledger;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Time.Testing;

namespace Ballast.Tests.Handles;

public sealed class HandleStoreTests : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private HandleStore _store;

    public HandleStoreTests() => _store = new HandleStore(_folder.File("handles.db"), _time);

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task TryAdd_ThenFind_GivesTheWholeHandleToItsAppAlone()
    {
        Handle added = Make("file-1") with { Purpose = "batch", Models = ["a", "b/c"], IsFinal = true, GoneAt = _time.GetUtcNow().AddDays(3), Object = new byte[] { 1, 2 } };
        Assert.NotNull(await _store.TryAddAsync(added, 10));
        await ReopenAsync();

        Handle found = (await _store.FindAsync(added.Name, HandleKind.File, "app"))!;

        Assert.Equal(added with { Models = found.Models, Object = found.Object }, found);
        Assert.Equal(added.Models, found.Models);
        Assert.Equal("0102", Convert.ToHexString(found.Object.Span));
        Assert.Null(await _store.FindAsync(added.Name, HandleKind.File, "other"));
        Assert.Null(await _store.FindAsync(added.Name, HandleKind.Batch, "app"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("file-1' OR '1'='1")]
    [InlineData("batch_00000000000000000000000000000000")]
    [InlineData("file-0000000000000000000000000000000A")]
    public async Task Find_NameThatIsNone_LooksNowhere(string name)
    {
        Assert.Null(await _store.FindAsync(name, HandleKind.File, "app"));
        Assert.False(File.Exists(_store.Path));
    }

    [Fact]
    public async Task TryAdd_FullApp_IsRefusedUntilSomethingGoes()
    {
        Handle first = Make("file-1");
        Assert.NotNull(await _store.TryAddAsync(first, 2));
        Assert.NotNull(await _store.TryAddAsync(Make("file-2"), 2));
        Assert.Null(await _store.TryAddAsync(Make("file-3"), 2));
        Assert.NotNull(await _store.TryAddAsync(Make("file-3") with { App = "other" }, 2));

        await _store.RemoveAsync(first);

        Assert.NotNull(await _store.TryAddAsync(Make("file-3"), 2));
        Assert.Equal(2, await _store.CountAsync("app"));
    }

    [Fact]
    public async Task GetOrAdd_KnownByItsProvidersId_KeepsItsName()
    {
        Handle first = await _store.GetOrAddAsync(Make("file-1"));

        Assert.Equal(first.Name, (await _store.GetOrAddAsync(Make("file-1"))).Name);
        Assert.NotEqual(first.Name, (await _store.GetOrAddAsync(Make("file-1") with { Provider = "elsewhere" })).Name);
        Assert.NotEqual(first.Name, (await _store.GetOrAddAsync(Make("file-1") with { App = "other" })).Name);
    }

    [Fact]
    public async Task Update_ToItsEnd_IsSoOnceAndForGood()
    {
        Handle batch = Make("batch_1") with { Kind = HandleKind.Batch, Name = HandleName.Make(HandleKind.Batch) };
        await _store.TryAddAsync(batch, 10);

        Assert.False(await _store.UpdateAsync(batch with { Object = new byte[] { 1 } }));
        Assert.True(await _store.UpdateAsync(batch with { Object = new byte[] { 2 }, IsFinal = true }));
        Assert.False(await _store.UpdateAsync(batch with { Object = new byte[] { 2 }, IsFinal = true }));
        Assert.False(await _store.UpdateAsync(batch with { Object = new byte[] { 3 } }));

        Handle found = (await _store.FindAsync(batch.Name, HandleKind.Batch, "app"))!;
        Assert.Equal((true, 2), (found.IsFinal, found.Object.Span[0]));
    }

    [Fact]
    public async Task Find_Unused_IsForgottenAndUsedIsNot()
    {
        Handle used = Make("file-1");
        Handle unused = Make("file-2");
        Handle gone = Make("file-3") with { GoneAt = _time.GetUtcNow().AddDays(1) };
        foreach (Handle handle in (Handle[])[used, unused, gone])
        {
            await _store.TryAddAsync(handle, 10);
        }

        _time.Advance(HandleStore.Lifetime - TimeSpan.FromDays(2));
        Assert.NotNull(await _store.FindAsync(used.Name, HandleKind.File, "app"));
        Assert.Null(await _store.FindAsync(gone.Name, HandleKind.File, "app"));
        _time.Advance(TimeSpan.FromDays(3));

        Assert.NotNull(await _store.FindAsync(used.Name, HandleKind.File, "app"));
        Assert.Null(await _store.FindAsync(unused.Name, HandleKind.File, "app"));
        Assert.Equal(1, await _store.CountAsync("app"));
        Assert.Equal([used.Name], (await _store.ListAsync("app", new HandleQuery(HandleKind.File, 10))).Handles.Select(handle => handle.Name));
    }

    [Fact]
    public async Task List_OneAppsFiles_IsInOrderAndPaged()
    {
        List<string> names = [];
        for (int i = 0; i < 5; i++)
        {
            Handle handle = Make($"file-{i}") with { Purpose = i == 3 ? "batch" : "vision" };
            names.Add(handle.Name);
            await _store.TryAddAsync(handle, 10);
            await _store.TryAddAsync(Make($"file-{i}") with { App = "other" }, 10);
        }

        HandlePage page = await _store.ListAsync("app", new HandleQuery(HandleKind.File, 2, After: names[3]));
        Assert.True(page.HasMore);
        Assert.Equal([names[2], names[1]], page.Handles.Select(handle => handle.Name));
        page = await _store.ListAsync("app", new HandleQuery(HandleKind.File, 2, After: names[2], IsAscending: true));
        Assert.False(page.HasMore);
        Assert.Equal([names[3], names[4]], page.Handles.Select(handle => handle.Name));
        Assert.Equal(names[3], Assert.Single((await _store.ListAsync("app", new HandleQuery(HandleKind.File, 9, Purpose: "batch"))).Handles).Name);
        Assert.Empty((await _store.ListAsync("app", new HandleQuery(HandleKind.Batch, 9))).Handles);
    }

    [Fact]
    public async Task Open_NewerVersion_IsRefused()
    {
        await _store.TryAddAsync(Make("file-1"), 10);
        await _store.DisposeAsync();
        using (SqliteConnection connection = new($"Data Source={_folder.File("handles.db")};Pooling=False"))
        {
            connection.Open();
            using SqliteCommand command = connection.CreateCommand();
            command.CommandText = "PRAGMA user_version = 99";
            command.ExecuteNonQuery();
        }

        _store = new HandleStore(_folder.File("handles.db"), _time);

        Assert.Contains("newer Ballast", (await Assert.ThrowsAsync<HandleStoreException>(() => _store.CountAsync("app"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_NoDatabase_IsToldAsSuch()
    {
        await File.WriteAllTextAsync(_folder.File("handles.db"), new string('x', 5000), TestContext.Current.CancellationToken);

        await Assert.ThrowsAsync<HandleStoreException>(() => _store.TryAddAsync(Make("file-1"), 10));
    }

    [Fact]
    public async Task File_OnTheDisk_IsForItsOwnerAlone()
    {
        await _store.TryAddAsync(Make("file-1"), 10);

        Assert.True(OperatingSystem.IsWindows() || File.GetUnixFileMode(_store.Path) == (UnixFileMode.UserRead | UnixFileMode.UserWrite));
    }

    [Fact]
    public async Task TryAdd_ManyAtOnce_KeepsTheBound()
    {
        Handle?[] added = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => _store.TryAddAsync(Make($"file-{i}"), 25)));

        Assert.Equal(25, added.Count(handle => handle is not null));
        Assert.Equal(25, await _store.CountAsync("app"));
    }

    private async Task ReopenAsync()
    {
        await _store.DisposeAsync();
        _store = new HandleStore(_folder.File("handles.db"), _time);
    }

    private static Handle Make(string upstreamId) => new()
    {
        Name = HandleName.Make(HandleKind.File),
        Kind = HandleKind.File,
        App = "app",
        Provider = "openai",
        Deployment = "openai/small",
        UpstreamId = upstreamId,
    };
}
