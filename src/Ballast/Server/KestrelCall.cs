using System.Buffers;
using System.IO.Pipelines;
using Ballast.Transport;
using Microsoft.AspNetCore.Http;

namespace Ballast.Server;

/// <summary>A request as Kestrel brings it.</summary>
internal sealed class KestrelCall(HttpContext http) : HttpCall
{
    public override string Method => http.Request.Method;

    public override string Path => http.Request.Path.Value is { Length: > 0 } path ? path : "/";

    public override long? ContentLength => http.Request.ContentLength;

    public override CancellationToken Aborted => http.RequestAborted;

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

    public override IBufferWriter<byte> Output => http.Response.BodyWriter;

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
    }

    public override void SetHeader(string name, string value) => http.Response.Headers[name] = value;

    public override void ClearHeaders() => http.Response.Headers.Clear();

    public override async ValueTask<bool> FlushAsync(CancellationToken cancellation)
    {
        FlushResult result = await http.Response.BodyWriter.FlushAsync(cancellation).ConfigureAwait(false);
        return !result.IsCompleted && !result.IsCanceled;
    }

    public override void Abort() => http.Abort();
}
