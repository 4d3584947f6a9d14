using Ballast.EndToEnd.Tests.Fixtures;
using Ballast.Ledger;

namespace Ballast.EndToEnd.Tests.Gateway;

/// <summary>What cannot cross into another protocol is named, kept quiet or refused, as the key's policy says; the ledger knows it in any case.</summary>
public sealed class LossPolicyTests(GatewayFixture gateways)
{
    // Path, model of the other protocol, fields that it cannot carry, their pointers.
    private const string Chat = "/v1/chat/completions";
    private const string ChatFields = "\"seed\":7,\"logit_bias\":{\"1\":5}";
    private const string Messages = "/v1/messages";
    private const string MessagesFields = "\"top_k\":5,\"container\":\"c1\"";

    public static TheoryData<string, string, string, string, bool> Crossings => new()
    {
        { Chat, "anthropic/claude-haiku-4-5", ChatFields, "/seed /logit_bias", false },
        { Chat, "anthropic/claude-haiku-4-5", ChatFields, "/seed /logit_bias", true },
        { Messages, "openai/gpt-5-mini", MessagesFields, "/top_k /container", false },
        { Messages, "openai/gpt-5-mini", MessagesFields, "/top_k /container", true },
        { Messages, "local/llama-4-scout", MessagesFields, "/container", true },
    };

    [Theory]
    [MemberData(nameof(Crossings))]
    public async Task Warn_FieldsThatCannotCross_AnswersAndNamesThem(string path, string model, string fields, string pointers, bool stream)
    {
        GatewayAnswer answer = await AskAsync("raw", path, model, fields, stream);
        Assert.True(answer.Status == 200, answer.Body);
        AssertNamed(pointers, answer.Header("x-ballast-loss") ?? "");
        AssertNamed(pointers, string.Join(", ", Assert.Single(await gateways.Fast.EntriesOfAsync(answer.Id)).Losses));
    }

    [Theory]
    [MemberData(nameof(Crossings))]
    public async Task Allow_FieldsThatCannotCross_AnswersWithoutAWord(string path, string model, string fields, string pointers, bool stream)
    {
        GatewayAnswer answer = await AskAsync("allow", path, model, fields, stream);
        Assert.True(answer.Status == 200, answer.Body);
        Assert.Null(answer.Header("x-ballast-loss"));
        AssertNamed(pointers, string.Join(", ", Assert.Single(await gateways.Fast.EntriesOfAsync(answer.Id)).Losses));
    }

    [Fact]
    public async Task StrictRoute_FieldsThatOneCandidateCannotCarry_GoesToTheNext()
    {
        GatewayAnswer answer = await AskAsync("allow", Chat, "strict-route", ChatFields, stream: false);
        Assert.True(answer.Status == 200, answer.Body);
        Assert.Equal("openai/gpt-5-mini", answer.Header("x-ballast-deployment"));
        Assert.Empty(Assert.Single(await gateways.Fast.EntriesOfAsync(answer.Id)).Losses);
    }

    [Fact]
    public async Task StrictRoute_FieldsThatNoCandidateCanCarry_RefusesWhateverTheKeyAllows()
    {
        GatewayAnswer answer = await AskAsync("allow", Chat, "strict-claude", ChatFields, stream: false);
        answer.AssertError(gateways.Fast, "openai", 400);
        Assert.Contains("ballast_loss_refused", answer.Body, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Crossings))]
    public async Task Strict_FieldsThatCannotCross_RefusesAndNamesThemWithoutAskingThePlatform(
        string path, string model, string fields, string pointers, bool stream)
    {
        GatewayAnswer answer = await AskAsync("strict", path, model, fields, stream);
        answer.AssertError(gateways.Fast, GatewayClient.ProtocolOf(path), 400);
        Assert.Contains("ballast_loss_refused", answer.Body, StringComparison.Ordinal);
        AssertNamed(pointers, answer.Json.GetProperty("error").GetProperty("message").GetString()!);
        Assert.Contains("ballast_loss_refused", await gateways.Fast.RefusalOfAsync(answer.Id), StringComparison.Ordinal);
        Assert.Empty(await gateways.Fast.EntriesOfAsync(answer.Id, TimeSpan.Zero));
        Assert.DoesNotContain(gateways.Fast.Sandbox.Billing.Rows, row => row.IsOf(answer.Id));
    }

    [Theory]
    [InlineData(Chat, "openai/gpt-5-mini", "\"seed\":7,\"logit_bias\":{\"1\":5},\"a_field_of_tomorrow\":{\"x\":[1]}")]
    [InlineData(Chat, "local/llama-4-scout", "\"top_k\":40,\"min_p\":0.1")]
    [InlineData(Messages, "anthropic/claude-haiku-4-5", "\"top_k\":5,\"system\":[{\"type\":\"text\",\"text\":\"Hi\",\"cache_control\":{\"type\":\"ephemeral\"}}]")]
    public async Task Strict_SameProtocol_PassesEverythingOn(string path, string model, string fields)
    {
        GatewayAnswer answer = await AskAsync("strict", path, model, fields, stream: false);

        // What the platform itself does not know it refuses by its own word: the gateway has no say in it.
        Assert.DoesNotContain("ballast_", answer.Body, StringComparison.Ordinal);
        Assert.Empty(Assert.Single(await gateways.Fast.EntriesOfAsync(answer.Id)).Losses);
    }

    [Fact]
    public async Task Strict_ModelWithSeveralDeployments_IsAnsweredByOneThatCanCarryEverything()
    {
        for (int i = 0; i < 20; i++)
        {
            GatewayAnswer answer = await AskAsync("strict", Chat, "assistant", "\"seed\":7", stream: i % 2 == 0);
            Assert.True(answer.Status == 200, answer.Body);
            Assert.Null(answer.Header("x-ballast-loss"));
            LedgerEntry row = Assert.Single(await gateways.Fast.EntriesOfAsync(answer.Id));
            Assert.NotEqual("anthropic", row.Vendor);
            Assert.Empty(row.Losses);
        }
    }

    private async Task<GatewayAnswer> AskAsync(string client, string path, string model, string fields, bool stream)
    {
        using GatewayClient http = new(gateways.Fast);
        string body = $$"""{"model":"{{model}}","stream":{{(stream ? "true" : "false")}},"max_tokens":50,"messages":[{"role":"user","content":"Hello"}],{{fields}}}""";
        return await http.PostAsync(path, body, gateways.Fast.KeyOf(client));
    }

    private static void AssertNamed(string pointers, string text)
    {
        foreach (string pointer in pointers.Split(' '))
        {
            Assert.Contains(pointer, text, StringComparison.Ordinal);
        }
    }
}
