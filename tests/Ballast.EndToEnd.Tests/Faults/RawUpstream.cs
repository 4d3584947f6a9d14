using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Ballast.EndToEnd.Tests.Faults;

/// <summary>An upstream that sends whatever bytes a test wants and keeps the bytes that it was sent: what no HTTP server lets out.</summary>
internal sealed class RawUpstream : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly ConcurrentBag<Task> _visits = [];
    private readonly Task _accepting;
    private int _connects;

    public RawUpstream(Func<RawVisit, Task> answer)
    {
        Answer = answer;
        _listener.Start(1024);
        _accepting = AcceptAsync();
    }

    public Func<RawVisit, Task> Answer { get; set; }
    /// <summary>What the gateway is told in place of the true address; null tells the true one.</summary>
    public Uri? AddressTold { get; init; }
    public Uri Address => AddressTold ?? new Uri($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");
    public int Connects => Volatile.Read(ref _connects);
    public ConcurrentQueue<RawVisit> Visits { get; } = [];

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Stop();
        await _accepting;
        await Task.WhenAll(_visits);
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_end.IsCancellationRequested)
        {
            try
            {
                Socket socket = await _listener.AcceptSocketAsync(_end.Token);
                Interlocked.Increment(ref _connects);
                _visits.Add(ServeAsync(socket));
            }
            catch (Exception exception) when (exception is OperationCanceledException or SocketException or InvalidOperationException)
            {
                return;
            }
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        using (socket)
        {
            try
            {
                while (await ReadAsync(socket) is { } visit)
                {
                    Visits.Enqueue(visit);
                    await Answer(visit);
                    if (!visit.KeepsConnection)
                    {
                        socket.Shutdown(SocketShutdown.Send);
                        return;
                    }
                }
            }
            catch (Exception exception) when (exception is OperationCanceledException or SocketException or IOException or ObjectDisposedException)
            {
                // The gateway hung up, or the test is over.
            }
        }
    }

    private async Task<RawVisit?> ReadAsync(Socket socket)
    {
        byte[] part = new byte[64 * 1024];
        MemoryStream received = new();
        int headEnd = -1;
        int length = 0;
        while (headEnd < 0 || received.Length < headEnd + 4 + length)
        {
            int read = await socket.ReceiveAsync(part, _end.Token);
            if (read == 0)
            {
                return null;
            }

            received.Write(part, 0, read);
            if (headEnd < 0)
            {
                headEnd = received.GetBuffer().AsSpan(0, (int)received.Length).IndexOf("\r\n\r\n"u8);
                string? told = headEnd < 0 ? null : Encoding.Latin1.GetString(received.GetBuffer(), 0, headEnd).Split("\r\n")
                    .FirstOrDefault(line => line.StartsWith("content-length:", StringComparison.OrdinalIgnoreCase));
                length = told is null ? 0 : int.Parse(told["content-length:".Length..], System.Globalization.CultureInfo.InvariantCulture);
            }
        }

        byte[] all = received.ToArray();
        return new RawVisit(socket, Encoding.Latin1.GetString(all, 0, headEnd), Encoding.UTF8.GetString(all, headEnd + 4, length), _end.Token);
    }
}

/// <summary>One request at a <see cref="RawUpstream"/>.</summary>
internal sealed class RawVisit(Socket socket, string head, string body, CancellationToken end)
{
    public string Head { get; } = head;
    public string Body { get; } = body;
    public bool KeepsConnection { get; set; }
    public bool IsStream => Body.Contains("\"stream\":true", StringComparison.Ordinal);

    /// <summary>When the gateway closed its side; null while it has not.</summary>
    public TimeSpan? GoneAfter { get; private set; }

    public Task WriteAsync(string text) => WriteAsync(Encoding.Latin1.GetBytes(text));

    public async Task WriteAsync(byte[] bytes)
    {
        for (int sent = 0; sent < bytes.Length;)
        {
            sent += await socket.SendAsync(bytes.AsMemory(sent), end);
        }
    }

    /// <summary>A whole response that ends with the connection.</summary>
    public Task RespondAsync(string status, string headers, string body) =>
        WriteAsync([.. Encoding.Latin1.GetBytes($"HTTP/1.1 {status}\r\n{headers}connection: close\r\n\r\n"), .. Encoding.UTF8.GetBytes(body)]);

    public void Reset()
    {
        socket.LingerState = new LingerOption(true, 0);
        socket.Close();
    }

    public Task WaitAsync(TimeSpan length) => Task.Delay(length, TimeProvider.System, end);

    /// <summary>Waits until the gateway hangs up and notes how long that took.</summary>
    public async Task WaitForHangUpAsync()
    {
        long start = TimeProvider.System.GetTimestamp();
        byte[] nothing = new byte[16];
        try
        {
            while (await socket.ReceiveAsync(nothing, end) > 0)
            {
            }
        }
        catch (SocketException)
        {
            // A reset is a hang-up, too.
        }

        GoneAfter = TimeProvider.System.GetElapsedTime(start);
    }
}
