using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.BedrockConverse;

/// <summary>The turns as this API wants them (<see cref="AlternatingTurns"/>). A conversation that came in this protocol keeps its own order.</summary>
internal sealed class BedrockConverseTurns : AlternatingTurns
{
    /// <summary>Longest id of a tool call and longest name of a tool, in characters.</summary>
    public const int NameLengthMax = 64;

    private readonly RequestTarget _target;

    public BedrockConverseTurns(ChatRequest request, RequestTarget target, LossReport losses)
        : base(request, target, losses, new BedrockConverseForeignParts(request, target, losses))
    {
        _target = target;
        if (request.SourceProtocol == BedrockConverseProtocol.ProtocolName)
        {
            KeepOrder(request);
        }
        else
        {
            PutInOrder();
            GiveDocumentsText();
        }
    }

    protected override int IdLengthMax => NameLengthMax;

    /// <summary>A signature goes to its issuer only. Unsigned reasoning goes to models whose vendor signs none, and only where they take it back.</summary>
    protected override bool MayGo(Part part) => part switch
    {
        RedactedThinkingPart redacted => redacted.Issuer == _target.Vendor,
        ThinkingPart { Issuer: null } => _target.Vendor != BedrockConverseParts.NativeIssuer && _target.Has(TargetFeatures.ReasoningReplay),
        ThinkingPart thinking => thinking.Issuer == _target.Vendor && (thinking.Signature is not null || _target.Vendor != BedrockConverseParts.NativeIssuer),
        _ => true,
    };

    private void KeepOrder(ChatRequest request)
    {
        foreach (Message message in request.Messages)
        {
            if (message.Pointer == BedrockConverseRequest.SystemPointer)
            {
                System.AddRange(message.Parts);
                continue;
            }

            WrittenTurn turn = new(message.Role, message.Pointer) { Extras = message.Extras };
            foreach (Part part in message.Parts)
            {
                if (part is ThinkingPart or RedactedThinkingPart && !MayGo(part))
                {
                    Withhold(turn, part);
                }
                else
                {
                    turn.Parts.Add(part);
                }
            }

            if (turn.Parts.Count > 0 || !turn.HasWithheldThinking)
            {
                Turns.Add(turn);
            }
        }
    }

    /// <summary>A turn with a document needs text beside it.</summary>
    private void GiveDocumentsText()
    {
        foreach (WrittenTurn turn in Turns)
        {
            if (turn.Has<DocumentPart>() && !turn.Has<TextPart>())
            {
                turn.Parts.Add(new TextPart(".", turn.Pointer));
            }
        }
    }
}
