using System.Text;

namespace Ballast.Sandbox.Server;

/// <summary>How the events of a stream lie in its bytes.</summary>
internal abstract class StreamFraming
{
    /// <summary>Server-sent events, as most vendors stream.</summary>
    public static StreamFraming Events { get; } = new EventFraming();

    public abstract string ContentType { get; }

    /// <param name="next">The event.</param>
    /// <param name="isFirst">No event came before it.</param>
    public abstract byte[] Frame(StreamEvent next, bool isFirst);

    /// <summary>What follows the last event of a stream that ends as it should.</summary>
    public virtual byte[] Close(bool isEmpty) => [];

    /// <summary>What stands around the spaces of <see cref="FaultKind.HugeLine"/>.</summary>
    public virtual (byte[] Before, byte[] After) AroundHugeLine => ([], []);

    private sealed class EventFraming : StreamFraming
    {
        public override string ContentType => "text/event-stream; charset=utf-8";

        public override (byte[] Before, byte[] After) AroundHugeLine => ("data: "u8.ToArray(), "\n\n"u8.ToArray());

        public override byte[] Frame(StreamEvent next, bool isFirst) =>
            Encoding.UTF8.GetBytes(next.Name is null ? $"data: {next.Data}\n\n" : $"event: {next.Name}\ndata: {next.Data}\n\n");
    }
}
