using System.Buffers;
using System.Buffers.Text;
using System.Text;
using Ballast.Exchanges;

namespace Ballast.Upstream.Http1;

/// <summary>Writes the head of a request to one address as HTTP/1.1.</summary>
public sealed class RequestHeadWriter
{
    private readonly byte[] _host;

    public RequestHeadWriter(Uri address)
    {
        string host = address.HostNameType == UriHostNameType.IPv6 ? address.Host : address.IdnHost;
        _host = Encoding.ASCII.GetBytes(address.IsDefaultPort ? $" HTTP/1.1\r\nHost: {host}\r\n" : $" HTTP/1.1\r\nHost: {host}:{address.Port}\r\n");
    }

    /// <summary>Names and values were checked when they were added: none holds a line's end.</summary>
    public void Write(UpstreamMessage message, PooledBuffer output)
    {
        Put(output, message.Method);
        output.Write(" "u8);
        Put(output, message.Address.PathAndQuery);
        output.Write(_host);
        UpstreamHeaders headers = message.Headers;
        for (int i = 0; i < headers.Count; i++)
        {
            (string name, string value) = headers[i];
            Put(output, name);
            output.Write(": "u8);
            Put(output, value);
            output.Write("\r\n"u8);
        }

        output.Write("Content-Length: "u8);
        Utf8Formatter.TryFormat(message.Body.Length, output.GetSpan(20), out int written);
        output.Advance(written);
        output.Write("\r\n\r\n"u8);
    }

    private static void Put(PooledBuffer output, string text)
    {
        Span<byte> span = output.GetSpan(text.Length);
        if (Ascii.FromUtf16(text, span, out int written) != OperationStatus.Done)
        {
            throw new InvalidOperationException("A request's head holds a character that is not ASCII.");
        }

        output.Advance(written);
    }
}
