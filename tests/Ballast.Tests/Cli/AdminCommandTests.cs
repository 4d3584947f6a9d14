using System.Text.Json;
using Ballast.Cli;
using Ballast.Tests.Server;

namespace Ballast.Tests.Cli;

/// <summary>Against a running gateway. The token is the process's own variable: one test at a time.</summary>
public sealed class AdminCommandTests : IAsyncLifetime
{
    private TestServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        Environment.SetEnvironmentVariable(AdminClient.TokenVariable, _server.Server.FirstAdminToken);
    }

    public ValueTask DisposeAsync()
    {
        Environment.SetEnvironmentVariable(AdminClient.TokenVariable, null);
        return _server.DisposeAsync();
    }

    [Fact]
    public async Task Commands_FromATeamToItsKeysEnd_DoWhatTheySay()
    {
        JsonElement team = Json(await RunAsync("teams", "set", "research", "--geo", "eu,us", "--requests-per-minute", "600"));
        Assert.Equal((2, 600), (team.GetProperty("allow").GetProperty("geo").GetArrayLength(), team.GetProperty("rate_limits").GetProperty("requests_per_minute").GetInt32()));
        Json(await RunAsync("apps", "set", "mail", "--team", "research", "--tier", "2"));
        JsonElement changed = Json(await RunAsync("apps", "set", "mail", "--owner", "mail@example.com", "--geo", "eu"));
        Assert.Equal((2, "mail@example.com", "research"), (changed.GetProperty("tier").GetInt32(), changed.GetProperty("owner").GetString(), changed.GetProperty("team").GetString()));
        Assert.False(Json(await RunAsync("apps", "set", "mail", "--geo", "")).TryGetProperty("allow", out _));
        string key = Json(await RunAsync("keys", "set", "web", "--app", "mail", "--scopes", "chat")).GetProperty("key").GetString()!;
        string next = Json(await RunAsync("keys", "rotate", "web", "--overlap-seconds", "0")).GetProperty("key").GetString()!;
        Assert.NotEqual(key, next);
        Json(await RunAsync("budgets", "set", "mail-month", "--app", "mail", "--usd", "12.5", "--alert-at", "50,80"));

        CommandRun budgets = await RunAsync("budgets", "list");
        Assert.Contains("mail-month", budgets.Output, StringComparison.Ordinal);
        Assert.Contains("12.5", budgets.Output, StringComparison.Ordinal);
        Assert.True(Json(await RunAsync("keys", "revoke", "web")).TryGetProperty("revoked_at", out _));
        Assert.Equal(0, (await RunAsync("keys", "delete", "web")).ExitCode);
        Assert.Equal(2, JsonDocument.Parse((await RunAsync("apps", "list", "--json")).OnlyLine).RootElement.GetArrayLength()); // mail, and the one of the file
        Assert.DoesNotContain(next, (await RunAsync("keys", "list", "--json")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Commands_OfOrganisationsAndTokens_DoWhatTheySay()
    {
        Json(await RunAsync("orgs", "set", "acme", "--geo", "eu"));
        Json(await RunAsync("teams", "set", "sales", "--organisation", "acme"));
        JsonElement token = Json(await RunAsync("tokens", "set", "acme-viewer", "--role", "viewer", "--organisation", "acme"));
        string text = token.GetProperty("token").GetString()!;
        Assert.StartsWith("blsta_", text, StringComparison.Ordinal);

        Assert.Contains("acme", (await RunAsync("orgs", "list")).Output, StringComparison.Ordinal);
        Assert.Equal("acme", Json(await RunAsync("orgs", "show", "acme")).GetProperty("id").GetString());
        Assert.DoesNotContain(text, (await RunAsync("tokens", "list", "--json")).OnlyLine, StringComparison.Ordinal);
        Environment.SetEnvironmentVariable(AdminClient.TokenVariable, text);
        Assert.Equal(1, (await RunAsync("orgs", "set", "acme", "--geo", "us")).ExitCode);
        Assert.Equal("sales", JsonDocument.Parse((await RunAsync("teams", "list", "--json")).OnlyLine).RootElement[0].GetProperty("id").GetString());
        Environment.SetEnvironmentVariable(AdminClient.TokenVariable, _server.Server.FirstAdminToken);
        Assert.Equal(0, (await RunAsync("tokens", "delete", "acme-viewer")).ExitCode);
        Environment.SetEnvironmentVariable(AdminClient.TokenVariable, text);
        Assert.Equal(1, (await RunAsync("teams", "list")).ExitCode);
    }

    [Theory]
    [InlineData(1, "wider", "apps", "set", "narrow", "--team", "research", "--geo", "us")]
    [InlineData(1, "declared in the configuration file", "keys", "revoke", "test")]
    [InlineData(1, "There is no", "keys", "show", "nothing")]
    [InlineData(2, "a number", "apps", "set", "narrow", "--tier", "one")]
    public async Task Command_ThatCannotBeDone_SaysWhy(int expected, string words, params string[] arguments)
    {
        await RunAsync("teams", "set", "research", "--geo", "eu");

        CommandRun run = await RunAsync(arguments);

        Assert.Equal(expected, run.ExitCode);
        Assert.Contains(words, run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Command_WithoutATokenOrAGateway_SaysSo()
    {
        CommandRun gone = await CommandRun.OfAsync(AdminCommand.Create("keys"), "list", "--admin", "http://127.0.0.1:9");
        Environment.SetEnvironmentVariable(AdminClient.TokenVariable, null);
        CommandRun without = await RunAsync("keys", "list");

        Assert.Equal((1, 2), (gone.ExitCode, without.ExitCode));
        Assert.Contains(AdminClient.TokenVariable, without.Error, StringComparison.Ordinal);
    }

    private Task<CommandRun> RunAsync(params string[] arguments) =>
        CommandRun.OfAsync(AdminCommand.Create(arguments[0]), [.. arguments[1..], "--admin", _server.Server.AdminAddress.ToString()]);

    private static JsonElement Json(CommandRun run)
    {
        Assert.True(run.ExitCode == 0, run.Error);
        return JsonDocument.Parse(run.OnlyLine).RootElement;
    }
}
