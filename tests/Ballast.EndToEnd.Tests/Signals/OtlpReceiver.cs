using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Ballast.EndToEnd.Tests.Signals;

/// <summary>A collector: takes OTLP over HTTP or gRPC, keeps every byte, and reads spans and metrics out of it by the field numbers of the OTLP specification.</summary>
internal sealed class OtlpReceiver : IAsyncDisposable
{
    private readonly WebApplication _application;

    private OtlpReceiver(WebApplication application) => _application = application;

    public Uri Address { get; private set; } = null!;

    /// <summary>Refuses everything with this status; 0 takes it.</summary>
    public int Refusal { get; set; }

    /// <summary>Path, headers and body of each request.</summary>
    public ConcurrentQueue<(string Path, IReadOnlyDictionary<string, string> Headers, byte[] Body)> Requests { get; } = [];

    /// <summary>Everything that was received, as text: where a secret is looked for.</summary>
    public string Everything => string.Join('\n', Requests.Select(request => System.Text.Encoding.Latin1.GetString(request.Body)));

    public IReadOnlyList<OtlpSpan> Spans =>
    [
        .. from request in Requests where request.Path.Contains("race", StringComparison.Ordinal)
           from resource in new ProtobufMessage(request.Body).All(1)
           from scope in resource.All(2)
           from span in scope.All(2)
           select new OtlpSpan(span, resource.One(1)!.Attributes(1), scope.One(1)!.Text(1)),
    ];

    /// <summary>The points of the last export.</summary>
    public IReadOnlyList<OtlpPoint> Points =>
    [
        .. from request in Requests.Where(request => request.Path.Contains("etrics", StringComparison.Ordinal)).TakeLast(1)
           from resource in new ProtobufMessage(request.Body).All(1)
           from scope in resource.All(2)
           from metric in scope.All(2)
           from point in metric.One(9)?.All(1) ?? []
           select new OtlpPoint(metric.Text(1), metric.Text(3), point),
    ];

    public static async Task<OtlpReceiver> StartAsync(bool isGrpc = false)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = isGrpc ? HttpProtocols.Http2 : HttpProtocols.Http1));
        OtlpReceiver receiver = new(builder.Build());
        receiver._application.Run(receiver.TakeAsync);
        await receiver._application.StartAsync(TestContext.Current.CancellationToken);
        receiver.Address = new Uri(receiver._application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        return receiver;
    }

    public ValueTask DisposeAsync() => _application.DisposeAsync();

    private async Task TakeAsync(HttpContext http)
    {
        using MemoryStream body = new();
        await http.Request.Body.CopyToAsync(body, http.RequestAborted);
        if (Refusal != 0)
        {
            http.Response.StatusCode = Refusal;
            return;
        }

        bool isGrpc = http.Request.ContentType?.StartsWith("application/grpc", StringComparison.Ordinal) == true;
        byte[] bytes = body.ToArray();
        if (isGrpc)
        {
            Assert.Equal(bytes.Length - 5, (int)BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(1)));
            bytes = bytes[5..];
        }

        Requests.Enqueue((http.Request.Path.Value!, http.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase), bytes));
        if (isGrpc)
        {
            http.Response.ContentType = "application/grpc";
            http.Response.DeclareTrailer("grpc-status");
            await http.Response.Body.WriteAsync(new byte[5]);
            http.Response.AppendTrailer("grpc-status", "0");
        }
        else
        {
            http.Response.ContentType = "application/x-protobuf";
        }
    }
}

/// <summary>One span as it arrived.</summary>
internal sealed class OtlpSpan(ProtobufMessage span, IReadOnlyDictionary<string, object> resource, string scope)
{
    public string TraceId { get; } = span.Hex(1);
    public string SpanId { get; } = span.Hex(2);
    public string State { get; } = span.Text(3);
    public string ParentId { get; } = span.Hex(4);
    public string Name { get; } = span.Text(5);

    /// <summary>2 is a server's, 3 a client's.</summary>
    public int Kind { get; } = (int)span.Number(6);
    public ulong Start { get; } = span.Number(7);
    public ulong End { get; } = span.Number(8);
    public IReadOnlyDictionary<string, object> Attributes { get; } = span.Attributes(9);

    /// <summary>2 is an error.</summary>
    public int Status { get; } = (int)(span.One(15)?.Number(3) ?? 0);
    public IReadOnlyDictionary<string, object> Resource { get; } = resource;
    public string Scope { get; } = scope;
}

/// <summary>One histogram's point.</summary>
internal sealed class OtlpPoint(string name, string unit, ProtobufMessage point)
{
    public string Name { get; } = name;
    public string Unit { get; } = unit;
    public long Count { get; } = (long)point.Number(4);
    public double Sum { get; } = point.Double(5);
    public ulong[] Buckets { get; } = point.Fixed64s(6);
    public double[] Bounds { get; } = [.. point.Fixed64s(7).Select(BitConverter.UInt64BitsToDouble)];
    public IReadOnlyDictionary<string, object> Attributes { get; } = point.Attributes(9);
}
