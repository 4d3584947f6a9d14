using System.Text;

namespace Ballast.Protocols.BedrockConverse;

/// <summary>The formats that this API has words for, and the names that it allows for documents.</summary>
internal static class BedrockConverseMedia
{
    /// <summary>Longest name of a document, in characters.</summary>
    public const int NameLengthMax = 200;

    private static readonly (string Format, string MediaType)[] s_documents =
    [
        ("pdf", "application/pdf"),
        ("csv", "text/csv"),
        ("doc", "application/msword"),
        ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("xls", "application/vnd.ms-excel"),
        ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("html", "text/html"),
        ("txt", "text/plain"),
        ("md", "text/markdown"),
    ];

    public static string ImageTypeOf(string format) => $"image/{format}";

    /// <summary>The word for an image's media type; where there is none, told from the first bytes. Null where the API takes no such images.</summary>
    public static string? ImageFormatOf(string? mediaType, string base64) => mediaType switch
    {
        "image/jpeg" or "image/jpg" => "jpeg",
        "image/png" or "image/gif" or "image/webp" => mediaType["image/".Length..],
        null or "" or "application/octet-stream" =>
            base64.StartsWith("iVBOR", StringComparison.Ordinal) ? "png"
            : base64.StartsWith("/9j/", StringComparison.Ordinal) ? "jpeg"
            : base64.StartsWith("R0lGOD", StringComparison.Ordinal) ? "gif"
            : base64.StartsWith("UklGR", StringComparison.Ordinal) ? "webp"
            : null,
        _ => null,
    };

    public static string DocumentTypeOf(string format) =>
        Array.Find(s_documents, one => one.Format == format).MediaType ?? $"application/{format}";

    /// <summary>The word for a document's media type; null where the API takes no such documents.</summary>
    public static string? DocumentFormatOf(string? mediaType)
    {
        string type = (mediaType ?? "application/pdf").Split(';')[0].Trim();
        return Array.Find(s_documents, one => one.MediaType == type).Format ?? (type.StartsWith("text/", StringComparison.Ordinal) ? "txt" : null);
    }

    /// <summary>The name in the characters allowed: letters and digits, single spaces, hyphens, parentheses and square brackets. The format's own ending is left out.</summary>
    public static string NameOf(string name, string format)
    {
        if (name.EndsWith("." + format, StringComparison.OrdinalIgnoreCase))
        {
            name = name[..^(format.Length + 1)];
        }

        StringBuilder legal = new(name.Length);
        foreach (char letter in name)
        {
            bool isSpace = char.IsWhiteSpace(letter);
            if (!isSpace || (legal.Length > 0 && legal[^1] != ' '))
            {
                legal.Append(isSpace ? ' ' : char.IsAsciiLetterOrDigit(letter) || letter is '-' or '(' or ')' or '[' or ']' ? letter : '-');
            }
        }

        string made = legal.ToString(0, Math.Min(legal.Length, NameLengthMax)).TrimEnd();
        return made.Length == 0 ? "document" : made;
    }
}
