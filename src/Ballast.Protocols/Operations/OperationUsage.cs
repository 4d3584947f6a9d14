using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.Operations;

/// <summary>
/// Reads the tokens that operations other than chat report: <c>prompt_tokens</c>, <c>completion_tokens</c>, <c>total_tokens</c> (embeddings, completions, reranking),
/// <c>input_tokens</c>, <c>output_tokens</c> (images, transcriptions), Cohere's <c>meta.billed_units</c> and <c>meta.tokens</c>,
/// Google's <c>promptTokenCount</c>.
/// </summary>
internal static class OperationUsage
{
    /// <summary>The reader stands on the object's start and is left at its end. Null where it tells no tokens.</summary>
    public static Usage? Read(ref Utf8JsonReader reader)
    {
        long? input = null, output = null, total = null, cached = null;
        int depth = reader.CurrentDepth;
        while (reader.Read() && reader.CurrentDepth > depth)
        {
            if (reader.TokenType != JsonTokenType.PropertyName)
            {
                continue;
            }

            bool isInput = reader.ValueTextEquals("prompt_tokens"u8) || reader.ValueTextEquals("input_tokens"u8) || reader.ValueTextEquals("promptTokenCount"u8);
            bool isOutput = reader.ValueTextEquals("completion_tokens"u8) || reader.ValueTextEquals("output_tokens"u8);
            bool isTotal = reader.ValueTextEquals("total_tokens"u8);
            bool isCached = reader.ValueTextEquals("cached_tokens"u8);
            reader.Read();
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out long count) || count < 0)
            {
                continue;
            }

            // Of a figure told twice (in all, and by kind of medium) the first and outer one counts.
            input ??= isInput ? count : null;
            output ??= isOutput ? count : null;
            total ??= isTotal ? count : null;
            cached ??= isCached ? count : null;
        }

        if (input is null && output is null && total is null)
        {
            return null;
        }

        long all = input ?? Math.Max(0, (total ?? 0) - (output ?? 0));
        long read = Math.Min(cached ?? 0, all);
        return new Usage { InputTokens = all - read, CacheReadTokens = read, OutputTokens = output ?? Math.Max(0, (total ?? all) - all) };
    }
}
