using System.Buffers;
using System.Buffers.Text;
using System.Net;
using System.Runtime.CompilerServices;

namespace Ballast.Transport.Http1;

/// <summary>The request that a connection is working on, and its answer. One for each connection, used again: a request of its own costs no memory.</summary>
internal sealed class Http1Call(Http1Connection owner, RequestHead head) : HttpCall
{
    /// <summary>What the engine itself adds to a head, in bytes, at most.</summary>
    private const int OwnHeadBytes = 192 + StatusLine.BytesMax;

    private readonly ResponseOutput _output = new();
    private readonly TextMemo _texts = new();
    private readonly Lock _gate = new();
    private readonly List<KeyValuePair<string, string>> _headers = [];
    private CancellationTokenSource? _aborted;
    private volatile bool _isCancelled;
    private bool _isCut;
    private string? _path;
    private long? _responseLength;
    private int _status;

    /// <summary>The connection may serve another request after this answer; known once the answer's head is written.</summary>
    public bool IsKeepAlive { get; private set; }

    /// <summary>An end of the connection shows the client that its answer is not whole; else only a reset does.</summary>
    public bool IsCutByEnd => !_isCancelled && _output.HasHead && !_output.IsUntilClose;

    public override string Method => head.Method switch
    {
        [(byte)'P', (byte)'O', (byte)'S', (byte)'T'] => "POST",
        [(byte)'G', (byte)'E', (byte)'T'] => "GET",
        _ => _texts.Of(head.Method),
    };

    public override string Path => _path ??= RequestTargetText.Path(head.Target, _texts);

    public override long? ContentLength => head.ContentLength;

    public override IPAddress? RemoteAddress => owner.RemoteAddress;

    public override int Status
    {
        get => _status;
        set => _status = value;
    }

    public override long? ResponseLength
    {
        get => _responseLength;
        set => _responseLength = value;
    }

    public override CancellationToken Aborted
    {
        get
        {
            if (_aborted is { } known && !_isCancelled && !owner.IsPeerClosed)
            {
                return known.Token;
            }

            lock (_gate)
            {
                if (_isCancelled || owner.IsPeerClosed)
                {
                    return new CancellationToken(canceled: true);
                }

                return (_aborted ??= new CancellationTokenSource()).Token;
            }
        }
    }

    public override IBufferWriter<byte> Output
    {
        get
        {
            if (!_output.HasHead)
            {
                WriteHead();
            }

            return _output;
        }
    }

    public void Begin()
    {
        _path = null;
        _isCut = false;
        _responseLength = null;
        _status = 200;
        _headers.Clear();
        _output.Clear();
    }

    /// <summary>The client has gone: whoever works for it is told.</summary>
    public void Cancel()
    {
        CancellationTokenSource? aborted;
        lock (_gate)
        {
            _isCancelled = true;
            aborted = _aborted;
        }

        aborted?.Cancel();
    }

    /// <summary>The connection is no more.</summary>
    public void Forget()
    {
        _output.Clear();
        lock (_gate)
        {
            _isCancelled = true;
            _aborted?.Dispose();
            _aborted = null;
        }
    }

    public override string? Query(string name) => RequestTargetText.Query(head.Target, name);

    public override string? NextHeader(string name, ref int position)
    {
        int found = head.Find(name, position);
        if (found < 0)
        {
            position = head.Count;
            return null;
        }

        position = found + 1;
        return _texts.Of(head.Value(found));
    }

    public override ValueTask<int> ReadBodyAsync(Memory<byte> buffer) => owner.Body.ReadAsync(buffer);

    public override void SetHeader(string name, string value)
    {
        if (_output.HasHead)
        {
            throw new InvalidOperationException("The answer's head is written.");
        }

        KeyValuePair<string, string> header = new(name, value);
        for (int i = 0; i < _headers.Count; i++)
        {
            if (_headers[i].Key.Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                _headers[i] = header;
                return;
            }
        }

        _headers.Add(header);
    }

    public override void ClearHeaders()
    {
        if (_output.HasHead)
        {
            throw new InvalidOperationException("The answer's head is written.");
        }

        _headers.Clear();
        _responseLength = null;
    }

    public override ValueTask<bool> FlushAsync(CancellationToken cancellation) => SendAsync(isLast: false);

