using System.Net;
using System.Net.Sockets;
using Ballast.Transport;

namespace Ballast.Tests.Transport;

/// <summary>One loop's connection, and the plain socket at its other end.</summary>
internal sealed class Pair : IDisposable
{
    /// <summary>How long anything between the two may take on a loaded machine.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly EventLoop? _owned;

    private Pair(EventLoop? owned, SocketConnection near, Socket far)
    {
        _owned = owned;
        Near = near;
        Far = far;
    }

    public SocketConnection Near { get; }
    public Socket Far { get; }

    public static async Task<Pair> OpenAsync(EventLoop? loop = null)
    {
        EventLoop? owned = loop is null ? new EventLoop(TimeProvider.System) : null;
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        Task<Socket> accepting = listener.AcceptAsync(TestContext.Current.CancellationToken).AsTask();
        SocketConnection near = await (loop ?? owned!).ConnectAsync((IPEndPoint)listener.LocalEndPoint!);
        return new Pair(owned, near, await accepting);
    }

    /// <summary>So many bytes at the plain end; fails where the connection ends before.</summary>
    public Task<byte[]> ReadAsync(int count) => ReadAsync(Far, count);

    /// <summary>The same of any socket.</summary>
    public static async Task<byte[]> ReadAsync(Socket socket, int count)
    {
        byte[] bytes = new byte[count];
        for (int read = 0; read < count;)
        {
            int now = await socket.ReceiveAsync(bytes.AsMemory(read), TestContext.Current.CancellationToken).AsTask().WaitAsync(Patience, TestContext.Current.CancellationToken);
            Assert.NotEqual(0, now);
            read += now;
        }

        return bytes;
    }

    public void Dispose()
    {
        Near.Dispose();
        Far.Dispose();
        _owned?.Dispose();
    }
}
