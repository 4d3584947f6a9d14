using Ballast.Configuration;

namespace Ballast.Catalog;

/// <summary>What this gateway may ask an account, or a deployment, for within any sixty seconds: its part of what is declared and to be kept.</summary>
/// <param name="RequestsPerMinute">Requests; null where nothing is declared.</param>
/// <param name="TokensPerMinute">Tokens, input and output together; null where nothing is declared.</param>
public sealed record HardQuota(long? RequestsPerMinute, long? TokensPerMinute)
{
    /// <summary>One gateway's part; null where the quota is only reported against, or there is none.</summary>
    /// <param name="declared">As written.</param>
    /// <param name="nodes">Gateways that share it.</param>
    public static HardQuota? Of(QuotaOptions? declared, int nodes) =>
        declared is { IsHard: true } ? new HardQuota(declared.RequestsPerMinute / nodes, declared.TokensPerMinute / nodes) : null;
}
