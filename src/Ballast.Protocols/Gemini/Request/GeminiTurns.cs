using System.Text;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.Gemini;

/// <summary>A part as it will be written, with the signature that stands on it.</summary>
internal readonly record struct WrittenPart(Part Part, string? Signature = null);

/// <summary>One turn as it will be written.</summary>
internal sealed class WrittenTurn(Role role, string pointer)
{
    public Role Role { get; } = role;

    public string Pointer { get; } = pointer;

    public List<WrittenPart> Parts { get; } = [];

    /// <summary>Results of calls, each with the number of its call; they will stand first.</summary>
    public List<(int Order, Part Part)> Results { get; } = [];

    public IReadOnlyList<Extra> Extras { get; init; } = [];
}

/// <summary>
/// Puts a conversation into the order that this API demands: system text apart, every call answered in the next turn and in the order of the calls, the user first. A
/// conversation that came in this protocol keeps its own order.
/// </summary>
internal sealed class GeminiTurns
{
    private readonly ChatRequest _request;
    private readonly RequestTarget _target;
    private readonly LossReport _losses;
    private readonly GeminiForeignParts _foreign;
    private readonly bool _needsSignatures;

    // Calls of the last answer that have no result yet.
    private readonly List<(ToolCallPart Call, int Order)> _pending = [];
    private int _calls;

    public GeminiTurns(ChatRequest request, RequestTarget target, LossReport losses)
    {
        _request = request;
        _target = target;
        _losses = losses;
        GeminiModel model = new(target.Model);
        _foreign = new GeminiForeignParts(request, target, losses);
        _needsSignatures = target.Vendor == GeminiSignatures.NativeIssuer && model.ChecksSignatures;
        if (request.SourceProtocol == GeminiProtocol.ProtocolName)
        {
            KeepOrder();
        }
        else
        {
            PutInOrder();
        }
    }

    public List<Part> System { get; } = [];

    /// <summary>The turn that held the system text, where the caller spoke this protocol.</summary>
    public Message? OwnSystem { get; private set; }

    public List<WrittenTurn> Turns { get; } = [];

    private void KeepOrder()
    {
        foreach (Message message in _request.Messages)
        {
            if (message.Role == Role.System && !message.Pointer.Contains("/contents/", StringComparison.Ordinal))
            {
                OwnSystem = message;
                System.AddRange(message.Parts);
                continue;
            }

            WrittenTurn turn = new(message.Role, message.Pointer) { Extras = message.Extras };
            AddSigned(turn, message.Parts);
            if (turn.Parts.Count > 0 || message.Parts.Count == 0)
            {
                Turns.Add(turn);
            }
        }
    }

    private void PutInOrder()
    {
        bool hasBegun = false;
        foreach (Message message in _request.Messages)
        {
            if (message.Name is not null)
            {
                _losses.Add(message.Name.Pointer, "A speaker's name has no counterpart.");
            }

            _foreign.ReportExtras(message.Extras);
            switch (message.Role)
            {
                case Role.System or Role.Developer:
                    AddSystem(message, hasBegun);
                    continue;
                case Role.Assistant:
                    AddAssistant(message);
                    break;
                default:
                    AddUser(message);
                    break;
            }

            hasBegun = true;
        }

        Settle();
        foreach (WrittenTurn turn in Turns)
        {
            // In the order of their calls: that is how calls without ids are told apart.
            turn.Parts.InsertRange(0, turn.Results.OrderBy(result => result.Order).Select(result => new WrittenPart(result.Part)));
        }

        if (Turns.Count == 0 || Turns[0].Role != Role.User)
        {
            string pointer = Turns.Count == 0 ? "/messages" : Turns[0].Pointer;
            _losses.Add(pointer, "A conversation begins with the user; a turn '.' was put before it.");
            WrittenTurn first = new(Role.User, pointer);
            first.Parts.Add(new WrittenPart(new TextPart(".", pointer)));
            Turns.Insert(0, first);
        }
    }

    private void AddSystem(Message message, bool hasBegun)
    {
        int before = System.Count;
        foreach (Part part in message.Parts)
        {
            if (part is TextPart)
            {
                System.AddRange(_foreign.Any(part));
            }
            else
            {
                _losses.Add(part.Pointer, "System text can hold nothing but text.");
            }
        }

        if (hasBegun && System.Count > before)
        {
            _losses.Add(message.Pointer, "System text in mid conversation was moved to the front.");
        }
    }

    private void AddAssistant(Message message)
    {
        if (Turns.Count > 0 && Turns[^1].Role == Role.User)
        {
            Settle();
        }

        WrittenTurn turn = TurnOf(Role.Assistant, message.Pointer);
        List<Part> parts = [];
        foreach (Part part in message.Parts)
        {
            if (part is ToolCallPart call)
            {
                _pending.Add((call, _calls++));
                parts.Add(_foreign.Call(call));
            }
            else
            {
                parts.AddRange(part is ThinkingPart or RedactedThinkingPart ? _foreign.Bare(part) : _foreign.Any(part));
            }
        }

        AddSigned(turn, parts);
        if (turn.Parts.Count == 0)
        {
            Turns.Remove(turn);
        }
    }

