using System.Text.Json;

namespace Ballast.Protocols.OpenAIChat;

/// <summary>How many tokens there were of prompt and answer, against which a count of those that were text says nothing more where it is the same.</summary>
internal readonly record struct OpenAIChatTextCounts(long Prompt, long Completion, long Reasoning)
{
    /// <summary>True where <paramref name="reader"/> stands on the name of a count of text in the object at <paramref name="at"/>, and all of it was text.</summary>
    public bool IsAll(Utf8JsonReader reader, string at)
    {
        if (!reader.ValueTextEquals("text_tokens"u8))
        {
            return false;
        }

        reader.Read();
        return reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out long count)
            && (at.EndsWith("/prompt_tokens_details", StringComparison.Ordinal) ? count == Prompt
            : at.EndsWith("/completion_tokens_details", StringComparison.Ordinal) && (count == Completion || count == Completion - Reasoning));
    }
}
