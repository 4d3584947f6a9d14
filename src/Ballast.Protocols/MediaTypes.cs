namespace Ballast.Protocols;

/// <summary>Media types as they can be told from what they are the type of.</summary>
internal static class MediaTypes
{
    /// <summary>The media type of an address, told from its end.</summary>
    public static string? OfAddress(string address)
    {
        int query = address.AsSpan().IndexOfAny('?', '#');
        ReadOnlySpan<char> path = query < 0 ? address : address.AsSpan(0, query);
        int dot = path.LastIndexOf('.');
        return dot < 0 ? null : path[(dot + 1)..] switch
        {
            "png" or "PNG" => "image/png",
            "jpg" or "jpeg" or "JPG" => "image/jpeg",
            "webp" => "image/webp",
            "gif" => "image/gif",
            "heic" => "image/heic",
            "pdf" or "PDF" => "application/pdf",
            _ => null,
        };
    }

    /// <summary>The media type of a picture's data, told from its first letters.</summary>
    public static string? OfData(string base64) =>
        base64.StartsWith("iVBOR", StringComparison.Ordinal) ? "image/png"
        : base64.StartsWith("/9j/", StringComparison.Ordinal) ? "image/jpeg"
        : base64.StartsWith("R0lGOD", StringComparison.Ordinal) ? "image/gif"
        : base64.StartsWith("UklGR", StringComparison.Ordinal) ? "image/webp"
        : null;
}
