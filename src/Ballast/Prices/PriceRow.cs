using Ballast.Protocols.Conversation;

namespace Ballast.Prices;

/// <summary>
/// One line of the price book. Two times tell what it is about: it is <em>valid</em> for requests of certain days, and it was <em>known</em> from a day on, until a
/// better figure took its place. So a cost can be told as it is known now and as it was known then (bitemporal data; Snodgrass, Developing Time-Oriented Database
/// Applications in SQL, 1999). Days are days in UTC.
/// </summary>
public sealed record PriceRow
{
    /// <summary>Who operates the endpoint, in Ballast's words: <c>openai</c>, <c>azure</c>, <c>aws</c>, <c>google</c> …</summary>
    public required string Platform { get; init; }

    /// <summary>The model's name in the source.</summary>
    public required string Model { get; init; }

    /// <summary>Which model ids it is for. Rows of one model have the same.</summary>
    public required IReadOnlyList<ModelPattern> Patterns { get; init; }

    public ServiceTier ServiceTier { get; init; }

    /// <summary>First day; null from ever.</summary>
    public DateOnly? ValidFrom { get; init; }

    /// <summary>First day no more; null for good.</summary>
    public DateOnly? ValidTo { get; init; }

    /// <summary>Hours of the day (UTC) that it is for, the end not included; a window may go over midnight. Null for all day.</summary>
    public TimeOnly? DailyFrom { get; init; }
    public TimeOnly? DailyTo { get; init; }

    public required DateOnly KnownFrom { get; init; }

    /// <summary>The day on which another row took its place; null while it stands.</summary>
    public DateOnly? KnownTo { get; init; }

    public required Price Price { get; init; }

    public bool IsKnownOn(DateOnly day) => KnownFrom <= day && (KnownTo is null || day < KnownTo);

    public bool IsValidOn(DateOnly day) => (ValidFrom is null || ValidFrom <= day) && (ValidTo is null || day < ValidTo);

    public bool HasDailyWindow => DailyFrom is not null;

    public bool IsValidAt(TimeOnly time) => DailyFrom is not { } from || DailyTo is not { } to || (from <= to ? from <= time && time < to : from <= time || time < to);

    /// <summary>What it is the price of, the two times and the figures aside: rows with the same subject follow each other.</summary>
    public (string Platform, string Model, ServiceTier Tier, TimeOnly? From, TimeOnly? To) Subject => (Platform, Model, ServiceTier, DailyFrom, DailyTo);
}
