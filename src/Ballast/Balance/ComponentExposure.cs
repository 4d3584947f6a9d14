using Ballast.Catalog;

namespace Ballast.Balance;

/// <summary>How much of the traffic one component carried, and what stops without it.</summary>
public sealed record ComponentExposure
{
    public required Component Component { get; init; }

    /// <summary>Exchanges answered.</summary>
    public required long Requests { get; init; }
    public required long Tokens { get; init; }

    /// <summary>US dollars, as far as known.</summary>
    public required decimal CostUsd { get; init; }

    /// <summary>Shares from 0 to 1; null where there was no traffic, or no known cost, to have a share of.</summary>
    public double? RequestShare { get; init; }
    public double? TokenShare { get; init; }
    public double? CostShare { get; init; }

    /// <summary>False for what only the ledger remembers.</summary>
    public required bool IsInCatalog { get; init; }

    /// <summary>What is left of today's catalog without it.</summary>
    public required Cut Cut { get; init; }
}
