using System.Text.Json;
using Ballast.EndToEnd.Tests.Fixtures;
using Ballast.Tenancy;

namespace Ballast.EndToEnd.Tests.Tenancy;

/// <summary>A gateway that is started while the database of keys is away goes by what it saw last.</summary>
public sealed class LastViewTests
{
    private const string Chat = """{"model":"priced","max_tokens":5,"messages":[{"role":"user","content":"Hello"}]}""";
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Start_DatabaseAway_ServesWhatItSawLastAndNothingThatWasRevoked()
    {
        await using GatewayCluster cluster = await GatewayCluster.StartAsync("", count: 1);
        GatewayCluster.Member gateway = cluster.Members[0];
        (string kept, _) = await MakeAsync(gateway);
        (string revoked, string id) = await MakeAsync(gateway);
        Assert.Equal(200, (await gateway.AdministerAsync("POST", $"/admin/v1/keys/{id}/revoke", "{}")).Status);
        await cluster.RemoveAsync(gateway);
        await cluster.Postgres.StopAsync();

        gateway = await cluster.AddAsync(gateway.Name);

        Assert.Equal(200, (await gateway.AskAsync("/v1/chat/completions", Chat, kept)).Status);
        Assert.Equal(200, (await gateway.AskAsync("/v1/chat/completions", Chat)).Status);
        Assert.Equal(401, (await gateway.AskAsync("/v1/chat/completions", Chat, revoked)).Status);
        Assert.Equal(503, (await gateway.AdministerAsync("POST", "/admin/v1/keys", """{"app":"tests"}""")).Status);
        Assert.Contains(gateway.Log.All, static line => line.Contains("going by its last view", StringComparison.Ordinal));

        // And it finds back to the database by itself, with every row.
        await cluster.Postgres.StartAsync();
        Assert.True(
            await GatewayHost.UntilAsync(async () => (await gateway.AdministerAsync("POST", "/admin/v1/keys", """{"app":"tests"}""")).Status == 201, s_patience), "changes are not taken again");
        Assert.Equal(2, (await cluster.EntriesAsync()).Count);
    }

    [Fact]
    public async Task Start_DatabaseAwayAndTheLastViewChanged_IsRefusedAndSaysWhy()
    {
        await using GatewayCluster cluster = await GatewayCluster.StartAsync("", count: 1);
        string name = cluster.Members[0].Name;
        await cluster.RemoveAsync(cluster.Members[0]);
        await cluster.Postgres.StopAsync();
        string file = Assert.Single(Directory.GetFiles(cluster.FolderOf(name), "*.tenants"));
        byte[] bytes = await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken);
        bytes[^1] ^= 1;
        await File.WriteAllBytesAsync(file, bytes, TestContext.Current.CancellationToken);

        TenancyStoreException refused = await Assert.ThrowsAsync<TenancyStoreException>(() => cluster.AddAsync(name));

        Assert.Contains("cannot be used", refused.Message, StringComparison.Ordinal);
        Assert.Contains("was changed", refused.Message, StringComparison.Ordinal);
    }

    private static async Task<(string Key, string Id)> MakeAsync(GatewayCluster.Member gateway)
    {
        (int status, JsonElement made) = await gateway.AdministerAsync("POST", "/admin/v1/keys", """{"app":"tests"}""");
        Assert.Equal(201, status);
        return (made.GetProperty("key").GetString()!, made.GetProperty("id").GetString()!);
    }
}
