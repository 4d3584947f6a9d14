using System.Text;
using Ballast.Configuration;
using Ballast.Conversations;
using Ballast.Protocols;
using Ballast.Tests.Ledger;
using Microsoft.Extensions.Time.Testing;

namespace Ballast.Tests.Conversations;

public sealed class ConversationStoreTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(56));

    public void Dispose() => _folder.Dispose();

    private ConversationOptions Options => new() { Path = _folder.File("talk.db"), CountPerKeyMax = 3, BytesPerKeyMax = 4000 };

    private ConversationStore Open(ConversationOptions? options = null) => ConversationStore.Open(options ?? Options, _time);

    private static StoredItem Item(string id, string text = "x", string issuer = "") => new(id, Encoding.UTF8.GetBytes($"{{\"id\":\"{id}\",\"text\":\"{text}\"}}"), issuer);

    private static StoredAnswer Answer(string key, string id, string? previous = null, string text = "x") => new()
    {
        KeyId = key,
        Id = id,
        PreviousId = previous,
        Json = Encoding.UTF8.GetBytes($"{{\"id\":\"{id}\"}}"),
        Input = [Item($"{id}-in", text)],
        Output = [Item($"{id}-out", text, "openai@a")],
    };

    private static async Task<string> SaidAsync(ConversationStore store, string key, string previous) =>
        (await store.EarlierAsync(key, previous, null, [], 1 << 20)) is { Missing: null } earlier ? string.Join(' ', earlier.Items.Select(item => item.Id)) : "missing";

    [Fact]
    public async Task EarlierAsync_RightAfterKeeping_GivesTheWholeChainInOrder()
    {
        await using ConversationStore store = Open();
        store.Keep(Answer("a", "1"), null, isListed: true);
        store.Keep(Answer("a", "2", "1"), null, isListed: true);
        store.Keep(Answer("a", "3", "2"), null, isListed: true);
        EarlierItems earlier = await store.EarlierAsync("a", "3", null, ["2-out", "none"], 1 << 20);
        Assert.Equal(["1-in", "1-out", "2-in", "2-out", "3-in", "3-out"], earlier.Items.Select(item => item.Id));
        Assert.Equal("openai@a", earlier.Items[1].Issuer);
        Assert.Equal(["2-out"], earlier.Named.Keys);
    }

    [Fact]
    public async Task EarlierAsync_ForAnotherKey_FindsNothing()
    {
        await using ConversationStore store = Open();
        store.Keep(Answer("a", "1"), null, isListed: true);
        EarlierItems earlier = await store.EarlierAsync("b", "1", null, ["1-out"], 1 << 20);
        Assert.Equal("1", earlier.Missing);
        Assert.Empty((await store.EarlierAsync("b", null, null, ["1-out"], 1 << 20)).Named);
        Assert.Null(await store.FindAnswerAsync("b", "1"));
        Assert.False(await store.DeleteAnswerAsync("b", "1"));
        Assert.NotNull(await store.FindAnswerAsync("a", "1"));
    }

    [Fact]
    public async Task DisposeAsync_WithAnswersThatWait_WritesThemAllInOrder()
    {
        ConversationOptions options = Options with { CountPerKeyMax = 10_000, BytesPerKeyMax = 1 << 24 };
        await using (ConversationStore store = Open(options))
        {
            for (int i = 0; i < 500; i++)
            {
                store.Keep(Answer("a", $"{i}", i == 0 ? null : $"{i - 1}"), null, isListed: true);
            }
        }

        await using ConversationStore again = Open(options);
        Assert.Equal(1000, (await again.EarlierAsync("a", "499", null, [], 1 << 24)).Items.Count);
    }

    [Fact]
    public async Task Delete_AnAnswer_LeavesNoByteOfItOnTheDisk()
    {
        await using (ConversationStore store = Open())
        {
            store.Keep(Answer("a", "1", text: "canary-of-the-erased"), null, isListed: true);
            Assert.True(await store.DeleteAnswerAsync("a", "1"));
            Assert.False(await store.DeleteAnswerAsync("a", "1"));
            Assert.Equal("missing", await SaidAsync(store, "a", "1"));
        }

        foreach (string file in Directory.GetFiles(Path.GetDirectoryName(Options.Path)!))
        {
            Assert.DoesNotContain("canary-of-the-erased", await File.ReadAllTextAsync(file, Encoding.Latin1, TestContext.Current.CancellationToken), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Keep_MoreThanTheKeyMayHave_TheOldestGoAndOthersStay()
    {
        await using ConversationStore store = Open();
        store.Keep(Answer("b", "0"), null, isListed: true);
        for (int i = 1; i <= 4; i++)
        {
            store.Keep(Answer("a", $"{i}"), null, isListed: true);
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal("missing", await SaidAsync(store, "a", "1"));
        Assert.Equal("2-in 2-out", await SaidAsync(store, "a", "2"));
        store.Keep(Answer("a", "5", text: new string('x', 1960)), null, isListed: true);
        Assert.Equal("missing", await SaidAsync(store, "a", "3"));
        Assert.Equal("5-in 5-out", await SaidAsync(store, "a", "5"));
        Assert.Equal("0-in 0-out", await SaidAsync(store, "b", "0"));
    }

    [Fact]
    public async Task EarlierAsync_AfterTheRetention_FindsNothing()
    {
        await using ConversationStore store = Open();
        store.Keep(Answer("a", "1"), null, isListed: true);
        await store.FlushAsync();
        _time.Advance(TimeSpan.FromDays(29));
        Assert.Equal("1-in 1-out", await SaidAsync(store, "a", "1"));
        _time.Advance(TimeSpan.FromDays(2));
        Assert.Equal("missing", await SaidAsync(store, "a", "1"));
    }

    [Fact]
    public async Task Conversation_WithItemsAndAnswers_IsPagedAndErased()
    {
        await using ConversationStore store = Open();
        await store.CreateConversationAsync("a", new StoredConversation("c", 7, "{}"u8.ToArray()), [Item("i0")]);
        Assert.True(await store.AddItemsAsync("a", "c", [Item("i1"), Item("i2")]));
        Assert.False(await store.AddItemsAsync("b", "c", [Item("i9")]));
        store.Keep(Answer("a", "1"), "c", isListed: false);
        Assert.Null(await store.FindAnswerAsync("a", "1"));
        Assert.Equal(["i0", "i1", "i2", "1-in", "1-out"], (await store.EarlierAsync("a", null, "c", [], 1 << 20)).Items.Select(item => item.Id));
        ItemPage? page = await store.ItemsAsync("a", "c", isAnswer: false, 2, isDescending: true, "1-in");
        Assert.Equal("i2 i1 True", $"{string.Join(' ', page!.Items.Select(item => item.Id))} {page.HasMore}");
        Assert.True(await store.DeleteItemAsync("a", "c", "i1"));
        Assert.False(await store.DeleteItemAsync("a", "c", "i1"));
        Assert.Null(await store.RelabelAsync("b", "c", "{\"k\":1}"u8.ToArray()));
        Assert.NotNull(await store.RelabelAsync("a", "c", "{\"k\":1}"u8.ToArray()));
        Assert.True(await store.DeleteConversationAsync("a", "c"));
        Assert.Equal("c", (await store.EarlierAsync("a", null, "c", [], 1 << 20)).Missing);
    }

    [Fact]
    public async Task EarlierAsync_MoreThanARequestMayHold_IsRefused()
    {
        await using ConversationStore store = Open();
        store.Keep(Answer("a", "1", text: new string('x', 500)), null, isListed: true);
        await Assert.ThrowsAsync<ConversationStoreException>(() => store.EarlierAsync("a", "1", null, [], 600));
        Assert.Equal("1-in 1-out", await SaidAsync(store, "a", "1"));
    }

    [Fact]
    public async Task HasRoom_WhileMuchWaitsForTheDisk_IsFalseAndComesBack()
    {
        await using ConversationStore store = Open(Options with { PendingBytesMax = 100 });
        Assert.True(store.HasRoom);
        store.Keep(Answer("a", "1", text: new string('x', 500)), null, isListed: true);
        await store.FlushAsync();
        Assert.True(store.HasRoom);
    }
}
