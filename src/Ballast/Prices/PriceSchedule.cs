using Ballast.Protocols.Conversation;

namespace Ballast.Prices;

/// <summary>What one deployment costs over time and by service tier, as it is known now. Looking a price up allocates nothing.</summary>
public sealed class PriceSchedule
{
    /// <summary>Times the standard price, for priority service whose price is not published: the dearest that a vendor published.</summary>
    public const decimal PriorityFactor = 2.5m;

    private readonly PriceRow[] _rows;

    /// <param name="rows">Of one model; only those that stand. Rows for certain hours of the day go before the others.</param>
    public PriceSchedule(IEnumerable<PriceRow> rows)
    {
        List<PriceRow> all = [.. rows];
        all.AddRange(all.Where(row => row.ServiceTier == ServiceTier.Standard && !all.Exists(other => other.ServiceTier == ServiceTier.Priority))
            .Select(static row => row with { ServiceTier = ServiceTier.Priority, Price = row.Price.Times(PriorityFactor, $"priority assumed at {PriorityFactor} times standard") }).ToList());
        _rows = [.. all.OrderByDescending(static row => row.HasDailyWindow)];
        HasSound = all.Exists(static row => row.Price.Media is { } media && (media.InputAudio ?? media.CacheReadAudio ?? media.OutputAudio) is not null);
        HasPictures = all.Exists(static row => row.Price.Media is { } media && (media.InputImage ?? media.CacheReadImage ?? media.OutputImage) is not null);
        HasSearches = all.Exists(static row => row.Price.Media is { } media && (media.PerSearch ?? media.PerSearchingRequest) is not null);
    }

    /// <summary>Some row has prices of its own for sound.</summary>
    public bool HasSound { get; }

    /// <summary>Some row has prices of its own for pictures as tokens.</summary>
    public bool HasPictures { get; }

    /// <summary>Some row has a price for a search.</summary>
    public bool HasSearches { get; }

    /// <summary>What was worked out for the last day that was asked for. Written by whoever works it out: two that do so at once come to the same.</summary>
    internal DearestPrices? DearestOfText { get; set; }

    /// <summary>All rows, those for certain hours first.</summary>
    public IReadOnlyList<PriceRow> Rows => _rows;

    /// <summary>Null where none is known. Batch and flex without a price of their own cost as standard: a bill may be overstated, never understated.</summary>
    public Price? At(DateTimeOffset time, ServiceTier tier = ServiceTier.Standard)
    {
        DateTime utc = time.UtcDateTime;
        DateOnly day = DateOnly.FromDateTime(utc);
        TimeOnly hour = TimeOnly.FromDateTime(utc);
        return Find(day, hour, tier) ?? (tier == ServiceTier.Standard ? null : Find(day, hour, ServiceTier.Standard));
    }

    public PriceSchedule Times(decimal factor, string why) => new(_rows.Select(row => row with { Price = row.Price.Times(factor, why) }));

    private Price? Find(DateOnly day, TimeOnly hour, ServiceTier tier)
    {
        foreach (PriceRow row in _rows)
        {
            if (row.ServiceTier == tier && row.IsValidOn(day) && row.IsValidAt(hour))
            {
                return row.Price;
            }
        }

        return null;
    }
}
