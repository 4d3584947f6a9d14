using System.Text;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.AnthropicMessages;

/// <summary>Brings parts of another protocol into a form this API takes, or names them as lost. What comes out can be written without further thought.</summary>
internal sealed class AnthropicMessagesForeignParts(ChatRequest request, RequestTarget target, LossReport losses) : IForeignParts
{
    private const string OpenAIChat = "openai-chat";

    /// <summary>Pointer to a place inside a part or tool, as far as the source protocol's form of it is known here.</summary>
    public string Inside(string pointer, string openAIPath) => request.SourceProtocol == OpenAIChat ? pointer + openAIPath : pointer;

    public void ReportExtras(IReadOnlyList<Extra> extras)
    {
        foreach (Extra extra in extras)
        {
            if (!extra.Value.Utf8.Span.SequenceEqual("null"u8))
            {
                losses.Add(extra.Pointer, $"{extra.Name} has no counterpart.");
            }
        }
    }

    /// <summary>The part as it can be sent: one, or none where it is empty or lost.</summary>
    public ReadOnlySpan<Part> Any(Part part) => part switch
    {
        TextPart text => Text(text),
        RefusalPart refusal => Text(new TextPart(refusal.Text, refusal.Pointer) { CacheControl = refusal.CacheControl, Extras = refusal.Extras }),
        ImagePart image => Image(image),
        DocumentPart document => Document(document),
        AudioPart => Lost(part, "Sound has no counterpart."),
        OpaquePart opaque => Lost(part, $"A part of type {opaque.Type} has no counterpart."),
        _ => Lost(part, "Has no counterpart here."),
    };

    public ReadOnlySpan<Part> Text(TextPart text) => string.IsNullOrWhiteSpace(text.Text) ? [] : Bare(text);

    /// <summary>The part without what only its own protocol knows.</summary>
    public ReadOnlySpan<Part> Bare(Part part) => new Part[] { Strip(part) };

    public ToolCallPart Call(ToolCallPart call)
    {
        if (!AnthropicMessagesIds.IsObject(call.Arguments))
        {
            // The older form of a call has its arguments beside its name.
            bool isOlder = call.Pointer.EndsWith("/function_call", StringComparison.Ordinal);
            losses.Add(Inside(call.Pointer, isOlder ? "/arguments" : "/function/arguments"), "Arguments that are no JSON object were wrapped into one.");
        }

        return (ToolCallPart)Strip(call) with { Name = LegalName.Of(call.Name, AnthropicMessagesIds.NameLengthMax) };
    }

    public ToolResultPart Result(ToolResultPart result)
    {
        List<Part> content = [];
        foreach (Part part in result.Content)
        {
            content.AddRange(Any(part));
        }

        return (ToolResultPart)Strip(result) with { Content = content };
    }

    public CacheControl? Cache(CacheControl? cacheControl)
    {
        if (cacheControl is null || target.Has(TargetFeatures.CacheControl))
        {
            return cacheControl;
        }

        losses.Add(cacheControl.Pointer, "The endpoint takes no cache marks.");
        return null;
    }

    private Part Strip(Part part)
    {
        ReportExtras(part.Extras);
        return part with { CacheControl = Cache(part.CacheControl), Extras = [] };
    }

    private ReadOnlySpan<Part> Lost(Part part, string reason)
    {
        losses.Add(part.Pointer, reason);
        return [];
    }

    private ReadOnlySpan<Part> Image(ImagePart image)
    {
        if (!target.Has(TargetFeatures.Images))
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
            losses.Add(Inside(image.Pointer, "/image_url/detail"), "The level of detail has no counterpart.");
        }

        return Bare(image with { Source = source, Detail = null });
    }

    private ReadOnlySpan<Part> Document(DocumentPart document)
    {
        if (document.Text is not null)
        {
            return document.Text.Length == 0 ? [] : Bare(document);
        }

        if (!target.Has(TargetFeatures.Files))
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
            return IsWebAddress(source.Url) ? Bare(document) : Lost(document, "The document's address is neither http nor https.");
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
        null or "" or "application/octet-stream" =>
            base64.StartsWith("iVBOR", StringComparison.Ordinal) ? "image/png"
            : base64.StartsWith("/9j/", StringComparison.Ordinal) ? "image/jpeg"
            : base64.StartsWith("R0lGOD", StringComparison.Ordinal) ? "image/gif"
            : base64.StartsWith("UklGR", StringComparison.Ordinal) ? "image/webp"
            : null,
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
