using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Ballast.Tests.Transport.Http1;

/// <summary>A client that sends what it is told, bytes for bytes, and reads answers without any HTTP library.</summary>
internal sealed class RawClient : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Socket _socket;
    private readonly List<byte> _read = [];

    private RawClient(Socket socket) => _socket = socket;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static async Task<RawClient> ConnectAsync(EndPoint address, int receiveBytes = 0)
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (receiveBytes > 0)
        {
            socket.ReceiveBufferSize = receiveBytes;
        }

        await socket.ConnectAsync(address, Cancellation);
        return new RawClient(socket);
    }

    public async Task SendAsync(string text) => await SendAsync(Encoding.UTF8.GetBytes(text));

    public async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[await _socket.SendAsync(bytes, Cancellation)..];
        }
    }

    /// <summary>Nothing more will be sent.</summary>
    public void End() => _socket.Shutdown(SocketShutdown.Send);

    public void Reset() => _socket.Close(0);

    /// <summary>One answer: status, head, body without its coding. The body of an answer that is cut is told as it came.</summary>
    public async Task<RawAnswer> ReadAsync(bool isHead = false)
    {
        string head = Encoding.ASCII.GetString([.. await ReadToAsync("\r\n\r\n"u8.ToArray())]);
        int status = int.Parse(head.AsSpan(9, 3), CultureInfo.InvariantCulture);
        if (isHead || status is 204 or 100)
        {
            return new RawAnswer(status, head, "", IsWhole: true);
        }

        if (HeaderOf(head, "Content-Length") is { } length)
        {
            byte[] body = await ReadCountAsync(int.Parse(length, CultureInfo.InvariantCulture));
            return new RawAnswer(status, head, Encoding.UTF8.GetString(body), body.Length == int.Parse(length, CultureInfo.InvariantCulture));
        }

        if (HeaderOf(head, "Transfer-Encoding") is null)
        {
            return new RawAnswer(status, head, await ReadToEndAsync(), IsWhole: true);
        }

        StringBuilder text = new();
        while (true)
        {
            List<byte> line = await ReadToAsync("\r\n"u8.ToArray());
            if (line.Count == 0)
            {
                return new RawAnswer(status, head, text.ToString(), IsWhole: false);
            }

            int size = int.Parse(Encoding.ASCII.GetString([.. line]).TrimEnd(), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            byte[] chunk = await ReadCountAsync(size + 2);
            Assert.Equal("\r\n"u8.ToArray(), chunk[^2..]);
            text.Append(Encoding.UTF8.GetString(chunk.AsSpan(0, size)));
            if (size == 0)
            {
                return new RawAnswer(status, head, text.ToString(), IsWhole: true);
            }
        }
    }

    public async Task<string> ReadToEndAsync()
    {
        while (await MoreAsync())
        {
        }

        string text = Encoding.UTF8.GetString([.. _read]);
        _read.Clear();
        return text;
    }

    /// <summary>The server has ended the connection, and nothing was left to read.</summary>
    public async Task AssertClosedAsync()
    {
        try
        {
            Assert.False(await MoreAsync());
        }
        catch (SocketException)
        {
            // A reset ends it, too.
        }

        Assert.Empty(_read);
    }

    public void Dispose() => _socket.Dispose();

    public static string? HeaderOf(string head, string name) =>
        head.Split("\r\n").Skip(1).Select(line => line.Split(':', 2)).Where(parts => parts.Length == 2 && parts[0].Equals(name, StringComparison.OrdinalIgnoreCase)).Select(parts => parts[1].Trim()).FirstOrDefault();

    private async Task<List<byte>> ReadToAsync(byte[] mark)
    {
        int at;
        while ((at = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_read).IndexOf(mark)) < 0)
        {
            if (!await MoreAsync())
            {
                return [];
            }
        }

        List<byte> taken = _read[..(at + mark.Length)];
        _read.RemoveRange(0, taken.Count);
        return taken;
    }

    private async Task<byte[]> ReadCountAsync(int count)
    {
        while (_read.Count < count && await MoreAsync())
        {
        }

        byte[] taken = [.. _read.Take(count)];
        _read.RemoveRange(0, taken.Length);
        return taken;
    }

    private async Task<bool> MoreAsync()
    {
        byte[] buffer = new byte[64 * 1024];
        int read = await _socket.ReceiveAsync(buffer, Cancellation).AsTask().WaitAsync(Patience, Cancellation);
        _read.AddRange(buffer.AsSpan(0, read));
        return read > 0;
    }
}

/// <summary>What came back.</summary>
internal sealed record RawAnswer(int Status, string Head, string Body, bool IsWhole)
{
    public string? Header(string name) => RawClient.HeaderOf(Head, name);
}
