namespace Ballast.Transport;

/// <summary>What the kernel reports of a descriptor.</summary>
[Flags]
internal enum PollEvents : uint
{
    None = 0,
    Readable = 0x1,
    Writable = 0x4,
    Error = 0x8,
    HangUp = 0x10,
    PeerClosed = 0x2000,

    /// <summary>Each change is reported once.</summary>
    Edge = 0x80000000,
}

/// <summary>Which half of a connection is shut down.</summary>
internal enum ShutdownSide
{
    Receive = 0,
    Send = 1,
}
