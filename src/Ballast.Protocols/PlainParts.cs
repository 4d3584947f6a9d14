using System.Text;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols;

/// <summary>
/// Brings parts of another protocol into the few kinds that a plain protocol has (text, pictures, perhaps documents of text). What cannot be said in one of them
/// is said in words in its place, and named as a loss.
/// </summary>
/// <param name="request">Where the parts come from.</param>
/// <param name="target">Where they go.</param>
/// <param name="losses">Takes what cannot cross.</param>
/// <param name="title">The protocol's name for people.</param>
internal sealed class PlainParts(ChatRequest request, RequestTarget target, LossReport losses, string title)
{
    /// <summary>Pictures may be given by their address; else as data only.</summary>
    public bool TakesImageAddresses { get; init; }

    /// <summary>Documents of text have a place of their own; else they become text.</summary>
    public bool TakesTextDocuments { get; init; }

    /// <summary>A picture's media type has a place beside its data.</summary>
    public bool TakesMediaTypes { get; init; }

    /// <summary>A picture's level of detail has a place.</summary>
    public bool TakesDetail { get; init; }

    /// <summary>Pointer to a place inside a part or field, as far as the source protocol's form of it is known here.</summary>
    public string Inside(string pointer, string openAIPath) => SourcePlaces.Inside(request.SourceProtocol, pointer, openAIPath);

    /// <summary>Where a schema's own fields lie below the form of the answer that <paramref name="pointer"/> leads to.</summary>
    public string InsideFormat(string pointer) => Inside(pointer, "/json_schema");

    public void LoseExtras(IReadOnlyList<Extra> extras)
    {
        foreach (Extra extra in extras)
        {
            if (!extra.Value.Utf8.Span.SequenceEqual("null"u8))
            {
                losses.Add(extra.Pointer, $"The field {extra.Name} has no place in {title}.");
            }
        }
    }

    /// <summary>Names the fields of a part that stay behind.</summary>
    public void LoseDetails(Part part)
    {
        LoseExtras(part.Extras);
        if (part.CacheControl is { } cache)
        {
            losses.Add(cache.Pointer, $"{title} takes no cache breakpoints.");
        }
    }

    /// <summary>The part as it can stand in a message's content, without what only its own protocol knows; null where nothing is left of it.</summary>
    public Part? Of(Part part)
    {
        LoseDetails(part);
        switch (part)
        {
            case TextPart text:
                return text;
            case RefusalPart refusal:
                return new TextPart(refusal.Text, refusal.Pointer);
            case ImagePart image:
                return Image(image);
            case DocumentPart document when TextOf(document) is { } text:
                return TakesTextDocuments
                    ? document with { Text = text }
                    : new TextPart(document.Name is null ? text : $"{document.Name}\n\n{text}", document.Pointer);
            case DocumentPart document:
                return WithoutText(document);
            case OpaquePart { Text: { } text }:
                return Placeholder(part, $"Only its text has a place in {title}.", text);
            default:
                losses.Add(part.Pointer, $"This part has no place in {title}.");
                return null;
        }
    }

    private Part Image(ImagePart image)
    {
        if (!target.Has(TargetFeatures.Images))
        {
            return Placeholder(image, "The endpoint takes no images.", "[An image was left out: this model takes no images.]");
        }

        if (image.Source.FileId is not null)
        {
            return Placeholder(image, "A file stored at one vendor cannot go to another.", "[An image was left out: it is stored elsewhere.]");
        }

        if (image.Source.Base64 is null && !TakesImageAddresses)
        {
            return Placeholder(image, $"{title} takes no image by its address.", "[An image was left out: only its address was given.]");
        }

        if (!TakesMediaTypes && image.Source is { Base64: { } data, MediaType: { } type, MediaTypePointer: { } typeAt } && type != MediaTypes.OfData(data))
        {
            losses.Add(typeAt, $"In {title} a picture's own first bytes say what it is.");
        }

        if (image.Detail is not null && !TakesDetail)
        {
            losses.Add(Inside(image.Pointer, "/image_url/detail"), $"{title} has no levels of detail.");
        }

        return image;
    }

    private static string? TextOf(DocumentPart document) =>
        document.Text is { } text ? text
        : document.Source is { Base64: { } base64, MediaType: { } type } && type.StartsWith("text/", StringComparison.Ordinal) ? Decode(base64)
        : null;

    private TextPart WithoutText(DocumentPart document) =>
        document.Source.FileId is not null
            ? Placeholder(document, "A file stored at one vendor cannot go to another.", "[A document was left out: it is stored elsewhere.]")
            : document.Source.Base64 is null
            ? Placeholder(document, $"{title} takes no document by its address.", "[A document was left out: only its address was given.]")
            : Placeholder(document, $"{title} takes no files.", "[A document was left out: this model takes no files.]");

    private TextPart Placeholder(Part part, string reason, string text)
    {
        losses.Add(part.Pointer, reason);
        return new TextPart(text, part.Pointer);
    }

    private static string? Decode(string base64)
    {
        byte[] bytes = new byte[(base64.Length * 3 / 4) + 3];
        return Convert.TryFromBase64String(base64, bytes, out int length) ? Encoding.UTF8.GetString(bytes, 0, length) : null;
    }
}
