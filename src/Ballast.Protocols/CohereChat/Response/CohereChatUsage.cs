using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.CohereChat;

/// <summary>
/// Tokens as this protocol counts them: what is billed, and what the model read and wrote with Cohere's own instructions around it. The bill counts. Cached tokens are among
/// those read; where the bill counts all of these, they are among the billed, else nobody can tell.
/// </summary>
internal static class CohereChatUsage
{
    /// <summary>Largest count believed: sums of a few of them cannot overflow.</summary>
    private const long CountMax = 1L << 52;

    /// <param name="json">A <c>usage</c> object.</param>
    /// <param name="losses">Takes what other protocols cannot say; null where nobody asks.</param>
    public static Usage? Read(ReadOnlySpan<byte> json, LossReport? losses)
    {
        Counts billed = default;
        Counts tokens = default;
        Counts rest = default;
        Utf8JsonReader reader = new(json);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("billed_units"u8))
            {
                reader.Read();
                billed.Read(ref reader);
            }
            else if (reader.ValueTextEquals("tokens"u8))
            {
                reader.Read();
                tokens.Read(ref reader);
            }
            else
            {
                rest.ReadField(ref reader);
            }
        }

        if (!billed.IsAny && !tokens.IsAny)
        {
            return null;
        }

        Counts counted = billed.IsAny ? billed : tokens;
        long read = tokens.Input + tokens.Images;
        bool isAllBilled = !billed.IsAny || billed.Input == read;
        Lose(billed, read, rest, isAllBilled, losses);
        long cacheRead = isAllBilled ? Math.Min(rest.Cached, counted.Input) : 0;
        long cacheWrite = isAllBilled ? Math.Min(rest.CacheWrite, counted.Input - cacheRead) : 0;
        long cacheWriteLong = isAllBilled ? Math.Min(rest.CacheWriteLong, counted.Input - cacheRead - cacheWrite) : 0;
        return new Usage
        {
            InputTokens = counted.Input - cacheRead - cacheWrite - cacheWriteLong + (billed.IsAny ? 0 : tokens.Images),
            CacheReadTokens = cacheRead,
            CacheWriteTokens = cacheWrite,
            CacheWriteLongTokens = cacheWriteLong,
            OutputTokens = counted.Output,
            ReasoningTokens = tokens.Reasoning is long reasoning ? Math.Min(reasoning, counted.Output) : null,
        };
    }

    private static void Lose(in Counts billed, long read, in Counts rest, bool isAllBilled, LossReport? losses)
    {
        if (losses is null)
        {
            return;
        }

        if (!isAllBilled && read > 0)
        {
            losses.AddInResponse("/usage/tokens", "Other protocols have one count of tokens: the billed ones.");
        }

        if (!isAllBilled && rest.Cached > 0)
        {
            losses.AddInResponse("/usage/cached_tokens", "How many of the billed tokens these are is not told.");
        }

        if (billed.Searches > 0)
        {
            losses.AddInResponse("/usage/billed_units/search_units", "Searches are no tokens.");
        }

        if (billed.Classifications > 0)
        {
            losses.AddInResponse("/usage/billed_units/classifications", "Classifications are no tokens.");
        }
    }

    /// <summary>Writes the value of a <c>usage</c> field. Both counts are the same: elsewhere what is read is what is billed.</summary>
    public static void Write(Usage usage, Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteStartObject("billed_units"u8);
        json.WriteNumber("input_tokens"u8, usage.TotalInputTokens);
        json.WriteNumber("output_tokens"u8, usage.OutputTokens);
        json.WriteEndObject();
        json.WriteStartObject("tokens"u8);
        json.WriteNumber("input_tokens"u8, usage.TotalInputTokens);
        json.WriteNumber("output_tokens"u8, usage.OutputTokens);
        if (usage.ReasoningTokens is long reasoning)
        {
            json.WriteNumber("reasoning_tokens"u8, reasoning);
        }

        json.WriteEndObject();
        json.WriteNumber("cached_tokens"u8, usage.CacheReadTokens);
        if (usage.CacheWriteTokens > 0)
        {
            json.WriteNumber("cache_write_tokens"u8, usage.CacheWriteTokens);
        }

        if (usage.CacheWriteLongTokens > 0)
        {
            json.WriteNumber("cache_write_long_tokens"u8, usage.CacheWriteLongTokens);
        }

        json.WriteEndObject();
    }

    /// <summary>Counts of one kind.</summary>
    private struct Counts
    {
        public bool IsAny;
        public long Input;
        public long Output;
        public long Images;
        public long? Reasoning;
        public long Searches;
        public long Classifications;
        public long Cached;
        public long CacheWrite;
        public long CacheWriteLong;

        /// <summary>Reads the object on which <paramref name="reader"/> stands, up to its end.</summary>
        public void Read(ref Utf8JsonReader reader)
        {
            if (reader.TokenType != JsonTokenType.StartObject)
            {
                reader.Skip();
                return;
            }

            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                ReadField(ref reader);
            }
        }

        /// <summary>Reads the count on whose name <paramref name="reader"/> stands; passes over anything else.</summary>
        public void ReadField(ref Utf8JsonReader reader)
        {
            if (reader.ValueTextEquals("input_tokens"u8))
            {
                IsAny |= Next(ref reader, ref Input);
            }
            else if (reader.ValueTextEquals("output_tokens"u8))
            {
                IsAny |= Next(ref reader, ref Output);
            }
            else if (reader.ValueTextEquals("image_tokens"u8))
            {
                Next(ref reader, ref Images);
            }
            else if (reader.ValueTextEquals("reasoning_tokens"u8))
            {
                long reasoning = 0;
                Reasoning = Next(ref reader, ref reasoning) ? reasoning : Reasoning;
            }
            else if (reader.ValueTextEquals("search_units"u8))
            {
                Next(ref reader, ref Searches);
            }
            else if (reader.ValueTextEquals("classifications"u8))
            {
                Next(ref reader, ref Classifications);
            }
            else if (reader.ValueTextEquals("cached_tokens"u8))
            {
                Next(ref reader, ref Cached);
            }
            else if (reader.ValueTextEquals("cache_write_tokens"u8))
            {
                Next(ref reader, ref CacheWrite);
            }
            else if (reader.ValueTextEquals("cache_write_long_tokens"u8))
            {
                Next(ref reader, ref CacheWriteLong);
            }
            else
            {
                reader.Read();
                reader.Skip();
            }
        }

        private static bool Next(ref Utf8JsonReader reader, ref long count)
        {
            reader.Read();
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetDouble(out double number))
            {
                reader.Skip();
                return false;
            }

            count = reader.TryGetInt64(out long whole) ? Math.Clamp(whole, 0, CountMax) : (long)Math.Clamp(number, 0, CountMax);
            return true;
        }
    }
}
