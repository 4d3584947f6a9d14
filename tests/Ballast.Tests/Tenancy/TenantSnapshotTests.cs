using System.Text;
using Ballast.Tenancy;
using Microsoft.Extensions.Time.Testing;

namespace Ballast.Tests.Tenancy;

/// <summary>The last view of a shared store of keys: gone by for as long as it may be, written by nobody else, and never what was revoked since.</summary>
public sealed class TenantSnapshotTests : IDisposable
{
    private const string Connection = "Host=db;Port=5433;Database=ballast;Username=ballast;Password=one";
    private static readonly TimeSpan s_may = TimeSpan.FromMinutes(15);

    private readonly string _folder = Directory.CreateTempSubdirectory("ballast-last-view-").FullName;
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));

    private string FilePath => Path.Combine(_folder, "ledger.tenants");

    [Fact]
    public async Task Read_WhatWasKept_IsTheSameAndOnlyItsOwnersToRead()
    {
        New().Keep(State(7, "digest-of-one"));
        _time.Advance(TimeSpan.FromMinutes(14));

        LastSeen seen = New(connection: Connection.Replace("one", "another", StringComparison.Ordinal)).Read(s_may);

        Assert.Equal(7, seen.State.Version);
        Assert.Equal(42, seen.Database);
        Assert.Equal(new StoredRecord("key", "k1", 3, "digest-of-one"), Assert.Single(seen.State.Records));
        Assert.Equal(_time.GetUtcNow() - TimeSpan.FromMinutes(14), seen.At);
        Assert.True(OperatingSystem.IsWindows() || File.GetUnixFileMode(FilePath) == (UnixFileMode.UserRead | UnixFileMode.UserWrite));
        Assert.DoesNotContain("digest", Encoding.Latin1.GetString(await File.ReadAllBytesAsync(FilePath, TestContext.Current.CancellationToken)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(15 * 60 + 1)]
    [InlineData(-120)]
    public void Read_OlderThanItMayBeOrOfTheFuture_IsRefused(int seconds)
    {
        New().Keep(State(1, "x"));
        FakeTimeProvider later = new(_time.GetUtcNow().AddSeconds(seconds));

        TenancyStoreException refused = Assert.Throws<TenancyStoreException>(() => New(time: later).Read(s_may));

        Assert.Contains("tenancy.stale_after", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_OfAnotherSecretOrDatabase_IsRefused()
    {
        New().Keep(State(1, "x"));

        Assert.Throws<TenancyStoreException>(() => New(pepper: "another pepper").Read(s_may));
        Assert.Throws<TenancyStoreException>(() => New(connection: Connection.Replace("5433", "5434", StringComparison.Ordinal)).Read(s_may));
        Assert.Throws<TenancyStoreException>(() => New(connection: Connection.Replace("=ballast;", "=other;", StringComparison.Ordinal)).Read(s_may));
        Assert.Equal(1, New().Read(s_may).State.Version);
    }

    [Fact]
    public async Task Read_ChangedAnywhere_IsRefusedAndSaysSo()
    {
        New().Keep(State(1, "x"));
        byte[] kept = await File.ReadAllBytesAsync(FilePath, TestContext.Current.CancellationToken);
        for (int i = 0; i < kept.Length; i++)
        {
            byte[] changed = [.. kept];
            changed[i] ^= 1;
            await File.WriteAllBytesAsync(FilePath, changed, TestContext.Current.CancellationToken);
            Assert.Contains("was changed", Assert.Throws<TenancyStoreException>(() => New().Read(s_may)).Message, StringComparison.Ordinal);
        }

        // In clear, as whoever has no secret would write it.
        await File.WriteAllTextAsync(FilePath, """{"seen_at":"2026-03-01T12:00:00+00:00","database":42,"version":9,"records":[]}""", TestContext.Current.CancellationToken);
        Assert.Contains("was changed", Assert.Throws<TenancyStoreException>(() => New().Read(s_may)).Message, StringComparison.Ordinal);
        await File.WriteAllBytesAsync(FilePath, kept[..^5], TestContext.Current.CancellationToken);
        Assert.Throws<TenancyStoreException>(() => New().Read(s_may));
        File.Delete(FilePath);
        Assert.Contains("no last view", Assert.Throws<TenancyStoreException>(() => New().Read(s_may)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Keep_ViewsOneAfterAnother_KeepsTheNewestAndSeesTheSameAgain()
    {
        TenantSnapshot snapshot = New();
        DateTimeOffset first = _time.GetUtcNow();
        snapshot.Keep(State(2, "newer"));
        snapshot.Keep(State(1, "older"));
        Assert.Equal(2, snapshot.Read(s_may).State.Version);

        _time.Advance(TenantSnapshot.WriteEvery / 2);
        snapshot.Keep(State(2, "newer"));
        Assert.Equal(first, snapshot.Read(s_may).At);

        _time.Advance(TenantSnapshot.WriteEvery);
        snapshot.Keep(State(2, "newer"));
        Assert.Equal(_time.GetUtcNow(), snapshot.Read(s_may).At);
    }

    [Fact]
    public void Keep_WhereItCannotBeWritten_LeavesNoneThatKnowsLess()
    {
        TenantSnapshot snapshot = New();
        snapshot.Keep(State(1, "a key that is revoked next"));
        Directory.CreateDirectory(FilePath + ".new");

        Assert.Throws<TenancyStoreException>(() => snapshot.Keep(State(2, "revoked")));

        Assert.False(File.Exists(FilePath));
    }

    [Fact]
    public async Task Book_OpenedWithALastView_CountsTheTimeWithoutItsStoreFromThere()
    {
        New().Keep(State(4, """{"id":"k1","app":"tests"}"""));
        _time.Advance(TimeSpan.FromMinutes(10));
        LastSeen seen = New().Read(s_may);
        await using TenantHouse house = await TenantHouse.OpenAsync();

        await using TenantBook book = await TenantBook.OpenAsync(
            PostgresTenancyStore.Of("Host=127.0.0.1;Port=1;Database=ballast;Username=ballast"), house.Catalog, _time, onFailure: null, New(), seen);
        _time.Advance(TimeSpan.FromMinutes(2));

        Assert.Equal(4, book.View.Version);
        Assert.InRange(book.UnseenFor, TimeSpan.FromMinutes(12), TimeSpan.FromMinutes(12.1));
        Assert.Equal(seen.At, New().Read(s_may).At);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private TenantSnapshot New(string pepper = "pepper", string connection = Connection, FakeTimeProvider? time = null) => new(FilePath, Pepper.Of(pepper), connection, time ?? _time) { Database = 42 };

    private static StoredState State(long version, string body) => new(version, [new StoredRecord("key", "k1", 3, body)]);
}
