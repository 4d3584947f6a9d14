using Ballast.Protocols.Conversation;

namespace Ballast.Protocols;

/// <summary>
/// Structured output where an endpoint has none: the model is made to call one tool whose arguments are the answer, and the reader hands them on as text,
/// so that no envelope is left. One rule for writer, reader and relay.
/// </summary>
public static class StructuredOutput
{
    /// <summary>Name of the tool that carries the answer.</summary>
    public const string ToolName = "ballast_structured_output";

    /// <summary>True where the answer must be emulated on this endpoint (and then held until it is validated).</summary>
    public static bool IsEmulated(ChatRequest request, RequestTarget target) =>
        request.ResponseFormat?.Kind == ResponseFormatKind.JsonSchema && !target.Has(TargetFeatures.JsonSchema);
}
