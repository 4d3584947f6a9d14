namespace Ballast.Protocols;

/// <summary>How the address of a request asks for its answer.</summary>
public enum StreamForm
{
    /// <summary>The address says nothing of it: the body does, or the protocol has no streams.</summary>
    InBody,

    /// <summary>A whole answer.</summary>
    Whole,

    /// <summary>A stream in the protocol's usual framing.</summary>
    Events,

    /// <summary>A stream that is one JSON array (Gemini without <c>alt=sse</c>).</summary>
    Array,
}

/// <summary>
/// What a request's path and query say of it: some protocols (Gemini, Bedrock) have model and streaming there and not in the body. The default says nothing.
/// </summary>
/// <param name="Model">The model, unescaped; null where the body names it.</param>
/// <param name="Stream">How the answer is wanted.</param>
public readonly record struct RequestAddress(string? Model, StreamForm Stream)
{
    /// <summary>The vendor's own choice for this path where neither it nor the body names a model; null where the vendor makes none.</summary>
    public string? DefaultModel { get; init; }

    /// <summary>What the path says of a file or batch, whatever it is; null where it names none.</summary>
    public string? Handle { get; init; }

    /// <summary>Gives a query parameter's value, or null; itself null where no operation asks for one.</summary>
    public Func<string, string?>? Query { get; init; }
}
