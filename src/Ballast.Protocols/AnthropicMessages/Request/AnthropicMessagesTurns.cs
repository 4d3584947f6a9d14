using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.AnthropicMessages;

/// <summary>The turns as this API wants them (<see cref="AlternatingTurns"/>). A conversation that came in this protocol keeps its own order.</summary>
internal sealed class AnthropicMessagesTurns : AlternatingTurns
{
    /// <summary>Longest name of a tool, in characters.</summary>
    public const int NameLengthMax = 128;

    private readonly ChatRequest _request;
    private readonly RequestTarget _target;

    public AnthropicMessagesTurns(ChatRequest request, RequestTarget target, LossReport losses)
        : base(request, target, losses, new AnthropicMessagesForeignParts(request, target, losses))
    {
        _request = request;
        _target = target;
        if (request.SourceProtocol == AnthropicMessagesProtocol.ProtocolName)
        {
            KeepOrder();
        }
        else
        {
            PutInOrder();
        }
    }

    private void KeepOrder()
    {
        foreach (Message message in _request.Messages)
        {
            if (message.Pointer == AnthropicMessagesRequest.SystemPointer)
            {
                System.AddRange(message.Parts);
                continue;
            }

            WrittenTurn turn = new(message.Role, message.Pointer) { Extras = message.Extras };
            foreach (Part part in message.Parts)
            {
                Keep(turn, part);
            }

            if (turn.Parts.Count > 0 || !turn.HasWithheldThinking)
            {
                Turns.Add(turn);
            }
        }
    }

    private void Keep(WrittenTurn turn, Part part)
    {
        switch (part)
        {
            case ThinkingPart or RedactedThinkingPart when !MayGo(part):
                Withhold(turn, part);
                break;
            case ToolCallPart call:
                turn.Parts.Add(call with { Id = LegalName.Of(call.Id) });
                break;
            case ToolResultPart result:
                turn.Parts.Add(result with { CallId = LegalName.Of(result.CallId) });
                break;
            default:
                turn.Parts.Add(part);
                break;
        }
    }

    /// <summary>A signature goes to its issuer only; Anthropic itself refuses reasoning without one.</summary>
    protected override bool MayGo(Part part)
    {
        bool isAnthropic = _target.Vendor == AnthropicMessagesParts.NativeIssuer;
        return part switch
        {
            RedactedThinkingPart redacted => redacted.Issuer == _target.Vendor,
            ThinkingPart { Issuer: null } => !isAnthropic
                && (_request.SourceProtocol == AnthropicMessagesProtocol.ProtocolName || _target.Has(TargetFeatures.ReasoningReplay)),
            ThinkingPart thinking => thinking.Issuer == _target.Vendor && (thinking.Signature is not null || !isAnthropic),
            _ => true,
        };
    }
}
