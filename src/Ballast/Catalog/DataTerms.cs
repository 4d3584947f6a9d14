namespace Ballast.Catalog;

/// <summary>What an endpoint does with data: where it is processed, how long it is kept, whether it trains models.</summary>
/// <param name="Geo">Widest geography in which data may be processed, for example <c>eu</c>, <c>us</c>, <c>global</c>.</param>
/// <param name="RetentionDays">Days for which prompts or answers are kept; 0 is zero data retention.</param>
/// <param name="Training">Data may be used for training.</param>
public sealed record DataTerms(string Geo, int RetentionDays, bool Training);

/// <summary>What an API key's data may be sent to. Null means no restriction. What this does not allow is never tried, in failover neither.</summary>
/// <param name="Geos">Geographies allowed.</param>
/// <param name="RetentionDaysMax">Longest retention allowed.</param>
/// <param name="Training">Whether endpoints that train on data are allowed.</param>
public sealed record DataAllowance(IReadOnlySet<string>? Geos, int? RetentionDaysMax, bool Training)
{
    public static DataAllowance Everything { get; } = new(null, null, Training: true);

    public bool Allows(DataTerms terms) =>
        (Geos is null || Geos.Contains(terms.Geo))
        && (RetentionDaysMax is null || terms.RetentionDays <= RetentionDaysMax)
        && (Training || !terms.Training);

    /// <summary>What both allow.</summary>
    public DataAllowance And(DataAllowance other) => new(
        Geos is null ? other.Geos : other.Geos is null ? Geos : Geos.Intersect(other.Geos).ToHashSet(StringComparer.Ordinal),
        RetentionDaysMax is null ? other.RetentionDaysMax : other.RetentionDaysMax is null ? RetentionDaysMax : Math.Min(RetentionDaysMax.Value, other.RetentionDaysMax.Value),
        Training && other.Training);
}
