using System.Buffers;
using System.Text;
using Ballast.Catalog;
using Ballast.Configuration;
using Ballast.Exchanges;
using Ballast.Guards.Redaction;
using Ballast.Protocols.Conversation;

namespace Ballast.Guards.Constitution;

/// <summary>
/// One answer before the constitution. Rules that need no more than a line are judged line by line, and a line goes on when it is judged; where a principle needs the whole answer, or a
/// second one, nothing goes on before the end.
/// </summary>
/// <param name="exchange">Of which the answer is.</param>
/// <param name="principles">Those that hold for answers of its app.</param>
/// <param name="ask">Asks a principle's judge: true keeps, false breaks, null where it told nothing.</param>
/// <param name="notes">What is known of the request already.</param>
/// <param name="isPlain">The answer is only passed on, as bytes: it is held until it is whole, and nobody can be asked again.</param>
public sealed class PrincipledAnswer(
    Exchange exchange, IReadOnlyList<Principle> principles, Func<Principle, string, CancellationToken, Task<bool?>> ask, List<string> notes, bool isPlain = false) : AnswerJudge
{
    private readonly List<string> _notes = notes;
    private readonly Dictionary<(int Part, bool IsCall), SegmentReader> _open = [];
    private readonly StringBuilder _whole = new();
    private readonly ArrayBufferWriter<byte> _bytes = new();
    private readonly List<string> _tools = [];
    private Principle? _broken;
    private bool _isRevised;

    public override bool LooksAtAnswer => principles.Count > 0;

    public override bool HoldsWhole { get; } = isPlain || principles.Any(static principle => principle.NeedsWhole);

    public override IReadOnlyList<string> Notes => _notes;

    public override string Verdict => _broken is not null ? $"broken; principle={_broken.Id}"
        : _notes.Find(static note => note.EndsWith("=flagged", StringComparison.Ordinal)) is { } flagged ? $"flagged; principle={flagged["constitution:".Length..^"=flagged".Length]}"
        : _isRevised ? "kept; revised" : HoldsWhole || principles.Count == 0 ? "kept" : "judged as it comes";

    public override ChatError? Refusal => _broken is null ? null : Refused(_broken, "The answer breaks a principle of this gateway's constitution.");

    public override bool WantsRevision => _broken is { Options.Action: PrincipleAction.Revise } && !_isRevised && !isPlain;

    /// <summary>What a client is told of a principle that was broken.</summary>
    public static ChatError Refused(Principle principle, string message) =>
        GatewayError.Constitution.ToChatError($"{message} Principle '{principle.Id}': {principle.Options.Text}");

    public override void Restart()
    {
        _broken = null;
        _open.Clear();
        _whole.Clear();
        _bytes.Clear();
        _tools.Clear();
    }

    public override void TakeBytes(in ReadOnlySequence<byte> piece)
    {
        foreach (ReadOnlyMemory<byte> memory in piece)
        {
            _bytes.Write(memory.Span);
        }
    }

    public override void Take(ChatEvent chatEvent, List<ChatEvent> output)
    {
        switch (chatEvent)
        {
            case TextDelta text:
                Piece(text.Part, isCall: false, text.Text, output);
                break;
            case ToolCallDelta call:
                Piece(call.Part, isCall: true, call.Arguments, output);
                break;
            case ToolCallStarted call:
                EndAll(output);
                _tools.Add(call.Name);
                JudgeTool(call.Name);
                output.Add(chatEvent);
                break;
            case PartEnded or Finished or ResponseEnded:
                EndAll(output);
                output.Add(chatEvent);
                break;
            default:
                output.Add(chatEvent);
                break;
        }
    }

    public override async Task JudgeAsync(CancellationToken cancellation)
    {
        if (!HoldsWhole)
        {
            return;
        }

        string text = isPlain ? PlainTexts.OfAnswer(_bytes.WrittenSpan) : _whole.ToString();
        foreach (Principle principle in principles)
        {
            if (_broken is not null)
            {
                return;
            }

            if (principle.Options.Judge is not null)
            {
                bool? keeps = await ask(principle, PrincipleCheck.Judged([text]), cancellation).ConfigureAwait(false);
                NoteJudge(principle, keeps, _notes);
                if (!(keeps ?? principle.Options.FailsOpen))
                {
                    Break(principle);
                }
            }
            else if (!PrincipleCheck.Keeps(principle, text) || _tools.Exists(tool => !PrincipleCheck.Allows(principle, tool)))
            {
                Break(principle);
            }
        }
    }

    public override void Revise()
    {
        Principle broken = _broken!;
        _isRevised = true;
        Note($"constitution:{broken.Id}=revised");
        string told = $"Your last answer was not delivered, because it broke this principle: {broken.Options.Text} Answer again, and keep to it.";
        if (RevisedBody.Of(exchange.Envelope.Body, exchange.Request, told) is { } body)
        {
            exchange.Revise(body);
        }

        Restart();
    }

    /// <summary>A judge that told nothing is in the ledger, whatever it counts as.</summary>
    public static void NoteJudge(Principle principle, bool? keeps, List<string> notes)
    {
        string note = $"constitution:{principle.Id}=judge-failed";
        if (keeps is null && !notes.Contains(note))
        {
            notes.Add(note);
        }
    }

    private void Piece(int part, bool isCall, string text, List<ChatEvent> output)
    {
        if (HoldsWhole)
        {
            _whole.Append(text);
            output.Add(isCall ? new ToolCallDelta(part, text) : new TextDelta(part, text));
            return;
        }

        if (!_open.TryGetValue((part, isCall), out SegmentReader? lines))
        {
            EndAll(output);
            _open[(part, isCall)] = lines = new SegmentReader(isLines: true);
        }

        lines.Append(text);
        Drain(part, isCall, lines, isCompleted: false, output);
    }

    private void Drain(int part, bool isCall, SegmentReader lines, bool isCompleted, List<ChatEvent> output)
    {
        while (_broken is null && lines.TryPeek(isCompleted, out ReadOnlySpan<char> line, out bool isForced))
        {
            string text = line.ToString();
            JudgeText(text);
            if (_broken is not null)
            {
                return;
            }

            // Of a line that is too long the end is judged again, together with what follows.
            int length = isForced ? Math.Max(1, text.Length - TextWindow.MatchCharactersMax) : text.Length;
            length -= length > 1 && length < text.Length && char.IsHighSurrogate(text[length - 1]) ? 1 : 0;
            lines.Consume(length);
            output.Add(isCall ? new ToolCallDelta(part, text[..length]) : new TextDelta(part, text[..length]));
        }
    }

    private void EndAll(List<ChatEvent> output)
    {
        foreach (((int part, bool isCall), SegmentReader lines) in _open)
        {
            Drain(part, isCall, lines, isCompleted: true, output);
        }

        _open.Clear();
    }

    private void JudgeText(string text)
    {
        foreach (Principle principle in principles)
        {
            if (!PrincipleCheck.Keeps(principle, text))
            {
                Break(principle);
            }
        }
    }

    private void JudgeTool(string tool)
    {
        foreach (Principle principle in principles)
        {
            if (!principle.NeedsWhole && !PrincipleCheck.Allows(principle, tool))
            {
                Break(principle);
            }
        }
    }

    private void Break(Principle principle)
    {
        if (principle.Options.Action == PrincipleAction.Flag)
        {
            Note($"constitution:{principle.Id}=flagged");
            return;
        }

        _broken ??= principle;
        if (!WantsRevision)
        {
            Note($"constitution:{principle.Id}=blocked");
        }
    }

    private void Note(string note)
    {
        if (!_notes.Contains(note))
        {
            _notes.Add(note);
        }
    }
}
