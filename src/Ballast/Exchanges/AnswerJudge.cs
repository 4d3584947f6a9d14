using System.Buffers;
using Ballast.Protocols.Conversation;

namespace Ballast.Exchanges;

/// <summary>Holds an answer against the constitution on its way to the client, for one request.</summary>
public abstract class AnswerJudge
{
    /// <summary>Some principle is about answers; where none is, the answer goes on as it comes.</summary>
    public abstract bool LooksAtAnswer { get; }

    /// <summary>Nothing goes to the client before the whole answer is judged.</summary>
    public abstract bool HoldsWhole { get; }

    /// <summary>What the ledger is told: <c>constitution:no-prices=blocked</c>.</summary>
    public abstract IReadOnlyList<string> Notes { get; }

    /// <summary>What the client is told in a header.</summary>
    public abstract string Verdict { get; }

    /// <summary>The answer, or a piece of it, may not go on; what its client is told. Null where it may.</summary>
    public abstract ChatError? Refusal { get; }

    /// <summary>The model is to be asked once more.</summary>
    public abstract bool WantsRevision { get; }

    /// <summary>Another attempt answers.</summary>
    public abstract void Restart();

    /// <summary>Takes the next event and adds what may go on; look at <see cref="Refusal"/> after it.</summary>
    public abstract void Take(ChatEvent chatEvent, List<ChatEvent> output);

    /// <summary>Takes a piece of an answer that is otherwise only passed on.</summary>
    public abstract void TakeBytes(in ReadOnlySequence<byte> piece);

    /// <summary>Judges the whole answer, now that it is there; look at <see cref="Refusal"/> after it.</summary>
    public abstract Task JudgeAsync(CancellationToken cancellation);

    /// <summary>Makes of the request one that tells the model the principle it broke.</summary>
    public abstract void Revise();
}
