using System.Buffers;
using System.Net;

namespace Ballast.Transport;

/// <summary>
/// One request of a client and the answer to it, whichever engine serves it. Everything may be used until the handler that was given it returns, and not after. One
/// flow of work at a time; only <see cref="Aborted"/> may be watched from elsewhere.
/// </summary>
public abstract class HttpCall
{
    private Action<string, string>? _headerSetter;

    public abstract string Method { get; }

    /// <summary>Without the query; unescaped, but for an escaped slash.</summary>
    public abstract string Path { get; }

    /// <summary>The length that the head tells; null where it tells none.</summary>
    public abstract long? ContentLength { get; }

    /// <summary>Of the client, or of the proxy before it; null where it is not known.</summary>
    public virtual IPAddress? RemoteAddress => null;

    /// <summary>The client has gone, or the server is being ended.</summary>
    public abstract CancellationToken Aborted { get; }

    /// <summary>The answer's status; 200 at first.</summary>
    public abstract int Status { get; set; }

    /// <summary>The answer's length, where it is known before its first byte is written.</summary>
    public abstract long? ResponseLength { get; set; }

    /// <summary>Where the answer's body is written. The first byte ends the head.</summary>
    public abstract IBufferWriter<byte> Output { get; }

    /// <summary><see cref="SetHeader"/>, made once.</summary>
    public Action<string, string> HeaderSetter => _headerSetter ??= SetHeader;

    public bool HasQuery(string name) => Query(name) is not null;

    /// <summary>A parameter of the query, unescaped; empty where it has no value, null where there is none.</summary>
    public abstract string? Query(string name);

    /// <summary>The next value of a header that may stand there more than once; null where there is none. <paramref name="position"/> begins at 0.</summary>
    public abstract string? NextHeader(string name, ref int position);

    /// <summary>A header's value; several are joined by commas; null where there is none.</summary>
    public string? Header(string name)
    {
        int position = 0;
        string? first = NextHeader(name, ref position);
        if (first is null || NextHeader(name, ref position) is not { } next)
        {
            return first;
        }

        string joined = first + "," + next;
        while (NextHeader(name, ref position) is { } more)
        {
            joined += "," + more;
        }

        return joined;
    }

    /// <summary>Bytes of the request's body; 0 at its end.</summary>
    /// <exception cref="BodyTooLargeException">There is more than the engine takes at all.</exception>
    /// <exception cref="BodyTooSlowException">The client takes too long over it.</exception>
    /// <exception cref="IOException">The body broke off or is no body.</exception>
    public abstract ValueTask<int> ReadBodyAsync(Memory<byte> buffer);

    /// <summary>Sets a header of the answer in the place of one of the same name.</summary>
    public abstract void SetHeader(string name, string value);

    public abstract void ClearHeaders();

    /// <summary>Sends what was written, the head before it. Returns false where the client is no longer there.</summary>
    public abstract ValueTask<bool> FlushAsync(CancellationToken cancellation);

    /// <summary>Cuts the answer off: what was sent must not be taken for a whole one.</summary>
    public abstract void Abort();
}

/// <summary>A request's body is larger than an engine takes.</summary>
public sealed class BodyTooLargeException(Exception? inner = null) : IOException("The request's body is too large.", inner);

/// <summary>A request's body comes more slowly than an engine waits for.</summary>
public sealed class BodyTooSlowException(Exception? inner = null) : IOException("The request's body came too slowly.", inner);
