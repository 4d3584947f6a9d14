using Ballast.Tenancy;
using Ballast.Tests.Ledger;

namespace Ballast.Tests.Tenancy;

public sealed class SqliteTenancyStoreTests : TenancyStoreContract
{
    private readonly TemporaryFolder _folder = new();

    protected override Task<ITenancyStore> OpenAsync() => Task.FromResult<ITenancyStore>(SqliteTenancyStore.Open(_folder.File("tenants.db")));

    protected override ITenancyStore OpenOther() => SqliteTenancyStore.Open(_folder.File("tenants.db"));

    protected override ValueTask DisposeFolderAsync()
    {
        _folder.Dispose();
        return default;
    }

    [Fact]
    public async Task Open_NewFile_IsReadableByItsOwnerOnly()
    {
        await using SqliteTenancyStore store = SqliteTenancyStore.Open(_folder.File("mine.db"));
        _ = Pepper.OfFile(_folder.File("mine.pepper"));

        foreach (string file in new[] { "mine.db", "mine.pepper" })
        {
            Assert.True(OperatingSystem.IsWindows() || File.GetUnixFileMode(_folder.File(file)) == (UnixFileMode.UserRead | UnixFileMode.UserWrite), file);
        }
    }

    [Fact]
    public async Task OpenAgain_AfterAChange_StillHasIt()
    {
        string path = _folder.File("again.db");
        await using (SqliteTenancyStore first = SqliteTenancyStore.Open(path))
        {
            await first.TryChangeAsync(0, new RecordChange("create", "app", "chat", "{}", "{}"), "first", DateTimeOffset.UnixEpoch, TestContext.Current.CancellationToken);
        }

        await using SqliteTenancyStore second = SqliteTenancyStore.Open(path);
        Assert.Equal("chat", Assert.Single((await second.LoadAsync(TestContext.Current.CancellationToken)).Records).Id);
    }

    /// <summary>A change in a file that was moved or deleted would be undone by the next start, a revocation too.</summary>
    [Fact]
    public async Task TryChangeAsync_FileIsGone_IsRefusedUntilItIsBack()
    {
        string path = _folder.File("gone.db");
        RecordChange change = new("create", "app", "chat", "{}", "{}");
        await using SqliteTenancyStore store = SqliteTenancyStore.Open(path);
        Assert.Equal(0, await store.VersionAsync(TestContext.Current.CancellationToken));
        File.Move(path, path + ".old");

        await Assert.ThrowsAsync<TenancyStoreException>(() => store.TryChangeAsync(0, change, "first", DateTimeOffset.UnixEpoch, TestContext.Current.CancellationToken));
        Assert.False(File.Exists(path));

        File.Move(path + ".old", path);
        Assert.True(await store.TryChangeAsync(0, change, "first", DateTimeOffset.UnixEpoch, TestContext.Current.CancellationToken));
    }

    [Fact]
    public void Open_FileThatIsNoStore_SaysSo()
    {
        File.WriteAllText(_folder.File("notes.db"), new string('x', 4096));

        Assert.Throws<TenancyStoreException>(() => SqliteTenancyStore.Open(_folder.File("notes.db")));
    }
}
