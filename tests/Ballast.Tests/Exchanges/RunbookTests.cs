using System.Reflection;
using Ballast.Exchanges;
using Ballast.Protocols;
using Ballast.Tests.Tidy;

namespace Ballast.Tests.Exchanges;

/// <summary>Holds the errors of <c>docs/runbook.md</c> and the code together: each stands there once, with its own words.</summary>
public sealed class RunbookTests
{
    [Fact]
    public void Errors_OnThePage_AreThoseOfTheCode()
    {
        string[] lines = [.. typeof(GatewayError).GetFields(BindingFlags.Public | BindingFlags.Static).Select(static field => field.GetValue(null)).OfType<GatewayError>().Select(LineOf)];
        string[] told = [.. Repository.Read("docs/runbook.md").Split('\n').Where(static line => line.StartsWith("| `ballast_", StringComparison.Ordinal) || line.StartsWith("| `upstream_", StringComparison.Ordinal)).Where(static line => line.Split(" | ").Length == 4)];

        Assert.True(told.SequenceEqual(lines), $"docs/runbook.md must say:\n{string.Join('\n', lines)}");
    }

    private static string LineOf(GatewayError error) => $"| `{error.Code}` | {ProtocolList.OpenAIChat.StatusOf(error.ToChatError())} | {error.Message} | {error.Hint} |";
}
