using System.Buffers;
using System.Net;
using Ballast.Transport;

namespace Ballast.Server;

/// <summary>A call of a web page's script: whatever answers it, an error too, says that the script may read it.</summary>
internal sealed class BrowserCall : HttpCall
{
    private readonly HttpCall _inside;
    private readonly string _origin;

    /// <param name="inside">The call.</param>
    /// <param name="origin">Whose scripts may read the answer: the page's, or <c>*</c>.</param>
    public BrowserCall(HttpCall inside, string origin)
    {
        _inside = inside;
        _origin = origin;
        Allow();
    }

    public override string Method => _inside.Method;
    public override string Path => _inside.Path;
    public override long? ContentLength => _inside.ContentLength;
    public override IPAddress? RemoteAddress => _inside.RemoteAddress;
    public override CancellationToken Aborted => _inside.Aborted;

    public override int Status
    {
        get => _inside.Status;
        set => _inside.Status = value;
    }

    public override long? ResponseLength
    {
        get => _inside.ResponseLength;
        set => _inside.ResponseLength = value;
    }

    public override IBufferWriter<byte> Output => _inside.Output;

    public override string? Query(string name) => _inside.Query(name);

    public override string? NextHeader(string name, ref int position) => _inside.NextHeader(name, ref position);

    public override ValueTask<int> ReadBodyAsync(Memory<byte> buffer) => _inside.ReadBodyAsync(buffer);

    public override void SetHeader(string name, string value) => _inside.SetHeader(name, value);

    public override void ClearHeaders()
    {
        _inside.ClearHeaders();
        Allow();
    }

    public override ValueTask<bool> FlushAsync(CancellationToken cancellation) => _inside.FlushAsync(cancellation);

    public override void Abort() => _inside.Abort();

    /// <summary>Without <c>Access-Control-Allow-Credentials</c>: keys are sent by scripts, not by browsers, and cookies mean nothing here. Then <c>*</c> shows every header.</summary>
    private void Allow()
    {
        _inside.SetHeader("Access-Control-Allow-Origin", _origin);
        _inside.SetHeader("Access-Control-Expose-Headers", "*");
        if (_origin != Configuration.CorsOptions.AnyOrigin)
        {
            _inside.SetHeader("Vary", "Origin");
        }
    }
}
