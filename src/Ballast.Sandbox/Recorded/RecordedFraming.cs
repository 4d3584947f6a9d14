namespace Ballast.Sandbox;

/// <summary>How an answer's bytes are cut into pieces.</summary>
public enum RecordedFraming
{
    /// <summary>Not at all.</summary>
    Whole,

    /// <summary>Server-sent events.</summary>
    Events,

    /// <summary>AWS's binary event stream.</summary>
    EventStream,

    /// <summary>A JSON value a line.</summary>
    Lines,

    /// <summary>The items of a JSON array.</summary>
    Array,
}
