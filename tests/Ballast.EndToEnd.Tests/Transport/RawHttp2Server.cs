using System.Buffers.Binary;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Ballast.EndToEnd.Tests.Transport;

/// <summary>What becomes of the first request whose body has come whole; every later one is answered.</summary>
public enum Http2Fate
{
    /// <summary>GOAWAY whose last stream is before it, then the end of the connection: it was not processed.</summary>
    GoAwayBeforeIt,

    /// <summary>RST_STREAM with REFUSED_STREAM: it was not processed.</summary>
    Refused,

    /// <summary>GOAWAY that counts it, then the end of the connection: it may have been processed.</summary>
    GoAwayAfterIt,

    /// <summary>RST_STREAM with INTERNAL_ERROR: it may have been processed.</summary>
    ResetAfterIt,
}

/// <summary>An HTTP/2 server of bare frames over TLS: it does what no well-behaved server can be made to do, and counts the requests it has read.</summary>
internal sealed class RawHttp2Server : IAsyncDisposable
{
    private const byte Data = 0, Headers = 1, Reset = 3, Settings = 4, Ping = 6, GoAway = 7;
    private const byte EndStream = 1, Acknowledged = 1, EndHeaders = 4;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly X509Certificate2 _certificate;
    private readonly Http2Fate _fate;
    private readonly Task _accepting;
    private int _read;

    public RawHttp2Server(Http2Fate fate, string caPath)
    {
        _fate = fate;
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=raw", key, HashAlgorithmName.SHA256);
        SubjectAlternativeNameBuilder names = new();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        using X509Certificate2 made = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(30));
        _certificate = X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
        File.WriteAllText(caPath, made.ExportCertificatePem());
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public Uri Address => new($"https://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");

    /// <summary>Requests whose last byte has come.</summary>
    public int Read => Volatile.Read(ref _read);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        _stop.Dispose();
        _certificate.Dispose();
    }

    private async Task AcceptAsync()
    {
        List<Task> connections = [];
        try
        {
            while (true)
            {
                connections.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
            }
        }
        catch (Exception end) when (end is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        try
        {
            using (client)
            await using (SslStream stream = new(client.GetStream()))
            {
                await stream.AuthenticateAsServerAsync(
                    new SslServerAuthenticationOptions { ServerCertificate = _certificate, ApplicationProtocols = [SslApplicationProtocol.Http2] }, _stop.Token);
                await stream.ReadExactlyAsync(new byte[24], _stop.Token); // the preface
                await WriteAsync(stream, Settings, 0, 0, []);
                while (await ServeFrameAsync(stream))
                {
                }
            }
        }
        catch (Exception end) when (end is IOException or OperationCanceledException)
        {
            // The client has gone, or the test has.
        }
    }

    private async Task<bool> ServeFrameAsync(SslStream stream)
    {
        byte[] head = new byte[9];
        await stream.ReadExactlyAsync(head, _stop.Token);
        byte[] payload = new byte[(head[0] << 16) | (head[1] << 8) | head[2]];
        await stream.ReadExactlyAsync(payload, _stop.Token);
        (byte type, byte flags, int id) = (head[3], head[4], BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(5)) & int.MaxValue);
        switch (type)
        {
            case Settings when (flags & Acknowledged) == 0:
                await WriteAsync(stream, Settings, Acknowledged, 0, []);
                return true;
            case Ping when (flags & Acknowledged) == 0:
                await WriteAsync(stream, Ping, Acknowledged, 0, payload);
                return true;
            case Data or Headers when (flags & EndStream) != 0:
                return await EndOfRequestAsync(stream, id);
            default:
                return true;
        }
    }

    private async Task<bool> EndOfRequestAsync(SslStream stream, int id)
    {
        if (Interlocked.Increment(ref _read) > 1)
        {
            await AnswerAsync(stream, id);
            return true;
        }

        switch (_fate)
        {
            case Http2Fate.Refused or Http2Fate.ResetAfterIt:
                await WriteAsync(stream, Reset, 0, id, [0, 0, 0, _fate == Http2Fate.Refused ? (byte)7 : (byte)2]);
                return true;
            default:
                int last = _fate == Http2Fate.GoAwayAfterIt ? id : 0;
                await WriteAsync(stream, GoAway, 0, 0, [0, 0, 0, (byte)last, 0, 0, 0, 0]);
                return false;
        }
    }

    private async Task AnswerAsync(SslStream stream, int id)
    {
        // :status 200 from the static table; content-type as a literal that is not indexed, its name from the static table (31).
        byte[] type = "text/event-stream"u8.ToArray();
        await WriteAsync(stream, Headers, EndHeaders, id, [0x88, 0x0f, 0x10, (byte)type.Length, .. type]);
        await WriteAsync(stream, Data, EndStream, id, Encoding.UTF8.GetBytes(
            """
            data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"hi"},"finish_reason":null}]}

            data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}

            data: [DONE]


            """.ReplaceLineEndings("\n")));
    }

    private async Task WriteAsync(SslStream stream, byte type, byte flags, int id, byte[] payload)
    {
        byte[] frame = new byte[9 + payload.Length];
        frame[1] = (byte)(payload.Length >> 8);
        frame[2] = (byte)payload.Length;
        (frame[3], frame[4]) = (type, flags);
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), id);
        payload.CopyTo(frame, 9);
        await stream.WriteAsync(frame, _stop.Token);
        await stream.FlushAsync(_stop.Token);
    }
}
