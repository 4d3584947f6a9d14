using System.Text;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.AnthropicMessages;

/// <summary>What of another protocol's parts this API takes.</summary>
internal sealed class AnthropicMessagesForeignParts(ChatRequest request, RequestTarget target, LossReport losses) : ForeignParts(request, target, losses, AnthropicMessagesTurns.NameLengthMax)
{
    protected override ReadOnlySpan<Part> Image(ImagePart image)
    {
        if (!Target.Has(TargetFeatures.Images))
        {
            return Lost(image, "The endpoint takes no images.");
        }

        MediaSource source = image.Source;
        if (source.FileId is not null)
        {
            return Lost(image, "A file stored at one vendor cannot go to another.");
        }

        if (source.Base64 is not null)
        {
            string? mediaType = ImageType(source.MediaType, source.Base64);
            if (mediaType is null)
            {
                return Lost(image, "Images may be JPEG, PNG, GIF or WebP.");
            }

            source = source with { MediaType = mediaType };
        }
        else if (!IsWebAddress(source.Url))
        {
            return Lost(image, "The image's address is neither http nor https.");
        }

        if (image.Detail is not (null or "auto"))
        {
            Losses.Add(Inside(image.Pointer, "/image_url/detail"), "The level of detail has no counterpart.");
        }

        return Bare(image with { Source = source, Detail = null });
    }

    protected override ReadOnlySpan<Part> Document(DocumentPart document)
    {
        if (document.Text is not null)
        {
            return document.Text.Length == 0 ? [] : Bare(document);
        }

        if (!Target.Has(TargetFeatures.Files))
        {
            return Lost(document, "The endpoint takes no files.");
        }

        MediaSource source = document.Source;
        if (source.FileId is not null)
        {
            return Lost(document, "A file stored at one vendor cannot go to another.");
        }

        if (source.Base64 is null)
        {
            return !IsWebAddress(source.Url) ? Lost(document, "The document's address is neither http nor https.")
                : source.MediaType is null or "" or "application/pdf" ? Bare(document)
                : Lost(document, "By their address, documents may be PDF only.");
        }

        string mediaType = source.MediaType ?? "application/pdf";
        if (mediaType == "application/pdf")
        {
            return Bare(document with { Source = source with { MediaType = mediaType } });
        }

        if (!mediaType.StartsWith("text/", StringComparison.Ordinal) || !TryDecode(source.Base64, out string text))
        {
            return Lost(document, "Documents may be PDF or text.");
        }

        return Bare(document with { Source = new MediaSource { MediaType = "text/plain" }, Text = text });
    }

    private static bool IsWebAddress(string? url) =>
        url is not null
        && (url.StartsWith("https://", StringComparison.OrdinalIgnoreCase) || url.StartsWith("http://", StringComparison.OrdinalIgnoreCase));

    /// <summary>The media type as this API spells it; where the caller gave none, told from the first bytes.</summary>
    private static string? ImageType(string? mediaType, string base64) => mediaType switch
    {
        "image/jpeg" or "image/png" or "image/gif" or "image/webp" => mediaType,
        "image/jpg" => "image/jpeg",
        null or "" or "application/octet-stream" => MediaTypes.OfData(base64),
        _ => null,
    };

    private static bool TryDecode(string base64, out string text)
    {
        byte[] bytes = new byte[(base64.Length / 4 * 3) + 3];
        if (!Convert.TryFromBase64String(base64, bytes, out int length))
        {
            text = "";
            return false;
        }

        text = Encoding.UTF8.GetString(bytes, 0, length);
        return true;
    }
}
