namespace Ballast.Sandbox;

/// <summary>What goes wrong. The wire name of each is its kebab-case form, for example <c>slow-first-byte</c>.</summary>
public enum FaultKind
{
    /// <summary>The connection is reset before any byte of an answer.</summary>
    Refuse,

    /// <summary>The connection is reset in the middle of the body, between two events.</summary>
    Reset,

    /// <summary>The request is taken and never answered.</summary>
    Blackhole,

    /// <summary>The first byte comes only after <see cref="FaultRule.Delay"/>.</summary>
    SlowFirstByte,

    /// <summary>After <see cref="FaultRule.AfterEvents"/> events nothing more comes; the connection stays open.</summary>
    Stall,

    /// <summary>After <see cref="FaultRule.AfterEvents"/> events the connection is reset in the middle of the next one.</summary>
    Cut,

    /// <summary>429 of the vendor, with <see cref="FaultRule.RetryAfter"/> where given.</summary>
    RateLimit,

    /// <summary>429 that no waiting heals: the account has no money left.</summary>
    Quota,
    Error500,
    Error503,
    Overloaded529,

    /// <summary>403: whose key it is may not do that here.</summary>
    Forbidden403,

    /// <summary>413, whatever the size.</summary>
    TooLarge413,

    /// <summary>Status 200, and an error as the first event of the stream.</summary>
    StreamErrorFirst,

    /// <summary>An error in the stream after <see cref="FaultRule.AfterEvents"/> events.</summary>
    StreamErrorAfter,

    /// <summary>502 with a page of HTML, as a load balancer gives it.</summary>
    HtmlError,

    /// <summary>A valid answer under <c>text/plain</c>.</summary>
    WrongContentType,

    /// <summary>A valid answer without its usage.</summary>
    MissingUsage,

    /// <summary>Status 200 without a body.</summary>
    Empty200,

    /// <summary>The JSON ends in the middle; in a stream the last event does.</summary>
    TruncatedJson,

    /// <summary>A stream that ends without its finish and terminal events.</summary>
    NeverFinishes,

    /// <summary>307 to another host.</summary>
    Redirect,

    /// <summary>One line of <see cref="FaultRule.HugeLineBytes"/> bytes.</summary>
    HugeLine,
}
