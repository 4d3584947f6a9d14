using Ballast.Tenancy;
using Microsoft.Data.Sqlite;

namespace Ballast.Tests.Tenancy;

public sealed class TenantDeskTests : IAsyncLifetime
{
    private TenantHouse _house = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _house = await TenantHouse.OpenAsync();

    public ValueTask DisposeAsync() => _house.DisposeAsync();

    [Fact]
    public async Task CreateAsync_Key_IsShownOnceAndAdmittedAtOnce()
    {
        KeyDocument made = await _house.MakeKeyAsync(new KeyDocument { Id = "web", App = "support" });

        (Catalog.ApiKey? key, _) = _house.Ask(made.Key!);
        Assert.Equal(("web", "support", "research", "acme"), (key!.Id, key.App, key.Team, key.Organisation));
        KeyDocument again = (KeyDocument)_house.Desk.Find(_house.Root, "key", "web");
        Assert.Null(again.Key);
        Assert.Null(again.Secrets);
    }

    /// <summary>Neither the store nor its record of changes holds a key or a token.</summary>
    [Fact]
    public async Task CreateAsync_KeyAndToken_LeaveNoTextInTheStore()
    {
        KeyDocument made = await _house.MakeKeyAsync();
        TokenDocument token = (TokenDocument)await _house.Desk.CreateAsync(_house.Root, "token", new TokenDocument { Role = "viewer" }, Cancellation);
        await _house.DisposeBookAsync();

        byte[] all = [.. Directory.GetFiles(Path.GetDirectoryName(_house.StorePath)!, "*.db*").SelectMany(File.ReadAllBytes)];
        Assert.True(all.AsSpan().IndexOf("\"hash\""u8) >= 0, "the store was not read");
        foreach (string secret in new[] { made.Key!, token.Token!, made.Key![5..30] })
        {
            Assert.True(all.AsSpan().IndexOf(System.Text.Encoding.ASCII.GetBytes(secret)) < 0);
        }

        Assert.DoesNotContain("hash", Audit(), StringComparison.Ordinal);
    }

    private string Audit()
    {
        using SqliteConnection connection = new($"Data Source={_house.StorePath};Pooling=False");
        connection.Open();
        using SqliteCommand command = new("SELECT group_concat(after) FROM audit", connection);
        return (string)command.ExecuteScalar()!;
    }

    [Fact]
    public async Task RevokeAsync_Key_IsUnknownWhenTheAnswerComes()
    {
        KeyDocument made = await _house.MakeKeyAsync(new KeyDocument { Id = "web", App = "support" });
        string header = made.Key!;
        Assert.Null(_house.Ask(header).Refusal);

        await _house.Desk.RevokeAsync(_house.Root, "web", null, Cancellation);

        Assert.Equal("ballast_invalid_key", _house.Ask(header).Refusal);
        Assert.Equal("ballast_invalid_key", _house.Ask(new string(header.AsSpan())).Refusal);
        Assert.Contains("revoke", (await _house.Desk.AuditAsync(_house.Root, null, 10, Cancellation)).Select(static row => row.Action));
    }

    /// <summary>Another gateway on the same store.</summary>
    [Fact]
    public async Task RevokeAsync_Elsewhere_IsSeenWithinTwoLooks()
    {
        KeyDocument made = await _house.MakeKeyAsync(new KeyDocument { Id = "web", App = "support" });
        await using (SqliteTenancyStore other = SqliteTenancyStore.Open(_house.StorePath))
        {
            long version = await other.VersionAsync(Cancellation);
            await other.TryChangeAsync(version, new RecordChange("delete", "key", "web", null, null), "other", _house.Time.GetUtcNow(), Cancellation);
        }

        for (int i = 0; i < 2000 && _house.Ask(made.Key!).Refusal is null; i++)
        {
            _house.Time.Advance(TenantBook.LookEvery / 100);
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, Cancellation);
        }

