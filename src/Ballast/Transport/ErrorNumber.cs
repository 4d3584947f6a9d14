using System.Net.Sockets;

namespace Ballast.Transport;

/// <summary>The error numbers that are told apart.</summary>
internal static class ErrorNumber
{
    public const int Interrupted = 4;
    public const int WouldBlock = 11;
    public const int TooManyFilesInSystem = 23;
    public const int TooManyFiles = 24;
    public const int ConnectionAborted = 103;
    public const int ConnectionReset = 104;
    public const int NoBuffers = 105;
    public const int OutOfMemory = 12;
    public const int InProgress = 115;

    public static SocketException ToException(int error) => new((int)(error switch
    {
        101 => SocketError.NetworkUnreachable,
        ConnectionAborted => SocketError.ConnectionAborted,
        32 or ConnectionReset => SocketError.ConnectionReset,
        110 => SocketError.TimedOut,
        111 => SocketError.ConnectionRefused,
        113 => SocketError.HostUnreachable,
        TooManyFiles or TooManyFilesInSystem => SocketError.TooManyOpenSockets,
        NoBuffers or OutOfMemory => SocketError.NoBufferSpaceAvailable,
        13 or 1 => SocketError.AccessDenied,
        97 => SocketError.AddressFamilyNotSupported,
        _ => SocketError.SocketError,
    }));
}
