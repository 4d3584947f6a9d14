using Ballast.EndToEnd.Tests.Fixtures;

namespace Ballast.EndToEnd.Tests.Sdk;

/// <summary>What SDKs ask the gateway for: each platform by its deployment's name, and one model that may go anywhere.</summary>
internal static class GatewayTargets
{
    /// <summary>A vendor that changes within a conversation: nothing can be expected of thinking but that it does no harm.</summary>
    public const string AnyVendor = "any";

    /// <summary>Model, vendor.</summary>
    public static readonly (string Model, string Vendor)[] All =
    [
        ("openai/gpt-5-mini", "openai"),
        ("azure/gpt-5-mini", "openai"),
        ("azure-classic/gpt-5-mini", "openai"),
        ("foundry/claude-haiku-4-5", "anthropic"),
        ("bedrock/gpt-5-mini", "openai"),
        ("bedrock-runtime/gpt-5-mini", "openai"),
        ("bedrock-converse/claude-haiku-4-5", "anthropic"),
        ("bedrock-converse/llama-4-maverick", "meta"),
        ("bedrock-invoke/claude-haiku-4-5", "anthropic"),
        ("anthropic/claude-haiku-4-5", "anthropic"),
        ("local/llama-4-scout", "meta"),
        ("gemini/gemini-3.5-flash", "google"),
        ("vertex/gemini-2.5-flash", "google"),
        ("vertex/claude-haiku-4-5", "anthropic"),
        ("ollama/qwen3", "alibaba"),
        ("cohere/command-a", "cohere"),
        ("assistant", AnyVendor),
    ];

    public static SdkTarget Of(GatewayFixture gateways, string client, string protocol, string model, IReadOnlyList<string> cases) => new()
    {
        Name = model,
        Url = gateways.Fast.Server.Address,
        Key = gateways.Fast.KeyOf(client),
        Model = model,
        SlowUrl = gateways.Slow.Server.Address,
        SlowKey = HangUpKeys.Of($"{client}.{protocol}", model),
        FailingUrl = gateways.Failing.Server.Address,
        LimitedModel = model.Contains('/', StringComparison.Ordinal) ? ErrorPlaces.CopyOf(model, $"{client}.{protocol}") : null,
        NarrowKey = gateways.Failing.KeyOf("narrow"),
        Lacks = SdkLack.Of(model),
        Vendor = All.First(at => at.Model == model).Vendor,
        Protocol = protocol,
        IsGateway = true,
        IsSigned = All.First(at => at.Model == model).Vendor is "anthropic" || model is "gemini/gemini-3.5-flash"
            || ((ReadOnlySpan<string>)["openai/gpt-5-mini", "azure/gpt-5-mini", "azure-classic/gpt-5-mini"]).Contains(model),
        IsRefusalKnown = id => CheckRefusedAsync(gateways.Failing, id),
        IsCancelled = id => CheckCancelledAsync(gateways, id),
        Cases = cases,
    };

    /// <summary>A client hung up: within a second the platform has stopped, and the ledger has the attempt.</summary>
    public static async Task<string?> CheckCancelledAsync(GatewayFixture gateways, string exchangeId)
    {
        Sandbox.BillingRow? row = await gateways.Slow.Sandbox.Billing.WaitAsync(row => row.IsOf(exchangeId), SandboxFixture.CancelWithin);
        if (row?.Outcome != "cancelled")
        {
            return $"The platform's billing row of {exchangeId} within a second of the hang-up: {row?.Outcome ?? "none"}.";
        }

        IReadOnlyList<Ledger.LedgerEntry> entries = await gateways.Slow.EntriesOfAsync(exchangeId);
        return entries is [{ Outcome: Ledger.AttemptOutcome.Cancelled, Reached: true, IsEstimated: true, OutputTokens: > 0, InputTokens: > 0 } entry]
            && entry.AttemptId == row.ClientRequestId
            ? null
            : $"The ledger's rows of {exchangeId}, which was hung up on: {string.Join(", ", entries)}.";
    }

    /// <summary>Every error of every kind is in the gateway's log by the id that the SDK shows, and the one that came in a stream in the ledger.</summary>
    public static async Task<string?> CheckErrorsAsync(GatewayFixture gateways, NodeResult result)
    {
        foreach (string id in result.Notes["ids"].Split(' '))
        {
            if (await CheckRefusedAsync(gateways.Failing, id) is { } fault)
            {
                return fault;
            }
        }

        IReadOnlyList<Ledger.LedgerEntry> entries = await gateways.Failing.EntriesOfAsync(result.Notes["streamed"]);
        return entries is [{ Outcome: Ledger.AttemptOutcome.Interrupted }] ? null
            : $"The ledger's rows of {result.Notes["streamed"]}, which failed within its stream: {string.Join(", ", entries)}.";
    }

    /// <summary>What every SDK's cases at the gateway are looked at for from this side.</summary>
    public static async Task<string?> CheckAsync(GatewayFixture gateways, SdkTarget target, NodeResult result) => !target.IsGateway ? null : result.Case switch
    {
        "abort" => await CheckCancelledAsync(gateways, result.Notes["id"]),
        "error_kinds" => await CheckErrorsAsync(gateways, result),
        _ => SdkCases.Refused.Contains(result.Case) && result.Notes.TryGetValue("request_id", out string? id) ? await CheckRefusedAsync(gateways.Fast, id) : null,
    };

    /// <summary>What a platform's own log says of a client that hung up.</summary>
    public static Task<string?> CheckCancelledAsync(SandboxFixture sandbox, NodeResult result) =>
        result.Case == "abort" ? CheckCancelledAsync(sandbox, result.Notes["id"]) : Task.FromResult<string?>(null);

    public static async Task<string?> CheckCancelledAsync(SandboxFixture sandbox, string id)
    {
        Sandbox.BillingRow? row = await sandbox.Slow.Billing.WaitAsync(row => row.IsOf(id) || row.RequestId == id, SandboxFixture.CancelWithin);
        return row is { Outcome: "cancelled", OutputTokens: > 0 } ? null : $"The platform's billing row of {id} soon after the hang-up: {row?.Outcome ?? "none"}, {row?.OutputTokens} tokens.";
    }

    /// <summary>An error's id leads to the gateway's log, and to the ledger where a platform was asked.</summary>
    public static async Task<string?> CheckRefusedAsync(GatewayHost gateway, string exchangeId)
    {
        if (await gateway.RefusalOfAsync(exchangeId) is not { } line)
        {
            return $"The log knows no refusal of '{exchangeId}'.";
        }

        bool wasAsked = line.Contains("upstream_", StringComparison.Ordinal);
        return !wasAsked || (await gateway.EntriesOfAsync(exchangeId)).Count > 0 ? null : $"The ledger knows nothing of '{exchangeId}': {line}";
    }
}
