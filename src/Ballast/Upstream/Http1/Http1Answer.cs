using System.IO.Pipelines;

namespace Ballast.Upstream.Http1;

/// <summary>An answer that lies in the memory in which it was received.</summary>
public sealed class Http1Answer : UpstreamAnswer
{
    private readonly UpstreamConnection _connection;
    private readonly Http1Body _body;

    internal Http1Answer(UpstreamConnection connection, Http1Body body)
    {
        _connection = connection;
        _body = body;
        Status = connection.Head.Status;
        ContentLength = connection.Head.ContentLength;
    }

    public override int Status { get; }

    public override long? ContentLength { get; }

    public override PipeReader Body => _body;

    public override string? Header(string name) => _connection.Head.Find(name);

    public override string? JoinedHeader(string name) => _connection.Head.FindAll(name);

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _body.Release(_body.IsReusable);
        }
    }
}
