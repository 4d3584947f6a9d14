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
    private HttpPort? _http2;
    private Http1Server? _server;

    public override async Task<Uri> StartAsync(Func<HttpCall, Task> handle, CancellationToken cancellation)
    {
        _http2 = new HttpPort(_bridge, DiscardBytesMax, logging);
        await _http2.StartAsync(http => handle(new KestrelCall(http)), cancellation).ConfigureAwait(false);
        IPEndPoint wanted = new(IPAddress.Parse(address.Host == "localhost" ? "127.0.0.1" : address.Host.Trim('[', ']')), address.Port);
        try
        {
            // Limits of clients are the network's time, whatever clock the gateway is given.
            OtherProtocol http2 = new(Http2Bridge.Preface.ToArray(), _bridge.CarryAsync);
            _server = new Http1Server(wanted, loops, new Http1Limits { BodyBytesMax = DiscardBytesMax }, TimeProvider.System, handle, http2, Tell);
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            throw new AddressInUseException(address, exception);
        }

        return new Uri($"http://{_server.LocalAddress}");
    }

    public override async Task StopAsync(CancellationToken cancellation)
    {
        Task http1 = _server?.StopAsync(cancellation) ?? Task.CompletedTask;
        await (_http2?.StopAsync(cancellation) ?? Task.CompletedTask).ConfigureAwait(false);
        await http1.ConfigureAwait(false);
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
        if (_http2 is not null)
        {
            await _http2.DisposeAsync().ConfigureAwait(false);
        }
    }
}
