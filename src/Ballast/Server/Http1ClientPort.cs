using System.Net;
using System.Net.Sockets;
using Ballast.Transport;
using Ballast.Transport.Http1;

namespace Ballast.Server;

/// <summary>The port for clients on the program's own engine.</summary>
internal sealed class Http1ClientPort(Uri address, EventLoops loops) : ClientPort
{
    private Http1Server? _server;

    public override Task<Uri> StartAsync(Func<HttpCall, Task> handle, CancellationToken cancellation)
    {
        IPEndPoint wanted = new(IPAddress.Parse(address.Host == "localhost" ? "127.0.0.1" : address.Host.Trim('[', ']')), address.Port);
        try
        {
            // Limits of clients are the network's time, whatever clock the gateway is given.
            _server = new Http1Server(wanted, loops, new Http1Limits { BodyBytesMax = DiscardBytesMax }, TimeProvider.System, handle);
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            throw new AddressInUseException(address, exception);
        }

        return Task.FromResult(new Uri($"http://{_server.LocalAddress}"));
    }

    public override Task StopAsync(CancellationToken cancellation) => _server?.StopAsync(cancellation) ?? Task.CompletedTask;

    public override ValueTask DisposeAsync()
    {
        _server?.Dispose();
        return ValueTask.CompletedTask;
    }
}
