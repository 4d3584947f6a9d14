using System.IO.Pipelines;
using System.Net.Http.Headers;

namespace Ballast.Upstream.Framework;

/// <summary>An answer read by the framework's own client.</summary>
public sealed class FrameworkAnswer : UpstreamAnswer
{
    private readonly HttpResponseMessage _response;

    public FrameworkAnswer(HttpResponseMessage response, CancellationToken cancellation)
    {
        _response = response;
        AnswerStream stream = new(response.Content.ReadAsStream(cancellation));
        Body = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: 16 * 1024, minimumReadSize: 2 * 1024));
    }

    public override int Status => (int)_response.StatusCode;

    public override long? ContentLength => _response.Content.Headers.ContentLength;

    public override PipeReader Body { get; }

    public override string? Header(string name)
    {
        if (TryFind(name, out HeaderStringValues values))
        {
            foreach (string value in values)
            {
                return value;
            }
        }

        return null;
    }

    public override string? JoinedHeader(string name) => TryFind(name, out HeaderStringValues values) ? values.ToString() : null;

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Body.Complete();
            _response.Dispose();
        }
    }

    private bool TryFind(string name, out HeaderStringValues values) =>
        _response.Headers.NonValidated.TryGetValues(name, out values) || _response.Content.Headers.NonValidated.TryGetValues(name, out values);
}
