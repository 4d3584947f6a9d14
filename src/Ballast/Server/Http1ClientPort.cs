using System.Buffers;
using System.Net;
using System.Net.Sockets;
using Ballast.Exchanges;
using Ballast.Protocols;
using Ballast.Telemetry;
using Ballast.Transport;
using Ballast.Transport.Http1;
using Microsoft.Extensions.Logging;

namespace Ballast.Server;

/// <summary>The port for clients on the program's own engine; who begins in HTTP/2 is served by Kestrel behind it.</summary>
internal sealed class Http1ClientPort(Uri address, EventLoops loops, ILoggerFactory logging) : ClientPort
{
    private readonly ILogger _log = logging.CreateLogger("ballast");
    private readonly Http2Bridge _bridge = new();
    private readonly Lock _gate = new();
    private Task<HttpPort>? _http2;
    private Http1Server? _server;
    private bool _isStopping;

    public override Task<Uri> StartAsync(Func<HttpCall, Task> handle, CancellationToken cancellation)
    {
        IPEndPoint wanted = new(IPAddress.Parse(address.Host == "localhost" ? "127.0.0.1" : address.Host.Trim('[', ']')), address.Port);
        try
        {
            // Limits of clients are the network's time, whatever clock the gateway is given.
            OtherProtocol http2 = new(Http2Bridge.Preface.ToArray(), (connection, received) => CarryAsync(connection, received, handle));
            _server = new Http1Server(wanted, loops, new Http1Limits { BodyBytesMax = DiscardBytesMax }, TimeProvider.System, handle, http2, Tell);
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            throw new AddressInUseException(address, exception);
        }

        return Task.FromResult(new Uri($"http://{_server.LocalAddress}"));
    }

    public override async Task StopAsync(CancellationToken cancellation)
    {
        Task<HttpPort>? http2;
        lock (_gate)
        {
            _isStopping = true;
            http2 = _http2;
        }

        Task http1 = _server?.StopAsync(cancellation) ?? Task.CompletedTask;
        if (http2 is not null)
        {
            await (await http2.ConfigureAwait(false)).StopAsync(cancellation).ConfigureAwait(false);
        }

        await http1.ConfigureAwait(false);
    }

    /// <summary>Kestrel is made for the first who speaks HTTP/2, beside the loop: most gateways never need it, and it would be a good part of their start.</summary>
    private async Task CarryAsync(Connection connection, ReadOnlyMemory<byte> received, Func<HttpCall, Task> handle)
    {
        Task<HttpPort> http2;
        lock (_gate)
        {
            if (_isStopping)
            {
                return;
            }

            http2 = _http2 ??= Task.Run(() => StartHttp2Async(handle));
        }

        await http2.ConfigureAwait(false);
        await _bridge.CarryAsync(connection, received).ConfigureAwait(false);
    }

    private async Task<HttpPort> StartHttp2Async(Func<HttpCall, Task> handle)
    {
        HttpPort http2 = new(_bridge, DiscardBytesMax, logging);
        await http2.StartAsync(http => handle(new KestrelCall(http)), CancellationToken.None).ConfigureAwait(false);
        return http2;
    }

    /// <summary>A head that cannot be read names no path that is to be believed, so that its protocol is unknown: errors of OpenAI's form are what most clients read.</summary>
    private RefusalText Tell(HeadRefusal refusal)
    {
        string id = ExchangeId.Make(TimeProvider.System.GetUtcNow());
        GatewayError error = GatewayError.HeadUnreadable;
        ArrayBufferWriter<byte> body = new();
        ProtocolList.OpenAIChat.WriteError(error.ToChatError(refusal.Reason) with { RequestId = id }, body);
        _log.Refused(id, error.Code, refusal.Status);
        return new RefusalText("application/json", body.WrittenMemory, [new(ProtocolList.OpenAIChat.RequestIdHeader, id), new("x-ballast-request-id", id)]);
    }

    public override async ValueTask DisposeAsync()
    {
        _server?.Dispose();
        if (_http2 is { } http2)
        {
            await (await http2.ConfigureAwait(false)).DisposeAsync().ConfigureAwait(false);
        }
    }
}