    private void AddUser(Message message)
    {
        WrittenTurn turn = TurnOf(Role.User, message.Pointer);
        List<Part> rest = [];
        foreach (Part part in message.Parts)
        {
            if (part is ToolResultPart result)
            {
                AddResult(result, turn, rest);
            }
            else
            {
                rest.AddRange(_foreign.Any(part));
            }
        }

        turn.Parts.AddRange(rest.Select(part => new WrittenPart(part)));
        bool isEmpty = turn.Parts.Count == 0 && turn.Results.Count == 0;
        if (isEmpty && message.Parts.Any(part => part is not TextPart))
        {
            // All of it was named as lost: the turn itself stays, so that the conversation keeps its shape.
            turn.Parts.Add(new WrittenPart(new TextPart("(omitted)", message.Pointer)));
        }
        else if (isEmpty)
        {
            Turns.Remove(turn);
        }
    }

    private void AddResult(ToolResultPart result, WrittenTurn turn, List<Part> rest)
    {
        ToolResultPart written = _foreign.Result(result, rest);
        int at = _pending.FindIndex(pending => pending.Call.Id == result.CallId);
        if (at >= 0)
        {
            (ToolCallPart call, int order) = _pending[at];
            turn.Results.Add((order, written with { Name = GeminiForeignParts.NameOf(call.Name) }));
            _pending.RemoveAt(at);
            return;
        }

        _losses.Add(result.Pointer, "A tool result without its call in the turn before goes on as text.");
        StringBuilder text = new("Result of a tool call:");
        foreach (TextPart part in written.Content.OfType<TextPart>())
        {
            text.Append('\n').Append(part.Text);
        }

        rest.Add(new TextPart(text.ToString(), result.Pointer));
    }

    /// <summary>Gives every call still open a result that says there is none: the API refuses a conversation with calls left open.</summary>
    private void Settle()
    {
        foreach ((ToolCallPart call, int order) in _pending)
        {
            _losses.Add(call.Pointer, "The tool call has no result; an error result was put in its place.");
            ToolResultPart none = new(call.Id, [new TextPart("No result was given.", call.Pointer)], call.Pointer) { IsError = true, Name = GeminiForeignParts.NameOf(call.Name) };
            TurnOf(Role.User, call.Pointer).Results.Add((order, none));
        }

        _pending.Clear();
    }

    private WrittenTurn TurnOf(Role role, string pointer)
    {
        if (Turns.Count == 0 || Turns[^1].Role != role)
        {
            Turns.Add(new WrittenTurn(role, pointer));
        }

        return Turns[^1];
    }

    /// <summary>Adds parts with each signature on the part where it stood; a call that another vendor's model made gets the value that stands for none.</summary>
    private void AddSigned(WrittenTurn turn, IReadOnlyList<Part> parts)
    {
        GeminiSeals seals = new();
        List<Part> kept = [];
        foreach (Part part in parts)
        {
            switch (part)
            {
                case RedactedThinkingPart redacted when MayGo(redacted.Issuer):
                    seals.Add(redacted);
                    break;
                case ThinkingPart thinking when MayGo(thinking.Issuer) || (thinking.Issuer is null && IsOwnThought(thinking)):
                    kept.Add(thinking);
                    break;
                case ThinkingPart or RedactedThinkingPart:
                    Withhold(part);
                    break;
                default:
                    kept.Add(part);
                    break;
            }
        }

        int first = turn.Parts.Count;
        seals.Attach(kept, turn.Parts);
        int call = turn.Parts.FindIndex(first, written => written.Part is ToolCallPart);
        if (call >= 0 && _needsSignatures && turn.Parts[call].Signature is null)
        {
            turn.Parts[call] = turn.Parts[call] with { Signature = GeminiSignatures.SkipValidation };
        }
    }

    private bool MayGo(string? issuer) => issuer is not null && issuer == _target.Vendor;

    private bool IsOwnThought(ThinkingPart thinking) =>
        thinking.Signature is null && _request.SourceProtocol == GeminiProtocol.ProtocolName && _target.Vendor == GeminiSignatures.NativeIssuer;

    private void Withhold(Part part)
    {
        string? issuer = part is ThinkingPart thinking ? thinking.Issuer : ((RedactedThinkingPart)part).Issuer;
        _losses.Add(
            part.Pointer,
            issuer is null ? "Reasoning without a signature is not taken back." : $"Reasoning that {issuer} issued does not go to {_target.Vendor}.");
    }
}
