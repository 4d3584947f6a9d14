using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using Ballast.Gateway;
using Ballast.Transport;
using Microsoft.AspNetCore.Http;

namespace Ballast.Server;

/// <summary>A request as Kestrel brings it.</summary>
internal sealed class KestrelCall(HttpContext http) : HttpCall
{
    private BodyWriter? _output;

    public override string Method => http.Request.Method;

    public override string Path => http.Request.Path.Value is { Length: > 0 } path ? path : "/";

    public override long? ContentLength => http.Request.ContentLength;

    public override CancellationToken Aborted => http.RequestAborted;

    public override IPAddress? RemoteAddress => http.Connection.RemoteIpAddress;

    public override int Status
    {
        get => http.Response.StatusCode;
        set => http.Response.StatusCode = value;
    }

    public override long? ResponseLength
    {
        get => http.Response.ContentLength;
        set => http.Response.ContentLength = value;
    }

    public override IBufferWriter<byte> Output => _output ??= new BodyWriter(http.Response.BodyWriter, HttpMethods.IsHead(http.Request.Method));

    public override string? Query(string name) => http.Request.Query.TryGetValue(name, out Microsoft.Extensions.Primitives.StringValues values) ? values[0] ?? "" : null;

    public override string? NextHeader(string name, ref int position)
    {
        Microsoft.Extensions.Primitives.StringValues values = http.Request.Headers[name];
        return position < values.Count ? values[position++] : null;
    }

    public override async ValueTask<int> ReadBodyAsync(Memory<byte> buffer)
    {
        try
        {
            return await http.Request.Body.ReadAsync(buffer, http.RequestAborted).ConfigureAwait(false);
        }
        catch (BadHttpRequestException exception) when (exception.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            throw new BodyTooLargeException(exception);
        }
        catch (BadHttpRequestException exception) when (exception.StatusCode == StatusCodes.Status408RequestTimeout)
        {
            throw new BodyTooSlowException(exception);
        }
    }

    public override void SetHeader(string name, string value) => http.Response.Headers[name] = value;

    public override void ClearHeaders() => http.Response.Headers.Clear();

    public override async ValueTask<bool> FlushAsync(CancellationToken cancellation)
    {
        FlushResult result = await http.Response.BodyWriter.FlushAsync(cancellation).ConfigureAwait(false);
        return !result.IsCompleted && !result.IsCanceled;
    }

    public override void Abort() => http.Abort();

    /// <summary>
    /// Into a stream of HTTP/2 that its client has reset nothing more can be written: Kestrel then gives no room, and says no more than that. What is written of the answer
    /// to a HEAD stays here: before the head is sent Kestrel does not know yet that no body may follow.
    /// </summary>
    private sealed class BodyWriter(PipeWriter inside, bool isHead) : IBufferWriter<byte>
    {
        public void Advance(int count)
        {
            if (!isHead)
            {
                inside.Advance(count);
            }
        }

        public Memory<byte> GetMemory(int sizeHint = 0)
        {
            Memory<byte> room = inside.GetMemory(sizeHint);
            return room.IsEmpty ? throw new ClientGoneException() : room;
        }

        public Span<byte> GetSpan(int sizeHint = 0)
        {
            Span<byte> room = inside.GetSpan(sizeHint);
            return room.IsEmpty ? throw new ClientGoneException() : room;
        }
    }
}
