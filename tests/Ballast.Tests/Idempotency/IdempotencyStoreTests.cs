using System.Text;
using Ballast.Idempotency;
using Ballast.Tests.Ledger;
using Microsoft.Extensions.Time.Testing;

namespace Ballast.Tests.Idempotency;

public sealed class IdempotencyStoreTests : IAsyncLifetime
{
    private static readonly byte[] s_print = new byte[32];

    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 20, 8, 0, 0, TimeSpan.Zero));
    private IdempotencyStore _store = null!;

    private string FilePath => _folder.File("kept.db");

    public ValueTask InitializeAsync()
    {
        _store = new IdempotencyStore(FilePath, _time);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task CompleteAsync_Answer_IsFoundAgainAfterARestart()
    {
        IdempotencyName name = IdempotencyName.Of("key", "a")!;
        Assert.Null(await _store.FindAsync(name));
        Assert.True(await _store.BeginAsync(name, s_print, "req_1", 10));
        Assert.Equal(KeptState.Begun, (await _store.FindAsync(name))!.State);
        KeptAnswer answer = Answer("hello") with { Status = 503, IsCut = true, IsWhole = true, Headers = [new("retry-after", "1"), new("x", "a: b")] };

        await _store.CompleteAsync(name, answer, 1000);
        await _store.DisposeAsync();
        _store = new IdempotencyStore(FilePath, _time);
        KeptAnswer found = (await _store.FindAsync(name))!;

        Assert.Equal(answer.Headers, found.Headers);
        Assert.Equal("hello", Encoding.UTF8.GetString(found.Body.Span));
        Assert.Equal((503, true, true, "req_1", KeptState.Answered), (found.Status, found.IsCut, found.IsWhole, found.ExchangeId, found.State));
    }

    [Fact]
    public async Task FindAsync_AfterADay_FindsNothing()
    {
        IdempotencyName name = IdempotencyName.Of("key", "a")!;
        await _store.BeginAsync(name, s_print, "req_1", 10);
        await _store.CompleteAsync(name, Answer("hello"), 1000);

        _time.Advance(TimeSpan.FromHours(24) - TimeSpan.FromSeconds(1));
        Assert.NotNull(await _store.FindAsync(name));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(await _store.FindAsync(name));
        Assert.True(await _store.BeginAsync(name, s_print, "req_2", 1));
    }

    [Fact]
    public async Task BeginAsync_BeyondTheLimit_IsRefusedForThatApiKeyAlone()
    {
        Assert.True(await _store.BeginAsync(IdempotencyName.Of("key", "a")!, s_print, "req_1", 2));
        Assert.True(await _store.BeginAsync(IdempotencyName.Of("key", "b")!, s_print, "req_2", 2));
        Assert.False(await _store.BeginAsync(IdempotencyName.Of("key", "c")!, s_print, "req_3", 2));
        Assert.True(await _store.BeginAsync(IdempotencyName.Of("other", "c")!, s_print, "req_4", 2));
        await _store.ForgetAsync(IdempotencyName.Of("key", "a")!);
        Assert.True(await _store.BeginAsync(IdempotencyName.Of("key", "c")!, s_print, "req_3", 2));
    }

    [Fact]
    public async Task CompleteAsync_BeyondAllBytes_KeepsThatItWasAnswered()
    {
        foreach (string text in (string[])["a", "b"])
        {
            await _store.BeginAsync(IdempotencyName.Of("key", text)!, s_print, "req_" + text, 10);
            await _store.CompleteAsync(IdempotencyName.Of("key", text)!, Answer("12345") with { ExchangeId = "req_" + text }, 8);
        }

        Assert.Equal(KeptState.Answered, (await _store.FindAsync(IdempotencyName.Of("key", "a")!))!.State);
        Assert.Equal(KeptState.NotKept, (await _store.FindAsync(IdempotencyName.Of("key", "b")!))!.State);
    }

    [Fact]
    public async Task Open_NewFile_IsItsOwnersAloneAndHoldsNoKey()
    {
        await _store.BeginAsync(IdempotencyName.Of("key", "a-key-to-look-for")!, s_print, "req_1", 10);
        await _store.DisposeAsync();

        Assert.DoesNotContain("a-key-to-look-for", Encoding.Latin1.GetString(await File.ReadAllBytesAsync(FilePath, TestContext.Current.CancellationToken)), StringComparison.Ordinal);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(FilePath));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("ü")]
    public void Of_NoKey_IsNull(string text) => Assert.Null(IdempotencyName.Of("key", text));

    [Fact]
    public void Of_LongestKey_IsTaken()
    {
        Assert.NotNull(IdempotencyName.Of("key", new string('k', 255)));
        Assert.Null(IdempotencyName.Of("key", new string('k', 256)));
    }

    private static KeptAnswer Answer(string body) =>
        new() { State = KeptState.Answered, Fingerprint = s_print, ExchangeId = "req_1", Status = 200, Body = Encoding.UTF8.GetBytes(body) };
}
