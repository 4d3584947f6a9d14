namespace Ballast.Configuration;

/// <summary>What a vendor lets an account, or one of its deployments, ask for in a minute; null is not known, never nothing.</summary>
/// <param name="RequestsPerMinute">Requests.</param>
/// <param name="TokensPerMinute">Tokens, input and output together.</param>
/// <param name="IsHard">Nothing is sent above it; else it is only reported against.</param>
public sealed record QuotaOptions(long? RequestsPerMinute, long? TokensPerMinute, bool IsHard = false);
