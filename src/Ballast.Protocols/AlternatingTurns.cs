using System.Text;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols;

/// <summary>One turn as it will be written.</summary>
internal sealed class WrittenTurn(Role role, string pointer)
{
    public Role Role { get; } = role;

    public string Pointer { get; } = pointer;

    public List<Part> Parts { get; } = [];

    public IReadOnlyList<Extra> Extras { get; init; } = [];

    /// <summary>Reasoning stood here that may not go to this vendor.</summary>
    public bool HasWithheldThinking { get; set; }

    public bool Has<T>()
        where T : Part => Parts.Any(part => part is T);
}

/// <summary>
/// Puts a conversation into the order that several vendors demand: system text apart, turns of user and assistant in alternation, the user first and last, every tool
/// call answered in the next turn, reasoning first and results first in theirs.
/// </summary>
internal abstract class AlternatingTurns(ChatRequest request, RequestTarget target, LossReport losses, ForeignParts parts)
{
    private readonly ChatRequest _request = request;
    private readonly LossReport _losses = losses;
    private readonly ForeignParts _parts = parts;
    private readonly Dictionary<string, int> _idUses = new(StringComparer.Ordinal);

    // Calls of the last assistant turn that have no result yet: the caller's id, the id written, where it stood.
    private readonly List<(string Id, string Written, string Pointer)> _pending = [];

    public List<Part> System { get; } = [];

    public List<WrittenTurn> Turns { get; } = [];

    /// <summary>
    /// An open tool loop whose first answer does not begin with reasoning, or whose last one had to give its own up: with thinking enabled the API would refuse it.
    /// </summary>
    public bool LacksThinking
    {
        get
        {
            List<WrittenTurn> turns = Turns.FindAll(turn => turn.Role != Role.System);
            if (turns.Count == 0 || turns[^1].Role != Role.User || !turns[^1].Has<ToolResultPart>())
            {
                return false;
            }

            WrittenTurn? first = null;
            WrittenTurn? last = null;
            for (int i = turns.Count - 1; i >= 0 && (turns[i].Role != Role.User || turns[i].Has<ToolResultPart>()); i--)
            {
                first = turns[i].Role == Role.Assistant ? turns[i] : first;
                last ??= turns[i].Role == Role.Assistant ? turns[i] : null;
            }

            return (first is not null && first.Has<ToolCallPart>() && !BeginsWithThinking(first))
                || (last is not null && last.HasWithheldThinking && !BeginsWithThinking(last));
        }
    }

    private static bool BeginsWithThinking(WrittenTurn turn) => turn.Parts is [ThinkingPart or RedactedThinkingPart, ..];

    /// <summary>Longest id of a tool call, in characters.</summary>
    protected virtual int IdLengthMax => int.MaxValue;

    /// <summary>A signature goes to its issuer only.</summary>
    protected abstract bool MayGo(Part part);

    protected void Withhold(WrittenTurn turn, Part part)
    {
        turn.HasWithheldThinking = true;
        string? issuer = part is ThinkingPart thinking ? thinking.Issuer : ((RedactedThinkingPart)part).Issuer;
        _losses.Add(
            part.Pointer,
            issuer is null ? "Reasoning without a signature is not taken back." : $"Reasoning that {issuer} issued does not go to {target.Vendor}.");
    }

