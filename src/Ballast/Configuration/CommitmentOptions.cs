namespace Ballast.Configuration;

/// <summary>An amount that was promised to be spent at a platform.</summary>
public sealed record CommitmentOptions
{
    public required string Id { get; init; }

    /// <summary>As providers name it.</summary>
    public required string Platform { get; init; }

    /// <summary>In <see cref="Currency"/>.</summary>
    public required decimal Amount { get; init; }

    /// <summary>Three letters (ISO 4217).</summary>
    public string Currency { get; init; } = "USD";

    /// <summary>US dollars for one unit of the currency.</summary>
    public decimal UsdRate { get; init; } = 1;

    /// <summary>First day.</summary>
    public required DateOnly From { get; init; }

    /// <summary>Last day.</summary>
    public required DateOnly To { get; init; }

    /// <summary>IANA name of the time zone in which the days begin.</summary>
    public string Zone { get; init; } = "UTC";
}