    public override void Abort() => _isCut = true;

    /// <summary>Ends the answer. False where the client has no whole answer: it is gone, or less was written than the head told.</summary>
    public ValueTask<bool> EndAsync()
    {
        if (_isCut)
        {
            return new ValueTask<bool>(false);
        }

        if (!_output.HasHead)
        {
            if (_isCancelled)
            {
                return new ValueTask<bool>(false);
            }

            _responseLength ??= 0;
            WriteHead();
        }

        return _output.IsWhole ? SendAsync(isLast: true) : new ValueTask<bool>(false);
    }

    /// <summary>Tells the client why its request cannot be read. The connection ends with it.</summary>
    public ValueTask<bool> RefuseAsync(int status, RefusalText text)
    {
        _status = status;
        _responseLength = text.Body.Length;
        SetHeader("Content-Type", text.ContentType);
        foreach ((string name, string value) in text.Headers)
        {
            SetHeader(name, value);
        }

        WriteHead(isRefusal: true);
        _output.Write(text.Body.Span);
        return SendAsync(isLast: true);
    }

    private ValueTask<bool> SendAsync(bool isLast)
    {
        if (!_output.HasHead)
        {
            WriteHead();
        }

        // The first piece of a stream is what people wait for: it does not wait for others' sends.
        bool isFirstOfStream = _output.IsHeadUnsent && !isLast && _responseLength is null;
        ReadOnlyMemory<byte> bytes = _output.Take(isLast);
        if (bytes.IsEmpty)
        {
            return new ValueTask<bool>(!_isCancelled || isLast);
        }

        ValueTask<bool> sending = owner.SendAsync(bytes);
        if (isFirstOfStream && sending.IsCompletedSuccessfully)
        {
            sending = owner.SendAsync(default);
        }

        if (!sending.IsCompletedSuccessfully)
        {
            return FinishAsync(sending);
        }

        _output.Sent();
        return sending;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> FinishAsync(ValueTask<bool> sending)
    {
        bool isSent = await sending.ConfigureAwait(false);
        _output.Sent();
        return isSent;
    }

    private void WriteHead(bool isRefusal = false)
    {
        bool hasNoBody = _status is 204 or 304 || head.Method.SequenceEqual("HEAD"u8);
        ResponseOutput.BodyForm form = hasNoBody ? ResponseOutput.BodyForm.None
            : _responseLength is not null ? ResponseOutput.BodyForm.Length
            : head.IsHttp11 ? ResponseOutput.BodyForm.Chunked
            : ResponseOutput.BodyForm.UntilClose;
        IsKeepAlive = !isRefusal && head.IsKeepAlive && !owner.IsStopping && !owner.IsTooSlow && form != ResponseOutput.BodyForm.UntilClose && !owner.Body.IsUnasked;
        int bytes = OwnHeadBytes;
        foreach (KeyValuePair<string, string> header in _headers)
        {
            bytes += header.Key.Length + header.Value.Length + 4;
        }

        Span<byte> to = _output.BeginHead(bytes);
        int at = StatusLine.Write(to, _status);
        foreach (KeyValuePair<string, string> header in _headers)
        {
            at += ResponseOutput.WriteHeader(to[at..], header.Key, header.Value);
        }

        at += Write(to[at..], "Date: "u8);
        at += Write(to[at..], owner.Date);
        if (_responseLength is { } length && _status != 204)
        {
            at += Write(to[at..], "\r\nContent-Length: "u8);
            Utf8Formatter.TryFormat(length, to[at..], out int digits);
            at += digits;
        }
        else if (form == ResponseOutput.BodyForm.Chunked)
        {
            at += Write(to[at..], "\r\nTransfer-Encoding: chunked"u8);
        }

        if (!IsKeepAlive)
        {
            at += Write(to[at..], "\r\nConnection: close"u8);
        }
        else if (!head.IsHttp11)
        {
            at += Write(to[at..], "\r\nConnection: keep-alive"u8);
        }

        at += Write(to[at..], "\r\n\r\n"u8);
        _output.EndHead(at, form, _responseLength ?? 0);
    }

    private static int Write(Span<byte> to, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(to);
        return bytes.Length;
    }
}
