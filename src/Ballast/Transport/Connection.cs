using System.Net;

namespace Ballast.Transport;

/// <summary>
/// A two-way stream of bytes as the engine sees it. One reader and one writer at a time; they may be on any thread. Only the owner disposes of it, and only when
/// nothing is being awaited; <see cref="Abort"/> ends what is awaited, from any thread and at any time. Failures are <see cref="IOException"/>s.
/// </summary>
public abstract class Connection : IDisposable
{
    /// <summary>The loop that works for this connection; null where none does.</summary>
    public abstract EventLoop? Loop { get; }

    /// <summary>Who is told what happens while nobody waits; null for nobody.</summary>
    public IConnectionObserver? Observer { get; set; }

    /// <summary>The other side has shut its half, or the connection broke. What it sent before may still lie there to be read.</summary>
    public abstract bool IsPeerClosed { get; }

    /// <summary>Of the other side; null where it is not known.</summary>
    public virtual IPAddress? RemoteAddress => null;

    /// <summary>Returns when there may be something to read, the end included. It needs no buffer: an idle connection owns none.</summary>
    public abstract ValueTask WaitReadableAsync();

    /// <summary>Bytes received, at least one; 0 at the end.</summary>
    public abstract ValueTask<int> ReceiveAsync(Memory<byte> buffer);

    /// <summary>
    /// Returns when the bytes are taken: at once, unless the other side is slow. A few may lie here until the loop's round ends; a send of nothing returns when the operating
    /// system has them all.
    /// </summary>
    public ValueTask SendAsync(ReadOnlyMemory<byte> bytes) => SendAsync(bytes, default);

    /// <summary>Two pieces, one after the other, in one call of the system.</summary>
    public abstract ValueTask SendAsync(ReadOnlyMemory<byte> first, ReadOnlyMemory<byte> second);

    /// <summary>Nothing more will be sent; the other side sees the end.</summary>
    public abstract void EndSend();

    /// <summary>Nothing more will be received: what is awaited ends as if the other side had ended. What it sends is lost; sending goes on.</summary>
    public abstract void EndReceive();

    /// <summary>Breaks the connection: whatever is awaited fails, and once disposed of it is reset, so that the other side takes it for no end.</summary>
    public abstract void Abort();

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected abstract void Dispose(bool disposing);
}

/// <summary>Told on the loop's thread what happens to a connection that nobody reads.</summary>
public interface IConnectionObserver
{
    /// <summary>The other side has shut its half, or the connection broke. Told once.</summary>
    void PeerClosed();

    /// <summary>About once a second, for limits of time that may be a second off.</summary>
    void Tick();
}

/// <summary>The connection was broken off by this side.</summary>
public sealed class ConnectionAbortedException() : IOException("The connection was broken off.");
