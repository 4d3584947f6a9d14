using Ballast.Protocols.Conversation;

namespace Ballast.Exchanges;

/// <summary>The admitted key of a request, as its guard knows it.</summary>
public abstract class KeyStanding
{
    /// <summary>Where the key's own rate limits stand for this request; null where it has none.</summary>
    public abstract RateLimits? RateLimits(Exchange exchange);
}

#pragma warning disable CA1051 // changed in place, a field at a time and atomically
/// <summary>What was taken for one request and is to be given back once. Plain data of its guard.</summary>
public struct Reservation
{
    /// <summary>0 before the admission, 1 while it counts, 3 while it no longer runs and what it may cost is still reserved, 4 while it still runs and all was given back, 2 after it all.</summary>
    public int Stage;

    /// <summary>The second of the clock in which it was taken.</summary>
    public long Second;

    /// <summary>The moment it was taken, in UTC ticks.</summary>
    public long AtTicks;

    /// <summary>Its model's limits count it too.</summary>
    public bool HasModel;
    public long InputTokens;
    public long OutputTokens;

    /// <summary>The most that all attempts so far may cost, in US dollars.</summary>
    public decimal Usd;

    /// <summary>The most tokens that all attempts so far may take.</summary>
    public long Tokens;
}
