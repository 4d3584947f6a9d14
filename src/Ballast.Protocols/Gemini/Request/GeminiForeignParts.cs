using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.Gemini;

/// <summary>Brings parts of another protocol into a form that this API takes, or names them as lost. What comes out can be written without further thought.</summary>
internal sealed class GeminiForeignParts(ChatRequest request, RequestTarget target, LossReport losses)
{
    private readonly GeminiModel _model = new(target.Model);

    /// <summary>Pointer to a place inside a part or tool, as far as the source protocol's form of it is known here.</summary>
    public string Inside(string pointer, string openAIPath) => SourcePlaces.Inside(request.SourceProtocol, pointer, openAIPath);

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

    public static string NameOf(string name) => LegalName.Of(name, GeminiCallIds.NameLengthMax);

    /// <summary>The part as it can be sent: one, or none where it is empty or lost.</summary>
    public ReadOnlySpan<Part> Any(Part part) => part switch
    {
        TextPart text => text.Text.Length == 0 ? [] : Bare(text),
        RefusalPart refusal => refusal.Text.Length == 0 ? [] : Bare(new TextPart(refusal.Text, refusal.Pointer) { CacheControl = refusal.CacheControl, Extras = refusal.Extras }),
        ImagePart image => Image(image),
        DocumentPart document => Document(document),
        AudioPart => Bare(part),
        OpaquePart { Text: { Length: > 0 } text } => Lost(part, "Only its text has a place here.", new TextPart(text, part.Pointer)),
        OpaquePart opaque => Lost(part, $"A part of type {opaque.Type} has no counterpart."),
        _ => Lost(part, "Has no counterpart here."),
    };

    /// <summary>The part without what only its own protocol knows.</summary>
    public ReadOnlySpan<Part> Bare(Part part)
    {
        ReportExtras(part.Extras);
        if (part.CacheControl is { } cache)
        {
            losses.Add(cache.Pointer, "A cache breakpoint has no counterpart; prompts are cached by the platform itself.");
        }

        return new Part[] { part with { CacheControl = null, Extras = [] } };
    }

    public ToolCallPart Call(ToolCallPart call)
    {
        if (!JsonObjectText.IsObject(call.Arguments))
        {
            bool isOlder = call.Pointer.EndsWith("/function_call", StringComparison.Ordinal);
            losses.Add(Inside(call.Pointer, isOlder ? "/arguments" : "/function/arguments"), "Arguments that are no JSON object were wrapped into one.");
        }

        return (ToolCallPart)Bare(call)[0] with { Name = NameOf(call.Name) };
    }

    /// <summary>The result with its texts; pictures go into it or, for older models, behind it into <paramref name="rest"/>.</summary>
    public ToolResultPart Result(ToolResultPart result, List<Part> rest)
    {
        List<Part> content = [];
        foreach (Part part in result.Content)
        {
            foreach (Part written in Any(part))
            {
                if (written is TextPart || _model.TakesMediaInResults)
                {
                    content.Add(written);
                    continue;
                }

                content.Add(new TextPart("[Attached behind the results.]", part.Pointer));
                rest.Add(new TextPart($"Attached to the result of tool call {result.CallId}:", result.Pointer));
                rest.Add(written);
            }
        }

        return (ToolResultPart)Bare(result)[0] with { Content = content };
    }

    private ReadOnlySpan<Part> Lost(Part part, string reason, params ReadOnlySpan<Part> instead)
    {
        losses.Add(part.Pointer, reason);
        return instead.ToArray();
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

        if (source.Base64 is null && !IsWebAddress(source.Url))
        {
            return Lost(image, "The image's address is neither http nor https.");
        }

        if (image.Detail is not (null or "auto"))
        {
            losses.Add(Inside(image.Pointer, "/image_url/detail"), "The level of detail has no counterpart.");
        }

        string mediaType = source.MediaType is { Length: > 0 } given && given != "application/octet-stream" ? given
            : source.Base64 is { } data ? MediaTypes.OfData(data) ?? "image/png"
            : MediaTypes.OfAddress(source.Url!) ?? "image/jpeg";
        return Bare(image with { Source = source with { MediaType = mediaType == "image/jpg" ? "image/jpeg" : mediaType }, Detail = null });
    }

    private ReadOnlySpan<Part> Document(DocumentPart document)
    {
        string title = document.Name is null ? "" : $"{document.Name}\n\n";
        if (document.Text is not null)
        {
            return document.Text.Length == 0 ? [] : Bare(new TextPart(title + document.Text, document.Pointer) { CacheControl = document.CacheControl, Extras = document.Extras });
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

        if (source.Base64 is null && !IsWebAddress(source.Url))
        {
            return Lost(document, "The document's address is neither http nor https.");
        }

        string mediaType = source.MediaType is { Length: > 0 } given ? given : (source.Url is { } url ? MediaTypes.OfAddress(url) : null) ?? "application/pdf";
        if (document.Name is not null)
        {
            // A part of its own: the API itself takes no names of files.
            return new Part[] { new TextPart(title.TrimEnd(), document.Pointer), Bare(document with { Source = source with { MediaType = mediaType }, Name = null })[0] };
        }

        return Bare(document with { Source = source with { MediaType = mediaType } });
    }

    private static bool IsWebAddress(string? url) =>
        url is not null
        && (url.StartsWith("https://", StringComparison.OrdinalIgnoreCase) || url.StartsWith("http://", StringComparison.OrdinalIgnoreCase));
}
