namespace Ballast.Configuration;

/// <summary>Where the balance policies are kept.</summary>
public sealed record BalanceOptions
{
    /// <summary>Folder; a relative path is taken from the directory of the configuration file. It need not exist.</summary>
    public string Policies { get; init; } = "policies";
}
