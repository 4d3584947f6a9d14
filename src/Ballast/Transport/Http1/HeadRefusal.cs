namespace Ballast.Transport.Http1;

/// <summary>Why a request's head is not taken: what the client is told before its connection is closed.</summary>
public sealed record HeadRefusal(int Status, string Reason)
{
    public static readonly HeadRefusal RequestLine = new(400, "The request line is malformed.");
    public static readonly HeadRefusal Target = new(400, "The request's target is malformed.");
    public static readonly HeadRefusal TargetTooLong = new(414, "The request line is too long.");
    public static readonly HeadRefusal LineEnd = new(400, "Lines end with CR and LF.");
    public static readonly HeadRefusal Header = new(400, "A header line is malformed.");
    public static readonly HeadRefusal Folded = new(400, "Folded header lines are not taken.");
    public static readonly HeadRefusal HeadersTooLarge = new(431, "The headers are too large.");
    public static readonly HeadRefusal Host = new(400, "A request names exactly one host.");
    public static readonly HeadRefusal ContentLength = new(400, "A request has at most one Content-Length, a plain number.");
    public static readonly HeadRefusal TwoLengths = new(400, "Content-Length and Transfer-Encoding exclude each other.");
    public static readonly HeadRefusal TransferEncoding = new(501, "The only Transfer-Encoding taken is chunked.");
    public static readonly HeadRefusal LengthMissing = new(411, "A body in HTTP/1.0 needs a Content-Length.");
    public static readonly HeadRefusal Version = new(505, "Only HTTP/1.1 and HTTP/1.0 are spoken here.");
    public static readonly HeadRefusal TooSlow = new(408, "The request's head took too long.");
}
