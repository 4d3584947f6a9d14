using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using Ballast.Sandbox.Tls;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Ballast.Sandbox.Server;

/// <summary>One port. It can close, so that connects are refused and live connections are reset, and open again on the same port.</summary>
internal sealed class Listener(string address, int port, RequestDelegate handle, TlsIdentity? tls = null) : IAsyncDisposable
{
    private readonly SemaphoreSlim _turn = new(1, 1);
    private WebApplication? _server;
    private Socket? _placeholder;

    /// <summary>The port in use, once opened.</summary>
    public int Port { get; private set; } = port;

    public Uri Address => new($"{(tls is null ? "http" : "https")}://{address}:{Port}");

    /// <exception cref="SandboxPortInUseException">The port is taken.</exception>
    public async Task OpenAsync(CancellationToken cancellation)
    {
        await _turn.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            if (_server is not null)
            {
                return;
            }

            _placeholder?.Dispose();
            _placeholder = null;
            WebApplication server = Build();
            try
            {
                await server.StartAsync(cancellation).ConfigureAwait(false);
            }
            catch (IOException fault) when (fault.InnerException is AddressInUseException)
            {
                await server.DisposeAsync().ConfigureAwait(false);
                throw new SandboxPortInUseException(Port, fault);
            }

            _server = server;
            string bound = server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
            Port = new Uri(bound).Port;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>
    /// Refuses connects at once; aborts live connections after <paramref name="grace"/>, which lets their streams break off in mid-event.
    /// </summary>
    public async Task CloseAsync(Task grace)
    {
        await _turn.WaitAsync().ConfigureAwait(false);
        try
        {
            if (_server is not { } server)
            {
                return;
            }

            using CancellationTokenSource noMore = new();
            Task stopped = server.StopAsync(noMore.Token);
            await grace.ConfigureAwait(false);
            await noMore.CancelAsync().ConfigureAwait(false);
            await stopped.ConfigureAwait(false);
            await server.DisposeAsync().ConfigureAwait(false);
            _server = null;
            _placeholder = HoldPort();
        }
        finally
        {
            _turn.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync(Task.CompletedTask).ConfigureAwait(false);
        _placeholder?.Dispose();
        _turn.Dispose();
    }

    private WebApplication Build()
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.AllowAlternateSchemes = true;
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Listen(IPAddress.Parse(address), Port, listen =>
            {
                listen.Protocols = HttpProtocols.Http1AndHttp2;
                if (tls is null)
                {
                    listen.Use(static next => connection => PriorKnowledge.DeclareAsync(connection, next));
                }

                if (tls is not null)
                {
                    listen.UseHttps(tls.Server, https => https.SslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13);
                }
            });
        });
        WebApplication server = builder.Build();
        server.Run(handle);
        return server;
    }

    /// <summary>Bound but not listening: connects are refused, and nobody else is given the port meanwhile.</summary>
    private Socket? HoldPort()
    {
        Socket socket = new(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Parse(address), Port));
            return socket;
        }
        catch (SocketException)
        {
            socket.Dispose();
            return null;
        }
    }
}
