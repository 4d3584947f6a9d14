using System.Buffers.Text;

namespace Ballast.Transport.Http1;

/// <summary>The first line of an answer.</summary>
internal static class StatusLine
{
    /// <summary>Longest line written, in bytes.</summary>
    public const int BytesMax = 64;

    public static int Write(Span<byte> to, int status)
    {
        "HTTP/1.1 "u8.CopyTo(to);
        Utf8Formatter.TryFormat(status, to[9..], out int digits);
        int at = 9 + digits;
        to[at++] = (byte)' ';
        ReadOnlySpan<byte> reason = Reason(status);
        reason.CopyTo(to[at..]);
        at += reason.Length;
        "\r\n"u8.CopyTo(to[at..]);
        return at + 2;
    }

    private static ReadOnlySpan<byte> Reason(int status) => status switch
    {
        200 => "OK"u8,
        204 => "No Content"u8,
        400 => "Bad Request"u8,
        401 => "Unauthorized"u8,
        402 => "Payment Required"u8,
        403 => "Forbidden"u8,
        404 => "Not Found"u8,
        405 => "Method Not Allowed"u8,
        408 => "Request Timeout"u8,
        409 => "Conflict"u8,
        411 => "Length Required"u8,
        413 => "Payload Too Large"u8,
        414 => "URI Too Long"u8,
        415 => "Unsupported Media Type"u8,
        417 => "Expectation Failed"u8,
        422 => "Unprocessable Content"u8,
        424 => "Failed Dependency"u8,
        429 => "Too Many Requests"u8,
        431 => "Request Header Fields Too Large"u8,
        499 => "Client Closed Request"u8,
        500 => "Internal Server Error"u8,
        501 => "Not Implemented"u8,
        502 => "Bad Gateway"u8,
        503 => "Service Unavailable"u8,
        504 => "Gateway Timeout"u8,
        505 => "HTTP Version Not Supported"u8,
        529 => "Overloaded"u8,
        _ => default,
    };
}
