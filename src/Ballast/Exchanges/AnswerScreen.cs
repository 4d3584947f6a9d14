using System.Buffers;
using Ballast.Protocols.Conversation;

namespace Ballast.Exchanges;

/// <summary>What stands between an upstream's answer and the client, for one request: it may hold an answer's pieces back, and change them.</summary>
public abstract class AnswerScreen
{
    /// <summary>What the ledger is told, without any of the content: <c>redacted:email=2</c>.</summary>
    public abstract IEnumerable<string> Notes { get; }

    /// <summary>Another attempt answers: what waits of the one before is forgotten.</summary>
    public abstract void Restart();

    /// <summary>Takes the next event of a streamed answer and adds what may go on.</summary>
    public abstract void Take(ChatEvent chatEvent, List<ChatEvent> output);

    /// <summary>Takes the next event of a stream that is otherwise only passed on, as its bytes, and writes what may go on.</summary>
    public abstract void TakeFrame(in ReadOnlySequence<byte> frame, IBufferWriter<byte> output);

    /// <summary>A stream of the caller's own protocol goes on by its frames and not by events: it holds several answers, and events are of one.</summary>
    public bool TakesFrames { get; init; }

    /// <summary>The stream whose frames were taken is over: writes what waits.</summary>
    public abstract void EndFrames(IBufferWriter<byte> output);

    /// <summary>A text of the answer as it may be kept: every value that is found in it is taken out, and none is put back.</summary>
    public abstract string Hidden(string text);

    /// <summary>Screens a whole answer in the caller's protocol, JSON.</summary>
    public abstract ReadOnlyMemory<byte> Whole(ReadOnlyMemory<byte> body);
}
