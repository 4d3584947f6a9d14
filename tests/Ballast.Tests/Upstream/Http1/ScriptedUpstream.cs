using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Ballast.Tests.Upstream.Http1;

/// <summary>A server that reads requests and answers each with whatever bytes its script sends.</summary>
internal sealed class ScriptedUpstream : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Func<Turn, Task> _script;
    private int _connects;

    public ScriptedUpstream(Func<Turn, Task> script)
    {
        _script = script;
        _listener.Start(64);
        _ = AcceptAsync();
    }

    public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");

    public int Connects => Volatile.Read(ref _connects);

    /// <summary>Requests read to their end.</summary>
    public ConcurrentQueue<string> Requests { get; } = [];

    public void Dispose() => _listener.Dispose();

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                Socket socket = await _listener.AcceptSocketAsync();
                _ = ServeAsync(socket, Interlocked.Increment(ref _connects));
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(Socket socket, int connection)
    {
        using (socket)
        {
            try
            {
                for (int number = 1; await ReadAsync(socket) is { } request; number++)
                {
                    Requests.Enqueue(request);
                    Turn turn = new(socket, connection, number) { Request = request };
                    await _script(turn);
                    if (turn.EndsConnection)
                    {
                        socket.Shutdown(SocketShutdown.Send);
                        await turn.WaitForEndAsync();
                        return;
                    }
                }
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
            {
                // The client broke off, which some scripts wait for.
            }
        }
    }

    private static async Task<string?> ReadAsync(Socket socket)
    {
        StringBuilder text = new();
        byte[] part = new byte[64 * 1024];
        while (true)
        {
            int read = await socket.ReceiveAsync(part);
            if (read == 0)
            {
                return null;
            }

            text.Append(Encoding.Latin1.GetString(part, 0, read));
            string all = text.ToString();
            int head = all.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            if (head >= 0)
            {
                string length = all[..head].Split("\r\n").Single(line => line.StartsWith("Content-Length: ", StringComparison.Ordinal))[16..];
                if (all.Length >= head + 4 + int.Parse(length, System.Globalization.CultureInfo.InvariantCulture))
                {
                    return all;
                }
            }
        }
    }
}

/// <summary>One request's turn to be answered.</summary>
/// <param name="socket">Its connection.</param>
/// <param name="connection">The how-manieth of the server, from 1.</param>
/// <param name="number">The how-manieth request on it, from 1.</param>
internal sealed class Turn(Socket socket, int connection, int number)
{
    public int Connection { get; } = connection;

    public int Number { get; } = number;

    /// <summary>Head and body, and whatever else was there with them.</summary>
    public string Request { get; init; } = "";

    public bool EndsConnection { get; set; }

    public async Task SendAsync(string text)
    {
        byte[] bytes = Encoding.Latin1.GetBytes(text);
        for (int sent = 0; sent < bytes.Length;)
        {
            sent += await socket.SendAsync(bytes.AsMemory(sent));
        }
    }

    public async Task DripAsync(string text)
    {
        foreach (char unit in text)
        {
            await SendAsync(unit.ToString());
            await Task.Yield();
        }
    }

    public void Reset()
    {
        socket.LingerState = new LingerOption(true, 0);
        socket.Close();
    }

    public async Task WaitForEndAsync()
    {
        byte[] nothing = new byte[256];
        while (await socket.ReceiveAsync(nothing) > 0)
        {
        }
    }
}
