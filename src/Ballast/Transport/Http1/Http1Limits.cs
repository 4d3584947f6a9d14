namespace Ballast.Transport.Http1;

/// <summary>What a client of the HTTP/1.1 engine may take and how long; times are kept to a second.</summary>
public sealed record Http1Limits
{
    public int ConnectionsMax { get; init; } = 20_000;

    /// <summary>What is taken of a body at all, in bytes; whoever reads it has a limit of its own.</summary>
    public long BodyBytesMax { get; init; } = long.MaxValue;

    /// <summary>From a head's first byte to its last.</summary>
    public int HeadSeconds { get; init; } = 30;

    /// <summary>How long a connection may wait for its next request.</summary>
    public int KeepAliveSeconds { get; init; } = 130;

    /// <summary>Slower than this a client neither sends a body nor takes an answer; bytes in a second.</summary>
    public int BytesPerSecondMin { get; init; } = 240;

    /// <summary>How long a client may be slower.</summary>
    public int SlowSeconds { get; init; } = 5;

    /// <summary>How long what is left of a body is read and thrown away, so that the answer is not lost with it.</summary>
    public int DiscardSeconds { get; init; } = 5;

    /// <summary>How long a client that was told that the connection ends may take to close its side.</summary>
    public int LingerSeconds { get; init; } = 2;
}
