using System.Text;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.BedrockConverse;

/// <summary>What of another protocol's parts this API takes.</summary>
internal sealed class BedrockConverseForeignParts(ChatRequest request, RequestTarget target, LossReport losses) : ForeignParts(request, target, losses, BedrockConverseTurns.NameLengthMax)
{
    protected override ReadOnlySpan<Part> Opaque(OpaquePart opaque)
    {
        if (opaque.Text is not { } text)
        {
            return base.Opaque(opaque);
        }

        Losses.Add(opaque.Pointer, "Went on as its text.");
        return Text(new TextPart(text, opaque.Pointer) { CacheControl = opaque.CacheControl });
    }

    protected override ReadOnlySpan<Part> Image(ImagePart image)
    {
        if (!Target.Has(TargetFeatures.Images))
        {
            return Lost(image, "The endpoint takes no images.");
        }

        if (image.Source.FileId is not null)
        {
            return Lost(image, "A file stored at one vendor cannot go to another.");
        }

        if (image.Source.Base64 is not { } base64)
        {
            return Lost(image, "Images are taken as bytes only, not by address.");
        }

        if (BedrockConverseMedia.ImageFormatOf(image.Source.MediaType, base64) is not { } format)
        {
            return Lost(image, "Images may be JPEG, PNG, GIF or WebP.");
        }

        if (image.Detail is not (null or "auto"))
        {
            Losses.Add(Inside(image.Pointer, "/image_url/detail"), "The level of detail has no counterpart.");
        }

        return Bare(image with { Source = image.Source with { MediaType = BedrockConverseMedia.ImageTypeOf(format) }, Detail = null });
    }

    protected override ReadOnlySpan<Part> Document(DocumentPart document)
    {
        MediaSource source = document.Source;
        if (document.Text is { } text)
        {
            return text.Length == 0 ? [] : Bare(document with
            {
                Source = new MediaSource { MediaType = "text/plain", Base64 = Convert.ToBase64String(Encoding.UTF8.GetBytes(text)) }, Text = null,
            });
        }

        if (!Target.Has(TargetFeatures.Files))
        {
            return Lost(document, "The endpoint takes no files.");
        }

        if (source.FileId is not null)
        {
            return Lost(document, "A file stored at one vendor cannot go to another.");
        }

        if (source.Base64 is null)
        {
            return Lost(document, "Documents are taken as bytes only, not by address.");
        }

        return BedrockConverseMedia.DocumentFormatOf(source.MediaType) is { } format
            ? Bare(document with { Source = source with { MediaType = BedrockConverseMedia.DocumentTypeOf(format) } })
            : Lost(document, "The endpoint takes no documents of this type.");
    }
}
