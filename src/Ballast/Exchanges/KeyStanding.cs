using Ballast.Protocols.Conversation;

namespace Ballast.Exchanges;

/// <summary>The admitted key of a request, as its guard knows it.</summary>
public abstract class KeyStanding
{
    /// <summary>Where the key's own rate limits stand for this request; null where it has none.</summary>
    public abstract RateLimits? RateLimits(Exchange exchange);
}

/// <summary>How far a request has come with what was taken for it.</summary>
public enum ReservationStage
{
    /// <summary>It is not admitted: nothing is taken.</summary>
    None,

    /// <summary>It runs, and limits and budgets count it.</summary>
    Running,

    /// <summary>It runs no more, and what it may cost is still reserved: its answer is made in the background.</summary>
    Parked,

    /// <summary>It still runs, and all was given back: its answer's last byte is on its way.</summary>
    GivenBack,

    /// <summary>It runs no more, and nothing is held for it.</summary>
    Settled,
}

#pragma warning disable CA1051 // changed in place, a field at a time and atomically
/// <summary>What was taken for one request and is to be given back once. Plain data of its guard.</summary>
public struct Reservation
{
    /// <summary>Who moves it on gives back what that stage held, and nobody else does.</summary>
    public ReservationStage Stage;

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