        Assert.Equal("ballast_invalid_key", _house.Ask(made.Key!).Refusal);
        Assert.True(TenantBook.LookEvery * 2 <= TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task RotateAsync_WithOverlap_TakesBothAndThenTheNewOne()
    {
        KeyDocument old = await _house.MakeKeyAsync(new KeyDocument { Id = "web", App = "support" });
        KeyDocument next = await _house.Desk.RotateAsync(_house.Root, "web", TimeSpan.FromHours(1), null, Cancellation);

        Assert.Null(_house.Ask(old.Key!).Refusal);
        Assert.Equal("web", _house.Ask(next.Key!).Key!.Id);
        _house.Time.Advance(TimeSpan.FromHours(1));
        Assert.Equal("ballast_invalid_key", _house.Ask(old.Key!).Refusal);
        Assert.Null(_house.Ask(next.Key!).Refusal);
    }

    [Fact]
    public async Task ExpiresAt_OfAKey_EndsItOnAStandingConnectionToo()
    {
        KeyDocument made = await _house.MakeKeyAsync(new KeyDocument { App = "support", ExpiresAt = _house.Time.GetUtcNow().AddMinutes(1) });
        string header = made.Key!;

        Assert.Null(_house.Ask(header).Refusal);
        _house.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal("ballast_invalid_key", _house.Ask(header).Refusal);
    }

    [Theory]
    [InlineData("us", 0, false, "chat")]
    [InlineData("eu", 31, false, "chat")]
    [InlineData("eu", 0, true, "chat")]
    [InlineData("eu", 0, false, "azure/other")]
    public async Task CreateAsync_KeyWiderThanItsApp_IsRefused(string geo, int retention, bool training, string model)
    {
        TenancyProblemException problem = await Assert.ThrowsAsync<TenancyProblemException>(() => _house.MakeKeyAsync(new KeyDocument
        {
            App = "support",
            Allow = new AllowDocument { Geo = [geo], RetentionDaysMax = retention, Training = training },
            Models = [model],
        }));

        Assert.Equal("exceeds_grant", problem.Code);
    }

    /// <summary>What is written narrower above later cuts what was made below before: the grant is judged at its use.</summary>
    [Fact]
    public async Task ReplaceAsync_TeamNarrowedLater_CutsItsKeysAtTheirUse()
    {
        await _house.Desk.CreateAsync(_house.Root, "team", new TenantDocument { Id = "sales", Allow = new AllowDocument { Geo = ["eu", "us"] }, Models = ["chat", "limited"] }, Cancellation);
        await _house.Desk.CreateAsync(_house.Root, "app", new TenantDocument { Id = "mail", Team = "sales", Allow = new AllowDocument { Geo = ["eu", "us"] }, Models = ["chat"] }, Cancellation);
        KeyDocument made = await _house.MakeKeyAsync(new KeyDocument { App = "mail", Allow = new AllowDocument { Geo = ["us"] } });
        Catalog.ApiKey before = _house.Ask(made.Key!).Key!;

        await _house.Desk.ReplaceAsync(_house.Root, "team", "sales", new TenantDocument { Allow = new AllowDocument { Geo = ["eu"], RetentionDaysMax = 0 }, Models = ["limited"] }, null, Cancellation);

        Catalog.ApiKey after = _house.Ask(made.Key!).Key!;
        Assert.Equal(["us"], before.Allow.Geos!);
        Assert.Equal(["chat"], before.Models!);
        Assert.Empty(after.Allow.Geos!);
        Assert.Equal(0, after.Allow.RetentionDaysMax);
        Assert.Empty(after.Models!);
    }

    [Fact]
    public async Task CreateAsync_ByATokenForATeam_ReachesNothingElse()
    {
        await _house.Desk.CreateAsync(_house.Root, "team", new TenantDocument { Id = "sales" }, Cancellation);
        AdminIdentity sales = await _house.MakeTokenAsync(new TokenDocument { Role = "admin", Team = "sales" });

        await _house.Desk.CreateAsync(sales, "app", new TenantDocument { Id = "mail", Team = "sales" }, Cancellation);
        await _house.Desk.CreateAsync(sales, "key", new KeyDocument { App = "mail" }, Cancellation);

        await Refused("forbidden", () => _house.Desk.CreateAsync(sales, "app", new TenantDocument { Id = "other", Team = "research" }, Cancellation));
        await Refused("forbidden", () => _house.Desk.CreateAsync(sales, "app", new TenantDocument { Id = "other" }, Cancellation));
        await Refused("forbidden", () => _house.Desk.CreateAsync(sales, "key", new KeyDocument { App = "support" }, Cancellation));
        await Refused("forbidden", () => _house.Desk.CreateAsync(sales, "organisation", new TenantDocument { Id = "mine" }, Cancellation));
        await Refused("forbidden", () => _house.Desk.CreateAsync(sales, "token", new TokenDocument { Role = "admin" }, Cancellation));
        await Refused("forbidden", () => _house.Desk.CreateAsync(sales, "budget", new BudgetDocument { Id = "more", Team = "sales", Usd = 1 }, Cancellation));
        await Refused("forbidden", () => _house.Desk.ReplaceAsync(sales, "team", "sales", new TenantDocument(), null, Cancellation));
        await Refused("not_found", () => Task.FromResult(_house.Desk.Find(sales, "app", "support")));
        await Refused("forbidden", () => _house.Desk.AuditAsync(sales, null, 10, Cancellation));
        Assert.Equal(["mail"], _house.Desk.List(sales, "app").Select(static app => app.Id));
    }

    /// <summary>A token made by another reaches no further than that one does when it is used.</summary>
    [Fact]
    public async Task Identify_TokenWhoseMakerBecameAViewer_OnlyLooks()
    {
        await _house.Desk.CreateAsync(_house.Root, "team", new TenantDocument { Id = "sales" }, Cancellation);
        await _house.MakeTokenAsync(new TokenDocument { Id = "lead", Role = "admin", Team = "sales" });
        AdminIdentity lead = await _house.MakeTokenAsync(new TokenDocument { Id = "lead-2", Role = "admin", Team = "sales" });
        string text = ((TokenDocument)await _house.Desk.CreateAsync(lead, "token", new TokenDocument { Id = "helper", Role = "admin", Team = "sales" }, Cancellation)).Token!;
        Assert.False(_house.Desk.Identify(text)!.IsViewer);

        await _house.Desk.ReplaceAsync(_house.Root, "token", "lead-2", new TokenDocument { Role = "viewer", Team = "sales" }, null, Cancellation);

        Assert.True(_house.Desk.Identify(text)!.IsViewer);
        await Refused("forbidden", () => _house.Desk.CreateAsync(_house.Desk.Identify(text)!, "app", new TenantDocument { Id = "mail", Team = "sales" }, Cancellation));
    }

    [Fact]
    public async Task ReplaceAsync_DeclaredInTheFile_IsRefused()
    {
        await Refused("declared", () => _house.Desk.ReplaceAsync(_house.Root, "app", "support", new TenantDocument(), null, Cancellation));
        await Refused("declared", () => _house.Desk.RevokeAsync(_house.Root, "declared", null, Cancellation));
        await Refused("exists", () => _house.MakeKeyAsync(new KeyDocument { Id = "declared", App = "support" }));
    }

    [Fact]
    public async Task DeleteAsync_WithSomethingBelow_IsRefused()
    {
        await _house.Desk.CreateAsync(_house.Root, "app", new TenantDocument { Id = "mail" }, Cancellation);
        await _house.MakeKeyAsync(new KeyDocument { Id = "web", App = "mail" });

        await Refused("has_children", () => _house.Desk.DeleteAsync(_house.Root, "app", "mail", null, Cancellation));
        await Refused("last_token", () => _house.Desk.DeleteAsync(_house.Root, "token", "first", null, Cancellation));
        await _house.Desk.DeleteAsync(_house.Root, "key", "web", null, Cancellation);
        await _house.Desk.DeleteAsync(_house.Root, "app", "mail", null, Cancellation);
        await Refused("not_found", () => Task.FromResult(_house.Desk.Find(_house.Root, "app", "mail")));
    }

    [Fact]
    public async Task ReplaceAsync_RevisionThatIsOver_IsRefused()
    {
        TenancyDocument made = await _house.Desk.CreateAsync(_house.Root, "app", new TenantDocument { Id = "mail" }, Cancellation);
        await _house.Desk.ReplaceAsync(_house.Root, "app", "mail", new TenantDocument { Tier = 2 }, made.Revision, Cancellation);

        await Refused("changed", () => _house.Desk.ReplaceAsync(_house.Root, "app", "mail", new TenantDocument { Tier = 3 }, made.Revision, Cancellation));
        Assert.Equal(2, ((TenantDocument)_house.Desk.Find(_house.Root, "app", "mail")).Tier);
    }

    [Fact]
    public async Task MakeFirstTokenAsync_Again_MakesNone() => Assert.Null(await _house.Desk.MakeFirstTokenAsync(Cancellation));

    private static async Task Refused(string code, Func<Task> work) => Assert.Equal(code, (await Assert.ThrowsAsync<TenancyProblemException>(work)).Code);
}
