using System.Text;
using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.OpenAIChat;

/// <summary>Finish reasons of OpenAI and of the servers that speak its protocol with words of their own.</summary>
internal static class OpenAIChatFinish
{
    /// <summary>The word with which some servers end an answer that failed: no end at all.</summary>
    public const string ErrorWord = "error";

    /// <summary>The reason on which <paramref name="reader"/> stands; null where the string is empty, as Snowflake sends it in every chunk.</summary>
    public static string? Word(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.String)
        {
            return null;
        }

        return reader.ValueIsEscaped ? JsonText.Read(ref reader) : Word(reader.ValueSpan);
    }

    /// <summary>The reason as text; null where there is none. The usual words need no new string.</summary>
    public static string? Word(ReadOnlySpan<byte> text) =>
        text.IsEmpty ? null
        : text.SequenceEqual("stop"u8) ? "stop"
        : text.SequenceEqual("tool_calls"u8) ? "tool_calls"
        : text.SequenceEqual("length"u8) ? "length"
        : Encoding.UTF8.GetString(text);

    /// <param name="word">As the server says it.</param>
    /// <param name="hasToolCalls">The client sees a call.</param>
    /// <param name="hasAnswerCall">A call carried the emulated structured answer, which the client sees as text.</param>
    public static FinishReason Read(string word, bool hasToolCalls, bool hasAnswerCall = false)
    {
        FinishReason reason = word switch
        {
            "stop" or "eos" or "eos_token" or "end_turn" or "stop_sequence" or "completed" or "done" or "STOP" => FinishReason.Stop,
            "length" or "max_tokens" or "model_length" or "max_output_tokens" or "MAX_TOKENS" => FinishReason.Length,
            "tool_calls" or "function_call" or "tool_use" or "tool_call" => FinishReason.ToolCalls,
            "content_filter" or "content_filtered" or "safety" or "SAFETY" => FinishReason.ContentFilter,
            "refusal" => FinishReason.Refusal,
            _ => new FinishReason(word),
        };

        if (reason == FinishReason.ToolCalls && hasAnswerCall && !hasToolCalls)
        {
            return FinishReason.Stop;
        }

        // Gemini and others say "stop" after calls; a client waits for "tool_calls" before it runs them.
        return reason == FinishReason.Stop && hasToolCalls ? FinishReason.ToolCalls : reason;
    }

    /// <summary>
    /// The word for a reason. Clients know a closed set and some throw at any other word, so a foreign reason becomes the nearest one and is named as a loss.
    /// </summary>
    public static string Write(Finished finished, bool hasRefusalText, bool hasToolCalls, LossReport losses)
    {
        FinishReason reason = finished.Reason;
        string? word = reason.Value switch
        {
            "stop" => hasToolCalls ? "tool_calls" : "stop",
            "length" or "context_window" => "length",
            "tool_calls" => "tool_calls",
            "content_filter" => "content_filter",
            "refusal" => hasRefusalText ? "stop" : "content_filter",
            "pause" => "stop",
            _ => null,
        };
        if (word is null || reason == FinishReason.Pause || reason == FinishReason.ContextWindow)
        {
            losses.AddInResponse(finished.Pointer, $"Chat Completions has no word for the finish reason {reason.Value}.");
        }

        return word ?? (hasToolCalls ? "tool_calls" : "stop");
    }
}
