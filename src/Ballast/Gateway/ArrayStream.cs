using System.Buffers;
using Ballast.Exchanges;
using Ballast.Protocols.Framing;

namespace Ballast.Gateway;

/// <summary>
/// Makes one JSON array of a stream of events: what each holds becomes an element, written as soon as the event is whole. Whoever writes the events, passed on, translated
/// or an error, need not know of it.
/// </summary>
internal sealed class ArrayStream(Func<IBufferWriter<byte>> target) : IBufferWriter<byte>, IDisposable
{
    private readonly PooledBuffer _pending = new();
    private ServerSentEvents _events = new();
    private bool _hasElement;
    private bool _isClosed;

    public void Advance(int count)
    {
        _pending.Advance(count);
        Drain();
    }

    public Memory<byte> GetMemory(int sizeHint = 0) => _pending.GetMemory(sizeHint);

    public Span<byte> GetSpan(int sizeHint = 0) => _pending.GetSpan(sizeHint);

    /// <summary>Ends the array; nothing may follow.</summary>
    public void Close()
    {
        if (!_isClosed)
        {
            _isClosed = true;
            target().Write(_hasElement ? "]"u8 : "[]"u8);
        }
    }

    /// <summary>Forgets everything, for an answer that another deployment will give.</summary>
    public void Discard()
    {
        _pending.Clear();
        _events = new ServerSentEvents();
        _hasElement = false;
    }

    public void Dispose() => _pending.Dispose();

    private void Drain()
    {
        ReadOnlySequence<byte> unread = new(_pending.WrittenMemory);
        bool hasTaken = false;
        while (_events.TryTake(ref unread, isCompleted: false, out _, out ServerSentEvent taken))
        {
            hasTaken = true;
            if (!taken.Data.IsEmpty)
            {
                IBufferWriter<byte> output = target();
                output.Write(_hasElement ? ",\r\n"u8 : "["u8);
                output.Write(taken.Data);
                _hasElement = true;
            }
        }

        if (hasTaken)
        {
            byte[] rest = unread.ToArray();
            _pending.Clear();
            _pending.Write(rest);
        }
    }
}
