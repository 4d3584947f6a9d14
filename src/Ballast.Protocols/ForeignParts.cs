using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols;

/// <summary>
/// Brings parts of another protocol into a form that a protocol of alternating turns takes, or names them as lost. What comes out can be written without further thought.
/// </summary>
/// <param name="request">Where the parts come from.</param>
/// <param name="target">Where they go.</param>
/// <param name="losses">Takes what cannot cross.</param>
/// <param name="nameLengthMax">Longest name of a tool.</param>
internal abstract class ForeignParts(ChatRequest request, RequestTarget target, LossReport losses, int nameLengthMax)
{
    protected RequestTarget Target { get; } = target;

    protected LossReport Losses { get; } = losses;

    /// <summary>Pointer to a place inside a part or tool, as far as the source protocol's form of it is known here.</summary>
    public string Inside(string pointer, string openAIPath) => SourcePlaces.Inside(request.SourceProtocol, pointer, openAIPath);

    public void ReportExtras(IReadOnlyList<Extra> extras)
    {
        foreach (Extra extra in extras)
        {
            if (!extra.Value.Utf8.Span.SequenceEqual("null"u8))
            {
                Losses.Add(extra.Pointer, $"{extra.Name} has no counterpart.");
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
        OpaquePart opaque => Opaque(opaque),
        _ => Lost(part, "Has no counterpart here."),
    };

    public ReadOnlySpan<Part> Text(TextPart text) => string.IsNullOrWhiteSpace(text.Text) ? [] : Bare(text);

    /// <summary>The part without what only its own protocol knows.</summary>
    public ReadOnlySpan<Part> Bare(Part part) => new Part[] { Strip(part) };

    public ToolCallPart Call(ToolCallPart call)
    {
        if (!JsonObjectText.IsObject(call.Arguments))
        {
            // The older form of a call has its arguments beside its name.
            bool isOlder = call.Pointer.EndsWith("/function_call", StringComparison.Ordinal);
            Losses.Add(Inside(call.Pointer, isOlder ? "/arguments" : "/function/arguments"), "Arguments that are no JSON object were wrapped into one.");
        }

        return (ToolCallPart)Strip(call) with { Name = LegalName.Of(call.Name, nameLengthMax) };
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
        if (cacheControl is null || Target.Has(TargetFeatures.CacheControl))
        {
            return cacheControl;
        }

        Losses.Add(cacheControl.Pointer, "The endpoint takes no cache marks.");
        return null;
    }

    protected abstract ReadOnlySpan<Part> Image(ImagePart image);

    protected abstract ReadOnlySpan<Part> Document(DocumentPart document);

    protected virtual ReadOnlySpan<Part> Opaque(OpaquePart opaque) => Lost(opaque, $"A part of type {opaque.Type} has no counterpart.");

    protected ReadOnlySpan<Part> Lost(Part part, string reason)
    {
        Losses.Add(part.Pointer, reason);
        return [];
    }

    private Part Strip(Part part)
    {
        ReportExtras(part.Extras);
        return part with { CacheControl = Cache(part.CacheControl), Extras = [] };
    }
}
