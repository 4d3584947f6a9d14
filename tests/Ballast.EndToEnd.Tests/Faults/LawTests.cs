using Ballast.Sandbox;

namespace Ballast.EndToEnd.Tests.Faults;

/// <summary>What a key's data terms forbid is not reached, whatever fails: the platforms' own bill and a listener's count of connects are the witnesses.</summary>
[Collection("Faults")]
public sealed class LawTests : IAsyncLifetime
{
    // Each of the unlawful ones breaks another term.
    private const string Allow = "{ geo: [eu], retention_days_max: 30, training: false }";

    private static readonly Dictionary<string, string> Data = new()
    {
        ["azure"] = "{ geo: eu, retention_days: 30, training: false }",
        ["openai"] = "{ geo: us, retention_days: 0, training: false }",
        ["bedrock"] = "{ geo: eu, retention_days: 31, training: false }",
        ["anthropic"] = "{ geo: eu, retention_days: 0, training: true }",
        ["raw"] = "{ geo: global, retention_days: 0, training: false }",
    };

    private RawUpstream _witness = null!;
    private FaultGateway _gateway = null!;

    public static TheoryData<string> Faults => [.. FaultKindNames.All];

    public async ValueTask InitializeAsync()
    {
        string[] unlawful = ["openai/m=gpt-5-mini", "bedrock/m=openai.gpt-5-mini", "anthropic/m=claude-haiku-4-5", "raw/m=m"];
        _witness = new RawUpstream(visit => visit.WriteAsync(RawWire.Answer(visit, isAnthropic: false)));
        _gateway = await FaultGateway.StartAsync(new FaultSetup
        {
            Raw = [("raw", "openai-compatible", _witness)],
            Models = [("mixed", [.. unlawful, "azure/m=gpt-5-mini", "azure/n=gpt-5.2"]), ("forbidden", unlawful)],
            Data = Data,
            Allow = Allow,
            Limits = ["first_token_timeout: 300ms", "idle_timeout: 300ms", "retry_floor: 1000"],
        });
    }

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _witness.DisposeAsync();
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task Fault_OfEveryLawfulDeployment_ReachesNoUnlawfulOne(string fault)
    {
        Assert.True(FaultKindNames.TryParse(fault, out FaultKind kind));
        _gateway.Sandbox.Faults.Add(new FaultRule { Platform = "azure", Kind = kind, AfterEvents = 0, Delay = TimeSpan.FromSeconds(10), RetryAfter = TimeSpan.FromSeconds(1) });

        foreach (Caller caller in Caller.All)
        {
            await _gateway.AskAsync(caller, "mixed", stream: true);
            await _gateway.AskAsync(caller, "mixed", stream: false);
            ClientAnswer refused = await _gateway.AskAsync(caller, "forbidden", stream: true);
            Assert.True(refused is { Status: 503, ErrorCode: "ballast_no_lawful_deployment" } && refused.ErrorId == refused.Id, refused.ToString());
        }

        await _gateway.Sandbox.DisappearAsync("azure");
        ClientAnswer gone = await _gateway.AskAsync(Caller.OpenAI, "mixed", stream: true);

        Assert.True(gone.IsError, gone.ToString());
        await _gateway.SettleAsync();
        Assert.All(_gateway.Sandbox.Billing.Rows, row => Assert.Equal("azure", row.Platform));
        Assert.NotEmpty(_gateway.Sandbox.Billing.Rows);
        Assert.Equal(0, _witness.Connects);
    }
}
