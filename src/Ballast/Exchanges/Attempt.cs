using Ballast.Catalog;
using Ballast.Protocols;
using Ballast.Protocols.Conversation;

namespace Ballast.Exchanges;

/// <summary>One try at one deployment: plain data, filled while it runs, one ledger row when it ends.</summary>
public sealed class Attempt(string id, int number, Deployment deployment, Protocol protocol, DateTimeOffset startedAt, long startedTimestamp)
{
    /// <summary>Sent upstream as <c>x-client-request-id</c>.</summary>
    public string Id { get; } = id;
    public int Number { get; } = number;
    public Deployment Deployment { get; } = deployment;

    /// <summary>In which it is asked: the caller's own where the deployment offers it.</summary>
    public Protocol Protocol { get; } = protocol;
    public DateTimeOffset StartedAt { get; } = startedAt;

    /// <summary>Monotonic, of the exchange's <see cref="TimeProvider"/>.</summary>
    public long StartedTimestamp { get; } = startedTimestamp;
    public LossReport Losses { get; } = new();

    /// <summary>The request was handed to a standing connection.</summary>
    public bool Reached { get; set; }

    /// <summary>What the vendor says of its limits is to be read from this attempt's headers.</summary>
    public bool WantsRateLimits { get; set; }

    /// <summary>What it said; null where it was not read.</summary>
    public RateLimits? RateLimits { get; set; }
    public int? UpstreamStatus { get; set; }
    public string? UpstreamRequestId { get; set; }

    /// <summary>The answer is passed on as it arrives; else it is held until it is whole.</summary>
    public bool IsStream { get; set; }

    /// <summary>Of the answer, without parameters.</summary>
    public string? MediaType { get; set; }
    public string? ServedModel { get; set; }
    public Usage? Usage { get; set; }
    public FinishReason? Finish { get; set; }

    /// <summary>Bytes of content read, for an estimate where the vendor reports no usage.</summary>
    public long ContentLength { get; set; }
    /// <summary>The answer was read to its terminal mark: its usage is final, whatever became of the client.</summary>
    public bool HasEnded { get; set; }

    /// <summary>US dollars, where they were summed up answer by answer; null has them worked out from <see cref="Usage"/>.</summary>
    public (decimal? Cost, decimal? InputCost)? Costs { get; set; }

    /// <summary>What is booked for it, once it is: the vendor's figures or an estimate, and US dollars where a price is known.</summary>
    public Usage? Billed { get; set; }
    public decimal? CostUsd { get; set; }
    public TimeSpan? TimeToFirstToken { get; set; }
    public TimeSpan Duration { get; set; }
    public AttemptResult Result { get; set; }

    /// <summary>Code of the failure; null where there was none.</summary>
    public string? Reason { get; set; }

    /// <summary>What is held of a budget for it, in <see cref="ReservedCurrency"/>; null where nothing is.</summary>
    public decimal? Reserved { get; set; }

    /// <summary>Three letters (ISO 4217).</summary>
    public string? ReservedCurrency { get; set; }

#pragma warning disable CA1051 // changed in place: a property would hand out copies
    /// <summary>What it has taken of hard quotas.</summary>
    public QuotaHold Quota;
#pragma warning restore CA1051

    /// <summary>Its place in a trace; null where nothing is traced.</summary>
    public AttemptTrace? Trace { get; set; }

    /// <summary>The ledger's own note of where the intent lies; null where it has none.</summary>
    public object? LedgerPlace { get; set; }

    /// <summary>Its row is in the ledger's hands: what changes after this is not recorded.</summary>
    public bool IsSettled { get; set; }
}

/// <summary>How an attempt ended.</summary>
public enum AttemptResult
{
    Running,
    Completed,

    /// <summary>Nothing reached the client: another deployment may be tried.</summary>
    Failed,

    /// <summary>Cut after content had reached the client.</summary>
    Interrupted,

    /// <summary>The client went away.</summary>
    Cancelled,
}
