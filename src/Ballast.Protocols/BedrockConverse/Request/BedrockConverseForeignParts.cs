using System.Text;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.BedrockConverse;

/// <summary>Brings parts of another protocol into a form this API takes, or names them as lost. What comes out can be written without further thought.</summary>
internal sealed class BedrockConverseForeignParts(ChatRequest request, RequestTarget target, LossReport losses) : IForeignParts
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

    public ReadOnlySpan<Part> Any(Part part) => part switch
    {
        TextPart text => Text(text),
        RefusalPart refusal => Text(new TextPart(refusal.Text, refusal.Pointer) { CacheControl = refusal.CacheControl, Extras = refusal.Extras }),
        ImagePart image => Image(image),
        DocumentPart document => Document(document),
        AudioPart => Lost(part, "Sound has no counterpart."),
        OpaquePart { Text: { } text } => AsText(part, text),
        OpaquePart opaque => Lost(part, $"A part of type {opaque.Type} has no counterpart."),
        _ => Lost(part, "Has no counterpart here."),
    };

    public ReadOnlySpan<Part> Text(TextPart text) => string.IsNullOrWhiteSpace(text.Text) ? [] : Bare(text);

    public ReadOnlySpan<Part> Bare(Part part) => new Part[] { Strip(part) };

    public ToolCallPart Call(ToolCallPart call)
    {
        if (!BedrockConversePartWriter.IsObject(call.Arguments))
        {
            bool isOlder = call.Pointer.EndsWith("/function_call", StringComparison.Ordinal);
            losses.Add(Inside(call.Pointer, isOlder ? "/arguments" : "/function/arguments"), "Arguments that are no JSON object were wrapped into one.");
        }

        return (ToolCallPart)Strip(call) with { Name = LegalName.Of(call.Name, BedrockConverseTurns.NameLengthMax) };
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

    private ReadOnlySpan<Part> AsText(Part part, string text)
    {
        losses.Add(part.Pointer, "Went on as its text.");
        return Text(new TextPart(text, part.Pointer) { CacheControl = part.CacheControl });
    }

    private ReadOnlySpan<Part> Image(ImagePart image)
    {
        if (!target.Has(TargetFeatures.Images))
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
            losses.Add(Inside(image.Pointer, "/image_url/detail"), "The level of detail has no counterpart.");
        }

        return Bare(image with { Source = image.Source with { MediaType = BedrockConverseMedia.ImageTypeOf(format) }, Detail = null });
    }

    private ReadOnlySpan<Part> Document(DocumentPart document)
    {
        MediaSource source = document.Source;
        if (document.Text is { } text)
        {
            return text.Length == 0 ? [] : Bare(document with
            {
                Source = new MediaSource { MediaType = "text/plain", Base64 = Convert.ToBase64String(Encoding.UTF8.GetBytes(text)) }, Text = null,
            });
        }

        if (!target.Has(TargetFeatures.Files))
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
