using System.Text;
using Ballast.EndToEnd.Tests.Sdk;

namespace Ballast.EndToEnd.Tests.Redaction;

/// <summary>
/// The vendors' own SDKs through a gateway that redacts: no platform sees a value, the SDK gets every value back, and none of them is kept in clear anywhere.
/// </summary>
public sealed class RedactionSdkTests
{
    private static readonly string[] s_cases =
    [
        "chat", "chat_stream", "chat_choices", "chat_tools", "chat_tools_stream", "custom_tools", "responses", "responses_stream", "embeddings", "moderations", "completions", "pictures", "messages", "messages_stream",
        "messages_tools", "messages_thinking", "google", "google_stream", "google_tools",
    ];

    /// <summary>The values of <c>redaction.mjs</c>, in all the forms in which they could leave.</summary>
    private static readonly string[] s_originals =
        ["mara.olsen", "23456789", "3704 0044", "DE893704", "4111 1111", "4111111111111111", "ghp_16C7e42F", "EMP-424242", Convert.ToBase64String(Encoding.UTF8.GetBytes("mara.olsen@example.org"))[..20]];

    [Fact]
    public async Task Sdks_ThroughAGatewayThatRedacts_GetBackWhatNoPlatformSaw()
    {
        await using RedactingGateway gateway = await RedactingGateway.StartAsync();
        SdkTarget target = new() { Name = "redacting", Url = gateway.Address, SlowUrl = gateway.Address, Key = RedactingGateway.Key, Model = "", Vendor = "openai", IsGateway = true, Cases = s_cases };
        NodeRun run = new("redaction.mjs", [target], static (_, _) => Task.FromResult<string?>(null));

        Dictionary<(string Target, string Case), NodeResult> results = await run.EndAsync();

        Assert.All(s_cases, name => Assert.True(results[(target.Name, name)].Error is null, $"{name}: {results[(target.Name, name)].Error}"));
        string sent = gateway.Sent;
        Assert.True(sent.Length > 20_000, "the taps saw the traffic");
        Assert.Contains("EMAIL-", sent, StringComparison.Ordinal);
        Assert.All(s_originals, original => Assert.DoesNotContain(original, sent, StringComparison.OrdinalIgnoreCase));
        foreach ((string where, string text) in await gateway.KeptAsync())
        {
            Assert.All(s_originals, original => Assert.False(text.Contains(original, StringComparison.OrdinalIgnoreCase), $"'{original}' lies in {where}"));
        }

        Assert.Contains(await gateway.EntriesAsync(), static entry => entry.Losses.Contains("redacted:email=1") && entry.Losses.Contains("redacted:staff=1"));
    }
}