    protected void PutInOrder()
    {
        bool hasBegun = false;
        foreach (Message message in _request.Messages)
        {
            ReportExtras(message);
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
        BeginAndEndWithUser();
        foreach (WrittenTurn turn in Turns)
        {
            List<Part> sorted = [.. turn.Parts.OrderBy(RankOf)];
            turn.Parts.Clear();
            turn.Parts.AddRange(sorted);
        }
    }

    private static int RankOf(Part part) => part switch
    {
        ThinkingPart or RedactedThinkingPart or ToolResultPart => 0,
        ToolCallPart => 2,
        _ => 1,
    };

    private void ReportExtras(Message message)
    {
        if (message.Name is not null)
        {
            _losses.Add(message.Name.Pointer, "A speaker's name has no counterpart.");
        }

        _parts.ReportExtras(message.Extras);
    }

    private void AddSystem(Message message, bool hasBegun)
    {
        int before = System.Count;
        foreach (Part part in message.Parts)
        {
            if (part is TextPart text)
            {
                System.AddRange(_parts.Text(text));
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
        foreach (Part part in message.Parts)
        {
            switch (part)
            {
                case ThinkingPart or RedactedThinkingPart:
                    if (MayGo(part))
                    {
                        turn.Parts.AddRange(_parts.Bare(part));
                    }
                    else
                    {
                        Withhold(turn, part);
                    }

                    break;
                case ToolCallPart call:
                    ToolCallPart written = _parts.Call(call) with { Id = Unique(LegalName.Of(call.Id, IdLengthMax)) };
                    _pending.Add((call.Id, written.Id, call.Pointer));
                    turn.Parts.Add(written);
                    break;
                case TextPart or RefusalPart:
                    turn.Parts.AddRange(_parts.Any(part));
                    break;
                default:
                    _losses.Add(part.Pointer, "An assistant's turn can hold no media.");
                    break;
            }
        }

        if (turn.Parts.Count == 0)
        {
            Turns.Remove(turn);
        }
    }

    private void AddUser(Message message)
    {
        WrittenTurn turn = TurnOf(Role.User, message.Pointer);
        bool hadContent = false;
        foreach (Part part in message.Parts)
        {
            hadContent |= part is not TextPart;
            turn.Parts.AddRange(part is ToolResultPart result ? [Result(result)] : _parts.Any(part));
        }

        if (turn.Parts.Count == 0 && hadContent)
        {
            // All of it was named as lost: the turn itself stays, so that the conversation keeps its shape.
            turn.Parts.Add(new TextPart("(omitted)", message.Pointer));
        }

        if (turn.Parts.Count == 0)
        {
            Turns.Remove(turn);
        }
    }

    private Part Result(ToolResultPart result)
    {
        ToolResultPart written = _parts.Result(result);
        int at = _pending.FindIndex(call => call.Id == result.CallId);
        if (at >= 0)
        {
            written = written with { CallId = _pending[at].Written };
            _pending.RemoveAt(at);
            return written;
        }

        _losses.Add(result.Pointer, "A tool result without its call in the turn before goes on as text.");
        StringBuilder text = new("Result of a tool call:");
        foreach (TextPart part in written.Content.OfType<TextPart>())
        {
            text.Append('\n').Append(part.Text);
        }

        return new TextPart(text.ToString(), result.Pointer);
    }

    /// <summary>Gives every call still open a result that says there is none: the API refuses a conversation with calls left open.</summary>
    private void Settle()
    {
        foreach ((string _, string written, string pointer) in _pending)
        {
            _losses.Add(pointer, "The tool call has no result; an error result was put in its place.");
            TurnOf(Role.User, pointer).Parts.Add(new ToolResultPart(written, [new TextPart("No result was given.", pointer)], pointer) { IsError = true });
        }

        _pending.Clear();
    }

    private void BeginAndEndWithUser()
    {
        if (Turns.Count == 0)
        {
            _losses.Add("/messages", "A conversation needs a user's turn; '.' was put in.");
            TurnOf(Role.User, "/messages").Parts.Add(new TextPart(".", "/messages"));
            return;
        }

        if (Turns[0].Role != Role.User)
        {
            _losses.Add(Turns[0].Pointer, "A conversation begins with the user; a turn '.' was put before it.");
            WrittenTurn first = new(Role.User, Turns[0].Pointer);
            first.Parts.Add(new TextPart(".", Turns[0].Pointer));
            Turns.Insert(0, first);
        }

        if (Turns[^1].Role != Role.User)
        {
            string pointer = Turns[^1].Pointer;
            _losses.Add(pointer, "A conversation ends with the user; a turn 'Continue.' was put behind it.");
            TurnOf(Role.User, pointer).Parts.Add(new TextPart("Continue.", pointer));
        }
    }

    private WrittenTurn TurnOf(Role role, string pointer)
    {
        if (Turns.Count == 0 || Turns[^1].Role != role)
        {
            Turns.Add(new WrittenTurn(role, pointer));
        }

        return Turns[^1];
    }

    // Some servers count their ids anew in every turn; this API wants each id once in a conversation.
    private string Unique(string id)
    {
        _idUses.TryGetValue(id, out int uses);
        _idUses[id] = uses + 1;
        return uses == 0 ? id : Unique(LegalName.Of($"{id}-{uses + 1}", IdLengthMax));
    }
}
