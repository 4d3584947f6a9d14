namespace Ballast.Configuration;

/// <summary>What an endpoint does with data, as written; a deployment's overrides its provider's, item by item.</summary>
public sealed record DataOptions
{
    /// <summary>Widest geography of processing: <c>eu</c>, <c>us</c>, <c>global</c>, <c>local</c> ….</summary>
    public string? Geo { get; init; }

    /// <summary>Days for which prompts or answers are kept.</summary>
    public int? RetentionDays { get; init; }
    public bool? Training { get; init; }
}
