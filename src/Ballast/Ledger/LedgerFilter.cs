namespace Ballast.Ledger;

/// <summary>Which rows a report is about; what is null does not restrict.</summary>
/// <param name="Since">Attempts that started at or after this.</param>
/// <param name="Until">Attempts that started before this.</param>
/// <param name="App">Attempts of this application.</param>
/// <param name="KeyId">Attempts made with this API key (its id, not the key).</param>
/// <param name="ExchangeId">Attempts of this request.</param>
public sealed record LedgerFilter(DateTimeOffset? Since = null, DateTimeOffset? Until = null, string? App = null, string? KeyId = null, string? ExchangeId = null)
{
    public static LedgerFilter Everything { get; } = new();
}
