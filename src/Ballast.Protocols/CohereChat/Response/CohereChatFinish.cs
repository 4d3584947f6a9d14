using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.CohereChat;

/// <summary>Why an answer ended. Two words say that it failed.</summary>
internal static class CohereChatFinish
{
    public const string ErrorWord = "ERROR";

    public const string TimeoutWord = "TIMEOUT";

    private const string FilteredWord = "ERROR_TOXIC";

    /// <summary>The word on which <paramref name="reader"/> stands, or null. The usual words need no new string.</summary>
    public static string? Word(ref Utf8JsonReader reader) =>
        reader.TokenType != JsonTokenType.String ? null
        : reader.ValueTextEquals("COMPLETE"u8) ? "COMPLETE"
        : reader.ValueTextEquals("TOOL_CALL"u8) ? "TOOL_CALL"
        : reader.ValueTextEquals("MAX_TOKENS"u8) ? "MAX_TOKENS"
        : reader.ValueTextEquals(""u8) ? null
        : JsonText.Read(ref reader);

    /// <param name="word">As Cohere says it.</param>
    /// <param name="hasCalls">The client sees a call.</param>
    public static FinishReason Read(string word, bool hasCalls) => word switch
    {
        "COMPLETE" or "STOP_SEQUENCE" or "TOOL_CALL" => hasCalls ? FinishReason.ToolCalls : FinishReason.Stop,
        "MAX_TOKENS" => FinishReason.Length,
        "ERROR_LIMIT" => FinishReason.ContextWindow,
        FilteredWord => FinishReason.ContentFilter,
        _ => new FinishReason(word),
    };

    public static string Write(Finished finished, bool hasCalls, LossReport losses)
    {
        FinishReason reason = finished.Reason;
        string? word = reason.Value switch
        {
            "stop" => hasCalls ? "TOOL_CALL" : finished.StopSequence is null ? "COMPLETE" : "STOP_SEQUENCE",
            "tool_calls" => "TOOL_CALL",
            "length" => "MAX_TOKENS",
            "context_window" => "ERROR_LIMIT",
            "content_filter" or "refusal" => FilteredWord,
            _ => null,
        };
        if (word is null)
        {
            losses.AddInResponse(finished.Pointer, $"Cohere has no word for the finish reason {reason.Value}.");
        }

        if (finished.StopSequence is not null)
        {
            losses.AddInResponse("/stop_sequence", "Cohere does not tell which stop sequence was met.");
        }

        return word ?? "COMPLETE";
    }
}
