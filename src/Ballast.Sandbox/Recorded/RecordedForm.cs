using System.Text;

namespace Ballast.Sandbox;

/// <summary>A recorded form with files (RFC 7578), as far as a replay must know it: where its field <c>model</c> stands.</summary>
public static class RecordedForm
{
    private const string Field = "name=\"model\"";

    /// <summary>The model that the form names, or null.</summary>
    public static string? ModelOf(ReadOnlyMemory<byte> form)
    {
        (int start, int end) = Find(form.Span);
        return start < 0 ? null : Encoding.UTF8.GetString(form.Span[start..end]);
    }

    /// <summary>The form with another model; where it has none, it is put in front. Every other byte stays.</summary>
    public static byte[] WithModel(ReadOnlyMemory<byte> form, string model)
    {
        (int start, int end) = Find(form.Span);
        if (start < 0 && form.Span.StartsWith("--"u8))
        {
            int line = form.Span.IndexOf("\r\n"u8);
            byte[] part = Encoding.UTF8.GetBytes($"{Encoding.UTF8.GetString(form.Span[..Math.Max(0, line)])}\r\nContent-Disposition: form-data; {Field}\r\n\r\n{model}\r\n");
            return [.. part, .. form.Span];
        }

        return start < 0 ? form.ToArray() : [.. form.Span[..start], .. Encoding.UTF8.GetBytes(model), .. form.Span[end..]];
    }

    /// <summary>The media type with the form's boundary: as recorded, else read from its first line.</summary>
    public static string ContentTypeOf(RecordedExchange exchange)
    {
        if (exchange.RequestHeader("content-type") is { } told && told.Contains("boundary=", StringComparison.Ordinal))
        {
            return told;
        }

        int end = exchange.Form.Span.IndexOf("\r\n"u8);
        return end > 2 ? $"multipart/form-data; boundary={Encoding.UTF8.GetString(exchange.Form.Span[2..end])}" : "application/octet-stream";
    }

    private static (int Start, int End) Find(ReadOnlySpan<byte> form)
    {
        int field = form.IndexOf(Encoding.UTF8.GetBytes(Field));
        int head = field < 0 ? -1 : form[field..].IndexOf("\r\n\r\n"u8);
        if (head < 0)
        {
            return (-1, -1);
        }

        int start = field + head + 4;
        int length = form[start..].IndexOf("\r\n"u8);
        return length < 0 ? (-1, -1) : (start, start + length);
    }
}
