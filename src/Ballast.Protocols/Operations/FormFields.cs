namespace Ballast.Protocols.Operations;

/// <summary>
/// Finds short fields in a <c>multipart/form-data</c> body (RFC 7578) without taking it apart: a field is the part whose <c>Content-Disposition</c> names it. The
/// boundary is the body's own first line, which is where every part is cut whatever a header said.
/// </summary>
internal static class FormFields
{
    /// <summary>Longest boundary, RFC 2046.</summary>
    private const int BoundaryBytesMax = 72;

    private const int PartsMax = 256;

    public static bool IsForm(ReadOnlySpan<byte> body) => body.StartsWith("--"u8);

    /// <summary>Where the value of the first field of that name lies; absent where there is none.</summary>
    /// <exception cref="ProtocolException">The body is no form.</exception>
    public static JsonSpan Find(ReadOnlySpan<byte> body, ReadOnlySpan<byte> name)
    {
        int lineEnd = body.IndexOf("\r\n"u8);
        if (lineEnd is < 3 or > BoundaryBytesMax)
        {
            throw Broken();
        }

        ReadOnlySpan<byte> boundary = body[..lineEnd];
        int position = lineEnd + 2;
        for (int part = 0; part < PartsMax; part++)
        {
            int headEnd = body[position..].IndexOf("\r\n\r\n"u8);
            if (headEnd < 0)
            {
                throw Broken();
            }

            ReadOnlySpan<byte> head = body.Slice(position, headEnd);
            int start = position + headEnd + 4;
            int length = EndOf(body[start..], boundary);
            if (length < 0)
            {
                throw Broken();
            }

            if (IsNamed(head, name))
            {
                return new JsonSpan(start, length);
            }

            position = start + length + 2 + boundary.Length;
            if (body[position..].StartsWith("--"u8))
            {
                return default;
            }

            position += 2;
            if (position >= body.Length)
            {
                throw Broken();
            }
        }

        throw ProtocolException.Invalid($"The form has more than {PartsMax} parts.");
    }

    /// <summary>How long a part's content is: up to the line break before the next boundary.</summary>
    private static int EndOf(ReadOnlySpan<byte> rest, ReadOnlySpan<byte> boundary)
    {
        int from = 0;
        while (true)
        {
            int at = rest[from..].IndexOf(boundary);
            if (at < 0)
            {
                return -1;
            }

            at += from;
            if (at >= 2 && rest[at - 2] == (byte)'\r' && rest[at - 1] == (byte)'\n')
            {
                return at - 2;
            }

            from = at + 1;
        }
    }

    private static bool IsNamed(ReadOnlySpan<byte> head, ReadOnlySpan<byte> name)
    {
        int at = head.IndexOf(" name=\""u8);
        if (at < 0)
        {
            return false;
        }

        ReadOnlySpan<byte> value = head[(at + 7)..];
        return value.Length > name.Length && value.StartsWith(name) && value[name.Length] == (byte)'"';
    }

    private static ProtocolException Broken() => ProtocolException.Invalid("The request body is no well-formed multipart form.");
}
