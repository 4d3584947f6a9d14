using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Ballast.Transport;

/// <summary>
/// The few calls of the operating system that the event loop makes itself. A result below zero is the negative error number. No other file of the program holds
/// unsafe code.
/// </summary>
internal static unsafe partial class SystemCalls
{
    private const string Library = "libc";

    /// <summary>Nothing of a connection that was closed may kill the program.</summary>
    private const int NoSignal = 0x4000;

    /// <summary>One event of the kernel: on x86-64 it is packed, elsewhere its number is aligned.</summary>
    private static readonly bool s_isPacked = RuntimeInformation.ProcessArchitecture == Architecture.X64;

    public static int EventBytes { get; } = s_isPacked ? 12 : 16;

    private static int NumberOffset => s_isPacked ? 4 : 8;

    public static int NewPoll() => Result(epoll_create1(CloseOnExec));

    public static int NewWake() => Result(eventfd(0, CloseOnExec | NonBlocking));

    public static void Wake(int wake)
    {
        ulong one = 1;
        _ = write(wake, (byte*)&one, sizeof(ulong));
    }

    /// <summary>From now on <see cref="Wait"/> reports each change of the descriptor, with this number.</summary>
    public static int Watch(int poll, int descriptor, PollEvents events, ulong number)
    {
        byte* entry = stackalloc byte[16];
        Unsafe.WriteUnaligned(entry, (uint)events);
        Unsafe.WriteUnaligned(entry + NumberOffset, number);
        return Result(epoll_ctl(poll, 1, descriptor, entry));
    }

    /// <summary>Sleeps until something happens or the time is over; the number of events.</summary>
    public static int Wait(int poll, Span<byte> events, int timeoutMilliseconds)
    {
        fixed (byte* first = events)
        {
            return Result(epoll_wait(poll, first, events.Length / EventBytes, timeoutMilliseconds));
        }
    }

    public static (PollEvents Events, ulong Number) EventAt(ReadOnlySpan<byte> events, int index)
    {
        ReadOnlySpan<byte> entry = events.Slice(index * EventBytes, EventBytes);
        return ((PollEvents)MemoryMarshal.Read<uint>(entry), MemoryMarshal.Read<ulong>(entry[NumberOffset..]));
    }

    /// <param name="family">As in the first two bytes of a socket's address.</param>
    public static int NewStreamSocket(int family) => Result(socket(family, StreamSocket | NonBlocking | CloseOnExec, 0));

    public static int Accept(int listener) => Result(accept4(listener, null, null, NonBlocking | CloseOnExec));

    public static int Connect(int descriptor, ReadOnlySpan<byte> address)
    {
        fixed (byte* first = address)
        {
            return Result(connect(descriptor, first, (uint)address.Length));
        }
    }

    public static int Receive(int descriptor, Span<byte> buffer)
    {
        fixed (byte* first = buffer)
        {
            return Result(recv(descriptor, first, (nuint)buffer.Length, 0));
        }
    }

    public static int Send(int descriptor, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* first = bytes)
        {
            return Result(send(descriptor, first, (nuint)bytes.Length, NoSignal));
        }
    }

    /// <summary>Two pieces in one call, in their order.</summary>
    public static int Send(int descriptor, ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> more)
    {
        fixed (byte* first = bytes)
        {
            fixed (byte* second = more)
            {
                Piece* pieces = stackalloc Piece[2];
                pieces[0] = new Piece(first, (nuint)bytes.Length);
                pieces[1] = new Piece(second, (nuint)more.Length);
                Message message = new() { Pieces = pieces, PieceCount = 2 };
                return Result(sendmsg(descriptor, &message, NoSignal));
            }
        }
    }

    public static int Shutdown(int descriptor, ShutdownSide side) => Result(shutdown(descriptor, (int)side));

    /// <summary>Small writes are answers' chunks: they go out at once.</summary>
    public static int SetNoDelay(int descriptor)
    {
        int on = 1;
        return Result(setsockopt(descriptor, 6, 1, (byte*)&on, sizeof(int)));
    }

    /// <summary>Closing it resets the connection: the other side cannot take the cut for an end.</summary>
    public static int SetResetOnClose(int descriptor)
    {
        Linger linger = new(1, 0);
        return Result(setsockopt(descriptor, 1, 13, (byte*)&linger, (uint)sizeof(Linger)));
    }

    /// <summary>What became of a connect, as a positive error number; 0 is success.</summary>
    public static int PendingError(int descriptor)
    {
        int error = 0;
        uint length = sizeof(int);
        return getsockopt(descriptor, 1, 4, (byte*)&error, &length) < 0 ? Marshal.GetLastSystemError() : error;
    }

    /// <summary>Bytes written of the other side's address, in the system's own form.</summary>
    public static int PeerAddress(int descriptor, Span<byte> address)
    {
        uint length = (uint)address.Length;
        fixed (byte* first = address)
        {
            int result = Result(getpeername(descriptor, first, &length));
            return result < 0 ? result : (int)length;
        }
    }

    public static void Close(int descriptor) => _ = close(descriptor);

    private static int Result(nint result) => result >= 0 ? (int)result : -Marshal.GetLastSystemError();

    private const int CloseOnExec = 0x80000;
    private const int NonBlocking = 0x800;
    private const int StreamSocket = 1;

    private readonly struct Piece(byte* first, nuint length)
    {
        public readonly byte* First = first;
        public readonly nuint Length = length;
    }

    private readonly struct Linger(int isOn, int seconds)
    {
        public readonly int IsOn = isOn;
        public readonly int Seconds = seconds;
    }

    private struct Message
    {
        public byte* Name;
        public uint NameLength;
        public Piece* Pieces;
        public nuint PieceCount;
        public byte* Control;
        public nuint ControlLength;
        public int Flags;
    }

    [LibraryImport(Library)]
    private static partial int epoll_create1(int flags);

    [LibraryImport(Library)]
    private static partial int epoll_ctl(int poll, int operation, int descriptor, byte* entry);

    [LibraryImport(Library)]
    private static partial int epoll_wait(int poll, byte* entries, int count, int timeout);

    [LibraryImport(Library)]
    private static partial int eventfd(uint first, int flags);

    [LibraryImport(Library)]
    private static partial nint write(int descriptor, byte* bytes, nuint count);

    [LibraryImport(Library)]
    private static partial int socket(int family, int type, int protocol);

    [LibraryImport(Library)]
    private static partial int accept4(int listener, byte* address, uint* length, int flags);

    [LibraryImport(Library)]
    private static partial int connect(int descriptor, byte* address, uint length);

    [LibraryImport(Library)]
    private static partial nint recv(int descriptor, byte* buffer, nuint length, int flags);

    [LibraryImport(Library)]
    private static partial nint send(int descriptor, byte* bytes, nuint length, int flags);

    [LibraryImport(Library)]
    private static partial nint sendmsg(int descriptor, Message* message, int flags);

    [LibraryImport(Library)]
    private static partial int shutdown(int descriptor, int side);

    [LibraryImport(Library)]
    private static partial int setsockopt(int descriptor, int level, int name, byte* value, uint length);

    [LibraryImport(Library)]
    private static partial int getsockopt(int descriptor, int level, int name, byte* value, uint* length);

    [LibraryImport(Library)]
    private static partial int getpeername(int descriptor, byte* address, uint* length);

    [LibraryImport(Library)]
    private static partial int close(int descriptor);
}
