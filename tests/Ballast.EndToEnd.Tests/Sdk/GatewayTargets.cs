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
        Vendor = All.First(at => at.Model == model).Vendor,
        Protocol = protocol,
        IsGateway = true,
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
